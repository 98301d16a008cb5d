"""Manual 002, 2.6 and 5.1 to 5.4: departure closes the lists; they are summed up, declared, and the result arrives."""

from __future__ import annotations

import re
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Sits
from tests.support.browser import Desk
from tests.support.consignment import Consignment
from tests.support.glass import CUSTOMS
from tests.support.people import Visitor, a_number


@pytest.fixture
def released(consignment: Consignment, carrier: Visitor, operator: Visitor) -> Consignment:
    """A consignment whose list is released and whose goods have arrived at the site."""
    consignment.save("waybill", carrier)
    consignment.file("waybill", "settled", by=carrier)
    consignment.save("order")
    consignment.save("list")
    consignment.file("list", "released")
    consignment.save("arrival", operator)
    consignment.file("arrival", "settled", by=operator)
    return consignment


def test_departure_summary_result_and_declaration(sits: Sits, released: Consignment, tmp_path: Path) -> None:
    number = released.read("list")["number"]
    departure_by_the_carrier(sits("L"), released)
    desk = sits("A")
    desk.menu("C6")
    desk.find(number)
    expect(desk.state(number)).to_have_text("结关", timeout=CUSTOMS)
    not_this_one(desk, build(desk))
    desk.menu("C6")
    desk.find(number)
    sum_no = declare(desk, build(desk))
    result_and_declaration(desk, number, sum_no, tmp_path)


def departure_by_the_carrier(desk: Desk, released: Consignment) -> None:
    """B6, with E for the logistics enterprise that files it."""
    number = a_number("LJ")[-20:]
    desk.menu("B6")
    desk.at("tool-new").click()
    head = released.body("departure")["head"]
    desk.fill_in(copNo=number, billNo=head["billNo"], trafName="示例航空", voyageNo="SL999")
    desk.picks_moment("leaveTime", "2026-11-20 15:04:00")
    desk.fill_line(0, logisticsNo=f"W{released.number}")
    desk.shoot("80-departure-form")
    desk.at("form-declare").click()
    desk.confirm(number, "申报")
    desk.becomes("settled", "海关审结")
    expect(desk.at("field-leaveTime")).to_contain_text("2026-11-20 15:04:00")


def build(desk: Desk) -> str:
    """Select closed lists → 生成汇总申请单 → a draft on E1."""
    expect(desk.at("summary-build")).to_have_attribute("aria-disabled", "true")
    desk.at("select-page").check()
    desk.at("summary-build").click()
    desk.confirm("1 份已结关清单")
    expect(desk.at("summary-built")).to_contain_text("已生成 1 份")
    number = desk.at("summary-number").inner_text()
    desk.shoot("81-summary-built")
    desk.at("summary-go").click()
    desk.on_page("E1")
    return number


def not_this_one(desk: Desk, number: str) -> None:
    """批量申报与删除: 取消 changes nothing, 确认 does; the lists of what is deleted can be summed up again."""
    desk.find(number)
    desk.at("select-page").check()
    desk.at("action-declare").click()
    desk.refuse(number, "申报")
    desk.at("action-delete").click()
    desk.refuse(number, "删除")
    expect(desk.state(number)).to_have_attribute("data-state", "checked")
    desk.at("action-delete").click()
    desk.confirm(number, "删除")
    desk.at("results-close").click()
    expect(desk.row(number)).to_have_count(0)


def declare(desk: Desk, number: str) -> str:
    """Declare the application; the number that customs gives it."""
    desk.find(number)
    desk.at("select-page").check()
    desk.at("action-declare").click()
    desk.confirm(number, "申报")
    desk.at("results-close").click()
    desk.menu("E2")
    desk.find(number)
    expect(desk.state(number)).to_have_text("海关审结", timeout=CUSTOMS)
    given = desk.row(number).locator('[data-test="cell-sumNo"]')
    expect(given).to_have_text(re.compile(r"^S\d{17}$"))
    return given.inner_text()


def result_and_declaration(desk: Desk, listed: str, sum_no: str, folder: Path) -> None:
    """E3, E4: what customs issues; the list's case is closed; the tax office gets a workbook."""
    desk.menu("E3")
    desk.find_coming(sum_no)
    # what customs issues is nobody's to enter
    expect(desk.at("tool-new")).to_have_count(0)
    desk.menu("C7")
    desk.find_coming(listed)
    expect(desk.state(listed)).to_have_text("结案")
    desk.menu("E4")
    desk.expand()
    desk.at("condition-sumNo").fill(sum_no)
    desk.at("condition-sumNo").press("Enter")
    expect(desk.rows()).to_have_count(1)
    expect(desk.at("state-tag", state="settled")).to_have_count(1)
    cell = desk.rows().locator('[data-test="cell-entryId"]')
    expect(cell).to_have_text(re.compile(r"^\d{18}$"))
    entry = cell.inner_text()
    desk.shoot("82-summary-declarations")
    path = desk.saved(desk.at("tool-export"), folder)
    sheet = openpyxl.load_workbook(path).worksheets[0]
    assert any(entry in [str(cell.value) for cell in line] for line in sheet.iter_rows())
    pdf = desk.saved(desk.at("tool-print"), folder)
    assert pdf.read_bytes().startswith(b"%PDF")
    desk.menu("C7")
    desk.open_document(listed)
    expect(desk.at("timeline-item", what="followed")).to_contain_text("状态联动")
    for kind in ("summary-application", "summary-result", "summary-declaration"):
        expect(desk.at("chain").locator(f'[data-kind="{kind}"]').first).to_be_visible()
    desk.shoot("83-list-case-closed")


def test_a_period_without_closed_lists_says_so(sits: Sits) -> None:
    desk = sits("A")
    desk.menu("E1")
    desk.at("summary-build").click()
    expect(desk.at("summary-ebc")).not_to_have_value("")
    desk.at("summary-submit").click()
    expect(desk.at("summary-dialog")).to_contain_text("请选择结关时间")
    desk.at("summary-ebc").fill("91440101MA0DEMZ99X")
    desk.at("summary-dialog").locator('[data-test="quick-today"]').click()
    desk.at("summary-submit").click()
    expect(desk.at("summary-problems")).to_contain_text("没有可汇总的清单")
    desk.shoot("84-summary-period")
