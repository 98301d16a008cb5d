"""Manual 002, part five, 通用功能: moving tabs, folding the menu, closing tabs."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.conftest import Sits
from tests.support.browser import Desk

#: more than fit beside each other
MANY = (
    "A1",
    "A2",
    "A3",
    "A4",
    "A5-import",
    "A5-declare",
    "A5-query",
    "A6-import",
    "A6-declare",
    "A6-query",
    "A7",
    "A8",
)


@pytest.fixture
def desk(sits: Sits) -> Desk:
    return sits("A")


def tabs(desk: Desk) -> Locator:
    return desk.at("tabs").locator('[data-test="tab-close"]')


def test_tabs_are_moved_and_closed(desk: Desk) -> None:
    """移动页签, 关闭选项卡."""
    for page in MANY:
        desk.menu(page)
    expect(tabs(desk)).to_have_count(len(MANY))
    first, last = desk.at("tab-/pages/A1"), desk.at("tab-/task-documents")
    expect(last).to_be_in_viewport(ratio=0.99)
    expect(first).not_to_be_in_viewport()
    move(desk, "向左滚动页签", first)
    expect(last).not_to_be_in_viewport()
    move(desk, "向右滚动页签", last)
    desk.at("tabs-menu").click()
    desk.at("tabs-close-others").click()
    expect(tabs(desk)).to_have_count(1)
    desk.on_page("A8")
    desk.menu("A2")
    expect(tabs(desk)).to_have_count(2)
    desk.accessible("two tabs")
    tabs(desk).last.click()
    expect(tabs(desk)).to_have_count(1)
    desk.on_page("A8")
    desk.close_all_tabs()
    expect(desk.at("tab-/task-documents")).to_have_count(0)


def move(desk: Desk, arrow: str, to: Locator) -> None:
    """Click the arrow until the tab is seen whole."""
    for _ in range(len(MANY)):
        desk.page.get_by_role("button", name=arrow).click()
        if desk.whole(to):
            break
    expect(to).to_be_in_viewport(ratio=0.99)


def test_the_menu_is_folded_to_icons_and_unfolded(desk: Desk) -> None:
    """折叠/展开菜单: 折叠后的左侧菜单栏只显示图标."""
    desk.open_group("A2")
    menu, words = desk.at("menu"), desk.at("menu-group-trade").get_by_text("交易管理")
    expect(desk.at("menu-A2")).to_be_visible()
    wide = menu.evaluate("menu => menu.offsetWidth")
    desk.at("menu-fold").click()
    expect(words).to_be_hidden()
    assert menu.evaluate("menu => menu.offsetWidth") < wide / 2
    expect(desk.at("menu-group-trade").locator("svg").first).to_be_visible()
    desk.shoot("frame-folded")
    # remembered, and still a way to every page
    desk.page.reload()
    expect(desk.at("header")).to_be_visible()
    expect(words).to_be_hidden()
    desk.at("menu-fold").click()
    expect(words).to_be_visible()
    assert menu.evaluate("menu => menu.offsetWidth") == wide
