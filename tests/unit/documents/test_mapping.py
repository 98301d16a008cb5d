"""Column mappings: an enterprise's own headers, checked before they are kept, found in the sheet, told in errors."""

from __future__ import annotations

import random
from typing import Any

import pytest

from documents.sheet.mapping import ColumnMapping, check, place_of
from documents.sheet.model import Reading, SheetProblem, sheet_of
from documents.sheet.propose import propose
from documents.sheet.read import read
from documents.spec import DocumentType
from documents.types.export_list import LIST
from documents.types.order import ORDER
from tests.unit.documents.filled import (
    IMPORTED,
    carried,
    columns_of,
    example_of,
    headers,
    reading_of,
    rows,
    workbook,
)
from tests.unit.documents.test_sheet_hostile import FILES
from tests.unit.documents.workbooks import DEFAULTS, book, cells, row_of, sheet

KINDS = pytest.mark.parametrize("doctype", IMPORTED, ids=lambda item: item.kind)
#: fields of the order template -> headers of somebody's own list
OWN = {
    "orderNo": "Order-ID", "itemNo": "SKU", "itemName": "品名", "qty": "件数\n(pcs)", "totalPrice": "金额", "price": "单 价",
    "unit": "单位代码",
}  # fmt: skip


def whole(doctype: DocumentType) -> dict[str, str]:
    """Every field that people or a strategy fill, each with a header of its own."""
    return {
        f"{level}.{item.name}": f"{item.en} ({level})"
        for level, fields in (("head", doctype.head), ("line", doctype.lines))
        for item in fields
        if item.filled_by in ("user", "strategy")
    }


def codes(
    columns: dict[str, str], constants: dict[str, str] | None = None, doctype: DocumentType = ORDER
) -> list[tuple[str, str]]:
    return [(wrong.pointer, wrong.code) for wrong in check(doctype, columns, constants or {})[1]]


def test_bare_names_become_whole_places_and_headers_one_line() -> None:
    made, wrongs = check(ORDER, OWN, {"head.note": "批量"})
    assert wrongs == []
    assert made.columns["head.orderNo"] == "Order-ID"
    assert made.columns["line.qty"] == "件数 (pcs)"
    assert made.constants == {"head.note": "批量"}
    assert made.fixed == {("head", "note"): "批量"}


