"""A workbook with the enterprise's own headers: a column mapping is proposed, saved, used, used again, deleted."""

from __future__ import annotations

import re
from pathlib import Path

import openpyxl
from playwright.sync_api import expect

from tests.e2e.conftest import Sits
from tests.support.browser import Desk
from tests.support.people import a_number

HEADERS = ("单号", "商品名称", "我的货号", "数量", "金额", "单价", "单位代码", "不要的列")


def workbook(path: Path, numbers: list[str]) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "销售明细"
    sheet.append(HEADERS)
    for number in numbers:
        sheet.append((number, "绿茶", "8711100010", "10", "25", "2.5", "035", "x"))
    book.save(path)
    return path


def choose(desk: Desk, header: str, field: str) -> None:
    row = desk.at("mapping-row", header=header)
    row.locator('[data-test="mapping-field"]').select_option(field)


def test_own_headers_are_mapped_once_and_remembered(sits: Sits, tmp_path: Path) -> None:
    desk, mine = sits("A"), a_number("M")
    name = f"销售明细 {mine}"
    desk.menu("A5-import")
    expect(desk.at("mapping-new")).to_have_attribute("aria-disabled", "true")
    desk.choose_file(workbook(tmp_path / "own.xlsx", [f"{mine}-1", f"{mine}-2"]))
    desk.at("mapping-new").click()
    # what is called the same is recognised; the rest one says oneself
    recognised = desk.at("mapping-row", header="商品名称").locator('[data-test="mapping-field"]')
    expect(recognised).to_have_value("line.itemName")
    for header, field in (
        ("单号", "head.orderNo"),
        ("我的货号", "line.itemNo"),
        ("金额", "line.totalPrice"),
        ("单位代码", "line.unit"),
    ):
        choose(desk, header, field)
    desk.at("mapping-name").fill(name)
    desk.shoot("95-mapping")
    desk.at("mapping-save").click()
    expect(desk.at("mapping-dialog")).to_be_hidden()
    desk.at("import-submit").click()
    expect(desk.at("import-success")).to_contain_text("2 单已入库")
    # the next file of the kind
    desk.at("import-again").click()
    desk.at("import-mapping").click()
    desk.at(f"mapping-{name}").click()
    desk.at("mapping-rename").click()
    desk.page.locator(".el-message-box__input input").fill(f"{name} 新")
    desk.page.locator(".el-message-box__btns .el-button--primary").click()
    name = f"{name} 新"
    expect(desk.at("import-form")).to_contain_text(name)
    # one's own default is chosen whenever the page opens
    with desk.page.expect_response(re.compile("/preferences/mapping.order")):
        desk.at("mapping-default").click()
    desk.page.reload()
    expect(desk.at("import-form")).to_contain_text(name)
    expect(desk.at("mapping-default")).to_have_attribute("aria-pressed", "true")
    desk.choose_file(workbook(tmp_path / "own2.xlsx", [f"{mine}-3"]))
    desk.at("import-submit").click()
    expect(desk.at("import-success")).to_contain_text("1 单已入库")
    desk.at("import-again").click()
    expect(desk.at("import-form")).to_contain_text(name)
    desk.at("mapping-remove").click()
    desk.confirm(name)
    desk.at("import-mapping").click()
    expect(desk.at(f"mapping-{name}")).to_have_count(0)


def test_what_nothing_fills_is_asked_for_before_saving(sits: Sits, tmp_path: Path) -> None:
    desk = sits("A")
    desk.menu("A5-import")
    desk.choose_file(workbook(tmp_path / "own.xlsx", ["1"]))
    desk.at("mapping-new").click()
    expect(desk.at("mapping-missing")).to_contain_text("订单编号")
    desk.at("mapping-save").click()
    expect(desk.at("mapping-lacking")).to_contain_text("必填字段没有来源")
