"""Values as people read them: codes as name[code], dates and times with separators, everything else as it stands.

For what leaves the system on paper or in a workbook. Must never change a value that it cannot read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from documents import codes
from documents.describe import describe, state_text, status_words
from documents.spec import DocumentType, Field
from documents.words import Words, Wrong, short

SHANGHAI = ZoneInfo("Asia/Shanghai")
Show = Callable[[str], str]
#: what customs calls the state, beside our own words for it
_CUSTOMS_STATUS = {"zh": "海关状态", "en": "Customs status"}


def is_number(field: Field) -> bool:
    """Whether values of the field are counted or summed, and therefore stand on the right."""
    return field.type == "decimal"


def is_coded(field: Field) -> bool:
    """Whether values of the field are codes that have a name."""
    return bool(field.table or field.choices)


def shower(field: Field, language: str) -> Show:
    """How values of a field are shown in a language."""
    if is_coded(field):
        names = _names(field, language)
        return lambda value: f"{names[value]}[{value}]" if value in names else value
    if field.type in ("date", "datetime"):
        return _time
    return _same


def name_of_code(field: Field, language: str) -> Show:
    """The name that a code stands for; empty for an unknown code."""
    names = _names(field, language)
    return lambda value: names.get(value, "")


def _names(field: Field, language: str) -> Mapping[str, str]:
    if field.choices:
        return {value: words.en if language == "en" else words.zh for value, words in field.choices}
    rows = codes.index(field.table) if field.table else {}
    return {code: (row.en if language == "en" else row.zh) or row.zh for code, row in rows.items()}


def _same(value: str) -> str:
    return value


def _time(value: str) -> str:
    """yyyyMMdd as 2026-11-20, yyyyMMddHHmmss as 2026-11-20 15:04:05."""
    if not (value.isascii() and value.isdigit() and len(value) in (8, 14)):
        return value
    day = f"{value[:4]}-{value[4:6]}-{value[6:8]}"
    return day if len(value) == 8 else f"{day} {value[8:10]}:{value[10:12]}:{value[12:]}"


def moment(at: datetime, *, seconds: bool = True) -> str:
    """A time of ours, in Asia/Shanghai."""
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def status(doctype: DocumentType, code: str, language: str) -> str:
    """A returnStatus as name[code]; empty before there is one."""
    if not code:
        return ""
    words = status_words(doctype, code)
    text = words.en if language == "en" else words.zh
    return text if code in text else f"{text}[{code}]"


def column_names(doctype: DocumentType) -> tuple[str, ...]:
    """The columns that `Columns` can show of this kind."""
    return tuple(_columns(doctype))


def wrong_columns(doctype: DocumentType, names: Sequence[str]) -> list[Wrong]:
    """What is wrong with a choice of columns; path: ("columns",)."""
    known = column_names(doctype)
    possible = ", ".join(known)
    unknown = [
        Wrong(("columns",), "unknown-field",
              Words(f"没有列“{short(name)}”，可选：{possible}。",
                    f"There is no column “{short(name)}”; possible are: {possible}."), name)
        for name in names
        if name not in known
    ]  # fmt: skip
    twice = [
        Wrong(("columns",), "repeated",
              Words(f"列“{name}”只能出现一次。", f"The column “{name}” must be given once only."), name)
        for name in known
        if names.count(name) > 1
    ]  # fmt: skip
    return unknown + twice


def _columns(doctype: DocumentType) -> dict[str, dict[str, Any]]:
    """By name, in the order in which they are shown without a choice."""
    items = list(describe(doctype)["columns"])
    if all(item["name"] != "customs_status" for item in items):
        # beside customs' words, which it belongs to
        at = next((n for n, item in enumerate(items) if item["name"] == "return_info"), len(items))
        column = {"name": "customs_status", "label": _CUSTOMS_STATUS, "width": 130, "align": "left"}
        items.insert(at, {**column, "default": True})
    return {item["name"]: item for item in items}


class Columns:
    """What a query page shows of a document, as texts: the declared columns with those that every kind has.

    chosen: names of some of them, in the order wanted; none = all. brief: without a choice only those that are shown
    unless chosen otherwise, and times to the minute. names, titles, right (numbers) and widths (pixels) are in one
    order; `texts` answers in the same. Raises KeyError for a name that is not in `column_names`.
    """

    def __init__(
        self, doctype: DocumentType, language: str, *, brief: bool = False, chosen: Sequence[str] = ()
    ) -> None:
        known = _columns(doctype)
        names = chosen or [name for name, item in known.items() if item["default"] or not brief]
        shown = [known[name] for name in names]
        self.names = [str(item["name"]) for item in shown]
        self.titles = [str(item["label"][language]) for item in shown]
        self.right = [item["align"] == "right" for item in shown]
        self.widths = [int(item["width"]) for item in shown]
        declared = {item.name for item in doctype.columns}
        self._shows = [
            (name, shower(doctype.head_field(name), language) if name in declared else None)
            for name in self.names
        ]
        self._type = doctype
        self._language = language
        self._brief = brief

    def texts(self, row: Any) -> list[str]:
        """row: the columns of a document's row, times as datetime, `head` as a mapping of texts."""
        head = row.head
        return [
            show(str(head.get(name, ""))) if show else self._built_in(name, row) for name, show in self._shows
        ]

    def _built_in(self, name: str, row: Any) -> str:
        if name == "state":
            return state_text(self._type, row.state, self._language)
        if name == "customs_status":
            return status(self._type, row.customs_status, self._language)
        value = getattr(row, name)
        return moment(value, seconds=not self._brief) if isinstance(value, datetime) else str(value or "")
