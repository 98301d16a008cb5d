"""A first proposal for a column mapping: which header of somebody's own spreadsheet may mean which field.

Only a proposal: a person looks at it and saves what is right. May meet hostile files, like documents.sheet.read.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

from documents.check import NOT_FOR_PEOPLE
from documents.sheet.cells import title, title_text
from documents.sheet.layout import HEADER_ROWS
from documents.sheet.mapping import HEADER_LENGTH
from documents.sheet.model import Header, Proposal, invalid, letter, sheet_of
from documents.sheet.read import open_sheet
from documents.spec import DocumentType
from documents.words import short


def propose(doctype: DocumentType, content: bytes) -> Proposal:
    """Look at the first rows of a workbook. Raises SheetProblem for the file as a whole."""
    name, left, _, rows = open_sheet(content, sheet_of(doctype).title)
    known = _known(doctype)
    best: tuple[int, int, int, Sequence[Any]] | None = None
    for number, cells in islice(rows, HEADER_ROWS):
        titles = [title(cell) for cell in cells]
        # of rows that say as much, the first one is the header
        rating = (sum(1 for each in titles if each in known), sum(1 for each in titles if each))
        if rating[1] and (best is None or rating > best[:2]):
            best = (*rating, number, cells)
    if best is None:
        raise invalid("no-header", f"前 {HEADER_ROWS} 行中没有列标题，请确认文件的第一个工作表。",
                       f"No headers in the first {HEADER_ROWS} rows; look at the first sheet of the file.")  # fmt: skip
    headers: list[Header] = []
    taken: set[str] = set()
    for index, cell in enumerate(best[3]):
        text = short(title_text(cell), HEADER_LENGTH)
        if not text:
            continue
        place, by = next(((p, b) for p, b in known.get(title(cell), []) if p not in taken), ("", ""))
        taken.add(place)
        headers.append(Header(letter(index + left), text, place, by))
    return Proposal(name, best[2], headers, [each for each in _required(doctype) if each not in taken])


def _known(doctype: DocumentType) -> dict[str, list[tuple[str, str]]]:
    """Compared header -> places and what speaks for them; the template's own headers first."""
    found: dict[str, dict[str, str]] = {}
    for column in sheet_of(doctype).columns:
        found.setdefault(title(column.header), {})[f"{column.level}.{column.name}"] = "template"
    for level, fields in (("head", doctype.head), ("line", doctype.lines)):
        for item in fields:
            if item.filled_by in NOT_FOR_PEOPLE:
                continue
            for text, by in ((item.zh, "label"), (item.en, "label"), (item.name, "name")):
                found.setdefault(title(text), {}).setdefault(f"{level}.{item.name}", by)
    return {key: list(places.items()) for key, places in found.items()}


def _required(doctype: DocumentType) -> list[str]:
    sheet = sheet_of(doctype)
    return [
        f"{level}.{item.name}"
        for level, fields in (("head", doctype.head), ("line", doctype.lines))
        for item in fields
        if item.required
        and item.filled_by == "user"
        and item.default is None
        and (level, item.name) != ("head", sheet.export_date)
    ]
