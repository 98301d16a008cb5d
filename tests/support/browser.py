"""People at a real Chromium: what a clerk sees and does on the pages, in the words of the manuals.

Finds things only by the pages' data-test hooks or by what a person reads; knows nothing of how the pages are made.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

from tests.support.axe import violations
from tests.support.entering import Entering
from tests.support.glass import CUSTOMS, PATIENCE
from tests.support.lists import Lists
from tests.support.people import Visitor
from tests.support.stack import Stack
from tools.paths import ROOT

SCREEN = {"width": 1366, "height": 768}
SHOTS = ROOT / ".run" / "test" / "screenshots"
#: page ids begin with the letter of the menu group they stand in
GROUPS = {"A": "trade", "B": "logistics", "C": "lists", "D": "returns", "E": "summary"}

# The browser itself reports answers of 4xx and 5xx; whether a page deals well with them is what the tests judge.
_EXPECTED_NOISE = re.compile(r"Failed to load resource")


@dataclass
class Desk(Lists, Entering):
    """One person's window: a page with everything that went wrong in it."""

    # not in its repr: it holds passwords
    stack: Stack = field(repr=False)
    context: BrowserContext
    page: Page
    wrong: list[str] = field(default_factory=list)

    def go(self, path: str) -> None:
        self.page.goto(f"{self.stack['url']}{path}")

    def sign_in(self, username: str, password: str, to: str = "/signin") -> None:
        """Fill in the sign-in page as a person does, and wait for the frame."""
        self.try_sign_in(username, password, to)
        expect(self.at("header")).to_be_visible()

    def try_sign_in(self, username: str, password: str, to: str = "/signin") -> None:
        self.go(to)
        self.at("signin-username").fill(username)
        self.at("signin-password").fill(password)
        self.at("signin-submit").click()

    def take_over(self, visitor: Visitor) -> None:
        """Sit down where this person is signed in already."""
        self.context.add_cookies(
            [
                {"name": cookie.name, "value": cookie.value or "", "url": str(self.stack["url"])}
                for cookie in visitor.http.cookies
            ]
        )

    def sign_out(self) -> None:
        self.at("user-menu").click()
        self.at("sign-out").click()
        expect(self.at("signin-page")).to_be_visible()

    def menu(self, page_id: str) -> None:
        """Open a page from the left menu, with the group it stands in, and wait until it is there."""
        self.open_group(page_id)
        self.at(f"menu-{page_id}").click()
        self.on_page(page_id)

    def open_group(self, page_id: str) -> None:
        """Unfold the menu group of a page."""
        group = self.at(f"menu-group-{GROUPS.get(page_id[0], 'settings')}")
        expect(group).to_be_visible()
        # it may open by itself this very moment, because the page that is coming stands in it
        for _ in range(3):
            if group.get_attribute("aria-expanded") == "true":
                return
            group.click()
        expect(group).to_have_attribute("aria-expanded", "true")

    def on_page(self, page_id: str) -> None:
        """The page with this id is on the glass."""
        root = self.page.locator(f'[data-page="{page_id}"], [data-test="{page_id}-page"]')
        expect(root.filter(visible=True)).to_have_count(1)

    def close_all_tabs(self) -> None:
        """关闭全部选项卡: nothing is there but the page one begins with."""
        self.at("tabs-menu").click()
        self.at("tabs-close-all").click()
        expect(self.at("tab-close")).to_have_count(1)

    def accessible(self, where: str) -> None:
        """axe finds nothing serious on what is on the glass."""
        found = violations(self.page)
        assert not found, f"{where}:\n" + "\n".join(found)

    def whole(self, what: Locator) -> bool:
        """Whether something is seen without a part cut off by what holds it."""
        return bool(
            what.evaluate(
                """async element => {
                    const seen = await new Promise(done => new IntersectionObserver(([one]) => done(one)).observe(element))
                    return seen.intersectionRatio > 0.99
                }"""
            )
        )

    def becomes(self, state: str, words: str) -> None:
        """The document on the glass comes to this state, in words."""
        expect(self.at("detail-state")).to_have_attribute("data-state", state, timeout=CUSTOMS)
        expect(self.at("detail-state")).to_have_text(words)

    def shoot(self, name: str) -> None:
        """Keep what is on the glass as an artefact of the test run."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SHOTS / f"{name}.png", animations="disabled")


def open_desk(browser: Browser, stack: Stack, context: BrowserContext | None = None, **options: Any) -> Desk:
    """A window on a clerk's screen in Shanghai: in this context, or a fresh one (own cookies and storage)."""
    if context is None:
        context = browser.new_context(
            **{
                "viewport": SCREEN,
                "locale": "zh-CN",
                "timezone_id": "Asia/Shanghai",
                "reduced_motion": "reduce",
                **options,
            }
        )
        context.set_default_timeout(PATIENCE)
    desk = Desk(stack, context, context.new_page())
    desk.page.on("pageerror", lambda error: desk.wrong.append(f"uncaught: {error}"))

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not _EXPECTED_NOISE.search(message.text):
            desk.wrong.append(f"{message.type}: {message.text}")

    desk.page.on("console", heard)
    return desk
