"""Workbooks of stored documents: one sheet to read, and one with the cells of the import template.

Every cell is a text, marked so that no program takes it for a formula; rows go to the disk as they come. Must never
hold more than one row in memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import xlsxwriter

from documents import show
from documents.sheet.model import field_of
from documents.spec import DocumentType, Field

#: rows that a sheet can hold below its header
SHEET_ROWS = 1_048_575
#: what stands in no XML file; control characters are no concern here, the writer spells them as _x0001_
_NOT_IN_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")
_CELL_LIMIT = 32_767
_WORDS = {
    "zh": {"documents": "单据", "lines": "明细", "name": "（名称）"},
    "en": {"documents": "Documents", "lines": " lines", "name": " (name)"},
}
_FORBIDDEN_IN_TITLES = re.compile(r"[\[\]:*?/\\']")
#: a Latin character of the usual font is this many pixels wide
_PIXELS = 7


class SheetFull(Exception):
    """More rows than a sheet can hold."""


class Workbook:
    """Written document by document within `with`, whose end finishes the file. language: zh or en.

    The first sheet has the columns of the query page, codes as name[code]. The second one has a row for each goods
    line (or document, where the kind has none) under the headers of the import template, codes and dates as they are
    filed, so that it can be imported again. line_rows counts its rows. chosen: columns of the first sheet, in their
    order; what was not chosen is then in no other sheet either.
    """

    def __init__(
        self, doctype: DocumentType, path: Path, language: str, *, chosen: Sequence[str] = ()
    ) -> None:
        options = {
            "constant_memory": True,
            "tmpdir": str(path.parent),
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
        }
        self._book = xlsxwriter.Workbook(str(path), options)
        plain = {"num_format": "@", "quote_prefix": True}
        self._left = self._book.add_format(plain)
        self._right = self._book.add_format({**plain, "align": "right"})
        self._head = self._book.add_format({**plain, "bold": True, "bg_color": "#DCE6F2", "bottom": 1})
        words = _WORDS[language]
        self._columns = show.Columns(doctype, language, chosen=chosen)
        self._documents = self._sheet(
            words["documents"],
            list(zip(self._columns.titles, self._columns.widths, strict=True)),
        )
        self._formats = [self._right if right else self._left for right in self._columns.right]
        self._cells = [] if chosen else _line_cells(doctype, language)
        self._lines = None
        if self._cells:
            title = (
                doctype.sheet.title if doctype.sheet else doctype.title.as_dict()[language] + words["lines"]
            )
            widths = [max(90, 15 * len(cell.title)) for cell in self._cells]
            titles = [cell.title for cell in self._cells]
            self._lines = self._sheet(title, list(zip(titles, widths, strict=True)))
        self._with_lines = bool(doctype.lines)
        self.rows = 0
        self.line_rows = 0

    def add(self, row: Any) -> None:
        """A document: its row as for show.Columns, and `lines` of its body. Raises SheetFull."""
        self.rows += 1
        if self.rows > SHEET_ROWS:
            raise SheetFull
        for index, (text, form) in enumerate(zip(self._columns.texts(row), self._formats, strict=True)):
            if text:
                self._documents.write_string(self.rows, index, clean(text), form)
        if self._lines is None:
            return
        for line in row.lines if self._with_lines else ({},):
            self.line_rows += 1
            if self.line_rows > SHEET_ROWS:
                raise SheetFull
            for index, cell in enumerate(self._cells):
                text = cell.text(row.head, line)
                if text:
                    form = self._right if cell.right else self._left
                    self._lines.write_string(self.line_rows, index, clean(text), form)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Finish the file; after an exception only let go of what was written so far."""
        if kind is None:
            self._book.close()
            return
        for sheet in self._book.worksheets():
            sheet.row_data_fh.close()

    def _sheet(self, title: str, columns: Sequence[tuple[str, int]]) -> Any:
        sheet = self._book.add_worksheet(_FORBIDDEN_IN_TITLES.sub(" ", title)[:31])
        for index, (_, width) in enumerate(columns):
            sheet.set_column(index, index, width / _PIXELS)
        sheet.freeze_panes(1, 1)
        for index, (name, _) in enumerate(columns):
            sheet.write_string(0, index, clean(name), self._head)
        return sheet


class _Cell:
    """A column of the second sheet."""

    def __init__(self, title: str, field: Field, level: str, shown: show.Show | None = None) -> None:
        self.title = title
        self.right = shown is None and show.is_number(field)
        self._name = field.name
        self._in_head = level == "head"
        self._shown = shown

    def text(self, head: Mapping[str, str], line: Mapping[str, str]) -> str:
        value = str((head if self._in_head else line).get(self._name, ""))
        return self._shown(value) if self._shown else value


def _line_cells(doctype: DocumentType, language: str) -> list[_Cell]:
    """The template's columns, then the number and the lines' other fields; after each code the name of it."""
    cells: list[_Cell] = []
    seen: set[tuple[str, str]] = set()

    def add(title: str, field: Field, level: str) -> None:
        seen.add((level, field.name))
        if any(cell.title == title for cell in cells):
            title = f"{title}（{field.name}）"  # a header that stands twice could not be imported again
        cells.append(_Cell(title, field, level))
        if show.is_coded(field):
            suffix = _WORDS[language]["name"]
            cells.append(_Cell(title + suffix, field, level, show.name_of_code(field, language)))

    for column in doctype.sheet.columns if doctype.sheet else ():
        add(column.header, field_of(doctype, column), column.level)
    if doctype.lines and ("head", doctype.number) not in seen:
        field = doctype.head_field(doctype.number)
        add(field.words.as_dict()[language], field, "head")
    for field in _others(doctype.lines, seen):
        add(field.words.as_dict()[language], field, "line")
    return cells


def _others(fields: Iterable[Field], seen: set[tuple[str, str]]) -> list[Field]:
    return [field for field in fields if ("line", field.name) not in seen]


def clean(text: str) -> str:
    """A text as a cell can hold it: without what stands in no XML file, at most 32,767 characters."""
    return _NOT_IN_XML.sub("", text)[:_CELL_LIMIT]
