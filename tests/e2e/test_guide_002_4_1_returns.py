"""Manual 002, 4.1 to 4.3: 退货单 from a released list; the tally that reports its arrival."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.conftest import Sits
from tests.support.consignment import Consignment
from tests.support.people import Visitor


def test_a_return_is_made_of_a_list_and_released(
    sits: Sits, consignment: Consignment, carrier: Visitor
) -> None:
    consignment.save("waybill", carrier)
    consignment.file("waybill", "settled", by=carrier)
    consignment.save("order")
    number = consignment.save("list")["number"]
    consignment.file("list", "released")

    desk = sits("A")
    desk.menu("C5")
    desk.find(number)
    desk.open_document(number)
    desk.at("action-return").click()
    desk.confirm(number, "退货申请单")
    expect(desk.at("form-page")).to_be_visible()
    expect(desk.at("line")).to_have_count(1)
    desk.fill_in(reason="买家退货", billNo=f"T{number}"[-20:], trafName="示例航空", voyageNo="SL998")
    desk.at("form-save").click()
    desk.says("已暂存")
    if desk.at("form-errors").count():
        desk.shoot("74-return-lacking")
    expect(desk.at("form-errors")).to_have_count(0)
    desk.shoot("75-return-form")
    desk.at("form-declare").click()
    desk.confirm("申报")
    desk.becomes("released", "放行")
    returned = desk.at("detail-number").inner_text()
    desk.menu("D1")
    desk.find(returned)
    expect(desk.at("empty-panel")).to_be_visible()
    desk.menu("D2")
    desk.find(returned)
    expect(desk.state(returned)).to_have_text("放行")
