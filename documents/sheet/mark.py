"""The uploaded workbook with its wrong cells marked: everything that was in it stays what it was."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import openpyxl
import xlsxwriter
from openpyxl.cell.cell import MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.utils import get_column_letter

from documents.sheet.cells import title

_RED = PatternFill("solid", fgColor="FFC7CE")
_AUTHOR = "Tongguan"
_REASONS = {"zh": "错误原因", "en": "Errors"}
#: characters that a cell holds at most, and those it cannot hold at all
_CELL_LIMIT = 32_767
#: what openpyxl raises for workbooks that other programs read
_NOT_FOR_OPENPYXL = (
    TypeError, ValueError, KeyError, AttributeError, IndexError, OSError, SyntaxError, zipfile.BadZipFile,
)  # fmt: skip
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def mark(content: bytes, wrong: Sequence[Mapping[str, Any]], *, english: bool = False) -> bytes:
    """The uploaded workbook with wrong cells in red, a comment each, and an added column with all reasons of a row.

    What an earlier marking left in it is taken away first. A workbook that can be read but not be written back, as
    some programs make them, or none at all, is answered with a list of the wrong cells. wrong: CellWrong as
    dictionaries.
    """
    try:
        return _marked(content, wrong, english=english)
    except _NOT_FOR_OPENPYXL:
        return _plain_list(wrong, english=english)


def _marked(content: bytes, wrong: Sequence[Mapping[str, Any]], *, english: bool) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(content))
    by_sheet: dict[str, list[Mapping[str, Any]]] = {}
    for cell in wrong:
        name = cell["sheet"] if cell["sheet"] in book.sheetnames else book.worksheets[0].title
        by_sheet.setdefault(name, []).append(cell)
    for name, cells in by_sheet.items():
        _mark_sheet(book[name], cells, "en" if english else "zh")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _plain_list(wrong: Sequence[Mapping[str, Any]], *, english: bool) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_numbers": False}
    )
    text = book.add_format({"num_format": "@"})
    sheet = book.add_worksheet("Errors" if english else "错误清单")
    titles = (
        ("Sheet", "Row", "Column", "Value", "Error")
        if english
        else ("工作表", "行", "列", "内容", "错误原因")
    )
    sheet.write_row(0, 0, titles, text)
    for index, cell in enumerate(wrong, 1):
        place = f"{cell['letter']} {cell['column']}".strip()
        words = cell["en" if english else "zh"]
        for column, value in enumerate((cell["sheet"], str(cell["row"]), place, cell["value"], words)):
            sheet.write_string(index, column, _UNPRINTABLE.sub("", value), text)
    sheet.set_column(4, 4, 80)
    book.close()
    return out.getvalue()


def _mark_sheet(sheet: Any, wrong: Sequence[Mapping[str, Any]], language: str) -> None:
    header = _header_row(sheet, wrong)
    reasons = _clear(sheet, header)
    texts: dict[int, list[str]] = {}
    notes: dict[str, list[str]] = {}
    for cell in wrong:
        words = cell[language]
        texts.setdefault(cell["row"], []).append(f"{cell['column']}：{words}" if cell["column"] else words)
        if cell["letter"]:
            notes.setdefault(f"{cell['letter']}{cell['row']}", []).append(words)
    for address, words in notes.items():
        target = _top_left(sheet, address)
        target.fill = _RED
        target.comment = Comment(_UNPRINTABLE.sub("", "\n".join(words)), _AUTHOR)
    _write_text(sheet, header, reasons, _REASONS[language])
    for row, found in texts.items():
        _write_text(sheet, row, reasons, "；".join(found)[:_CELL_LIMIT]).fill = _RED
    sheet.column_dimensions[get_column_letter(reasons)].width = 80


def _header_row(sheet: Any, wrong: Sequence[Mapping[str, Any]]) -> int:
    """Where the headers stand, found by one that a wrong cell names; 1 if it is not found."""
    named = [(cell["letter"], cell["column"]) for cell in wrong if cell["letter"]]
    for row in range(1, min(cell["row"] for cell in wrong)):
        if any(title(sheet[f"{mark}{row}"].value) == title(header) for mark, header in named[:50]):
            return row
    return 1


def _clear(sheet: Any, header: int) -> int:
    """Take away an earlier marking, if there was one; returns the column for the reasons."""
    column = next((int(cell.column) for cell in sheet[header] if cell.value in _REASONS.values()), None)
    if column is None:
        return int(sheet.max_column) + 1
    for row in sheet.iter_rows():
        for cell in row:
            ours = cell.comment is not None and cell.comment.author == _AUTHOR
            if not isinstance(cell, MergedCell) and (ours or cell.column == column):
                cell.comment = None
                cell.fill = PatternFill()
                cell.value = None if cell.column == column else cell.value
    return column


def _top_left(sheet: Any, address: str) -> Any:
    """The cell at an address; of merged cells the one that shows."""
    cell = sheet[address]
    if isinstance(cell, MergedCell):
        area = next(area for area in sheet.merged_cells.ranges if cell.coordinate in area)
        return sheet.cell(area.min_row, area.min_col)
    return cell


def _write_text(sheet: Any, row: int, column: int, text: str) -> Any:
    cell = _top_left(sheet, f"{get_column_letter(column)}{row}")
    # set apart from the value: a text that begins with = would become a formula
    cell.value = _UNPRINTABLE.sub("", text)
    cell.data_type = "s"
    return cell
