"""One cell to one text: blanks at the ends, numbers, dates as people write them. Nothing is changed without a note.

A note says what was read; what cannot be read beyond doubt stays what it is and is refused by the field's rules.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from documents.sheet.model import Level
from documents.values import BLANKS
from documents.words import Words, short

EDGE = re.compile(f"^[{BLANKS}]+|[{BLANKS}]+$")
_ANY_BLANK = re.compile(f"[{BLANKS}]+")
#: the same characters one by one, all of the first plane: asked for every cell, where a pattern would cost five times
BLANK = frozenset(re.findall(f"[{BLANKS}]", "".join(map(chr, range(0x10000)))))
#: year, month and day in this order only: 03/04/2026 could be either
_DATE = re.compile(
    r"([0-9]{4})(?:([-/.])([0-9]{1,2})\2([0-9]{1,2})|年([0-9]{1,2})月([0-9]{1,2})日)"
    r"(?:[ T]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?)?"
)
_DAY = re.compile("[0-9]{8}")

ODD_WORDS = {
    "formula": ("formula-cell", Words(
        "单元格为公式，请改为文本值。", "The cell is a formula; replace it by its value as text.")),
    "error": ("error-cell", Words(
        "单元格为错误值（如 #N/A），请改为文本值。", "The cell holds an error value like #N/A; enter a text.")),
    "date": ("not-a-text-cell", Words(
        "单元格为日期或逻辑值，请改为文本格式后重填。", "The cell is a date or a truth value; format it as text and enter it again.")),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Slot:
    """A column of the uploaded sheet that fills a field. form: how cells of other kinds than text are taken."""

    index: int
    letter: str
    header: str
    level: Level
    name: str
    form: Literal["code", "date", "datetime", "other"]
    group: bool


def title(cell: Any) -> str:
    """A header as it is compared: without blanks, half width, in small letters."""
    return _ANY_BLANK.sub("", unicodedata.normalize("NFKC", str(cell))).casefold()


def title_text(cell: Any) -> str:
    """A header as it is shown: in one line."""
    return re.sub(r"\s+", " ", str(cell)).strip()


def number_text(cell: float) -> str:
    """A number cell as it was typed, as far as that is known: no exponent, no trailing zeros."""
    return str(cell) if isinstance(cell, int) else format(Decimal(repr(cell)).normalize(), "f")


def trimmed(cell: str) -> tuple[str, Words]:
    """A text without the blanks at its ends, and the note about them."""
    text = EDGE.sub("", cell)
    return text, Words(
        f"首尾空格已去除，按“{short(text)}”导入。",
        f"Blanks at the ends were removed; read as “{short(text)}”.",
    )


def written_date(text: str, form: str) -> str | None:
    """2026-11-20, 2026/11/20, 2026年11月20日, with or without a time, as the message has it; None if it is no such."""
    if form == "datetime" and _DAY.fullmatch(text):
        found = _real(text[:4], text[4:6], text[6:], "0", "0", "0")
    else:
        parts = _DATE.fullmatch(text)
        if parts is None:
            return None
        month, day = parts[3] or parts[5], parts[4] or parts[6]
        found = _real(parts[1], month, day, parts[7] or "0", parts[8] or "0", parts[9] or "0")
    return None if found is None else date_text(found, form)


def _real(*parts: str) -> datetime | None:
    year, month, day, hour, minute, second = map(int, parts)
    try:
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - written down without a zone
    except ValueError:
        return None


def date_text(cell: date, form: str) -> str:
    """A date cell as the message has it: yyyyMMdd, or yyyyMMddHHmmss."""
    moment = cell if isinstance(cell, datetime) else datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001
    day = f"{moment.year:04d}{moment.month:02d}{moment.day:02d}"
    return day if form == "date" else f"{day}{moment.hour:02d}{moment.minute:02d}{moment.second:02d}"


def read_as(shown: str, text: str) -> Words:
    """The note about a date that was read in another spelling."""
    return Words(
        f"日期“{short(shown)}”按 {text} 导入，请核对。",
        f"The date “{short(shown)}” was read as {text}; please check.",
    )
