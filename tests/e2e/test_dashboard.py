"""The dashboard: its numbers are what was filed, every figure leads to exactly those documents, and an empty desk says so."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from tests.e2e.conftest import Sits
from tests.support.browser import Desk
from tests.support.consignment import Consignment
from tests.support.control import Customs
from tests.support.glass import CUSTOMS
from tests.support.people import Visitor, signed_in
from tests.support.stack import Stack

REASON = "收款企业未备案，请先办理备案"


def number(figure: Locator) -> int:
    return int(figure.inner_text().replace(",", ""))


def figure(desk: Desk, place: str) -> Locator:
    """The number of a tile."""
    return desk.at(f"tile-{place}").locator('[data-test="figure"]')


def cell(desk: Desk, panel: str, row: str, column: str) -> Locator:
    """A number of a panel's table."""
    return desk.at(f"panel-{panel}").locator(f'[data-key="{row}"] [data-key="{column}"] [data-test="figure"]')


def comes_back(desk: Desk) -> None:
    desk.at("menu-dashboard").click()
    desk.on_page("dashboard")


def leads_to(desk: Desk, link: Locator, count: int) -> None:
    """By keyboard: the figure opens a query page with exactly so many documents."""
    expect(link).to_have_text(str(count))
    link.focus()
    link.press("Enter")
    desk.on_page("payment")
    expect(desk.rows()).to_have_count(count)


def test_the_numbers_are_what_was_filed_and_lead_to_it(sits: Sits, stack: Stack, customs: Customs) -> None:
    # tenant B's payments: no other test files any
    clerk = signed_in(stack, "B", "declarant")
    ids = dict(payment(clerk) for _ in range(4))
    numbers = list(ids)
    customs.reject(numbers[0], REASON)
    desk = sits("B")
    expect(desk.at("menu-dashboard")).to_be_visible()
    comes_back(desk)
    desk.at("dashboard-kind").click()
    desk.at("kind-payment").click()
    expect(desk.page).to_have_url(f"{stack['url']}/dashboard?kind=payment")
    expect(figure(desk, "received")).to_have_text("4")
    expect(figure(desk, "cleared")).to_have_text("0")
    expect(desk.at("panel-refusals")).to_contain_text("所选期间没有收到海关退单")
    expect(desk.at("panel-clearance")).to_contain_text("没有可计算的时长")
    # the tiles and the first two plots are on the glass without scrolling
    bottom = desk.at("panel-refusals").bounding_box()
    assert bottom is not None
    assert bottom["y"] + bottom["height"] <= 768
    desk.shoot("50-dashboard-before")

    # filed elsewhere: the open page follows by itself
    assert clerk.post(
        "/documents/payment/actions/declare", json={"ids": [ids[one] for one in numbers[:3]]}
    ).ok
    expect(figure(desk, "cleared")).to_have_text("2", timeout=CUSTOMS)
    expect(figure(desk, "refused")).to_have_text("1", timeout=CUSTOMS)
    expect(figure(desk, "waiting")).to_have_text("2", timeout=CUSTOMS)
    expect(desk.at("panel-daily").locator("canvas")).to_be_visible()
    desk.shoot("51-dashboard")

    leads_to(desk, figure(desk, "refused"), 1)
    expect(desk.row(numbers[0])).to_be_visible()
    comes_back(desk)
    leads_to(desk, figure(desk, "cleared"), 2)
    for one in numbers[1:3]:
        expect(desk.row(one)).to_be_visible()

    comes_back(desk)
    the_tables_say_the_same(desk, waiting=numbers[3])

    # all kinds together: a figure of several asks which
    comes_back(desk)
    clerk.save_order()
    desk.go("/dashboard")
    figure(desk, "received").click()
    part = desk.page.locator('[data-test="figure-part"][data-kind="payment"]')
    expect(part).to_contain_text("4")
    desk.shoot("53-dashboard-kinds")
    part.click()
    desk.on_page("payment")
    expect(desk.rows()).to_have_count(4)


def the_tables_say_the_same(desk: Desk, waiting: str) -> None:
    """Each plot has its numbers as a table, whose cells are links."""
    for panel in ("daily", "refusals", "clearance"):
        desk.at(f"panel-{panel}").locator('[data-test="table-switch"]').click()
    today = desk.page.evaluate("new Date().toLocaleDateString('en-CA', {timeZone: 'Asia/Shanghai'})")
    expect(cell(desk, "daily", today, "done")).to_have_text("2")
    expect(desk.at("panel-refusals")).to_contain_text(REASON)
    expect(desk.at("panel-refusals")).to_contain_text("100%")
    assert number(desk.at("panel-clearance").locator('[data-test="figure"]')) == 2
    desk.shoot("52-dashboard-tables")
    leads_to(desk, cell(desk, "daily", today, "ready"), 1)
    expect(desk.row(waiting)).to_be_visible()
    comes_back(desk)
    leads_to(desk, desk.at("panel-refusals").locator('[data-test="figure"]'), 1)


def payment(clerk: Visitor) -> tuple[str, str]:
    """A payment of its own: number and id."""
    consignment = Consignment(clerk)
    saved = consignment.save("payment")
    return str(saved["number"]), str(saved["id"])


def test_an_empty_desk_says_why_in_both_languages(sits: Sits) -> None:
    desk = sits("O")
    comes_back(desk)
    desk.at("dashboard-kind").click()
    desk.at("kind-booking").click()
    for name in ("received", "waiting", "refused", "cleared"):
        expect(figure(desk, name)).to_have_text("0")
    for panel, words in {
        "daily": "近 14 天没有单据入库", "refusals": "没有收到海关退单", "clearance": "没有可计算的时长",
        "waiting": "没有待提交、退单、发送失败或超时的单据",
    }.items():  # fmt: skip
        expect(desk.at(f"panel-{panel}")).to_contain_text(words)
    expect(desk.at("device-row").first).to_be_visible()
    desk.shoot("54-dashboard-empty")
    desk.at("language-switch").click()
    expect(desk.at("tile-waiting")).to_contain_text("Nothing needs you")
    expect(desk.at("device-row").first).not_to_contain_text("密钥")
    desk.shoot("55-dashboard-empty-en")
