"""Which column of an uploaded sheet fills which field: found by headers, in the template's words or in a mapping's.

A header that is missing matters only where nothing else fills its field; it is told in any case.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from documents.sheet.cells import Slot, title, title_text
from documents.sheet.model import Level, Reading, field_of, invalid, letter, sheet_of
from documents.spec import DocumentType, SheetColumn
from documents.words import Words

#: how many rows from the first one with content the header may stand
HEADER_ROWS = 10

#: (level, field)
Place = tuple[Level, str]


@dataclass(frozen=True, slots=True)
class Found:
    """The header row, its columns, and headers that are not there."""

    row: int
    slots: tuple[Slot, ...]
    absent: tuple[SheetColumn, ...]

    @property
    def group(self) -> Slot:
        """The column of the document's number."""
        return next(slot for slot in self.slots if slot.group)


def wanted(doctype: DocumentType, reading: Reading) -> tuple[SheetColumn, ...]:
    """The columns to look for."""
    return reading.columns or sheet_of(doctype).columns


def find(
    doctype: DocumentType,
    reading: Reading,
    filled: Collection[Place],
    rows: Iterator[tuple[int, list[Any]]],
    left: int,
) -> Found:
    """Look for the header in the first rows, which are consumed with it. filled: what needs no column.

    left: index of the first column. Raises SheetProblem where there is no header, or a needed column is missing.
    """
    columns = wanted(doctype, reading)
    sheet = sheet_of(doctype)
    group = next(c for c in columns if (c.level, c.name) == ("head", sheet.group))
    key = title(group.header)
    for _, (number, cells) in zip(range(HEADER_ROWS), rows, strict=False):
        titles = [title(cell) for cell in cells]
        if key in titles:
            return _columns(doctype, reading, filled, (number, cells, titles), left)
    advice = ("请使用下载的模板", "use the template")
    if reading.columns:
        advice = ("请核对所选的列对应关系", "check the chosen column mapping")
    raise invalid("no-header", f"前 {HEADER_ROWS} 行中没有表头“{group.header}”，{advice[0]}。",
                   f"No header “{group.header}” in the first {HEADER_ROWS} rows; {advice[1]}.")  # fmt: skip


def _columns(
    doctype: DocumentType,
    reading: Reading,
    filled: Collection[Place],
    header: tuple[int, Sequence[Any], list[str]],
    left: int,
) -> Found:
    number, cells, titles = header
    columns = wanted(doctype, reading)
    there = [column for column in columns if title(column.header) in titles]
    absent = tuple(column for column in columns if title(column.header) not in titles)
    _needed(doctype, reading, filled, absent)
    double = "、".join(column.header for column in there if titles.count(title(column.header)) > 1)
    if double:
        raise invalid("duplicate-column", f"表头重复：{double}，无法判断以哪一列为准，请删除多余的列。",
                       f"Headers stand twice: {double}; it is unclear which column counts. Delete the others.")  # fmt: skip
    group = sheet_of(doctype).group
    slots = []
    for column in there:
        index = titles.index(title(column.header))
        kind = field_of(doctype, column).type
        slots.append(
            Slot(
                index=index,
                letter=letter(index + left),
                # their own words, should they differ in blanks or width
                header=title_text(cells[index]) if reading.columns else column.header,
                level=column.level,
                name=column.name,
                form=kind if kind in ("code", "date", "datetime") else "other",
                group=column.level == "head" and column.name == group,
            )
        )
    return Found(number, tuple(slots), absent)


def _needed(
    doctype: DocumentType, reading: Reading, filled: Collection[Place], absent: Sequence[SheetColumn]
) -> None:
    lacking = []
    for column in absent:
        item = field_of(doctype, column)
        waits = reading.basic and item.filled_by == "strategy"
        by_itself = item.default is not None or item.filled_by == "computed"
        if item.required and not by_itself and not waits and (column.level, column.name) not in filled:
            lacking.append(column.header)
    if lacking:
        names = "、".join(lacking)
        advice = ("请使用下载的模板", "use the template")
        if reading.columns:
            advice = ("请核对所选的列对应关系", "check the chosen column mapping")
        raise invalid("missing-column", f"缺少列：{names}，{advice[0]}。",
                       f"Columns are missing: {names}; {advice[1]}.")  # fmt: skip


def absent_words(column: SheetColumn, *, filled: bool) -> Words:
    """The note about a header that is not there and need not be."""
    if filled:
        return Words(
            f"表中没有“{column.header}”列，按业务策略或默认值填写。",
            f"There is no column “{column.header}”; filled in from the strategy or a default.",
        )
    return Words(
        f"表中没有“{column.header}”列，该项按空处理。", f"There is no column “{column.header}”; left empty."
    )
