"""Manual 002, 3.7 and 3.8: 撤销申请单, made from a list, filed, and what becomes of the list."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.conftest import Sits
from tests.support.consignment import Consignment
from tests.support.people import Visitor


def test_a_released_list_is_cancelled(sits: Sits, consignment: Consignment, carrier: Visitor) -> None:
    consignment.save("waybill", carrier)
    consignment.file("waybill", "settled", by=carrier)
    consignment.save("order")
    number = consignment.save("list")["number"]
    invt_no = consignment.file("list", "released")["body"]["head"]["invtNo"]

    desk = sits("A")
    desk.menu("C5")
    desk.find(number)
    desk.at("select-page").check()
    desk.at("action-cancel").click()
    desk.confirm(number, "撤销申请单")
    desk.says("已生成撤销申请单")
    expect(desk.at("input-invtNo")).to_have_value(invt_no)
    desk.fill_in(reason="买家取消订单")
    desk.shoot("72-cancellation-form")
    desk.at("form-declare").click()
    desk.confirm("申报")
    desk.becomes("settled", "海关审结")
    application = desk.at("detail-number").inner_text()
    # the list follows, and each leads to the other
    listed = desk.at("chain").locator('[data-test="chain-item"][data-kind="list"]')
    expect(listed).to_contain_text("已撤销")
    desk.shoot("73-cancellation-settled")
    listed.get_by_role("link").click()
    desk.becomes("cancelled", "已撤销")
    desk.menu("C9")
    desk.find(application)
    expect(desk.state(application)).to_have_text("海关审结")


def test_a_cancellation_is_entered_by_hand_for_a_list_filed_elsewhere(sits: Sits) -> None:
    """C8: a kind without lines; an application for a list that customs does not know is refused with its reason."""
    desk = sits("A")
    desk.menu("C8")
    desk.at("tool-new").click()
    expect(desk.at("lines")).to_have_count(0)
    expect(desk.at("input-agentName")).to_have_value("演示甲跨境电商有限公司")
    desk.at("form-save").click()
    expect(desk.at("form-errors")).to_be_visible()
