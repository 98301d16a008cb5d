"""Workbooks we make: the blank import template and the uploaded workbook with its wrong cells marked."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import openpyxl
import xlsxwriter
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.utils import get_column_letter

from documents.sheet.model import field_of
from documents.spec import DocumentType, SheetColumn


def template(doctype: DocumentType) -> bytes:
    """The blank import template: text-formatted columns, required ones marked, an explanation on a second sheet."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_numbers": False}
    )
    head = book.add_format({"bold": True, "num_format": "@", "bg_color": "#DCE6F2", "border": 1})
    text = book.add_format({"num_format": "@"})
    sheet = book.add_worksheet(doctype.sheet.title)
    notes = book.add_worksheet("填写说明")
    notes.set_column(0, 1, 18)
    notes.set_column(2, 2, 90)
    notes.write_row(0, 0, ["列", "必填", "说明"], head)
    for index, column in enumerate(doctype.sheet.columns):
        item = field_of(doctype, column)
        sheet.set_column(index, index, max(14, len(column.header) * 3), text)
        sheet.write_string(0, index, column.header, head)
        notes.write_row(
            index + 1, 0, [column.header, "是" if item.required else "否", _rule_text(doctype, column)], text
        )
    sheet.freeze_panes(1, 0)
    book.close()
    return out.getvalue()


def _rule_text(doctype: DocumentType, column: SheetColumn) -> str:
    item = field_of(doctype, column)
    if item.type == "decimal":
        return f"文本格式的数字，最多 {item.places} 位小数"
    parts = [f"文本格式，最多 {item.length} 个字符"]
    if item.table:
        parts.append("按代码表填写代码，保留前导零")
    if column.name == doctype.sheet.group:
        parts.append("相同编号的多行合并为一单")
    return "；".join(parts)


def mark(content: bytes, wrong: Sequence[Mapping[str, Any]], *, english: bool = False) -> bytes:
    """The uploaded workbook with wrong cells in red, a comment each, and an added column with all reasons of a row."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    red = PatternFill("solid", fgColor="FFC7CE")
    by_row: dict[tuple[str, int], list[str]] = {}
    for cell in wrong:
        sheet = book[cell["sheet"]] if cell["sheet"] in book.sheetnames else book.worksheets[0]
        words = cell["en"] if english else cell["zh"]
        by_row.setdefault((sheet.title, cell["row"]), []).append(f"{cell['column']}：{words}")
        if cell["letter"]:
            target = sheet[f"{cell['letter']}{cell['row']}"]
            target.fill = red
            target.comment = Comment(words, "Tongguan")
    for name in {title for title, _ in by_row}:
        sheet = book[name]
        reasons = sheet.max_column + 1
        sheet.cell(1, reasons, "Errors" if english else "错误原因").data_type = "s"
        for (title, row), texts in by_row.items():
            if title == name:
                target = sheet.cell(row, reasons, "；".join(texts))
                target.data_type = "s"
                target.fill = red
        sheet.column_dimensions[get_column_letter(reasons)].width = 80
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
