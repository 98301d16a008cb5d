"""Workbooks as a person fills them in or gets them back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet


def filled(template: Path, path: Path, sheet: str, rows: Sequence[Mapping[str, str | int]]) -> Path:
    """A copy of a downloaded template with these rows below its heads."""
    book = openpyxl.load_workbook(template)
    page = book[sheet]
    columns = {str(cell.value): number for number, cell in enumerate(page[1], start=1)}
    for line, row in enumerate(rows, start=2):
        for head, value in row.items():
            page.cell(line, columns[head], value)
    book.save(path)
    return path


def renumbered(sample: Path, path: Path, begins: str, instead: str) -> Path:
    """A copy of a sample workbook whose numbers (column A) are this test's own; the overlong one stays."""
    book = openpyxl.load_workbook(sample)
    for (cell,) in book.worksheets[0].iter_rows(min_row=2, max_col=1):
        if isinstance(cell.value, str) and cell.value.startswith(begins) and len(cell.value) <= 60:
            cell.value = instead + cell.value.removeprefix(begins)
    book.save(path)
    return path


def marked_cells(sheet: Worksheet) -> set[str]:
    """Addresses of the cells below the heads that are filled with a red."""
    found = set()
    for line in sheet.iter_rows(min_row=2):
        for cell in line:
            colour = str(cell.fill.fgColor.rgb) if cell.fill.fill_type == "solid" else ""
            red, green, blue = (int(colour[at : at + 2], 16) for at in (2, 4, 6)) if colour else (0, 0, 0)
            if red > 200 and green < red - 30 and blue < red - 30:
                found.add(cell.coordinate)
    return found
