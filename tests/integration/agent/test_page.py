"""The page at the PC: who may use it, and what a person sees and does there, in a real Chromium."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from agent.page.server import COOKIE, HEADER
from tests.integration.agent.conftest import Enrolled
from tests.support import cards
from tests.support.agent_service import Asked, Service
from tests.support.agents import Agent, ready, soon
from tests.support.axe import violations
from tests.support.browser import PATIENCE, SCREEN, SHOTS
from tests.support.cards import Card, Reader
from tests.support.signed_infos import challenge, signed_info
from tools.browser import chromium_path

NARROW = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=chromium_path())
        yield chromium
        chromium.close()


@pytest.fixture
def window(browser: Browser) -> Iterator[Page]:
    """A window of 1366 x 768 in which nothing may go wrong by itself."""
    with closing(browser.new_context(viewport=SCREEN, color_scheme="light")) as context:
        page = context.new_page()
        wrong: list[str] = []
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(said.text) if "Content Security" in said.text else None)
        yield page
        assert wrong == []


def address(agent: Agent) -> str:
    return agent.command("page").stdout.decode().strip()


def shoot(page: Page, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"agent-{name}.png", full_page=True)


def accessible(page: Page) -> None:
    assert violations(page) == []


# who may use it


def raw(agent: Agent, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> tuple[int, str]:
    where = json.loads((agent.state / "page.json").read_text())
    values = {
        name: value.replace("TOKEN", where["token"]).replace("PORT", str(where["port"]))
        for name, value in headers.items()
    }
    with closing(http.client.HTTPConnection("127.0.0.1", where["port"], timeout=20)) as connection:
        connection.request(method, path, body, values)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


GOOD = {"Host": "127.0.0.1:PORT", "Cookie": f"{COOKIE}=TOKEN", HEADER: "1"}


def test_only_the_page_itself_may_ask(agents: Enrolled, reader: Reader, card: Card) -> None:
    reader.insert(card)
    agent = agents(reader).start()
    soon(lambda: agent.card(card.fingerprint), "the card is seen")
    assert raw(agent, "GET", "/api/state", GOOD)[0] == 200
    for name, value, status in (
        # a name of somebody else's that leads here
        ("Host", "evil.example:PORT", 421),
        ("Host", "127.0.0.1", 421),
        # another site, or another port of this machine
        ("Origin", "https://evil.example", 421),
        ("Origin", "http://127.0.0.1:1", 421),
        ("Origin", "null", 421),
        ("Cookie", f"{COOKIE}=wrong", 403),
        ("Cookie", "", 403),
        # a form of another site cannot set it
        (HEADER, "", 403),
    ):
        headers = GOOD | {name: value}
        attempt = raw(agent, "POST", f"/api/pin?card={card.fingerprint}", headers, card.pin.encode())
        assert attempt[0] == status, (name, value)
        assert raw(agent, "GET", "/api/state", headers)[0] in (status, 404), (name, value)
    assert agent.card(card.fingerprint)["state"] == "pin-needed"
    assert raw(agent, "OPTIONS", "/api/pin", GOOD | {"Origin": "https://evil.example"})[0] == 501
    assert raw(agent, "POST", "/api/pin", GOOD, b"x" * 5000)[0] == 400
    assert raw(agent, "GET", "/../../identity.json", GOOD)[0] == 404
    status, said = raw(agent, "GET", "/?token=wrong", {"Host": "127.0.0.1:PORT"})
    assert status == 403
    assert "tongguan-agent page" in said


def test_it_listens_on_this_machine_alone_and_writes_no_path(agents: Enrolled) -> None:
    agent = agents().start()
    where = json.loads((agent.state / "page.json").read_text())
    bound = [
        fields[1]
        for fields in (
            line.split() for line in Path(f"/proc/{agent.pid}/net/tcp").read_text().splitlines()[1:]
        )
        if fields[3] == "0A" and int(fields[1].partition(":")[2], 16) == where["port"]
    ]
    assert [local.partition(":")[0] for local in bound] == ["0100007F"]
    assert (agent.state / "page.json").stat().st_mode & 0o777 == 0o600
    assert raw(agent, "GET", f"/?token={where['token']}", {"Host": "127.0.0.1:PORT"})[0] == 303
    assert where["token"] not in (agent.state / "agent.log").read_text() + agent.output.read_text()


# what a person sees and does


def sign_in(service: Service, card: Card, nonce: str = "n") -> Asked:
    return service.ask(
        card.fingerprint, challenge(nonce=nonce * 32), "rsa-sha256", purpose="challenge",
        title_zh="登录通关", title_en="Sign in to Tongguan", documents=0,
    )  # fmt: skip


def test_a_card_is_logged_in_at_the_page(agents: Enrolled, reader: Reader, card: Card, window: Page) -> None:
    agent = agents(reader).start()
    window.goto(address(agent))
    # the token has left the address bar
    assert "token" not in window.url
    expect(window.get_by_text("没有插入卡。")).to_be_visible()
    expect(window.locator("#pill")).to_have_text("已连接")
    accessible(window)
    shoot(window, "empty-zh")
    reader.insert(card)
    shown = window.locator(f'[data-fingerprint="{card.fingerprint}"]')
    expect(shown.locator('[data-test="state"]')).to_have_text("需要 PIN")
    shown.locator('[data-test="pin"]').fill("wrong-pin-000")
    shown.locator('[data-test="login"]').click()
    expect(shown.locator('[data-test="pin-error"]')).to_contain_text("PIN 不正确")
    expect(shown.locator('[data-test="low"]')).to_contain_text("剩余次数已不多")
    accessible(window)
    shoot(window, "pin-low-zh")
    # a second confirmation, without which nothing is sent
    shown.locator('[data-test="pin"]').fill(card.pin)
    expect(shown.locator('[data-test="login"]')).to_be_disabled()
    shown.locator('[data-test="sure"]').check()
    shown.locator('[data-test="login"]').click()
    expect(shown.locator('[data-test="state"]')).to_have_text("可以签名")
    expect(window.locator("input[type=password]")).to_have_count(0)
    shown.locator('[data-test="logout"]').click()
    expect(shown.locator('[data-test="state"]')).to_have_text("需要 PIN")
    assert agent.stop() == 0
    expect(window.locator('[data-test="lost"]')).to_be_visible()


def test_what_goes_on_is_shown_and_confirmed(
    agents: Enrolled, service: Service, reader: Reader, pair: tuple[Card, Card], window: Page
) -> None:
    card, other = pair
    agent = ready(agents(reader), service, reader, card)
    reader.insert(other)
    window.goto(address(agent))
    expect(window.locator('[data-test="card"]')).to_have_count(2)
    for number in range(3):
        service.answered(service.ask(card.fingerprint, signed_info(str(number)), documents=100))
    expect(window.locator('[data-test="entry"][data-state="accepted"]')).to_have_count(3)
    ask = window.locator('[data-test="ask"]')
    asked = sign_in(service, card)
    expect(ask).to_contain_text("https://tongguan.example")
    expect(ask).to_contain_text("zhangsan")
    accessible(window)
    shoot(window, "confirm-zh")
    window.locator("#language").click()
    expect(ask).to_contain_text("Somebody wants to sign in with this card")
    shoot(window, "confirm-en")
    ask.locator('[data-test="yes"]').click()
    expect(ask).to_have_count(0)
    assert service.answered(asked).signature
    expect(window.locator('[data-test="entry"]').first).to_contain_text("Sign in to Tongguan")
    service.answered(service.ask(card.fingerprint, b"rubbish"))
    withdrawn = sign_in(service, card, "m")
    expect(ask).to_have_count(1)
    service.withdraw(withdrawn)
    expect(window.locator('[data-test="withdrawn"]')).to_contain_text("withdrew")
    look_at(window, "full-en")
    window.locator("#language").click()
    look_at(window, "full-zh")


def look_at(window: Page, name: str) -> None:
    """Light, dark and narrow: judged and photographed."""
    for scheme in ("light", "dark"):
        window.emulate_media(color_scheme=scheme)
        accessible(window)
        shoot(window, f"{name}-{scheme}")
    window.emulate_media(color_scheme="light")
    window.set_viewport_size(NARROW)
    assert window.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    shoot(window, f"{name}-narrow")
    window.set_viewport_size(SCREEN)


def test_what_is_half_typed_stays_until_its_card_goes(
    agents: Enrolled, service: Service, reader: Reader, pair: tuple[Card, Card], window: Page
) -> None:
    card, other = pair
    agent = ready(agents(reader), service, reader, card)
    reader.insert(other)
    window.goto(address(agent))
    second = window.locator(f'[data-fingerprint="{other.fingerprint}"]')
    second.locator('[data-test="pin"]').fill("half")
    service.answered(service.ask(card.fingerprint, signed_info("more")))
    expect(window.locator('[data-test="entry"][data-state="accepted"]')).to_have_count(1)
    expect(second.locator('[data-test="pin"]')).to_have_value("half")
    reader.remove(other)
    expect(second).to_have_count(0)


def test_ends_and_troubles_are_said(
    agents: Enrolled, service: Service, reader: Reader, window: Page, tmp_path: Path
) -> None:
    for name, days in (("远期", 365), ("两月", 50), ("本月", 20), ("本周", 3), ("过期", -1)):
        reader.insert(cards.make(tmp_path / "more", name, "some-pin-123", days))
    agent = agents(reader, settings='[[module]]\nname = "坏库"\npath = "/nowhere/none.so"\n').start()
    window.goto(address(agent))
    expect(window.locator("#pill")).to_have_text("已连接")
    expect(window.locator('[data-test="card"]')).to_have_count(5)
    said = {
        one.locator("h3").inner_text(): one.locator('[data-test="expiry"]').all_inner_texts()
        for one in window.locator('[data-test="card"]').all()
    }
    assert said["远期"] == []
    assert said["两月"] == ["证书 49 天后到期，请尽快更换。"]
    assert said["本月"] == ["证书 19 天后到期，请尽快更换。"]
    assert said["本周"] == ["证书 2 天后到期，请尽快更换。"]
    assert said["过期"] == ["证书已过期，不能再签名，请更换。"]
    expect(window.locator('[data-test="module"]')).to_contain_text("坏库")
    service.demanding = True
    service.part("shutdown")
    expect(window.locator('[data-test="link"]')).to_contain_text("请安装新版本")
    accessible(window)
    shoot(window, "troubles-zh")
    service_agent = agent.agent_id
    assert service_agent in window.locator("#foot").inner_text()


def test_another_window_without_the_token_sees_nothing(agents: Enrolled, browser: Browser) -> None:
    agent = agents().start()
    url = address(agent).partition("?")[0]
    context: BrowserContext = browser.new_context()
    with closing(context):
        page = context.new_page()
        answer = page.goto(url)
        assert answer is not None
        assert answer.status == 403
        expect(page.get_by_text("请用 tongguan-agent page 打开此页")).to_be_visible()
