"""What a person sets up follows them to another computer; tabs come back after a reload; all of it without a mouse."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect

from tests.e2e.conftest import OpenDesk
from tests.support.browser import Desk
from tests.support.control import Customs
from tests.support.people import Visitor, a_number, new_user
from tests.support.stack import Stack

PAGES = (
    "A1",
    "A2",
    "A3",
    "A4",
    "B1",
    "B2",
    "B3",
    "B4",
    "B5",
    "B6",
    "B7",
    "C3",
    "C4",
    "C5",
    "C6",
    "D1",
    "E1",
    "E2",
)


def test_theme_density_and_keys_are_there_at_the_next_computer(desks: OpenDesk, stack: Stack) -> None:
    user = new_user(stack, "A", "declarant")
    desk = desks()
    desk.sign_in(user["username"], user["password"])
    look = desk.page.locator("html")
    choose(desk, "theme-dark")
    expect(look).to_have_class(re.compile("dark"))
    choose(desk, "density-comfortable")
    expect(look).to_have_attribute("data-density", "comfortable")

    desk.page.keyboard.press("?")
    desk.at("keys-open").click()
    row = desk.at("keys-row", meaning="foldMenu")
    change = row.locator('[data-test="keys-change"]')
    for keys, words in (("Alt+S", "暂存"), ("Control+t", "浏览器"), ("y", "请加上 Ctrl 或 Alt")):
        change.click()
        desk.page.keyboard.press(keys)
        expect(row.locator('[data-test="keys-fault"]')).to_contain_text(words)
    desk.shoot("82-keys-refused")
    with desk.page.expect_response(lambda answer: answer.url.endswith("/preferences/keys") and answer.ok):
        desk.page.keyboard.press("Alt+y")
    expect(change).to_have_text("Alt+Y")
    desk.at("keys-close").click()
    expect(desk.at("keys-dialog")).to_have_count(0)
    desk.page.keyboard.press("Escape")
    expect(desk.at("help-dialog")).to_have_count(0)

    other = desks()
    other.sign_in(user["username"], user["password"])
    expect(other.page.locator("html")).to_have_class(re.compile("dark"))
    expect(other.page.locator("html")).to_have_attribute("data-density", "comfortable")
    expect(other.at("menu-fold")).to_have_attribute("title", "收起菜单 (Alt+Y)")
    other.page.keyboard.press("Alt+y")
    expect(other.at("menu-fold")).to_have_attribute("title", "展开菜单 (Alt+Y)")
    # from the first moment on, before anything of ours has run
    other.page.route("**/assets/*.js", lambda route: route.abort())
    other.page.reload(wait_until="commit")
    expect(other.page.locator("html")).to_have_class(re.compile("dark"))
    other.wrong.clear()  # the pages' own files were kept from it


def test_many_tabs_and_the_menu_by_keyboard_and_after_a_reload(declarant: Desk) -> None:
    desk = declarant
    desk.go("/pages/A1?orderNo=KEPT")
    for page in PAGES[1:]:
        desk.menu(page)
    tabs = desk.page.locator('[data-test="tabs"] a')
    expect(tabs).to_have_count(len(PAGES))
    expect(tabs.last).to_be_in_viewport(ratio=1)
    desk.shoot("83-eighteen-tabs")

    desk.page.reload()
    expect(tabs).to_have_count(len(PAGES))
    expect(here(desk)).to_have_attribute("href", "/pages/E2")
    here(desk).focus()
    desk.page.keyboard.press("Home")
    desk.page.keyboard.press("Enter")
    expect(desk.at("condition-orderNo")).to_have_value("KEPT")
    here(desk).focus()
    desk.page.keyboard.press("ArrowRight")
    expect(tabs.nth(1)).to_be_focused()
    desk.page.keyboard.press("Delete")
    expect(tabs).to_have_count(len(PAGES) - 1)
    expect(here(desk)).to_have_attribute("href", re.compile("/pages/A1"))
    desk.at("tabs-menu").click()
    desk.at("tabs-close-others").click()
    expect(tabs).to_have_count(1)
    desk.page.reload()
    expect(tabs).to_have_count(1)

    # the menu, folded to icons: into a group, Escape back to its icon, and by an arrow to the next one
    desk.page.keyboard.press("Alt+m")
    group, leaf = (
        desk.page.locator('[data-test="menu-group-logistics"]'),
        desk.page.locator('[data-test="menu-B1"]'),
    )
    group.focus()
    expect(leaf).to_be_visible()
    desk.page.keyboard.press("ArrowRight")
    expect(leaf).to_be_focused()
    desk.page.keyboard.press("Escape")
    expect(group).to_be_focused()
    expect(leaf).to_be_hidden()
    desk.page.keyboard.press("ArrowDown")
    expect(desk.page.locator('[data-test="menu-group-lists"]')).to_be_focused()
    desk.page.keyboard.press("ArrowUp")
    desk.page.keyboard.press("ArrowRight")
    desk.page.keyboard.press("Enter")
    desk.on_page("B1")


def test_the_bell_tells_of_a_refusal_that_happened_behind_ones_back(
    declarant: Desk, clerk: Visitor, customs: Customs
) -> None:
    desk, number = declarant, a_number("K")
    clerk.save_order(number)
    customs.reject(number, "商品编码与品名不符")
    customs.slowly(3)
    desk.menu("A5-declare")
    desk.find(number)
    desk.submit_all(1, number)
    desk.at("results-close").click()
    with desk.page.expect_response(lambda answer: "/preferences/notices." in answer.url, timeout=60_000):
        desk.menu("B1")
        expect(desk.at("notices-unread")).to_have_text("1", timeout=40_000)
    desk.page.reload()
    expect(desk.at("notices-unread")).to_have_text("1")
    desk.at("notices-open").click()
    expect(desk.at("notice", what="document")).to_contain_text(number)
    expect(desk.at("notice", what="document")).to_contain_text("海关退单")
    desk.shoot("84-bell")
    desk.page.keyboard.press("Enter")
    expect(desk.at("detail-number")).to_have_text(number)
    expect(desk.at("notices-unread")).to_have_count(0)


def choose(desk: Desk, item: str) -> None:
    desk.at("user-menu").click()
    desk.at(item).click()
    expect(desk.at(item)).to_have_count(0)


def here(desk: Desk) -> Locator:
    return desk.page.locator('[data-test="tabs"] [aria-current="page"]')
