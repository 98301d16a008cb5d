"""Manual 002, 3.9 to 3.11: 清单总分单, entered and filed, then 改单: 可对可编辑字段进行修改，申报等操作."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.conftest import Sits
from tests.support.consignment import Consignment
from tests.support.glass import CUSTOMS


def test_a_master_house_list_is_amended(sits: Sits, consignment: Consignment) -> None:
    # of parcels whose lists are not filed yet: customs holds against it only lists that it names
    number = consignment.save("master-house", lines=[{"invtNo": ""}])["number"]
    desk = sits("A")
    desk.menu("C10")
    desk.find(number)
    desk.at("select-page").check()
    desk.at("action-declare").click()
    desk.confirm(number, "申报")
    desk.at("results-close").click()
    desk.menu("C11")
    desk.find(number)
    expect(desk.state(number)).to_have_text("海关入库", timeout=CUSTOMS)
    desk.menu("C12")
    desk.find(number)
    desk.open_document(number)
    desk.at("action-amend").click()
    desk.confirm("确认修改吗")
    desk.says("已重新生成新的清单总分单")
    expect(desk.at("input-copNo")).to_have_value(number)
    expect(desk.at("input-preNo")).to_be_disabled()
    desk.fill_in(grossWeight="2.5")
    desk.at("form-declare").click()
    desk.confirm(number, "申报")
    desk.becomes("accepted", "海关入库")
    change = desk.at("version", revision="2").locator(
        '[data-test="change"][data-pointer="/head/grossWeight"]'
    )
    expect(change).to_contain_text("1.18")
    expect(change).to_contain_text("2.5")
    desk.shoot("74-master-house-amended")
