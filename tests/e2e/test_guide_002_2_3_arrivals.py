"""Manual 002, 2.3 to 2.5: 运抵单, entered and filed by the site operator."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Sits
from tests.support.browser import Desk
from tests.support.consignment import Consignment
from tests.support.people import Visitor, a_number


@pytest.fixture
def entering(sits: Sits) -> Desk:
    """The site operator at an empty form."""
    desk = sits("O")
    desk.on_page("B3")
    desk.at("tool-new").click()
    expect(desk.at("form-page")).to_be_visible()
    return desk


def test_an_arrival_is_entered_saved_and_declared(entering: Desk, consignment: Consignment) -> None:
    desk, number = entering, a_number("YD")[-20:]
    body = consignment.body("arrival")
    carrier = consignment.body("waybill")["head"]
    # what the strategy and the own enterprise say is there already
    expect(desk.at("input-operatorName")).to_have_value("演示戊监管场所经营有限公司")
    expect(desk.at("input-customsCode")).to_have_value("西安关区[9000]")
    # what customs and the system fill in is greyed and says where it comes from
    expect(desk.at("input-preNo")).to_be_disabled()
    expect(desk.at("input-preNo")).to_have_attribute("placeholder", "海关返回后自动填入")
    desk.shoot("50-arrival-empty-form")

    # 暂存 of something unfinished keeps it and says what is missing
    desk.fill_in(copNo=number, billNo=body["head"]["billNo"])
    desk.at("form-save").click()
    desk.says("已暂存", "需补全后才能申报")
    expect(desk.at("form-number")).to_have_text(number)
    errors = desk.at("form-errors", tone="amber")
    expect(errors).to_contain_text("境内运输工具编号")
    desk.shoot("51-arrival-draft")
    errors.locator('[data-key="head/domesticTrafNo"] button').click()
    expect(desk.at("input-domesticTrafNo")).to_be_focused()

    # the code of transport by its pinyin initials
    desk.fill_in(domesticTrafNo="陕A00000", trafMode="hk")
    expect(desk.at("input-trafMode")).to_have_value("航空运输[5]")
    desk.fill_in(logisticsCode=carrier["logisticsCode"], logisticsName=carrier["logisticsName"])
    lines(desk, consignment)

    desk.at("form-declare").click()
    desk.confirm(number, "申报")
    expect(desk.at("detail-number")).to_have_text(number)
    desk.becomes("settled", "海关审结")
    expect(desk.at("field-preNo")).to_contain_text("B20")
    desk.shoot("52-arrival-settled")
    desk.menu("B4")
    desk.find(number)
    expect(desk.at("empty-panel")).to_be_visible()
    desk.menu("B5")
    desk.find(number)
    expect(desk.state(number)).to_have_text("海关审结")


def lines(desk: Desk, consignment: Consignment) -> None:
    """Put lines in, copy one, take one away; Enter at the end of the last line begins a new one."""
    waybill = consignment.body("waybill")["head"]["logisticsNo"]
    if desk.at("line").count() == 0:
        desk.at("line-add").click()
    desk.fill_line(0, logisticsNo=waybill, totalPackageNo="ZB0001")
    desk.stand_in(0, "note").press("Enter")
    expect(desk.at("line")).to_have_count(2)
    desk.fill_line(1, logisticsNo=f"{waybill}x")
    desk.at("line").nth(1).locator('[data-test="line-duplicate"]').click()
    expect(desk.at("line").nth(2).locator('[data-test="line-logisticsNo"]')).to_have_value(f"{waybill}x")
    for _ in range(2):
        desk.at("line").nth(1).locator('[data-test="line-remove"]').click()
    expect(desk.at("line-count")).to_have_text("共 1 项")


def test_what_is_wrong_is_told_at_its_field_and_in_a_list_that_jumps(entering: Desk) -> None:
    desk = entering
    desk.at("input-copNo").fill("YD 1")
    desk.at("input-copNo").press("Tab")
    expect(desk.at("field-copNo").locator('[data-test="field-fault"]')).to_have_text("不能含空格")
    desk.fill_in(billNo="B" * 38)
    desk.at("form-save").click()
    errors = desk.at("form-errors", tone="red")
    # two the server refuses, and a required field that one went past
    expect(errors).to_contain_text("有 3 处需要更正")
    expect(desk.at("field-domesticTrafNo").locator('[data-test="field-fault"]')).to_have_text("必填")
    expect(desk.at("field-billNo").locator('[data-test="field-fault"]')).to_contain_text("37")
    desk.shoot("53-arrival-errors")
    errors.locator('[data-key="head/billNo"] button').click()
    expect(desk.at("input-billNo")).to_be_focused()
    # a value that is changed is no longer called wrong
    desk.at("input-billNo").fill("B1")
    expect(desk.at("field-billNo").locator('[data-test="field-fault"]')).to_have_count(0)
    expect(errors).to_contain_text("有 2 处需要更正")


def test_somebody_was_faster_nothing_is_overwritten(
    entering: Desk, operator: Visitor, consignment: Consignment
) -> None:
    desk = entering
    saved = consignment.save("arrival", operator)
    desk.go(f"/documents/arrival/{saved['id']}/edit")
    expect(desk.at("input-domesticTrafNo")).to_have_value("陕A00000")
    theirs = consignment.body("arrival", domesticTrafNo="陕B11111")
    path = f"/documents/arrival/{saved['id']}"
    assert operator.put(path, json=theirs, headers={"If-Match": saved["etag"]}).ok
    desk.fill_in(note="我的备注")
    desk.at("form-save").click()
    # both changed another field: nobody is asked, and nothing is lost
    desk.says("已合并他人保存的 1 处修改")
    desk.shoot("54-form-merged")
    expect(desk.at("input-domesticTrafNo")).to_have_value("陕B11111")
    expect(desk.at("input-note")).to_have_value("我的备注")
    expect(desk.at("form-unsaved")).to_have_count(0)
    head = operator.get(path).json()["body"]["head"]
    assert (head["note"], head["domesticTrafNo"]) == ("我的备注", "陕B11111")


def test_a_draft_is_deleted_and_a_tab_with_unsaved_work_asks_first(entering: Desk, operator: Visitor) -> None:
    desk, number = entering, a_number("YD")[-20:]
    desk.fill_in(copNo=number)
    tab = desk.at("tab-/documents/arrival/new")
    expect(tab).to_contain_text("*")
    tab.locator('[data-test="tab-close"]').click()
    box = desk.page.locator(".el-message-box")
    expect(box).to_contain_text("未保存")
    box.locator(".el-message-box__btns .el-button").first.click()
    expect(desk.at("input-copNo")).to_have_value(number)
    desk.page.keyboard.press("Alt+S")
    # it goes on under the document's own address; keys on the way there would be lost
    expect(desk.page).to_have_url(re.compile(r"/documents/arrival/[0-9a-f-]{36}/edit$"))
    expect(desk.at("form-number")).to_have_text(number)
    desk.page.keyboard.press("Alt+R")
    desk.page.locator(".el-message-box .el-button--danger").click()
    desk.says(number, "已删除")
    found = operator.get(f"/documents/arrival?copNo={number}").json()["items"]
    assert found == []


def test_who_is_no_operator_enters_no_arrival(sits: Sits) -> None:
    desk = sits("A")
    desk.menu("B3")
    new = desk.at("tool-new")
    expect(new).to_have_attribute("aria-disabled", "true")
    new.focus()
    expect(desk.page.get_by_role("tooltip").filter(visible=True)).to_contain_text("监管场所经营人")
