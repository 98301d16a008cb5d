"""Every page of the product opens for who may use it, in both languages, fits the screen and is accessible."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Sits
from tests.support.browser import Desk
from tests.support.people import Visitor, strategy
from tests.support.stack import Stack

PAGES = {
    "A": ("A1", "A2", "A3", "A4", "A5-import", "A5-declare", "A5-query", "A6-import", "A6-declare", "A6-query", "A7",
          "A8"),
    "B": ("B1", "B2", "B3", "B4", "B5", "B6", "B7"),
    "C": ("C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "C10", "C11", "C12"),
    "D": ("D1", "D2", "D3"),
    "E": ("E1", "E2", "E3", "E4"),
    "H": ("signing-queue", "keys"),
}  # fmt: skip
#: in the menu of an enterprise's administrator only
OF_ADMINISTRATORS = ("signing-queue", "keys", "agents", "ledger")
FORMS = (
    "order", "booking", "payment", "waybill", "arrival", "departure", "list", "cancellation", "master-house", "return",
    "tally", "summary-application",
)  # fmt: skip


def wider_than_the_glass(desk: Desk) -> bool:
    return bool(desk.page.evaluate("document.documentElement.scrollWidth > innerWidth"))


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_page_of_the_menu_opens(sits: Sits, language: str) -> None:
    desk = sits("A")
    if language == "en":
        desk.at("language-switch").click()
    for group, ids in PAGES.items():
        for page in ids:
            desk.menu(page)
            expect(desk.at("skeleton")).to_have_count(0)
            expect(desk.at("error-panel")).to_have_count(0)
            assert not wider_than_the_glass(desk), page
            if language == "zh-CN":
                desk.accessible(page)
                desk.shoot(f"page-{page}")
            desk.at("tabs-menu").click()
            desk.at("tabs-close-others").click() if desk.at("tabs-close-others").is_enabled() else None
        desk.shoot(f"1{group}-{language}")
        for leaf in desk.page.locator('[data-test="menu"] .leaf').filter(visible=True).all():
            assert leaf.locator(".ellipsis").evaluate("words => words.scrollWidth <= words.clientWidth"), (
                leaf.inner_text()
            )
            expect(leaf).to_have_attribute("title", leaf.inner_text())
    text = desk.page.locator("body").inner_text()
    assert "undefined" not in text


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_pages_of_an_administrator_open(sits: Sits, language: str) -> None:
    desk = sits("A", "enterprise_admin")
    if language == "en":
        desk.at("language-switch").click()
    for page in OF_ADMINISTRATORS:
        desk.menu(page)
        expect(desk.at("skeleton")).to_have_count(0)
        expect(desk.at("error-panel")).to_have_count(0)
        assert not wider_than_the_glass(desk), page
        desk.accessible(page)
        desk.shoot(f"page-{page}-{language}")
        assert "undefined" not in desk.page.locator("body").inner_text()


def test_every_kind_has_its_form(sits: Sits) -> None:
    desk = sits("A")
    for kind in FORMS:
        desk.go(f"/documents/{kind}/new")
        expect(desk.at("form-page")).to_have_attribute("data-kind", kind)
        assert not wider_than_the_glass(desk), kind
        desk.accessible(f"form of {kind}")
        desk.shoot(f"form-{kind}")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_default_columns_fit_beside_the_menu(sits: Sits, clerk: Visitor, language: str) -> None:
    """At 1366 px nothing of a table is hidden to the right, and why customs refused stands beside the state."""
    clerk.save_order()
    desk = sits("A")
    if language == "en":
        desk.at("language-switch").click()
    for page in ("A1", "B1", "B3", "B6", "C3", "C8", "C10", "D1", "D3", "E1", "E4"):
        desk.menu(page)
        expect(desk.at("document-table").or_(desk.at("empty-panel")).first).to_be_visible()
        if desk.at("document-table").count():
            fits = desk.at("document-table").evaluate("table => table.scrollWidth <= table.clientWidth")
            assert fits, page


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_tables_of_tasks_fit_beside_the_menu(
    sits: Sits, clerk: Visitor, stack: Stack, language: str
) -> None:
    mine = strategy(stack, "A")
    task = clerk.post(
        "/tasks", json={"kind": "order", "strategy": mine, "customer_no": "名字很长的客户编号1234567890"}
    )
    assert task.status_code == 201, task.text
    desk = sits("A")
    if language == "en":
        desk.at("language-switch").click()
    desk.menu("A7")
    row = desk.at("task-row", number=task.json()["task_no"])
    expect(row).to_be_visible()
    assert (
        desk.page.locator(".list-scroll")
        .filter(visible=True)
        .evaluate("box => box.scrollWidth <= box.clientWidth")
    )
