"""Workbooks of right orders in the import template's columns, as an enterprise's own system would write them.

Every cell is a text. Numbers are unique for a given prefix, so that a run never meets the numbers of another.
"""

from __future__ import annotations

import io

import xlsxwriter

from documents.types.order import ORDER

LINES = 5
_ARTICLES = ("高山绿茶", "手工陶瓷茶杯", "竹制茶盘", "棉麻桌布", "LED台灯")


def workbook(orders: int, prefix: str) -> bytes:
    """An xlsx of `orders` orders with LINES lines each, numbered PREFIX00000001 and so on."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_numbers": False, "strings_to_formulas": False}
    )
    sheet = book.add_worksheet(ORDER.sheet.title)
    text = book.add_format({"num_format": "@"})
    for index, column in enumerate(ORDER.sheet.columns):
        sheet.write_string(0, index, column.header, text)
    row = 0
    for number in range(1, orders + 1):
        for line in range(LINES):
            row += 1
            for index, value in enumerate(_cells(f"{prefix}{number:08d}", number, line)):
                sheet.write_string(row, index, value, text)
    book.close()
    return out.getvalue()


def _cells(order_no: str, number: int, line: int) -> tuple[str, ...]:
    """Columns as declared: number, article number, article, quantity, total, unit price, unit."""
    quantity = number % 9 + 1
    cents = 100 * (line + 1) + number % 90 + 9
    total = quantity * cents
    return (
        order_no,
        f"A{number % 500:03d}-{line}",
        f"{_ARTICLES[line]}{number % 40:02d}号",
        str(quantity),
        f"{total // 100}.{total % 100:02d}",
        f"{cents // 100}.{cents % 100:02d}",
        "011",
    )
