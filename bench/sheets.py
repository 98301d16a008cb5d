"""Workbooks of right orders and lists in the import templates' columns, as an enterprise's own system would write them.

Every cell is a text. Numbers are unique for a given prefix, so that a run never meets the numbers of another.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import xlsxwriter

from documents.spec import DocumentType
from documents.types.export_list import LIST
from documents.types.order import ORDER

ORDER_LINES, LIST_LINES = 5, 3
_ARTICLES = ("高山绿茶", "手工陶瓷茶杯", "竹制茶盘", "棉麻桌布", "LED台灯")


def workbook(count: int, prefix: str) -> bytes:
    """An xlsx of orders with ORDER_LINES lines each, numbered PREFIX00000001 and so on."""
    return _workbook(ORDER, count, ORDER_LINES, prefix, _order_cells)


def list_workbook(count: int, prefix: str) -> bytes:
    """An xlsx of lists with LIST_LINES lines each, numbered like orders."""
    return _workbook(LIST, count, LIST_LINES, prefix, _list_cells)


def _workbook(
    doctype: DocumentType,
    count: int,
    lines: int,
    prefix: str,
    cells: Callable[[str, int, int], Mapping[str, str]],
) -> bytes:
    """cells: what stands in a row by the name of the field, from document number, its count and the line's."""
    assert doctype.sheet is not None
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_numbers": False, "strings_to_formulas": False}
    )
    sheet = book.add_worksheet(doctype.sheet.title)
    text = book.add_format({"num_format": "@"})
    for index, column in enumerate(doctype.sheet.columns):
        sheet.write_string(0, index, column.header, text)
    for row in range(count * lines):
        number, line = row // lines + 1, row % lines
        values = cells(f"{prefix}{number:08d}", number, line)
        for index, column in enumerate(doctype.sheet.columns):
            if column.name in values:
                sheet.write_string(row + 1, index, values[column.name], text)
    book.close()
    return out.getvalue()


def _amounts(number: int, line: int) -> dict[str, str]:
    quantity = number % 9 + 1
    cents = 100 * (line + 1) + number % 90 + 9
    total = quantity * cents
    return {
        "qty": str(quantity),
        "totalPrice": f"{total // 100}.{total % 100:02d}",
        "price": f"{cents // 100}.{cents % 100:02d}",
        "unit": "011",
    }


def _order_cells(order_no: str, number: int, line: int) -> dict[str, str]:
    return {
        "orderNo": order_no,
        "itemNo": f"A{number % 500:03d}-{line}",
        "itemName": f"{_ARTICLES[line]}{number % 40:02d}号",
        **_amounts(number, line),
    }


def _list_cells(cop_no: str, number: int, line: int) -> dict[str, str]:
    quantity = _amounts(number, line)
    return {
        "copNo": cop_no, "orderNo": f"DD{cop_no}", "logisticsNo": f"YD{cop_no}", "country": "502", "POD": "502",
        "freight": f"{number % 90}.5", "insuredFee": "0", "grossWeight": f"{number % 7 + 2}.18",
        "netWeight": f"{number % 7 + 1}.95", "packNo": "1", "itemNo": f"A{number % 500:03d}-{line}",
        "gname": f"{_ARTICLES[line]}{number % 40:02d}号", "gcode": f"69120010{line:02d}", "gmodel": "200ml",
        "barCode": "无", "qty1": f"0.{number % 9 + 1}", "unit1": "035", "qty2": quantity["qty"], "unit2": "011",
        **quantity,
    }  # fmt: skip
