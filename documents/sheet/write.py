"""The import template of a kind: an empty sheet with its headers, an example apart from it, rules, codes.

The sheet that is read has no example row, so that nobody files one by accident; the example is a sheet of its own.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import Any

import xlsxwriter

from documents import codes
from documents.sheet.model import field_of, sheet_of
from documents.spec import Body, DocumentType, Field, SheetColumn

NOTES, EXAMPLE = "填写说明", "示例"
#: rows that offer a choice; below them the rules hold all the same
_OFFERED_ROWS = 5_000
#: codes of a table that a cell offers in a list; longer tables have a sheet only
_OFFERED_CODES = 60
_NOTES_TITLES = ("列", "必填", "填写规则", "代码表", "字段")
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\']")


def template(doctype: DocumentType) -> bytes:
    """The blank template: text-formatted columns, required ones marked, then rules, an example and code tables."""
    sheet = sheet_of(doctype)
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_numbers": False}
    )
    style = {"bold": True, "num_format": "@", "bg_color": "#DCE6F2", "border": 1}
    head, text = book.add_format(style), book.add_format({"num_format": "@"})
    needed = book.add_format({**style, "font_color": "#C00000"})
    page = book.add_worksheet(sheet.title)
    notes = book.add_worksheet(NOTES)
    tables = _code_names(doctype)
    for index, column in enumerate(sheet.columns):
        item = field_of(doctype, column)
        page.set_column(index, index, max(14, len(column.header) * 3), text)
        page.write_string(0, index, column.header, needed if is_needed(item) else head)
        _offer(page, index, item, tables)
    page.freeze_panes(1, 0)
    _write_notes(notes, doctype, tables, (head, text))
    if doctype.example is not None:
        example = book.add_worksheet(EXAMPLE)
        example.set_column(0, len(sheet.columns) - 1, 18, text)
        for row, values in enumerate([[c.header for c in sheet.columns], *rows_of(doctype, doctype.example)]):
            for index, value in enumerate(values):
                example.write_string(row, index, value, head if row == 0 else text)
        example.freeze_panes(1, 0)
    for table, name in tables.items():
        _write_codes(book.add_worksheet(name), table, (head, text))
    book.close()
    return out.getvalue()


def rows_of(
    doctype: DocumentType, body: Body, columns: Sequence[SheetColumn] | None = None
) -> list[list[str]]:
    """A document as rows of the template (or of other columns): the head's values in every one of them."""
    head, lines = body["head"], body["lines"] or [{}]
    return [
        [
            str((head if column.level == "head" else line).get(column.name, ""))
            for column in columns or sheet_of(doctype).columns
        ]
        for line in lines
    ]


def is_needed(item: Field) -> bool:
    """Whether a person must fill a column in: neither a default nor the lines nor a strategy does."""
    return item.required and item.default is None and item.filled_by == "user"


def _offer(page: Any, index: int, item: Field, tables: dict[str, str]) -> None:
    """A list to choose from, which does not keep anybody from typing something else: the rules are ours."""
    source: Any = [value for value, _ in item.choices]
    if item.table and len(codes.table(item.table)) <= _OFFERED_CODES:
        source = f"='{tables[item.table]}'!$A$2:$A${len(codes.table(item.table)) + 1}"
    if source:
        options = {"validate": "list", "source": source, "show_error": False}
        page.data_validation(1, index, _OFFERED_ROWS, index, options)


def _write_notes(notes: Any, doctype: DocumentType, tables: dict[str, str], formats: tuple[Any, Any]) -> None:
    head, text = formats
    for index, width in enumerate((20, 26, 80, 20, 20)):
        notes.set_column(index, index, width)
    notes.write_row(0, 0, _NOTES_TITLES, head)
    sheet = sheet_of(doctype)
    row = 0
    for row, column in enumerate(sheet.columns, 1):
        item = field_of(doctype, column)
        cells = (
            column.header,
            _needed_text(item),
            _rule_text(doctype, column),
            tables.get(item.table or "", ""),
            column.name,
        )
        notes.write_row(row, 0, cells, text)
    remarks = ["所有单元格均为文本格式；代码保留前导零。红色列标题为必填列。"]
    if doctype.lines:
        remarks.append(f"“{_header(doctype, sheet.group)}”相同的多行合并为一单，各行的表头信息须一致。")
    else:
        remarks.append("每行为一份单据。")
    if sheet.export_date:
        remarks.append("出口日期在导入时填写。")
    if doctype.example is not None:
        remarks.append(f"“{EXAMPLE}”工作表中的内容仅供参考，不会被导入。")
    for offset, remark in enumerate(remarks, 2):
        notes.write_string(row + offset, 0, remark)


def _header(doctype: DocumentType, name: str) -> str:
    return next(c.header for c in sheet_of(doctype).columns if (c.level, c.name) == ("head", name))


def _needed_text(item: Field) -> str:
    if not item.required or item.filled_by == "computed":
        return "否"
    if item.default is not None:
        return f"否，留空为 {item.default}"
    return "是，业务策略已填时可留空" if item.filled_by == "strategy" else "是"


def _rule_text(doctype: DocumentType, column: SheetColumn) -> str:
    item = field_of(doctype, column)
    parts = [_type_text(item)]
    if item.choices:
        parts.append("可选 " + "、".join(f"{value}（{words.zh}）" for value, words in item.choices))
    if item.table:
        parts.append("按代码表填写代码，保留前导零")
    if item.pattern:
        parts.append(item.pattern[1].zh.removesuffix("。"))
    if item.note:
        parts.append(item.note.zh)
    if (column.level, column.name) == ("head", sheet_of(doctype).group) and doctype.lines:
        parts.append("相同编号的多行合并为一单")
    return "；".join(parts)


def _type_text(item: Field) -> str:
    if item.type == "decimal":
        return f"文本格式的数字，最多 {item.places} 位小数{'，大于 0' if item.positive else ''}"
    if item.type == "integer":
        return f"整数，最多 {item.digits} 位"
    if item.type == "date":
        return "日期 yyyyMMdd，例如 20260131"
    if item.type == "datetime":
        return "时间 yyyyMMddHHmmss，例如 20260131093000"
    length = f"{item.length} 个字符" if item.min_length == item.length else f"最多 {item.length} 个字符"
    return f"文本格式，{length}{'，不含空格' if item.type == 'code' else ''}"


def _code_names(doctype: DocumentType) -> dict[str, str]:
    """The code tables that columns use -> the name of their sheet."""
    found: dict[str, str] = {}
    for column in sheet_of(doctype).columns:
        item = field_of(doctype, column)
        if item.table and item.table not in found:
            name = _NOT_IN_NAMES.sub("", f"代码-{item.zh}")[:31]
            found[item.table] = name if name not in found.values() else f"代码-{item.table}"[:31]
    return found


def _write_codes(page: Any, table: str, formats: tuple[Any, Any]) -> None:
    head, text = formats
    page.set_column(0, 0, 12, text)
    page.set_column(1, 2, 40, text)
    page.write_row(0, 0, ("代码", "名称", "英文"), head)
    for row, code in enumerate(codes.table(table), 1):
        for index, value in enumerate((code.code, code.zh, code.en)):
            page.write_string(row, index, value, text)
    page.freeze_panes(1, 0)
