"""Workbooks of every kind that is imported, made from the declarations alone: the example, changed cell by cell."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import openpyxl

from documents.body import complete
from documents.registry import ALL
from documents.sheet.model import Reading, field_of, sheet_of
from documents.sheet.write import rows_of, template
from documents.spec import Body, DocumentType, Field, SheetColumn
from tests.unit.documents.workbooks import book, table

IMPORTED = [item for item in ALL if item.sheet is not None]


@dataclass(frozen=True)
class Column:
    """A column of a template: where it stands and what it fills."""

    index: int
    column: SheetColumn
    field: Field

    @property
    def letter(self) -> str:
        return openpyxl.utils.get_column_letter(self.index + 1)


def columns_of(doctype: DocumentType) -> list[Column]:
    return [
        Column(index, column, field_of(doctype, column))
        for index, column in enumerate(sheet_of(doctype).columns)
    ]


def example_of(doctype: DocumentType) -> Body:
    assert doctype.example is not None, f"{doctype.kind} has no example"
    return doctype.example


def reading_of(doctype: DocumentType, body: Body) -> Reading:
    """What the strategy and the import's form supply, so that this body comes out."""
    lines = {name: value for line in body["lines"] for name, value in line.items()}
    defaults = {
        item.name: part[item.name]
        for fields, part in ((doctype.lines, lines), (doctype.head, body["head"]))
        for item in fields
        if item.filled_by == "strategy" and part.get(item.name)
    }
    trade_mode = defaults.pop("tradeMode", "")
    export_date = sheet_of(doctype).export_date
    return Reading(
        trade_mode=trade_mode,
        defaults=defaults,
        export_date=body["head"].get(export_date, "") if export_date else "",
    )


def carried(doctype: DocumentType, body: Body) -> dict[str, Any]:
    """The part of a body that the template and the strategy can bring in, completed."""
    sheet = sheet_of(doctype)
    places = {(column.level, column.name) for column in sheet.columns}

    def kept(level: str, fields: Sequence[Field], part: Mapping[str, str]) -> dict[str, str]:
        return {
            item.name: part[item.name]
            for item in fields
            if part.get(item.name)
            and (
                (level, item.name) in places or item.filled_by == "strategy" or item.name == sheet.export_date
            )
        }

    lines = [kept("line", doctype.lines, line) for line in body["lines"]]
    return complete(doctype, {"head": kept("head", doctype.head, body["head"]), "lines": lines})


def rows(doctype: DocumentType, body: Body | None = None) -> list[list[Any]]:
    return [list(row) for row in rows_of(doctype, body or example_of(doctype))]


def changed(doctype: DocumentType, at: Column, value: Any) -> list[list[Any]]:
    """The example's rows with one cell of the first row changed; values of the head in all of them."""
    found = rows(doctype)
    for row in found if at.column.level == "head" else found[:1]:
        row[at.index] = value
    return found


def headers(doctype: DocumentType) -> list[str]:
    return [column.header for column in sheet_of(doctype).columns]


def workbook(doctype: DocumentType, *found: Sequence[Any], titles: Sequence[str] | None = None) -> bytes:
    """Rows below the template's headers, written part by part, so that a cell may be anything."""
    return book({sheet_of(doctype).title: table(found, titles or headers(doctype))})


def by_hand(doctype: DocumentType, found: Sequence[Sequence[Any]]) -> bytes:
    """The template as a person fills it in and saves it."""
    opened = openpyxl.load_workbook(io.BytesIO(template(doctype)))
    for row in found:
        opened[sheet_of(doctype).title].append(list(row))
    out = io.BytesIO()
    opened.save(out)
    return out.getvalue()
