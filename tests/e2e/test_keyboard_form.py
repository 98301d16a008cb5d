"""A form by keyboard alone, key by key."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Sits
from tests.support.browser import Desk
from tests.support.people import a_number


@pytest.fixture
def form(sits: Sits) -> Desk:
    desk = sits("A")
    desk.go("/documents/order/new")
    expect(desk.at("form-page")).to_be_visible()
    return desk


def test_every_key_of_a_form(form: Desk) -> None:
    number = a_number("KEY")
    _goes_on_and_back(form, number)
    _chooses_a_code(form)
    _is_told_of_an_unknown_code(form)
    _walks_through_the_areas(form)
    _saves_prints_and_deletes(form, number)


def _goes_on_and_back(desk: Desk, number: str) -> None:
    """Tab and Shift+Tab, Enter and Shift+Enter."""
    press, first, second = desk.page.keyboard.press, desk.at("input-orderNo"), desk.at("input-note")
    first.focus()
    desk.page.keyboard.type(number)
    press("Tab")
    expect(second).to_be_focused()
    press("Shift+Tab")
    expect(first).to_be_focused()
    press("Enter")
    expect(second).to_be_focused()
    press("Shift+Enter")
    expect(first).to_be_focused()


def _chooses_a_code(desk: Desk) -> None:
    """Letters find it, Down and Up choose, Enter takes and goes on; Escape closes the list and nothing else."""
    press, money, options = desk.page.keyboard.press, desk.at("input-currency"), desk.at("code-option")
    money.focus()
    desk.page.keyboard.type("m")
    expect(options.first).to_have_attribute("aria-selected", "true")
    press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    press("ArrowUp")
    expect(options.first).to_have_attribute("aria-selected", "true")
    money.fill("my")
    expect(desk.at("code-option", code="502")).to_be_visible()
    press("Enter")
    expect(money).to_have_value("美元[502]")
    expect(money).not_to_be_focused()
    money.focus()
    press("ArrowDown")
    expect(options.first).to_be_visible()
    press("Escape")
    expect(options).to_have_count(0)
    expect(money).to_be_focused()


def _is_told_of_an_unknown_code(desk: Desk) -> None:
    press, money = desk.page.keyboard.press, desk.at("input-currency")
    money.fill("没有")
    expect(desk.page.locator(".code-list")).to_contain_text("没有找到")
    press("Escape")
    press("Tab")
    expect(desk.at("field-currency")).to_contain_text("代码表中没有此代码")
    money.focus()
    money.fill("502")
    expect(desk.at("code-option").first).to_be_visible()
    press("Enter")
    # other fields that one passed may be told of as missing
    expect(desk.at("field-currency")).not_to_contain_text("代码表中没有此代码")
    expect(money).to_have_value("美元[502]")


def _walks_through_the_areas(desk: Desk) -> None:
    """Ctrl+End: from area to area, and round."""
    areas = set()
    desk.at("input-orderNo").focus()
    for _ in range(6):
        desk.page.keyboard.press("Control+End")
        areas.add(desk.page.evaluate("document.activeElement.closest('[data-area]')?.dataset.area"))
    assert {"order", "parties", "amounts", "lines"} <= areas, areas


def _saves_prints_and_deletes(desk: Desk, number: str) -> None:
    """Alt+S, Alt+P, Alt+R; Escape closes the question, not the form."""
    press = desk.page.keyboard.press
    desk.fill_line(0, itemNo="KEY1")
    press("Alt+S")
    desk.says("已暂存")
    expect(desk.at("form-number")).to_have_text(number)
    with desk.page.expect_download() as caught:
        press("Alt+P")
    assert caught.value.suggested_filename.endswith(".pdf")
    press("Alt+R")
    box = desk.page.locator(".el-message-box").filter(visible=True)
    expect(box).to_contain_text(number)
    press("Escape")
    expect(box).to_have_count(0)
    expect(desk.at("form-page")).to_be_visible()
    press("Alt+R")
    expect(box).to_be_visible()
    box.locator(".el-message-box__btns .el-button--primary").click()
    desk.says("已删除")


def test_a_date_is_typed_in_any_usual_form(sits: Sits) -> None:
    desk = sits("A")
    desk.go("/documents/list/new")
    expect(desk.at("form-page")).to_be_visible()
    day = desk.at("input-ieDate")
    for typed in ("20261127", "2026/11/27", "2026.11.27"):
        day.fill(typed)
        day.press("Enter")
        expect(day).to_have_value("2026-11-27")
    day.fill("2026-13-01")
    day.press("Enter")
    expect(desk.at("field-ieDate")).to_contain_text("应为日期")
    # the calendar opens at the field and gives the day to it
    day.fill("2026-11-27")
    day.press("Alt+ArrowDown")
    cell = desk.page.locator(".el-picker-panel").get_by_text("20", exact=True).first
    expect(cell).to_be_visible()
    desk.shoot("94-calendar")
    cell.click()
    expect(day).to_have_value("2026-11-20")
