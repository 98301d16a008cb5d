"""Manual 003, 基础数据导入: how files are to be filled in, what the page says when they are not."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.support.browser import Desk
from tests.support.people import a_number
from tests.support.workbooks import filled
from tools.paths import ROOT

SAMPLES = ROOT / "tests" / "samples"
Row = dict[str, str | int]


def order(number: str, **changes: str | int) -> Row:
    return {
        "订单号": number, "商品货号": "8711100010", "商品名称": "绿茶", "数量": "10", "总额": "25", "单价": "2.5", "计量单位": "035",
    } | changes  # fmt: skip


def make(desk: Desk, folder: Path, rows: list[Row], name: str = "orders.xlsx") -> Path:
    """Fill in the template downloaded from the page."""
    template = desk.saved(desk.at("template-download"), folder / "template")
    return filled(template, folder / name, "订单", rows)


@pytest.fixture
def importing(declarant: Desk) -> Desk:
    """The declarant on the page 9710 订单导入."""
    declarant.menu("A5-import")
    return declarant


def test_a_discarded_file_stores_nothing(importing: Desk) -> None:
    desk = importing
    desk.import_file(SAMPLES / "9710-orders-wrong.xlsx")
    desk.at("import-discard").click()
    desk.confirm("18 单", "放弃")
    expect(desk.at("import-discarded")).to_be_visible()
    expect(desk.at("recent-import", state="discarded").first).to_contain_text("9710-orders-wrong.xlsx")
    desk.menu("A5-query")
    desk.find("W018")
    expect(desk.at("empty-panel")).to_contain_text("没有符合条件的单证")


def test_the_same_file_again_creates_nothing(importing: Desk, tmp_path: Path) -> None:
    desk = importing
    mine = a_number("Q")
    file = make(desk, tmp_path, [order(f"{mine}-{n}") for n in range(3)])
    desk.import_file(file)
    expect(desk.at("import-success")).to_contain_text("3 单已入库")
    desk.at("import-again").click()
    desk.import_file(file)
    # nothing is stored twice, and the page says what became of each
    expect(desk.at("count-good").locator("dd")).to_have_text("0")
    expect(desk.at("errors")).to_contain_text(f"{mine}-0")
    expect(desk.at("errors")).to_contain_text("已存在")
    desk.shoot("14-import-again")
    desk.menu("A5-query")
    desk.find(mine)
    expect(desk.rows()).to_have_count(3)


#: column, what is written there, and what the page must say to help
WRONG = (
    ("商品货号", 902109000, "可能丢失前导零"),
    ("计量单位", 35, "可能丢失前导零"),
    ("数量", "１０", "请改为半角 10"),
    ("数量", "10.000001", "最多 5 位"),
    ("总额", "25.001", "最多 2 位"),
    ("总额", "26", "请改为 25.00"),
)


def test_each_wrong_cell_is_explained_with_the_way_out(importing: Desk, tmp_path: Path) -> None:
    desk = importing
    rows = [order(a_number("R")), *(order(a_number("R"), **{column: value}) for column, value, _ in WRONG)]
    desk.import_file(make(desk, tmp_path, rows))
    for cell, row, (column, _, words) in zip(desk.cells("errors"), range(3, 9), WRONG, strict=True):
        assert (cell["row"], cell["column"]) == (str(row), column)
        assert words in cell["reason"]
    expect(desk.at("count-good").locator("dd")).to_have_text("1")
    expect(desk.at("count-wrong").locator("dd")).to_have_text(str(len(WRONG)))


def test_lines_of_one_number_become_one_order(importing: Desk, tmp_path: Path) -> None:
    desk = importing
    number = a_number("L")
    rows = [order(number), order(number, 商品货号="0902109000", 商品名称="红茶", 数量="1", 总额="2.5")]
    desk.import_file(make(desk, tmp_path, rows))
    expect(desk.at("import-success")).to_contain_text("1 单已入库")
    desk.menu("A5-query")
    desk.find(number)
    desk.open_document(number)
    expect(desk.at("line-itemNo")).to_have_text(["8711100010", "0902109000"])
    expect(desk.at("field-goodsValue")).to_contain_text("27.5")


def test_what_is_no_workbook_is_refused_before_it_is_sent(importing: Desk, tmp_path: Path) -> None:
    desk = importing
    sent: list[str] = []
    desk.page.on("request", lambda request: sent.append(request.method + request.url))
    text = tmp_path / "orders.csv"
    text.write_text("订单号\n1\n", encoding="utf-8")
    desk.choose_file(text)
    expect(desk.at("file-error")).to_contain_text("“orders.csv”不是 .xlsx 文件")
    desk.at("import-submit").click()
    expect(desk.at("file-error")).to_be_visible()
    assert not [line for line in sent if line.startswith("POST")]


def test_a_workbook_that_is_none_inside_is_refused_in_words(importing: Desk, tmp_path: Path) -> None:
    desk = importing
    fake = tmp_path / "orders.xlsx"
    fake.write_bytes(b"\x00not a zip at all" * 50)
    desk.choose_file(fake)
    desk.at("import-submit").click()
    refused = desk.at("error-headline").or_(desk.at("import-failure"))
    expect(refused).to_contain_text("xlsx")
    desk.shoot("15-import-not-a-workbook")


def test_a_file_must_be_chosen(importing: Desk) -> None:
    importing.at("import-submit").click()
    expect(importing.at("file-error")).to_have_text("请选择要导入的文件")
