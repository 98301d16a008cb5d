"""Why customs or the exchange platform refused, in words with a way out. Data: two tables in documents/tables/.

What a code means is published (spec 202205, tables 7-1 and 7-2) or marked as assumed; the way out is ours. Never
decides what becomes of a document: the life course does.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from documents.words import Words

_FOLDER = Path(__file__).parent / "tables"
_STATUS = re.compile(r"-?[0-9]{1,9}")
_PLATFORM = re.compile(r"[0-9]{4}")
#: how the services name a refusal of a whole message: by the platform, by the format check
_REFUSAL = re.compile(r"(platform-|format)(-?[0-9]{1,9})")
_UNKNOWN = Words("未知的平台应答代码", "unknown answer code of the platform")
_ASK = Words(
    "请向数据中心报障，并提供传输 ID 和此代码",
    "Tell the data centre and quote the transmission ID and this code",
)


@dataclass(frozen=True, slots=True)
class Reason:
    """What a code means and what to do. certain: published for what we send, not only assumed."""

    code: str
    words: Words
    way_out: Words
    certain: bool


@dataclass(frozen=True, slots=True)
class _Row:
    low: int
    high: int
    words: Words
    way_out: Words
    certain: bool


def of_status(code: str) -> Reason | None:
    """Of a returnStatus that is a refusal or an error; None for any other. The narrowest range that holds it counts."""
    if not _STATUS.fullmatch(code):
        return None
    return _find("return_errors.csv", code)


def of_platform(code: str) -> Reason:
    """Of an answer code of the exchange platform (4 digits); unknown ones are named as such."""
    found = _find("platform_errors.csv", code) if _PLATFORM.fullmatch(code) else None
    return found or Reason(code, _UNKNOWN, _ASK, certain=False)


def of_refusal(code: str) -> Reason | None:
    """Of the code under which a whole message was refused on its way; None where that says its reason itself."""
    match = _REFUSAL.fullmatch(code)
    if match is None:
        return None
    return of_platform(match[2]) if match[1] == "platform-" else of_status(match[2])


def _find(table: str, code: str) -> Reason | None:
    value = int(code)
    for row in _rows(table):
        if row.low <= value <= row.high:
            return Reason(code, row.words, row.way_out, row.certain)
    return None


@cache
def _rows(table: str) -> tuple[_Row, ...]:
    """The rows, narrowest first."""
    lines = (_FOLDER / table).read_text(encoding="utf-8").splitlines()
    rows = [
        _Row(
            int(row["low"]),
            int(row["high"]),
            Words(row["zh"], row["en"]),
            Words(row["way_zh"], row["way_en"]),
            row["certainty"] == "certain",
        )
        for row in csv.DictReader(line for line in lines if not line.startswith("#"))
    ]
    return tuple(sorted(rows, key=lambda row: row.high - row.low))
