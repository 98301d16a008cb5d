"""Workbooks that people make: read cell by cell, with every wrong cell named and nothing changed in silence."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import openpyxl
import pytest

from documents.registry import ALL
from documents.sheet.model import CellWrong, SheetProblem, SheetResult
from documents.sheet.read import MAX_COLUMNS, read
from documents.sheet.write import template
from documents.spec import DocumentType
from documents.types.order import ORDER
from tests.support.filing import SAMPLES
from tests.unit.documents.workbooks import (
    DATE,
    DEFAULTS,
    ERROR,
    HEADERS,
    READING,
    STYLED,
    Formula,
    Raw,
    book,
    cells,
    headers_of,
    orders,
    row_of,
    sheet,
    table,
)

TYPES = pytest.mark.parametrize("doctype", [item for item in ALL if item.sheet], ids=lambda t: t.kind)
FIELDS = [column.name for column in ORDER.sheet.columns]


def found(content: bytes) -> SheetResult:
    return read(ORDER, content, READING)


def marks(cells_found: Sequence[CellWrong]) -> list[tuple[int, str, str]]:
    return [(cell.row, cell.letter, cell.code) for cell in cells_found]


def refused(content: bytes) -> SheetProblem:
    with pytest.raises(SheetProblem) as caught:
        found(content)
    assert caught.value.words.zh.endswith("。")
    return caught.value


@TYPES
def test_the_template_opens_with_text_columns_and_an_explanation(doctype: DocumentType) -> None:
    opened = openpyxl.load_workbook(io.BytesIO(template(doctype)))
    page: Any = opened[doctype.sheet.title]
    assert [cell.value for cell in page[1]] == headers_of(doctype)
    widths = page.column_dimensions.values()
    text = {
        index for width in widths if width.number_format == "@" for index in range(width.min, width.max + 1)
    }
    assert text == set(range(1, len(doctype.sheet.columns) + 1))
    assert page.freeze_panes == "A2"
    notes = list(
        opened["填写说明"].iter_rows(min_row=2, max_row=len(doctype.sheet.columns) + 1, values_only=True)
    )
    assert [row[0] for row in notes] == headers_of(doctype)
    assert [row[4] for row in notes] == [column.name for column in doctype.sheet.columns]
    assert all(row[1][0] in "是否" and row[2] for row in notes)


@TYPES
def test_an_empty_template_has_no_rows(doctype: DocumentType) -> None:
    with pytest.raises(SheetProblem) as caught:
        read(doctype, template(doctype), READING)
    assert (caught.value.kind, caught.value.code) == ("invalid", "no-rows")


def test_the_samples_are_read_as_expected() -> None:
    seed = found((SAMPLES / "9710-orders-seed.xlsx").read_bytes())
    assert [body["head"]["orderNo"] for body, _ in seed.documents] == ["TYDH005", "TYDH006", "TYDH007"]
    assert (seed.wrong, seed.repairs) == ([], [])
    many = found((SAMPLES / "9710-orders-1000.xlsx").read_bytes())
    assert (many.rows, len(many.documents), many.wrong) == (2398, 1000, [])


def test_the_wrong_sample_is_reported_cell_by_cell() -> None:
    result = found((SAMPLES / "9710-orders-wrong.xlsx").read_bytes())
    with (SAMPLES / "9710-orders-wrong.expected.csv").open(encoding="utf-8") as file:
        rows = [(int(row["row"]), row["column"], row["what"]) for row in csv.DictReader(file)]
    expected = {(row, column) for row, column, what in rows if column and "visible note" not in what}
    assert {(cell.row, cell.column) for cell in result.wrong} == expected
    assert len(result.wrong) == len(expected)
    assert marks(result.repairs) == [(12, "A", "trimmed")]


def test_rows_of_one_number_make_one_order_wherever_they_stand() -> None:
    result = found(orders(row_of("T1", "a"), row_of("T2", "b"), row_of("T1", "c"), row_of("T1 ", "d")))
    assert [
        (body["head"]["orderNo"], [line["itemNo"] for line in body["lines"]], row)
        for body, row in result.documents
    ] == [("T1", ["a", "c", "d"], 2), ("T2", ["b"], 3)]
    assert marks(result.repairs) == [(5, "A", "trimmed")]


def test_a_row_without_a_number_is_an_order_of_its_own() -> None:
    result = found(orders(row_of("T1", "a"), row_of("", "b"), row_of("", "c")))
    assert marks(result.wrong) == [(3, "A", "required"), (4, "A", "required")]
    assert (len(result.documents), result.rejected) == (1, 2)


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    ("value", "code"),
    [
        (Formula("1+1", "2"), "formula-cell"),
        (Formula('"T"&"1"', "T1"), "formula-cell"),
        (Raw('<c r="{r}"><f>A1</f></c>'), "formula-cell"),
        (Raw('<c r="{r}" t="str"><f t="shared" si="0"/><v>2</v></c>'), "formula-cell"),
        (Raw("<c t='str' r='{r}'><f\n>A1</f><v>2</v></c>"), "formula-cell"),
        (DATE, "not-a-text-cell"),
        (True, "not-a-text-cell"),
        (False, "not-a-text-cell"),
        (ERROR, "error-cell"),
    ],
    ids=str,
)
def test_cells_that_are_no_values_are_named_in_every_column(field: str, value: Any, code: str) -> None:
    result = found(orders(row_of(**{field: value}), row_of("T9")))
    letter = "ABCDEFG"[FIELDS.index(field)]
    assert marks(result.wrong) == [(2, letter, code)]
    assert [body["head"]["orderNo"] for body, _ in result.documents] == ["T9"]
    assert (result.rows, result.rejected) == (2, 1)


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("orderNo", 123, "123"),
        ("itemNo", 101210010, "101210010"),
        ("unit", 35, "35"),
        ("orderNo", 1e21, "1" + "0" * 21),
    ],
)
def test_a_number_in_a_code_column_is_refused_and_never_padded(field: str, value: Any, shown: str) -> None:
    (cell,) = found(orders(row_of(**{field: value}))).wrong
    assert (cell.row, cell.code, cell.value) == (2, "numeric-cell", shown)
    assert "文本" in cell.zh
    assert "text" in cell.en


def test_a_number_elsewhere_is_read_as_text_with_a_note() -> None:
    result = found(orders(row_of(itemName=7, qty=2, price=1.5, totalPrice=3)))
    assert result.wrong == []
    line = result.documents[0][0]["lines"][0]
    assert {name: line[name] for name in ("itemName", "qty", "price", "totalPrice")} == {
        "itemName": "7", "qty": "2", "price": "1.5", "totalPrice": "3",
    }  # fmt: skip
    assert {code for _, _, code in marks(result.repairs)} == {"number-read-as-text"}


def test_artefacts_of_binary_numbers_are_not_rounded_away() -> None:
    result = found(orders(row_of(qty=1, price=0.1 + 0.2, totalPrice="0.30")))
    assert marks(result.wrong) == [(2, "F", "too-many-decimals")]


def test_a_line_whose_number_cannot_be_trusted_is_not_lost_from_its_order() -> None:
    rows = [row_of("T1", "a"), row_of(Formula('"T"&"1"', "T1"), "b"), row_of("12", "a"), row_of(12, "b")]
    result = found(orders(*rows))
    assert result.documents == []
    assert marks(result.wrong) == [(3, "A", "formula-cell"), (5, "A", "numeric-cell")]
    assert result.rejected == 2


def test_one_wrong_cell_is_told_once_even_where_two_rules_meet() -> None:
    result = found(orders(row_of("", "a", unit=35), row_of(Formula("A1", ""), "b")))
    assert marks(result.wrong) == [(2, "A", "required"), (2, "G", "numeric-cell"), (3, "A", "formula-cell")]


def test_merged_cells_show_where_the_number_is_missing() -> None:
    rows = {1: HEADERS, 2: row_of("T1", "a"), 3: row_of("T1", "b")}
    rows[3] = [None, *rows[3][1:]]
    content = book(
        {"订单": sheet(cells(rows), '<mergeCells count="1"><mergeCell ref="A2:A3"/></mergeCells>')}
    )
    assert marks(found(content).wrong) == [(3, "A", "required")]


def test_shuffled_columns_and_more_columns_than_asked_for() -> None:
    order = [6, 2, 0, 4, 1, 5, 3]
    headers = ["备用", *(HEADERS[index] for index in order), "说明"]
    row = ["x", *(row_of(unit="35")[index] for index in order), "y"]
    result = found(book({"订单": table([row], headers)}))
    assert marks(result.wrong) == [(2, "B", "code-shape")]
    assert result.group_letter == "D"


def test_a_blank_first_column_and_a_header_further_down() -> None:
    rows: dict[int, Sequence[Any]] = {
        1: ["某公司订单"],
        3: HEADERS,
        4: row_of("T1"),
        7: row_of("T2", qty="x"),
    }
    result = found(book({"订单": sheet(cells(rows, left=1))}))
    assert marks(result.wrong) == [(7, "E", "not-a-number")]
    assert [(body["head"]["orderNo"], row) for body, row in result.documents] == [("T1", 4)]
    assert (result.rows, result.group_letter) == (2, "B")


@pytest.mark.parametrize("blank", [{}, {1: [STYLED] * 7}, {1: ["", None, ""]}])
def test_empty_and_formatted_rows_count_for_nothing(blank: dict[int, list[Any]]) -> None:
    rows: dict[int, Sequence[Any]] = {1: HEADERS, 2: row_of("T1")}
    rows |= {number: blank.get(1, []) for number in range(3, 60)}
    rows |= {60: row_of("T2"), 61: ["", None, " \u3000"], 900: [STYLED]}
    result = found(book({"订单": sheet(cells(rows))}))
    assert [row for _, row in result.documents] == [2, 60]
    assert (result.rows, result.wrong) == (2, [])


def test_headers_may_have_blanks_around_them() -> None:
    headers = [f" {header}\u3000" for header in HEADERS]
    assert len(found(book({"订单": table([row_of()], headers)})).documents) == 1


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (book({"订单": table([row_of()[:-1]], HEADERS[:-1])}), "missing-column", "计量单位"),
        (book({"订单": table([[*row_of(), "x"]], [*HEADERS, "数量"])}), "duplicate-column", "数量"),
        (book({"订单": table([[*row_of(), "x"]], [*HEADERS, " 数量"])}), "duplicate-column", "数量"),
        (
            book({"订单": sheet(cells({12: HEADERS, 13: row_of()} | {row: ["x"] for row in range(1, 12)}))}),
            "no-header",
            "10",
        ),
        (book({"订单": sheet("")}), "no-header", "订单号"),
        (book({"订单": table([])}), "no-rows", "数据行"),
        (book({"订单": table([[""] * 7])}), "no-rows", "数据行"),
        (book({"订单": table([[*row_of(), *[None] * 300, "x"]])}), "too-large", str(MAX_COLUMNS)),
    ],
)
def test_tables_that_cannot_be_used_say_what_is_missing(content: bytes, code: str, words: str) -> None:
    problem = refused(content)
    assert problem.code == code
    assert words in problem.words.zh


def test_the_sheet_of_that_name_is_read_and_otherwise_the_first() -> None:
    other, ours = table([row_of("OTHER")]), table([row_of("OURS")])
    for sheets, number in (
        ({"其他": other, "订单": ours}, "OURS"),
        ({"订单": ours, "其他": other}, "OURS"),
        ({"其他": other, "其他2": ours}, "OTHER"),
    ):
        result = found(book(sheets))
        assert [body["head"]["orderNo"] for body, _ in result.documents] == [number]
    assert found(book({"其他": other})).sheet == "其他"


@pytest.mark.parametrize(
    "targets",
    [
        ("worksheets/sheet2.xml", "worksheets/sheet1.xml"),
        ("worksheets/orders.xml", "worksheets/Sheet1.xml"),
        ("/xl/worksheets/sheet2.xml", "/xl/worksheets/sheet1.xml"),
        ("worksheets/b.dat", "worksheets/a.dat"),
    ],
)
def test_formulas_are_found_in_the_part_that_the_workbook_says_is_the_sheet(targets: tuple[str, str]) -> None:
    wrong, right = table([row_of("T1"), row_of("T2", qty=Formula("1+1", "2"))]), table([row_of("T3")])
    for sheets in ({"订单": wrong, "其他": right}, {"其他": right, "订单": wrong}):
        assert marks(found(book(sheets, targets=targets)).wrong) == [(3, "D", "formula-cell")]


def test_cells_may_leave_out_where_they_stand() -> None:
    rows = re.sub(' r="[A-Z]*[0-9]+"', "", cells({1: HEADERS, 2: row_of(price=Formula("1+1", "2"))}))
    assert marks(found(book({"订单": sheet(rows)})).wrong) == [(2, "F", "formula-cell")]


def test_prefixed_namespaces_are_read_the_same() -> None:
    rows = cells({1: HEADERS, 2: row_of("T1"), 3: row_of("T2", qty=Formula("1+1", "2"))})
    result = found(book({"订单": sheet(rows, prefix="x")}))
    assert [body["head"]["orderNo"] for body, _ in result.documents] == ["T1"]
    assert marks(result.wrong) == [(3, "D", "formula-cell")]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@x", "＝1", "<b>&", "😀𠮷", "a\u200db", "{{7*7}}", "'; DROP"]
)
def test_texts_arrive_as_they_are(text: str) -> None:
    (document,) = found(orders(row_of(itemName=text))).documents
    assert document[0]["lines"][0]["itemName"] == text


def test_shared_and_rich_texts_are_read() -> None:
    rich = Raw('<c r="{r}" t="inlineStr"><is><r><t>绿</t></r><r><rPr><b/></rPr><t>茶</t></r></is></c>')
    shared = Raw('<c r="{r}" t="s"><v>0</v></c>')
    content = book(
        {"订单": table([row_of(itemName=shared), row_of("T2", itemName=rich)])},
        extra={"xl/sharedStrings.xml": b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
               b"<si><t>shared</t></si></sst>"},
    )  # fmt: skip
    names = {body["lines"][0]["itemName"] for body, _ in found(content).documents}
    assert "shared" in names


def test_a_strategy_that_lacks_something_is_named_as_such() -> None:
    lacking = {key: value for key, value in DEFAULTS.items() if key != "ebcCode"}
    result = read(ORDER, orders(row_of()), replace(READING, defaults=lacking))
    (cell,) = result.wrong
    assert (cell.row, cell.column, cell.letter, cell.code) == (2, "业务策略", "", "required")
    assert "电商企业代码" in cell.zh


def test_a_hundred_and_one_lines_are_too_many_for_one_message() -> None:
    result = found(orders(*(row_of("T1", f"a{n}") for n in range(101))))
    assert marks(result.wrong) == [(102, "A", "too-many-lines")]


def test_a_sum_beyond_the_message_is_named_at_the_number() -> None:
    big = {"qty": "1", "price": "99999999999999", "totalPrice": "99999999999999"}
    result = found(orders(row_of("T1", "a", **big), row_of("T1", "b", **big)))
    assert marks(result.wrong) == [(2, "A", "out-of-range")]
    assert "商品金额" in result.wrong[0].zh
