"""A refusal by customs: told on the open page with its reason, and sent again once customs takes it."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.support.browser import Desk
from tests.support.control import Customs
from tests.support.glass import CUSTOMS
from tests.support.people import Visitor, a_number

REASON = "电商企业备案已过期，请先办理备案变更"


def test_a_refused_order_says_why_and_is_accepted_the_next_time(
    declarant: Desk, clerk: Visitor, customs: Customs
) -> None:
    desk = declarant
    bad, good = a_number("N"), a_number("Y")
    for number in (bad, good):
        clerk.save_order(number, note=f"与{bad}同批")
    customs.reject(bad, REASON)
    desk.menu("A5-declare")
    for number in (bad, good):
        desk.find(number)
        desk.submit_all(1, number)
        desk.at("results-close").click()
        if number == bad:
            refused_in_the_list(desk, bad)
    desk.shows_states([good], "accepted", "海关入库")
    the_page_says_why(desk, bad)

    # the reason is mended at customs; the same document is sent once more
    customs.as_usual()
    desk.at("action-declare").click()
    desk.confirm(bad, "提交海关")
    expect(desk.at("result-row", ok="true")).to_contain_text(bad)
    desk.at("results-close").click()
    expect(desk.at("detail-state")).to_have_text("海关入库", timeout=CUSTOMS)
    expect(desk.at("timeline-item", what="submitted")).to_have_count(2)
    expect(desk.at("detail-receipts")).to_contain_text("海关退单[100]")
    expect(desk.at("detail-receipts")).to_contain_text("海关入库[120]")
    # customs' words of the refusal are history, no longer the document's own
    expect(desk.at("detail-return-info")).not_to_contain_text(REASON)
    desk.shoot("32-accepted-after-refusal")
    versions = customs.knows(bad)
    assert [version["verdict"] for version in versions][-1] == "accepted"


def refused_in_the_list(desk: Desk, number: str) -> None:
    """Red with a word, and what customs said, on the open page."""
    desk.shows_states([number], "rejected", "海关退单")
    expect(desk.row(number).locator('[data-test="cell-return_info"]')).to_contain_text(REASON)
    desk.state(number).click()
    receipt = desk.at("receipts-drawer").locator('[data-test="receipt"]').first
    expect(receipt).to_contain_text("海关退单[100]")
    expect(receipt).to_contain_text(REASON)
    desk.shoot("30-rejected-receipts")
    desk.page.keyboard.press("Escape")
    expect(desk.at("receipts-drawer")).to_be_hidden()


def the_page_says_why(desk: Desk, number: str) -> None:
    desk.menu("A1")
    desk.find(number)
    desk.open_document(number)
    expect(desk.at("detail-state")).to_have_attribute("data-state", "rejected")
    expect(desk.at("detail-return-info")).to_contain_text(REASON)
    expect(desk.at("timeline-item", what="receipt").first).to_contain_text(REASON)
    colour = desk.at("detail-state").evaluate("tag => getComputedStyle(tag).color")
    red, green, blue = (int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))
    assert red > 2 * max(green, blue), f"the tag of a refusal is not red: {colour}"
    desk.shoot("31-rejected-detail")
