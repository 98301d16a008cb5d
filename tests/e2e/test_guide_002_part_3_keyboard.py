"""Manual 002, part three, 关于键盘操作: a document is entered, saved, printed and deleted without the mouse."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.conftest import Sits
from tests.support.browser import Desk
from tests.support.people import a_number


def test_a_document_is_entered_printed_and_deleted_by_keys(sits: Sits, tmp_path: Path) -> None:
    desk, number = sits("A"), a_number("JP")[-20:]
    desk.go("/documents/cancellation/new")
    expect(desk.at("input-copNo")).to_be_editable()
    from_field_to_field(desk, number)
    a_code_by_arrow_keys(desk)
    desk.page.keyboard.press("Control+End")
    expect(desk.page.locator(":focus")).to_be_visible()
    desk.page.keyboard.press("Alt+s")
    expect(desk.at("form-number")).to_have_text(number)
    with desk.page.expect_download() as waiting:
        desk.page.keyboard.press("Alt+p")
    path = tmp_path / "form.pdf"
    waiting.value.save_as(path)
    assert path.read_bytes().startswith(b"%PDF")
    desk.page.keyboard.press("Alt+r")
    desk.confirm(number, "删除")
    desk.says(number, "已删除")


def from_field_to_field(desk: Desk, number: str) -> None:
    """Tab and Enter go to the next field, Shift+Enter back, Backspace deletes."""
    own, reason = desk.at("input-copNo"), desk.at("input-reason")
    own.focus()
    desk.page.keyboard.type(f"{number}X")
    desk.page.keyboard.press("Backspace")
    expect(own).to_have_value(number)
    desk.page.keyboard.press("Enter")
    expect(own).not_to_be_focused()
    desk.page.keyboard.press("Shift+Enter")
    expect(own).to_be_focused()
    desk.page.keyboard.press("Tab")
    expect(own).not_to_be_focused()
    reason.focus()
    desk.page.keyboard.type("买家取消订单")
    expect(reason).to_have_value("买家取消订单")


def a_code_by_arrow_keys(desk: Desk) -> None:
    """上下方向: choose in the list; 回车 takes what is chosen and goes on."""
    field = desk.at("input-customsCode")
    field.focus()
    field.fill("")
    desk.page.keyboard.type("关区")
    expect(desk.at("code-option").nth(1)).to_be_visible()
    second = desk.at("code-option").nth(1).get_attribute("data-code")
    desk.page.keyboard.press("ArrowDown")
    desk.page.keyboard.press("Enter")
    expect(field).not_to_be_focused()
    expect(field).to_have_value(f"{field.input_value().split('[')[0]}[{second}]")
    expect(desk.at("code-option")).to_have_count(0)
