"""Manual 000 (三) and manual 002, 3.2 to 3.5: waybills, orders and lists from workbooks, 四单比对, filing to release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Sits
from tests.support.browser import Desk
from tests.support.consignment import Consignment
from tests.support.control import Customs
from tests.support.glass import CUSTOMS
from tests.support.people import Visitor, a_number
from tests.support.workbooks import filled

Row = Mapping[str, str | int]


def imports(desk: Desk, kind: str, sheet: str, rows: Sequence[Row], folder: Path, good: int) -> None:
    """Fill in the template of the open import page and import it."""
    template = desk.saved(desk.at("template-download"), folder / f"{kind}-template")
    result = desk.import_file(filled(template, folder / f"{kind}.xlsx", sheet, rows))
    expect(result).to_have_attribute("data-state", "done")
    expect(desk.at("count-good").locator("dd")).to_have_text(str(good))
    expect(desk.at("count-wrong").locator("dd")).to_have_text("0")


@pytest.fixture
def numbers() -> list[str]:
    mine = a_number("Q")[-16:]
    return [f"{mine}-{n}" for n in range(3)]


def test_orders_waybills_and_lists_come_from_workbooks_and_are_released_together(
    sits: Sits, clerk: Visitor, carrier: Visitor, numbers: list[str], tmp_path: Path
) -> None:
    logistics, trader = sits("L"), sits("A")
    waybills_by_the_carrier(logistics, numbers, tmp_path)
    orders(trader, numbers, tmp_path)
    lists(trader, numbers, tmp_path)
    declare(trader, numbers)
    the_document_page(trader, clerk, numbers[0])


def waybills_by_the_carrier(desk: Desk, numbers: list[str], folder: Path) -> None:
    """B1, as the logistics enterprise: the waybills are with customs before the lists."""
    desk.menu("B1")
    desk.at("tool-import").click()
    desk.on_page("import-waybill")
    expect(desk.at("import-batch")).to_have_count(0)
    rows = [
        {"物流运单编号": f"W{n}", "运费": "12.5", "保价费": "0", "币制": "142", "毛重（公斤）": "1.18", "件数": "1",
         "主要货物信息": "手工陶瓷茶杯"}
        for n in numbers
    ]  # fmt: skip
    imports(desk, "waybill", "运单", rows, folder, 3)
    desk.menu("B1")
    desk.find(f"W{numbers[0][:-2]}")
    desk.at("select-page").check()
    desk.at("action-declare").click()
    desk.confirm("3 条", "申报")
    desk.at("results-close").click()
    desk.menu("B2")
    for number in numbers:
        desk.find(f"W{number}")
        expect(desk.state(f"W{number}")).to_have_text("海关审结", timeout=CUSTOMS)


def orders(desk: Desk, numbers: list[str], folder: Path) -> None:
    """Orders of 9610, from the general import page: they are filed with the lists."""
    desk.go("/import/order")
    desk.at("import-strategy").click()
    desk.page.get_by_role("option").filter(has_text="9610").click()
    rows = [
        {"订单号": n, "商品货号": "CB0001", "商品名称": "陶瓷茶杯", "数量": "4", "总额": "59.80", "单价": "14.95",
         "计量单位": "011"}
        for n in numbers
    ]  # fmt: skip
    imports(desk, "order", "订单", rows, folder, 3)


def lists(desk: Desk, numbers: list[str], folder: Path) -> None:
    """C2 清单导入: batch number, export date, file."""
    desk.menu("C2")
    desk.at("import-strategy").click()
    desk.page.get_by_role("option").filter(has_text="9610").click()
    expect(desk.at("import-batch")).not_to_have_value("")
    desk.shoot("60-list-import")
    rows = [
        {"企业唯一编号": n, "订单编号": n, "物流运单编号": f"W{n}", "运抵国（地区）": "502", "指运港代码": "502",
         "运费": "64.995", "保费": "0", "毛重(kg)": "1.18", "净重(kg)": "1.13", "件数": "1", "企业商品货号": "CB0001",
         "商品名称": "陶瓷茶杯", "商品编码": "6912001000", "规格型号": "200ml", "条形码": "无", "目的国": "502",
         "申报数量": "4", "申报计量单位": "011", "法定数量": "1.13", "法定计量单位": "035", "第二数量": "4",
         "第二计量单位": "011", "单价": "14.95", "总价": "59.80"}
        for n in numbers
    ]  # fmt: skip
    imports(desk, "list", "出口清单", rows, folder, 3)


def declare(desk: Desk, numbers: list[str]) -> None:
    """C3 清单申报: orders not sent yet go along; the states come live."""
    desk.at("go-submit").click()
    desk.on_page("C3")
    expect(desk.rows()).to_have_count(3)
    desk.shoot("61-list-declare")
    desk.at("select-page").check()
    desk.at("action-declare").click()
    desk.confirm("3 条", "将一并发送")
    expect(desk.at("results-done")).to_contain_text("已办理 3 条")
    desk.at("results-close").click()
    desk.shows_states(numbers, "released", "放行")
    desk.shoot("62-list-released")
    desk.menu("C5")
    desk.find(numbers[0])
    desk.open_document(numbers[0])


def the_document_page(desk: Desk, clerk: Visitor, number: str) -> None:
    """Comparison, chain, receipts of the list and of the order that went along."""
    desk.becomes("released", "放行")
    expect(desk.at("leg", kind="order", status="same")).to_contain_text(number)
    chained = desk.at("chain").locator('[data-test="chain-item"][data-kind="order"]')
    expect(chained).to_contain_text("海关入库")
    expect(desk.at("chain-next")).to_contain_text("运抵单")
    expect(desk.at("field-invtNo")).not_to_contain_text("海关返回")
    desk.shoot("63-list-detail")
    chained.get_by_role("link").click()
    expect(desk.at("detail-number")).to_have_text(number)
    expect(desk.at("chain").locator('[data-test="chain-item"][data-kind="list"]')).to_contain_text("放行")
    assert clerk.get(f"/documents/order?orderNo={number}").json()["items"][0]["state"] == "accepted"


def test_what_differs_is_shown_before_customs_finds_it(
    sits: Sits, consignment: Consignment, clerk: Visitor
) -> None:
    consignment.save("order")
    consignment.save("waybill", grossWeight="9.99")
    consignment.save("list")
    desk = sits("A")
    desk.go(f"/documents/list/{consignment.ids['list']}")
    leg = desk.at("leg", kind="waybill", status="differs")
    difference = leg.locator('[data-test="difference"][data-field="grossWeight"]')
    expect(difference).to_contain_text("1.18")
    expect(difference).to_contain_text("9.99")
    desk.shoot("64-list-differs")
    difference.get_by_role("button").click()
    expect(desk.at("field-grossWeight")).to_be_in_viewport()
    # the payment is optional, and nothing is missing
    expect(desk.at("leg", kind="payment")).to_contain_text("无需")


def test_customs_refuses_a_list_without_its_waybill_and_the_page_explains(
    sits: Sits, consignment: Consignment, customs: Customs
) -> None:
    consignment.save("order")
    consignment.save("list")
    desk = sits("A")
    desk.go(f"/documents/list/{consignment.ids['list']}")
    expect(desk.at("chain-missing")).to_contain_text("运单")
    desk.at("action-declare").click()
    desk.confirm("申报")
    desk.at("results-close").click()
    desk.becomes("rejected", "海关退单")
    expect(desk.at("detail-return-info")).to_contain_text("缺少运单")
    # refused: the self-diagnosis opens by itself and names the missing document
    check = desk.at("check", check="companions")
    expect(check).to_contain_text("运单")
    expect(desk.at("diagnosis")).to_contain_text("发现问题")
    desk.shoot("65-list-refused")
