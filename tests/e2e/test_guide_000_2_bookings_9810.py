"""Manual 000, chapter four (二): 9810 出口订仓单管理, with the system's own template filled in."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect

from tests.support.browser import Desk
from tests.support.control import Customs
from tests.support.people import a_number
from tests.support.workbooks import filled


def test_from_the_filled_template_to_customs_acceptance(
    declarant: Desk, customs: Customs, tmp_path: Path
) -> None:
    desk = declarant
    numbers = [a_number("C"), a_number("C")]
    fill_in_and_import(desk, numbers, tmp_path)
    query_and_submit(desk, customs, numbers)
    query_and_read(desk, numbers[0])
    message = customs.message_about(numbers[0])
    assert b"<ceb:orderType>W</ceb:orderType>" in message
    assert "<ceb:ebpName>演示洛杉矶海外仓</ceb:ebpName>".encode() in message


def fill_in_and_import(desk: Desk, numbers: list[str], folder: Path) -> None:
    """Steps 3 to 5: 9810 出口订仓单, the batch number, the template by its heads, 导入."""
    desk.menu("A6-import")
    expect(desk.page.get_by_role("heading", name="9810 订仓单导入")).to_be_visible()
    expect(desk.at("import-batch")).to_have_value(re.compile(r"^YSWL20\d{6}YSJ\d\d$"))
    template = desk.saved(desk.at("template-download"), folder)
    first, second = numbers
    rows = [
        {
            "订仓单号": first,
            "商品货号": "CUP-1",
            "商品名称": "保温杯",
            "数量": "100",
            "总额": "1250.00",
            "单价": "12.5",
            "计量单位": "007",
        },
        {
            "订仓单号": first,
            "商品货号": "CUP-2",
            "商品名称": "玻璃杯",
            "数量": "3",
            "总额": "10.05",
            "单价": "3.35",
            "计量单位": "007",
        },
        {
            "订仓单号": second,
            "商品货号": "LAMP",
            "商品名称": "台灯",
            "数量": "1.5",
            "总额": "30.00",
            "单价": "20",
            "计量单位": "035",
        },
    ]
    desk.import_file(filled(template, folder / "bookings.xlsx", "订仓单", rows))
    expect(desk.at("import-success")).to_contain_text("2 单已入库")
    expect(desk.at("errors")).to_be_hidden()
    desk.shoot("11-booking-imported")


def query_and_submit(desk: Desk, customs: Customs, numbers: list[str]) -> None:
    """Steps 6 and 7: 订单申报: conditions, 查询, select, 提交海关; the states change on the open page."""
    customs.slowly(2)
    desk.at("go-submit").click()
    desk.on_page("A6-declare")
    desk.page.evaluate("window.neverReloaded = true")
    desk.submit_all(2, numbers[0])
    expect(desk.at("results-refused")).to_be_hidden()
    desk.at("results-close").click()
    desk.shows_states(numbers, "sent", "已发送")
    desk.shows_states(numbers, "accepted", "海关入库")
    assert desk.page.evaluate("window.neverReloaded")
    desk.shoot("12-booking-accepted")


def query_and_read(desk: Desk, number: str) -> None:
    """Steps 8 and 9: 订单查询 by number, then the details, to be looked at and not to be changed."""
    desk.menu("A6-query")
    desk.find(number)
    expect(desk.rows()).to_have_count(1)
    desk.open_document(number)
    for name, words in (
        ("orderType", "海外仓订仓单（9810）[W]"),
        ("ebpName", "演示洛杉矶海外仓"),
        ("goodsValue", "1,260.05"),
    ):
        expect(desk.at(f"field-{name}")).to_contain_text(words)
    expect(desk.at("line-itemName")).to_have_text(["保温杯", "玻璃杯"])
    for what, words in (
        ("imported", "测试员"),
        ("signed", "rsa-sha1"),
        ("sent", ""),
        ("receipt", "海关入库"),
    ):
        expect(desk.at("timeline-item", what=what).filter(has_text=words).first).to_be_visible()
    expect(desk.at("detail-receipts")).to_contain_text("海关入库[120]")
    expect(desk.at("detail-page").locator("input, textarea, select, [contenteditable]")).to_have_count(0)
    desk.shoot("13-booking-detail")
