"""What leaves the system: the rows of a query as a workbook, at once or in the background, and printed forms."""

from __future__ import annotations

import re
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Sits
from tests.support.eventually import eventually
from tests.support.people import Visitor, a_number, strategy
from tests.support.stack import Stack

#: the most that is answered at once
DIRECT = 10_000
#: making a workbook of so many on a busy machine, in milliseconds
PATIENCE = 120_000


def rows_of(path: Path) -> list[list[str]]:
    book = openpyxl.load_workbook(path, read_only=True)
    try:
        return [
            [str(value or "") for value in line] for line in book.worksheets[0].iter_rows(values_only=True)
        ]
    finally:
        book.close()


def test_the_query_is_exported_as_it_is_asked(sits: Sits, clerk: Visitor, tmp_path: Path) -> None:
    desk, mine = sits("A"), a_number("X")
    for number in (f"{mine}-1", f"{mine}-2"):
        clerk.save_order(number)
    desk.menu("A5-query")
    desk.find(f"{mine}-1")
    expect(desk.rows()).to_have_count(1)
    path = desk.saved(desk.at("tool-export"), tmp_path)
    assert path.suffix == ".xlsx"
    head, *lines = rows_of(path)
    assert "订单编号" in head
    told = [line[head.index("订单编号")] for line in lines if any(line)]
    assert set(told) == {f"{mine}-1"}


def test_a_document_and_a_table_are_printed(sits: Sits, clerk: Visitor, tmp_path: Path) -> None:
    desk, number = sits("A"), a_number("X")
    clerk.save_order(number)
    desk.menu("A1")
    desk.find(number)
    table = desk.saved(desk.at("tool-print"), tmp_path)
    desk.open_document(number)
    form = desk.saved(desk.at("detail-print"), tmp_path)
    for path in (table, form):
        assert path.read_bytes().startswith(b"%PDF")
    assert number in form.name or form.suffix == ".pdf"


def test_the_export_has_the_columns_of_the_page_or_all(sits: Sits, clerk: Visitor, tmp_path: Path) -> None:
    desk, number = sits("A"), a_number("X")
    clerk.save_order(number)
    desk.menu("A5-query")
    desk.find(number)
    desk.at("columns-open").click()
    desk.at("column-stored_at").uncheck()
    desk.at("column-up-return_info").click()
    desk.page.keyboard.press("Escape")
    shown = desk.at("document-table").get_by_role("columnheader").all_inner_texts()
    # below a title stands how it is sorted
    shown = [title.split()[0] for title in shown if title.strip()]
    assert "入库时间" not in shown
    (head, *_lines) = rows_of(desk.saved(desk.at("tool-export"), tmp_path))
    assert head == shown
    desk.at("tool-export-choose").click()
    desk.shoot("95-export-choice")
    whole = rows_of(desk.saved(desk.at("export-all"), tmp_path))[0]
    assert "入库时间" in whole
    assert len(whole) > len(shown)
    with desk.page.expect_request("**/print.pdf?*") as asked:
        desk.saved(desk.at("tool-print"), tmp_path)
    assert "columns=number" in asked.value.url


@pytest.fixture
def many(clerk: Visitor, stack: Stack, tmp_path: Path) -> str:
    """The beginning of the numbers of more orders than are exported at once."""
    mine = a_number("V")
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("订单")
    sheet.append(["订单号", "商品货号", "商品名称", "数量", "总额", "单价", "计量单位"])
    for number in range(DIRECT + 50):
        sheet.append([f"{mine}-{number:05}", "8711100010", "绿茶", "10", "25", "2.5", "035"])
    path = tmp_path / "many.xlsx"
    book.save(path)
    with path.open("rb") as file:
        answer = clerk.post(
            "/imports",
            data={"kind": "order", "strategy": strategy(stack, "A")},
            files={"file": ("many.xlsx", file)},
        )
    assert answer.status_code == 202, answer.text
    task = answer.json()["id"]

    def done() -> bool:
        state = clerk.get(f"/imports/{task}").json()["state"]
        assert state not in ("failed", "checked"), state
        return bool(state == "done")

    eventually(done, "the orders are stored", timeout=120)
    return mine


def test_a_large_export_is_made_in_the_background(sits: Sits, many: str, tmp_path: Path) -> None:
    desk = sits("A")
    desk.menu("A5-query")
    desk.find(many)
    expect(desk.at("total")).to_contain_text(re.compile("共约 10,00"))
    desk.at("tool-export").click()
    expect(desk.at("export-dialog")).to_be_visible()
    desk.shoot("96-export-running")
    expect(desk.at("export-state", state="done")).to_be_visible(timeout=PATIENCE)
    expect(desk.at("export-progress")).to_contain_text("10,050")
    path = desk.saved(desk.at("export-save"), tmp_path)
    assert len([line for line in rows_of(path) if any(line)]) == DIRECT + 50 + 1
    desk.at("export-close").click()
    # one that nobody waits for is given up
    desk.at("tool-export").click()
    expect(desk.at("export-dialog")).to_be_visible()
    desk.at("export-close").click()
    expect(desk.at("export-dialog")).to_be_hidden()
