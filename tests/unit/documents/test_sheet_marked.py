"""The uploaded workbook with its wrong cells marked: everything that was in it stays what it was."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import openpyxl
import pytest

from documents.sheet.mark import mark
from documents.sheet.model import SheetResult
from documents.sheet.read import read
from documents.types.order import ORDER
from tests.support.filing import SAMPLES
from tests.unit.documents.workbooks import (
    DEFAULTS,
    HEADERS,
    MAIN,
    READING,
    Formula,
    book,
    cells,
    orders,
    row_of,
    sheet,
    table,
)

RED = "00FFC7CE"
REASONS = "H"
#: what a spreadsheet program would take for a formula
LOUD = ("=1+1", "+1", "-1", "@SUM(A1)", "=cmd|'/c calc'!A1", "\t=1", "＝1")


def found(content: bytes) -> SheetResult:
    return read(ORDER, content, READING)


def marked(content: bytes, *, english: bool = False) -> tuple[SheetResult, bytes]:
    result = found(content)
    return result, mark(content, [cell.as_dict() for cell in result.wrong], english=english)


def opened(content: bytes, name: str = "订单") -> Any:
    return openpyxl.load_workbook(io.BytesIO(content))[name]


def red(page: Any) -> set[str]:
    return {cell.coordinate for row in page.iter_rows() for cell in row if cell.fill.fgColor.rgb == RED}


def test_wrong_cells_are_red_with_a_comment_and_the_row_has_its_reasons() -> None:
    content = orders(row_of("T1", qty="x", unit="35"), row_of("T2"), row_of("T3", price="0"))
    result, made = marked(content)
    page = opened(made)
    assert red(page) == {"D2", "G2", "F4", f"{REASONS}2", f"{REASONS}4"}
    assert page[f"{REASONS}1"].value == "错误原因"
    reasons = page[f"{REASONS}2"].value
    for cell in result.wrong[:2]:
        assert page[f"{cell.letter}{cell.row}"].comment.text == cell.zh
        assert f"{cell.column}：{cell.zh}" in reasons
    assert page[f"{REASONS}3"].value is None


def test_reasons_in_english() -> None:
    result, made = marked(orders(row_of(qty="x")), english=True)
    page = opened(made)
    assert page[f"{REASONS}1"].value == "Errors"
    assert page["D2"].comment.text == result.wrong[0].en


def test_the_wrong_sample_is_marked_at_every_wrong_cell() -> None:
    result, made = marked((SAMPLES / "9710-orders-wrong.xlsx").read_bytes())
    page = opened(made)
    assert {f"{cell.letter}{cell.row}" for cell in result.wrong} == {
        address for address in red(page) if not address.startswith(REASONS)
    }


@pytest.mark.parametrize("loud", LOUD)
def test_texts_that_look_like_formulas_stay_texts(loud: str) -> None:
    content = orders(row_of("T1", itemName=loud, qty="x"), row_of(loud, "A2"))
    page = opened(marked(content)[1])
    for address in ("C2", "A3"):
        assert (page[address].value, page[address].data_type) == (loud, "s")


def test_reasons_that_look_like_formulas_stay_texts() -> None:
    cell = {"sheet": "订单", "row": 2, "column": "", "letter": "A", "zh": "=1+1", "en": "=1"}
    page = opened(mark(orders(row_of("T1")), [cell], english=False))
    assert (page[f"{REASONS}2"].value, page[f"{REASONS}2"].data_type) == ("=1+1", "s")
    assert page["A2"].comment.text == "=1+1"


def everything(content: bytes) -> tuple[list[Any], list[tuple[int, str, str]]]:
    result = found(content)
    return [body for body, _ in result.documents], [(c.row, c.letter, c.code) for c in result.wrong]


@pytest.mark.parametrize(
    "content",
    [
        (SAMPLES / "9710-orders-wrong.xlsx").read_bytes(),
        orders(*(row_of(f"T{n}", itemName=loud) for n, loud in enumerate(LOUD)), row_of("X", qty="x")),
        orders(
            row_of("T1", itemName="😀𠮷 绿  茶"), row_of("T2", unit=35), row_of("T3", qty=Formula("1+1", "2"))
        ),
        book({"说明": table([], ["x"]), "订单": table([row_of("T1"), row_of("T2", qty="x")])}),
    ],
    ids=["sample", "loud", "odd", "second sheet"],
)
def test_the_marked_workbook_is_read_like_the_first_and_marked_again_the_same(content: bytes) -> None:
    once = marked(content)[1]
    assert everything(once) == everything(content)
    twice = marked(once)[1]
    assert everything(twice) == everything(content)
    assert opened(twice).max_column == opened(once).max_column
    assert red(opened(twice)) == red(opened(once))


def test_what_was_corrected_is_no_longer_marked() -> None:
    once = marked(orders(row_of("T1", qty="x"), row_of("T2", price="0")))[1]
    page = openpyxl.load_workbook(io.BytesIO(once))
    page["订单"]["D2"] = "2"
    out = io.BytesIO()
    page.save(out)
    again = opened(marked(out.getvalue())[1])
    assert red(again) == {"F3", f"{REASONS}3"}
    assert again["D2"].comment is None
    assert again[f"{REASONS}2"].value is None


def test_merged_numbers_are_marked_where_they_show() -> None:
    rows: dict[int, Sequence[Any]] = {1: HEADERS, 2: row_of("T1", "a"), 3: [None, *row_of("T1", "b")[1:]]}
    merge = '<mergeCells count="1"><mergeCell ref="A2:A3"/></mergeCells>'
    result, made = marked(book({"订单": sheet(cells(rows), merge)}))
    assert [(cell.row, cell.letter) for cell in result.wrong] == [(3, "A")]
    page = opened(made)
    assert red(page) == {"A2", f"{REASONS}3"}
    assert page["A2"].comment.text == result.wrong[0].zh


def test_the_reasons_stand_beside_a_header_further_down() -> None:
    content = book({"订单": sheet(cells({1: ["某公司"], 3: HEADERS, 4: row_of(qty="x")}, left=1))})
    page = opened(marked(content)[1])
    assert page["I3"].value == "错误原因"
    assert page["I4"].value.startswith("数量：")
    assert red(page) == {"E4", "I4"}


def test_what_a_strategy_lacks_is_written_into_the_row() -> None:
    content = orders(row_of())
    result = read(ORDER, content, replace(READING, defaults={**DEFAULTS, "currency": "999"}))
    page = opened(mark(content, [cell.as_dict() for cell in result.wrong]))
    assert "币制" in page[f"{REASONS}2"].value
    assert red(page) == {f"{REASONS}2"}


def test_a_row_with_more_reasons_than_a_cell_holds() -> None:
    wrong = [{"sheet": "订单", "row": 2, "column": "数量", "letter": "", "zh": "错" * 300, "en": "x"}] * 200
    page = opened(mark(orders(row_of()), wrong))
    assert len(page[f"{REASONS}2"].value) == 32_767


@pytest.mark.parametrize("english", [False, True])
def test_a_workbook_that_cannot_be_written_back_is_answered_with_a_list(english: bool) -> None:
    styles = f'<styleSheet xmlns="{MAIN}"><fills count="1"><fill/></fills></styleSheet>'.encode()
    result, made = marked(orders(row_of(qty="x"), instead={"xl/styles.xml": styles}), english=english)
    rows = list(opened(made, "Errors" if english else "错误清单").iter_rows(values_only=True))
    (cell,) = result.wrong
    assert rows[1] == ("订单", "2", "D 数量", "x", cell.en if english else cell.zh)
