"""Forms lose nothing: a crash of the browser, a colleague in the same document, numbers that do not add up; and the
raw messages of a document, as they went out and came in."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Sits
from tests.support.browser import Desk
from tests.support.eventually import eventually
from tests.support.people import Visitor, a_number

#: a form reports every fifteen seconds that it is open
HEARTBEAT = 40_000
KEPT = "() => Object.keys(localStorage).some((key) => key.startsWith('tongguan.draft/'))"
KEPT_TWO = "() => Object.keys(localStorage).filter((key) => key.startsWith('tongguan.draft/')).length === 2"
NOT_KEPT = "() => !Object.keys(localStorage).some((key) => key.startsWith('tongguan.draft/'))"


def _crash(desk: Desk) -> Page:
    """The window is gone without a word, and opened again."""
    desk.page.close(run_before_unload=False)
    desk.page = desk.context.new_page()
    return desk.page


def test_what_was_typed_survives_a_crash_and_nobody_else_sees_it(sits: Sits, clerk: Visitor) -> None:
    desk, number = sits("A"), a_number("SAFE")
    desk.go("/documents/order/new")
    expect(desk.at("form-page")).to_be_visible()
    desk.fill_in(orderNo=number, freight="64.99500")
    desk.fill_line(0, itemNo="SAFE1")
    expect(desk.at("form-unsaved")).to_be_visible()
    desk.page.wait_for_function(KEPT)
    _crash(desk)
    desk.go("/documents/order/new")
    expect(desk.at("draft-notice")).to_contain_text("未保存")
    desk.at("draft-differences").click()
    expect(desk.at("change", pointer="/head/orderNo")).to_contain_text(number)
    desk.shoot("95-draft-found")
    desk.at("draft-restore").click()
    expect(desk.at("input-orderNo")).to_have_value(number)
    expect(desk.at("input-freight")).to_have_value("64.99500")
    # once it is stored nothing is kept here any more
    desk.page.keyboard.press("Alt+S")
    desk.says("已暂存")
    expect(desk.at("form-number")).to_have_text(number)
    desk.page.wait_for_function(NOT_KEPT)
    # a colleague at the same browser finds nothing of it
    desk.fill_in(note="未保存的备注")
    desk.page.wait_for_function(KEPT)
    _crash(desk)
    desk.context.clear_cookies()
    desk.take_over(clerk)
    stored = clerk.get(f"/documents/order?number={number}").json()["items"][0]["id"]
    desk.go(f"/documents/order/{stored}/edit")
    expect(desk.at("input-orderNo")).to_have_value(number)
    expect(desk.at("draft-notice")).to_have_count(0)
    desk.page.wait_for_function(NOT_KEPT)


def test_two_windows_on_one_form_and_what_is_not_decided_keep_their_own(sits: Sits) -> None:
    first = sits("A")
    second = Desk(first.stack, first.context, first.context.new_page())
    for desk, note in ((first, "甲窗口"), (second, "乙窗口")):
        desk.go("/documents/order/new")
        expect(desk.at("form-page")).to_be_visible()
        desk.fill_in(note=note)
    first.page.wait_for_function(KEPT_TWO)
    # what is being typed in the other window is no offer, until that window is gone
    expect(first.at("draft-notice")).to_have_count(0)
    expect(second.at("draft-notice")).to_have_count(0)
    second.page.close(run_before_unload=False)
    expect(first.at("draft-notice")).to_have_count(1)
    expect(first.at("input-note")).to_have_value("甲窗口")
    _crash(first)
    first.go("/documents/order/new")
    expect(first.at("draft-notice")).to_have_count(2)
    first.fill_in(note="尚未决定时输入")
    first.page.wait_for_function(KEPT_TWO.replace("2", "3"))
    first.at("draft-differences").last.click()
    expect(first.at("change", pointer="/head/note")).to_contain_text("甲窗口")
    first.shoot("95-drafts-of-two-windows")
    first.at("draft-restore").last.click()
    expect(first.at("input-note")).to_have_value("甲窗口")
    # what stood in the form is offered in its turn
    expect(first.at("draft-notice")).to_have_count(2)
    first.at("draft-differences").first.click()
    expect(first.at("change", pointer="/head/note")).to_contain_text("尚未决定时输入")
    for _ in range(2):
        first.at("draft-discard").first.click()
    expect(first.at("draft-notice")).to_have_count(0)


def test_two_people_in_one_document_see_each_other_and_nobody_is_overwritten(
    sits: Sits, clerk: Visitor
) -> None:
    order = clerk.save_order(a_number("TWO"))
    first, second = sits("A"), sits("A")
    for desk in (first, second):
        desk.go(f"/documents/order/{order['id']}/edit")
        expect(desk.at("form-page")).to_be_visible()
    expect(second.at("form-editors")).to_contain_text("测试员", timeout=HEARTBEAT)
    expect(first.at("form-editors")).to_contain_text("正在编辑", timeout=HEARTBEAT)
    first.shoot("96-two-people")
    first.fill_in(note="甲的备注", freight="1")
    second.fill_in(ebpName="乙改的平台", freight="2")
    first.page.keyboard.press("Alt+S")
    first.says("已暂存")
    expect(second.at("form-overtaken")).to_be_visible(timeout=HEARTBEAT)
    second.page.keyboard.press("Alt+S")
    # only what both changed is asked
    expect(second.at("merge-conflict")).to_have_count(1)
    expect(second.at("merge-conflict", key="head/freight")).to_contain_text("运杂费")
    expect(second.at("merge-save")).to_be_disabled()
    second.at("merge-mine").check()
    second.shoot("97-merge")
    second.at("merge-save").click()
    second.says("已暂存")
    expect(second.at("input-note")).to_have_value("甲的备注")
    head = clerk.get(f"/documents/order/{order['id']}").json()["body"]["head"]
    assert (head["note"], head["ebpName"], head["freight"]) == ("甲的备注", "乙改的平台", "2")


def test_numbers_that_do_not_fit_are_told_at_once_and_taken_over(sits: Sits, clerk: Visitor) -> None:
    order = clerk.save_order(a_number("SUM"))
    desk = sits("A")
    desk.go(f"/documents/order/{order['id']}/edit")
    # what agrees is left to the system and follows the lines
    worth = desk.at("input-goodsValue")
    expect(worth).to_have_value("")
    expect(worth).to_have_attribute("placeholder", "自动合计 3.00")
    worth.fill("5")
    expect(desk.at("sum-note")).to_have_attribute("data-ok", "false")
    expect(desk.at("sum-note")).to_contain_text("相差 2")
    desk.shoot("98-sum-differs")
    desk.at("sum-take").click()
    expect(worth).to_have_value("3.00")
    expect(desk.at("sum-note")).to_have_attribute("data-ok", "true")
    # a line that is not quantity × price, and a key for all of it
    desk.fill_line(0, qty="3")
    expect(desk.at("product-note")).to_contain_text("4.50")
    desk.page.keyboard.press("Alt+T")
    expect(desk.at("product-note")).to_have_count(0)
    desk.page.keyboard.press("Alt+T")
    expect(worth).to_have_value("4.50")
    # told while one types, not after
    desk.at("input-freight").fill("１０")
    expect(desk.at("field-freight")).to_contain_text("请改为半角 10")
    desk.at("form-wrong-count").click()
    desk.at("form-error", key="head/freight").locator("button").click()
    expect(desk.at("input-freight")).to_be_focused()
    desk.at("input-freight").fill("10")
    expect(desk.at("form-error")).to_have_count(0)
    desk.page.keyboard.press("Alt+S")
    desk.says("已暂存，可以申报")
    body = clerk.get(f"/documents/order/{order['id']}").json()["body"]
    assert (body["head"]["goodsValue"], body["lines"][0]["totalPrice"]) == ("4.50", "4.50")


def test_the_raw_messages_are_read_and_saved_from_the_document(
    sits: Sits, clerk: Visitor, tmp_path: Path
) -> None:
    order = clerk.save_order(a_number("RAW"))
    [done] = clerk.post("/documents/order/actions/declare", json={"ids": [order["id"]]}).json()["results"]
    assert done["ok"], done
    eventually(
        lambda: clerk.get(f"/documents/order/{order['id']}/receipts").json()["items"],
        "customs answers",
        timeout=60,
    )
    desk = sits("A")
    desk.go(f"/documents/order/{order['id']}")
    expect(desk.at("message", direction="in").first).to_be_visible()
    desk.shoot("99-document-page")
    desk.at("message", direction="out").locator('[data-test="message-open"]').click()
    expect(desk.at("message-text")).to_contain_text(order["number"])
    expect(desk.at("message-text")).to_contain_text("Signature")
    desk.shoot("99-raw-message")
    with desk.page.expect_download() as caught:
        desk.at("message-save").click()
    caught.value.save_as(tmp_path / "message.xml")
    assert order["number"].encode() in (tmp_path / "message.xml").read_bytes()
    # copying a document begins a new one without its number
    desk.at("message-close").click()
    expect(desk.at("message-text")).to_have_count(0)
    desk.at("detail-copy").click()
    expect(desk.at("input-ebpName")).to_have_value("海外平台")
    expect(desk.at("input-orderNo")).to_have_value("")
