"""Manual 002, 3.1 清单录入: by keyboard, with codes, dates, a grid of lines and cells pasted from a spreadsheet."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Sits
from tests.support.browser import Desk
from tests.support.consignment import Consignment
from tests.support.people import Visitor, a_number

PASTE = """(text) => {
    const data = new DataTransfer();
    data.setData('text/plain', text);
    document.activeElement.dispatchEvent(
        new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
}"""


@pytest.fixture
def entering(sits: Sits) -> Desk:
    desk = sits("A")
    desk.open_group("C1")
    desk.at("menu-C1").click()
    expect(desk.at("form-page")).to_be_visible()
    desk.at("form-strategy").select_option(label="9610 清单模式")
    return desk


def test_a_list_is_entered_with_the_keyboard_and_filed(
    entering: Desk, consignment: Consignment, carrier: Visitor
) -> None:
    desk, number = entering, a_number("QD")[-20:]
    consignment.save("waybill", carrier)
    consignment.file("waybill", "settled", by=carrier)
    order = consignment.save("order")["body"]["head"]
    head = consignment.body("list")["head"]
    expect(desk.at("input-tradeMode")).to_have_value("9610")
    desk.fill_in(
        customsCode="9000", orderNo=head["orderNo"], logisticsNo=head["logisticsNo"], copNo=number,
        portCode="9000", statisticsFlag="B", ebpCode=order["ebpCode"], ebpName=order["ebpName"],
        logisticsCode=head["logisticsCode"], logisticsName=head["logisticsName"], ownerCode=head["ownerCode"],
        ownerName=head["ownerName"], trafMode="5", trafName="示例航空", voyageNo="SL999", billNo=head["billNo"],
        totalPackageNo="ZB0001", country="美国", POD="502", freight="64.995", fCurrency="人民币", fFlag="3",
        insuredFee="0", iCurrency="142", iFlag="3", wrapType="2", packNo="1", grossWeight="1.18", netWeight="1.13",
    )  # fmt: skip
    expect(desk.at("input-country")).to_have_value("美国[502]")
    desk.picks_moment("ieDate", "2026-11-20")
    # Ctrl+End goes to the next area
    desk.at("input-netWeight").focus()
    desk.page.keyboard.press("Control+End")
    cell = desk.at("line").first.locator("input").first
    expect(cell).to_be_focused()
    # a line copied from a spreadsheet, columns as they stand
    line = consignment.body("list")["lines"][0]
    columns = (
        "itemNo", "itemRecordNo", "itemName", "gcode", "gname", "gmodel", "barCode", "country", "currency", "qty",
        "qty1", "qty2", "unit", "unit1", "unit2", "price", "totalPrice",
    )  # fmt: skip
    desk.page.evaluate(PASTE, "\t".join(line.get(name, "") for name in columns) + "\r\n")
    expect(desk.stand_in(0, "totalPrice")).to_have_value("59.80")
    desk.shoot("55-list-form")
    desk.page.keyboard.press("Alt+S")
    desk.says("已暂存，可以申报")
    expect(desk.at("form-state")).to_have_text("待提交")
    desk.at("form-declare").click()
    desk.confirm(number, "申报")
    desk.becomes("released", "放行")


def test_a_hundred_lines_are_pasted_and_stay_quick(entering: Desk) -> None:
    desk = entering
    desk.at("line").first.locator("input").first.click()
    rows = "\r\n".join(f"CB{n:04}\t\t陶瓷茶杯{n}" for n in range(130))
    desk.page.evaluate(PASTE, rows)
    # no more than the message takes
    expect(desk.at("line-count")).to_have_text("共 100 项")
    expect(desk.at("line-add")).to_be_disabled()
    expect(desk.at("paste-lost")).to_contain_text("另有 30 行未粘贴：表体最多 100 项")
    expect(desk.at("line").first.locator('[data-test="line-itemName"]')).to_have_text("陶瓷茶杯0")
    # only what is in view is on the page; the last line is a key away
    assert desk.at("line").count() < 40
    desk.page.keyboard.press("Control+ArrowDown")
    expect(desk.line(99).locator('[data-test="line-itemNo"]')).to_have_value("CB0099")
    desk.shoot("56-list-hundred-lines")
    desk.at("form-save").click()
    # what is wrong leads to its cell, wherever that is
    expect(desk.at("form-errors")).to_be_visible()
    error = desk.page.locator('[data-test="form-error"][data-key^="lines/"]').last
    _, at, name = str(error.get_attribute("data-key")).split("/")
    error.get_by_role("button").click()
    expect(desk.line(int(at)).locator(f'[data-test="line-{name}"]')).to_be_focused()


def test_a_code_is_found_by_digits_letters_and_chinese(entering: Desk) -> None:
    desk = entering
    field = desk.at("input-country")
    for typed, code in (("502", "502"), ("mg", "502"), ("美国", "502")):
        field.click()
        field.fill(typed)
        option = desk.at("code-option", code=code)
        expect(option.first).to_be_visible()
        if typed == "mg":
            desk.shoot("57-code-list")
        option.first.click()
        field.press("Tab")
        expect(field).to_have_value("美国[502]")
        field.click()
        field.fill("")
        field.press("Tab")
    field.fill("没有这个国家")
    expect(desk.page.locator(".code-list")).to_contain_text("没有找到")
    desk.page.keyboard.press("Escape")
    expect(desk.page.locator(".code-list")).to_have_count(0)
