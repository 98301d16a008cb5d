"""Manual 002, 3.3 清单改单: "确认修改吗？" → "已重新生成新的清单"; the new version is editable, the old one stays."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.conftest import Sits
from tests.support.browser import Desk
from tests.support.consignment import Consignment
from tests.support.control import Customs
from tests.support.people import Visitor


def test_a_list_in_review_is_amended_and_both_versions_stay_readable(
    sits: Sits, consignment: Consignment, carrier: Visitor, customs: Customs
) -> None:
    consignment.save("waybill", carrier)
    consignment.file("waybill", "settled", by=carrier)
    consignment.save("order")
    number = consignment.save("list")["number"]
    customs.decides(number, "300")
    consignment.file("list", "in_review")
    customs.as_usual()

    desk = sits("A")
    desk.menu("C4")
    desk.find(number)
    desk.at("select-page").check()
    desk.at("action-amend").click()
    desk.confirm("确认修改吗")
    desk.says("已重新生成新的出口清单")
    expect(desk.at("form-page")).to_be_visible()
    expect(desk.at("input-copNo")).to_have_value(number)
    # what customs finds the document by cannot be changed
    desk.fill_in(copNo=f"{number}X")
    desk.at("form-save").click()
    expect(desk.at("form-errors")).to_contain_text("不能修改")
    desk.fill_in(copNo=number, note="更正净重", netWeight="1.05")
    desk.shoot("70-amend-form")
    desk.at("form-declare").click()
    desk.confirm(number, "申报")
    desk.becomes("released", "放行")
    two_versions(desk)


def two_versions(desk: Desk) -> None:
    expect(desk.at("version")).to_have_count(2)
    newest = desk.at("version", revision="2")
    expect(newest).to_contain_text("变更")
    weight = newest.locator('[data-test="change"][data-pointer="/head/netWeight"]')
    expect(weight).to_contain_text("1.13")
    expect(weight).to_contain_text("1.05")
    desk.shoot("71-versions")
    desk.at("detail-older").click()
    expect(desk.at("detail-state")).to_have_text("已改单")
    expect(desk.at("field-netWeight")).to_contain_text("1.13")
    expect(desk.at("detail-newer")).to_be_visible()


def test_one_list_at_a_time_is_amended(sits: Sits, clerk: Visitor) -> None:
    desk = sits("A")
    desk.menu("C4")
    expect(desk.at("action-amend")).to_have_attribute("aria-disabled", "true")
    desk.at("action-amend").focus()
    expect(desk.page.get_by_role("tooltip").filter(visible=True)).to_contain_text("请先勾选单证")