@pytest.mark.parametrize(
    ("columns", "constants", "pointer", "code"),
    [
        ({**OWN, "nothing": "x"}, {}, "/columns/nothing", "unknown-field"),
        ({**OWN, "line.orderNo": "x"}, {}, "/columns/line.orderNo", "unknown-field"),
        ({**OWN, "guid": "x"}, {}, "/columns/guid", "unknown-field"),
        ({**OWN, "head.appTime": "x"}, {}, "/columns/head.appTime", "unknown-field"),
        ({**OWN, "note": "x"}, {}, "/columns/note", "unknown-field"),
        ({**OWN, "head.orderNo": "x"}, {}, "/columns/head.orderNo", "repeated"),
        ({**OWN, "barCode": "sku"}, {}, "/columns/barCode", "double-header"),
        ({**OWN, "barCode": "ＳＫＵ"}, {}, "/columns/barCode", "double-header"),
        ({**OWN, "barCode": " \u3000"}, {}, "/columns/barCode", "header"),
        ({**OWN, "barCode": "x" * 101}, {}, "/columns/barCode", "header"),
        ({**OWN, "barCode": "a\x00"}, {}, "/columns/barCode", "header"),
        (OWN, {"qty": "1"}, "/constants/qty", "repeated"),
        (OWN, {"barCode": "a b"}, "/constants/barCode", "blank-inside"),
        (OWN, {"head.note": ""}, "/constants/head.note", "required"),
        ({k: v for k, v in OWN.items() if k != "unit"}, {"unit": "999"}, "/constants/unit", "unknown-code"),
        ({k: v for k, v in OWN.items() if k != "unit"}, {}, "/columns/line.unit", "required"),
        ({k: v for k, v in OWN.items() if k != "orderNo"}, {}, "/columns/head.orderNo", "required"),
        ({k: v for k, v in OWN.items() if k != "orderNo"}, {"orderNo": "T1"}, "/columns/head.orderNo", "required"),
        ({}, {}, "/columns/head.orderNo", "required"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_mapping_is_named(
    columns: dict[str, str], constants: dict[str, str], pointer: str, code: str
) -> None:
    assert (pointer, code) in codes(columns, constants)


def test_both_places_are_named_where_a_name_is_not_clear() -> None:
    (wrong,) = [w for w in check(ORDER, {**OWN, "note": "x"}, {})[1] if w.code == "unknown-field"]
    assert "head.note" in wrong.words.zh
    assert "line.note" in wrong.words.en


def own_reading(
    doctype: DocumentType, columns: dict[str, str], constants: dict[str, str] | None = None, **more: Any
) -> Reading:
    made, wrongs = check(doctype, columns, constants or {})
    assert wrongs == []
    return Reading(columns=made.sheet_columns, constants=made.fixed, **more)


def test_their_own_sheet_is_read_and_errors_speak_their_words() -> None:
    reading = own_reading(ORDER, OWN, {"head.note": "批量"}, trade_mode="9710", defaults=DEFAULTS)
    names = [OWN[column.name] for column in sheet_of(ORDER).columns]
    found: dict[int, list[Any]] = {
        1: ["某公司", "订单导出"], 3: ["x", *names], 4: ["", *row_of("T1")], 5: ["", *row_of("T2", qty="1.5x", unit=35)],
    }  # fmt: skip
    result = read(ORDER, book({"Sheet1": sheet(cells(found))}), reading)
    ((body, row),) = result.documents
    assert (row, body["head"]["orderNo"], body["head"]["note"]) == (4, "T1", "批量")
    assert [(cell.row, cell.letter, cell.column, cell.code) for cell in result.wrong] == [
        (5, "E", "件数 (pcs)", "not-a-number"),
        (5, "H", "单位代码", "numeric-cell"),
    ]


def test_a_header_that_is_missing_is_an_error_only_where_it_is_needed() -> None:
    reading = own_reading(ORDER, {**OWN, "barCode": "EAN"}, trade_mode="9710", defaults=DEFAULTS)
    names = [OWN[column.name] for column in sheet_of(ORDER).columns]
    result = read(ORDER, workbook(ORDER, row_of(), titles=names), reading)
    assert [(cell.code, "EAN" in cell.zh) for cell in result.repairs] == [("column-absent", True)]
    for missing, code in ((0, "no-header"), (3, "missing-column")):
        titles = [*names[:missing], "另一列", *names[missing + 1 :]]
        with pytest.raises(SheetProblem) as caught:
            read(ORDER, workbook(ORDER, row_of(), titles=titles), reading)
        assert caught.value.code == code
        assert "对应关系" in caught.value.words.zh


def test_a_wrong_constant_of_an_older_declaration_is_told_as_what_it_is() -> None:
    reading = Reading(trade_mode="9710", defaults=DEFAULTS, constants={("head", "note"): "x" * 2000})
    (cell,) = read(ORDER, workbook(ORDER, row_of()), reading).wrong
    assert (cell.column, cell.letter, cell.code) == ("列对应关系中的固定值", "", "too-long")


def test_fields_of_one_name_in_head_and_lines_are_kept_apart() -> None:
    columns = whole(LIST)
    body = example_of(LIST)
    places = [place_of(name) for name in columns]
    row = [body["head" if level == "head" else "lines"] for level, _ in places]
    values = [
        (part if level == "head" else part[0]).get(name, "")
        for part, (level, name) in zip(row, places, strict=True)
    ]
    values[places.index(("line", "country"))] = "142"
    result = read(LIST, workbook(LIST, values, titles=list(columns.values())), own_reading(LIST, columns))
    ((made, _),) = result.documents
    assert (made["head"]["country"], made["lines"][0]["country"]) == (body["head"]["country"], "142")
    assert made["head"]["note"] == body["head"]["note"]


@KINDS
def test_every_kind_is_read_by_a_mapping_as_by_its_template(doctype: DocumentType) -> None:
    places = [f"{at.column.level}.{at.column.name}" for at in columns_of(doctype)]
    names = [f"自有列{index}" for index in range(len(places))]
    full = reading_of(doctype, example_of(doctype))
    constants: dict[str, str] = {}
    made, wrongs = check(doctype, dict(zip(places, names, strict=True)), constants)
    assert [wrong.pointer for wrong in wrongs] == []
    reading = Reading(
        columns=made.sheet_columns,
        trade_mode=full.trade_mode,
        defaults=full.defaults,
        export_date=full.export_date,
    )
    result = read(doctype, workbook(doctype, *rows(doctype), titles=names), reading)
    assert [body for body, _ in result.documents] == [carried(doctype, example_of(doctype))]


@KINDS
def test_the_template_is_proposed_as_what_it_is(doctype: DocumentType) -> None:
    titles = headers(doctype)
    random.Random(doctype.kind).shuffle(titles)
    found = propose(doctype, workbook(doctype, ["x"], titles=titles))
    wanted = {at.column.header: f"{at.column.level}.{at.column.name}" for at in columns_of(doctype)}
    assert {item.header: item.place for item in found.headers} == wanted
    assert {item.by for item in found.headers} == {"template"}
    assert found.missing == []
    proposed = ColumnMapping({item.place: item.header for item in found.headers}, {})
    assert check(doctype, proposed.columns, {})[1] == []


def test_headers_are_recognised_in_chinese_in_english_and_by_the_message() -> None:
    titles = [
        "Order number",
        "ITEM NO",
        "itemNo",
        "商品 名称",
        "Ｑty",
        "Quantity",
        "总额",
        "什么",
        "",
        "Unit price",
    ]
    content = book(
        {"导出": sheet(cells({1: ["订单一览"], 2: ["", "制表：甲"], 4: titles, 5: ["x"]}, left=2))}
    )
    found = propose(ORDER, content)
    assert (found.sheet, found.row) == ("导出", 4)
    assert [(item.letter, item.header, item.place) for item in found.headers] == [
        ("C", "Order number", "head.orderNo"), ("D", "ITEM NO", "line.itemNo"), ("E", "itemNo", ""),
        ("F", "商品 名称", "line.itemName"), ("G", "Ｑty", "line.qty"), ("H", "Quantity", ""), ("I", "总额", "line.totalPrice"),
        ("J", "什么", ""), ("L", "Unit price", "line.price"),
    ]  # fmt: skip
    assert found.missing == ["line.unit"]


def test_a_sheet_without_any_text_has_no_headers() -> None:
    with pytest.raises(SheetProblem) as caught:
        propose(ORDER, book({"x": sheet(cells({1: ["", None]}))}))
    assert caught.value.code == "no-header"


@pytest.mark.parametrize("name", FILES)
def test_hostile_files_are_no_headers_either(name: str) -> None:
    make, _, code = FILES[name]
    # a bomb of rows or columns has none in its first rows, which are all that is looked at
    with pytest.raises(SheetProblem) as caught:
        propose(ORDER, make())
    assert caught.value.code in (code, "no-header")
