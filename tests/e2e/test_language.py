"""Chinese is the default; English is complete: on no page a word of the system's own is left in Chinese."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenDesk
from tests.support.browser import Desk
from tests.support.glass import CUSTOMS
from tests.support.people import Visitor, a_number, new_user, signed_in
from tests.support.stack import Stack
from tools.paths import ROOT

SAMPLES = ROOT / "tests" / "samples"
#: every text on the glass, and what a screen reader or a mouse pointer is told
READ = """() => {
    const seen = element => element.checkVisibility({ visibilityProperty: true, opacityProperty: false });
    const found = [document.title];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) if (seen(texts.currentNode.parentElement)) found.push(texts.currentNode.data.trim());
    for (const element of document.body.querySelectorAll('*'))
        if (seen(element))
            for (const name of ['title', 'placeholder', 'aria-label', 'alt'])
                if (element.getAttribute(name)) found.push(element.getAttribute(name));
    return found;
}"""
CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")


#: people, goods and platforms of these tests; units of code tables; "none" as customs wants it written
DATA = "测试员 甲制单员 海外平台 绿茶 中文 演示境外电商平台 演示洛杉矶海外仓 千克 无"
#: what stands in the sample's sheet
SHEET = "订单号 商品货号 商品名称 数量 总额 单价 计量单位 订单 １０"


@pytest.fixture
def data(clerk: Visitor, stack: Stack) -> list[str]:
    """What is data and stays as it is, the longest first: names, customs' words, what other tests have put in."""
    words = [clerk.me["enterprise"]["name"], "新增申报成功，海关入库", "发送海关成功", "电子口岸申报中"]
    words += [strategy["name"] for strategy in clerk.get("/strategies").json()["items"]]
    for key in clerk.get("/devices").json()["items"]:
        words += [key["label"], key["device"]]
    admin = signed_in(stack, "A", "enterprise_admin")
    words += [agent["name"] for agent in admin.get("/edge-agents").json()["items"]]
    words += [row["actor"] for row in admin.get("/ledger?page_size=200").json()["items"]]
    for kind in ("order", "booking"):
        for row in clerk.get(f"/documents/{kind}?page_size=200").json()["items"]:
            words += [row["return_info"] or "", *row["columns"].values()]
        for task in clerk.get(f"/imports?kind={kind}").json()["items"]:
            words += [task["file_name"], task["created_by"]]
    return sorted({word for word in words if word} | set(DATA.split()), key=len, reverse=True)


@dataclass
class Reader:
    """Reads each page it is shown and keeps what is left in Chinese."""

    desk: Desk
    data: list[str]
    found: dict[str, list[str]] = field(default_factory=dict)

    def look(self, place: str, also: str = "") -> None:
        left = []
        for text in self.desk.page.evaluate(READ):
            rest = text
            for known in (*self.data, *also.split()):
                rest = rest.replace(known, "")
            if CHINESE.search(rest):
                left.append(text)
        if left:
            self.found[place] = sorted(set(left))
        self.desk.shoot(f"en-{place}")

    def found_nothing(self) -> None:
        assert not self.found, "left in Chinese:\n" + "\n".join(
            f"{at}: {what}" for at, what in self.found.items()
        )


