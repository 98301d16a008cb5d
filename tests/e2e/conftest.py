"""Fixtures of the browser tests: one Chromium for all, a fresh window for each person in each test.

A machine without a browser fails these tests with the reason; nothing is skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.support.browser import SHOTS, Desk
from tests.support.consignment import Consignment
from tests.support.control import Customs
from tests.support.glass import PATIENCE
from tests.support.people import Visitor, new_user, signed_in
from tests.support.stack import Stack
from tests.support.windows import Windows
from tools.browser import chromium_path

OpenDesk = Callable[..., Desk]
Sits = Callable[..., Desk]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path())
        yield chromium
        chromium.close()


@pytest.fixture(autouse=True)
def _nobody_has_set_up_anything(stack: Stack) -> None:
    """Settings follow a person from one window to the next: a test must not begin with those of another."""
    url = psycopg.conninfo.make_conninfo(stack.servers()["postgres_url"], dbname="tongguan_gateway")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DELETE FROM preferences")


@pytest.fixture(scope="session")
def windows(browser: Browser, stack: Stack) -> Windows:
    return Windows(browser, stack)


@pytest.fixture
def desks(windows: Windows, request: pytest.FixtureRequest) -> Iterator[OpenDesk]:
    """Opens windows; at the end each is photographed where the test failed, and must have had no error inside."""
    opened: list[Desk] = []

    def one(**options: object) -> Desk:
        opened.append(windows.take(**options))
        return opened[-1]

    failed_before = request.session.testsfailed
    yield one
    for number, desk in enumerate(opened):
        if request.session.testsfailed > failed_before and not desk.page.is_closed():
            desk.shoot(f"failed-{request.node.name}-{number}")
        windows.give_back(desk)
    wrong = [line for desk in opened for line in desk.wrong]
    assert not wrong, f"errors inside the pages: {wrong}"


@pytest.fixture
def desk(desks: OpenDesk) -> Desk:
    """One window, nobody signed in."""
    return desks()


@pytest.fixture
def sits(desks: OpenDesk, stack: Stack) -> Sits:
    """Opens a window where a declarant (or another role) of a tenant (A, L, O …), signed in over the API, sees the frame.

    A user of this test's own, because a user may keep a few live pages only, and closed ones count for some seconds."""

    def down(tenant: str, role: str = "declarant") -> Desk:
        visitor = Visitor(stack)
        user = new_user(stack, tenant, role)
        assert visitor.sign_in(user["username"], user["password"]).ok
        desk = desks()
        desk.take_over(visitor)
        desk.go("/")
        # keys and clicks before the frame is there would be lost
        expect(desk.at("header")).to_be_visible()
        return desk

    return down


@pytest.fixture
def declarant(sits: Sits) -> Desk:
    """A window where a declarant of tenant A has signed in."""
    return sits("A")


@pytest.fixture(scope="session")
def carrier(stack: Stack) -> Visitor:
    """The logistics enterprise's declarant, over the API."""
    return signed_in(stack, "L", "declarant")


@pytest.fixture(scope="session")
def operator(stack: Stack) -> Visitor:
    """The site operator's declarant, over the API."""
    return signed_in(stack, "O", "declarant")


@pytest.fixture
def consignment(clerk: Visitor, carrier: Visitor, operator: Visitor) -> Consignment:
    """A consignment of tenant A that L carries and O keeps; nothing of it is stored yet."""
    return Consignment(clerk, carrier=carrier, operator=operator)


@pytest.fixture(scope="session")
def clerk(stack: Stack) -> Visitor:
    """Tenant A's declarant once more, over the API, for preparing what a test is not about."""
    return signed_in(stack, "A", "declarant")


@pytest.fixture
def customs(stack: Stack) -> Iterator[Customs]:
    """The simulated customs, judging as usual again after the test."""
    there = Customs(stack)
    yield there
    there.as_usual()


@pytest.fixture(scope="session", autouse=True)
def _no_old_failures() -> None:
    for old in SHOTS.glob("failed-*.png"):
        old.unlink()