def test_chinese_is_the_default_and_english_is_remembered(desks: OpenDesk) -> None:
    desk = desks(locale="en-US")
    desk.go("/signin")
    expect(desk.page.get_by_role("heading", name="登录")).to_be_visible()
    expect(desk.page.locator("html")).to_have_attribute("lang", "zh-CN")
    desk.at("language-switch").click()
    expect(desk.page.get_by_role("heading", name="Sign in")).to_be_visible()
    desk.page.reload()
    expect(desk.page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(desk.page.locator("html")).to_have_attribute("lang", "en")
    desk.at("language-switch").click()
    expect(desk.page.get_by_role("heading", name="登录")).to_be_visible()


def test_english_is_complete_on_every_page(desk: Desk, stack: Stack, data: list[str], clerk: Visitor) -> None:
    number = a_number("I")
    clerk.save_order(number)
    reader = Reader(desk, data)
    sign_in_in_english(reader, new_user(stack, "A", "enterprise_admin"))
    open_every_page(reader)
    import_in_english(reader)
    submit_in_english(reader, number)
    go_astray(reader)
    reader.found_nothing()


def sign_in_in_english(reader: Reader, user: dict[str, str]) -> None:
    desk = reader.desk
    desk.go("/signin")
    desk.at("language-switch").click()
    desk.at("signin-submit").click()
    reader.look("sign-in")
    desk.try_sign_in(user["username"], "not the password")
    expect(desk.at("signin-error")).to_be_visible()
    reader.look("sign-in-wrong")
    desk.sign_in(user["username"], user["password"])


def open_every_page(reader: Reader) -> None:
    desk = reader.desk
    for page in (
        "A1",
        "A2",
        "A5-import",
        "A5-declare",
        "A5-query",
        "A6-import",
        "A6-declare",
        "A6-query",
        "keys",
        "signing-queue",
        "agents",
        "ledger",
    ):
        desk.menu(page)
        expect(desk.at("skeleton")).to_have_count(0)
        reader.look(page)
    desk.at("user-menu").click()
    expect(desk.at("sign-out")).to_be_visible()
    reader.look("user-menu")
    desk.page.keyboard.press("Escape")
    desk.page.locator("main").press("?")
    expect(desk.at("help-dialog")).to_be_visible()
    reader.look("help")
    desk.page.keyboard.press("Escape")


def import_in_english(reader: Reader) -> None:
    desk = reader.desk
    desk.menu("A5-import")
    desk.at("import-batch").fill("x")
    desk.at("import-submit").click()
    reader.look("import-form")
    desk.at("import-batch").fill("")
    desk.import_file(SAMPLES / "9710-orders-wrong.xlsx")
    desk.at("import-discard").click()
    expect(desk.page.locator(".el-message-box")).to_be_visible()
    reader.look("import-checked", SHEET)
    desk.confirm()
    expect(desk.at("import-discarded")).to_be_visible()
    reader.look("import-discarded", SHEET)


def submit_in_english(reader: Reader, number: str) -> None:
    desk = reader.desk
    desk.menu("A5-declare")
    desk.at("query-expand").click()
    desk.at("condition-state").click()
    reader.look("conditions")
    desk.page.keyboard.press("Escape")
    desk.find(number)
    expect(desk.rows()).to_have_count(1)
    desk.at("select-page").check()
    desk.at("action-declare").click()
    expect(desk.page.locator(".el-message-box")).to_be_visible()
    reader.look("confirm")
    desk.confirm()
    expect(desk.at("result-row")).to_have_count(1)
    reader.look("results")
    desk.at("results-close").click()
    expect(desk.state(number)).to_have_attribute("data-state", "accepted", timeout=CUSTOMS)
    desk.state(number).click()
    expect(desk.at("receipt").first).to_be_visible()
    reader.look("receipts")
    desk.page.keyboard.press("Escape")
    desk.open_document(number)
    expect(desk.at("receipt").first).to_be_visible()
    reader.look("detail")


def go_astray(reader: Reader) -> None:
    desk = reader.desk
    desk.go("/documents/order/00000000-0000-4000-8000-000000000000")
    expect(desk.at("error-headline")).to_be_visible()
    reader.look("not-found")
    desk.go("/nowhere")
    expect(desk.at("missing-page")).to_be_visible()
    reader.look("nowhere")


def test_a_brokers_pages_are_english_too(desks: OpenDesk, stack: Stack, data: list[str]) -> None:
    desk = desks()
    reader = Reader(desk, [*data, "演示丙报关服务有限公司", "丙报关员"])
    desk.go("/signin")
    desk.at("language-switch").click()
    user = stack.user("C", "broker")
    desk.sign_in(user["username"], user["password"])
    expect(desk.at("client-row")).to_have_count(1)
    reader.look("clients")
    desk.at("client-enter").click()
    expect(desk.at("client-bar")).to_be_visible()
    expect(desk.at("skeleton")).to_have_count(0)
    reader.look("client-bar")
    reader.found_nothing()
