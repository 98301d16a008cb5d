"""Who may do what at the pages: signing in and out, roles, keys, a broker's clients."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import OpenDesk
from tests.support.browser import Desk
from tests.support.control import Customs
from tests.support.glass import CUSTOMS, PATIENCE
from tests.support.people import Visitor, a_number, new_user, signed_in, tenant_id
from tests.support.stack import Stack

CLIENT = "演示甲跨境电商有限公司"


def test_a_wrong_password_is_told_and_what_was_typed_stays(desk: Desk, stack: Stack) -> None:
    user = new_user(stack, "A", "declarant")
    desk.try_sign_in(user["username"], "not the password")
    expect(desk.at("signin-error", kind="wrong")).to_contain_text("用户名或密码")
    expect(desk.at("signin-username")).to_have_value(user["username"])
    expect(desk.at("signin-password")).to_have_value("")
    expect(desk.at("signin-password")).to_be_focused()
    desk.shoot("40-sign-in-wrong")
    desk.page.keyboard.type(user["password"])
    desk.page.keyboard.press("Enter")
    expect(desk.at("header")).to_be_visible()


def test_nothing_filled_in_is_said_at_the_field(desk: Desk) -> None:
    desk.go("/signin")
    desk.at("signin-submit").click()
    expect(desk.page.get_by_text("请填写用户名")).to_be_visible()
    expect(desk.at("signin-username")).to_be_focused()


def test_five_failures_lock_the_account_with_the_time_to_wait(desk: Desk, stack: Stack) -> None:
    user = new_user(stack, "A", "declarant")
    visitor = Visitor(stack)
    for _ in range(5):
        visitor.sign_in(user["username"], "not the password")
    desk.try_sign_in(user["username"], user["password"])
    locked = desk.at("signin-error", kind="locked")
    expect(locked).to_contain_text("已锁定")
    expect(locked).to_contain_text(re.compile(r"\d+ 分钟"))
    expect(locked).to_contain_text(re.compile(r"\d+:\d\d"))
    expect(desk.at("signin-submit")).to_be_disabled()
    desk.shoot("41-sign-in-locked")


def test_an_address_is_kept_over_the_sign_in(desk: Desk, stack: Stack) -> None:
    user = new_user(stack, "A", "declarant")
    desk.go("/bookings/9810/query?orderNo=HERE")
    expect(desk.at("signin-page")).to_be_visible()
    desk.at("signin-username").fill(user["username"])
    desk.at("signin-password").fill(user["password"])
    desk.at("signin-submit").click()
    desk.on_page("A6-query")
    expect(desk.at("condition-orderNo")).to_have_value("HERE")


def test_signing_out_leaves_nothing_behind(declarant: Desk, clerk: Visitor) -> None:
    desk, number = declarant, a_number("S")
    clerk.save_order(number)
    desk.menu("A1")
    desk.find(number)
    desk.open_document(number)
    desk.sign_out()
    expect(desk.at("signin-notice")).to_contain_text("已退出登录")
    desk.page.go_back()
    expect(desk.at("signin-page")).to_be_visible()
    expect(desk.page.get_by_text(number)).to_have_count(0)
    assert desk.page.request.get(f"{desk.stack['url']}/api/v1/session").status == 401


def test_a_session_ended_elsewhere_asks_to_sign_in_and_returns(desk: Desk, stack: Stack) -> None:
    user = new_user(stack, "A", "declarant")
    visitor = Visitor(stack)
    assert visitor.sign_in(user["username"], user["password"]).ok
    desk.take_over(visitor)
    desk.go("/pages/A2")
    desk.on_page("A2")
    assert visitor.delete("/session").ok
    # the open page notices by itself: its live connection ends with the session
    expect(desk.at("gone-reason")).to_contain_text("已在别处结束", timeout=2 * PATIENCE)
    desk.at("again-password").fill(user["password"])
    desk.at("again-submit").click()
    expect(desk.at("sign-in-again")).to_have_count(0)
    desk.on_page("A2")


def test_an_administrator_without_documents_is_told_so(desk: Desk, stack: Stack) -> None:
    user = stack.user("platform", "platform_admin")
    desk.sign_in(user["username"], user["password"])
    expect(desk.at("home-page")).to_contain_text("当前账号没有单证页面")
    expect(desk.at("search-input")).to_have_count(0)
    desk.shoot("42-platform-admin")
    desk.go("/pages/A1")
    expect(desk.at("document-row")).to_have_count(0)
    expect(desk.at("error-headline").or_(desk.at("empty-panel"))).to_contain_text("权限")


def test_a_declarant_may_not_activate_a_key(declarant: Desk) -> None:
    desk = declarant
    desk.menu("keys")
    activate = desk.at("key-activate").first
    expect(activate).to_have_attribute("aria-disabled", "true")
    activate.focus()
    expect(desk.page.get_by_role("tooltip").filter(visible=True)).to_contain_text("只有企业管理员")
    desk.accessible("keys")
    desk.shoot("43-keys-declarant")
    desk.shoot("page-keys")
    answer = desk.page.request.post(
        f"{desk.stack['url']}/api/v1/devices/{'0' * 8}-0000-4000-8000-{'0' * 12}/actions/activate"
    )
    assert answer.status == 403


@pytest.fixture
def admin(stack: Stack) -> Iterator[Visitor]:
    """Tenant A's administrator over the API; the key that was in use is in use again after the test."""
    visitor = signed_in(stack, "A", "enterprise_admin")
    before = next(key["id"] for key in visitor.get("/devices").json()["items"] if key["active"])
    yield visitor
    assert visitor.post(f"/devices/{before}/actions/activate").ok


def test_the_administrator_changes_the_key_and_new_orders_are_signed_with_it(
    desk: Desk, stack: Stack, admin: Visitor, clerk: Visitor, customs: Customs
) -> None:
    number = a_number("M")
    clerk.save_order(number)
    user = stack.user("A", "enterprise_admin")
    desk.sign_in(user["username"], user["password"])
    desk.menu("keys")
    expect(desk.at("key-row", state="active")).to_contain_text("RSA-SHA1")
    other = desk.at("key-row").filter(has_text="SM2-SM3")
    expect(other).to_contain_text("软件密钥，无硬件保护")
    desk.shoot("44-keys-admin")
    other.locator('[data-test="key-activate"]').click()
    desk.confirm("sm2-sm3", "启用")
    expect(desk.page.locator(".el-message")).to_contain_text("已启用")
    expect(desk.at("key-row", state="active")).to_contain_text("SM2-SM3")

    desk.menu("A5-declare")
    desk.find(number)
    desk.submit_all(1, number)
    desk.at("results-close").click()
    desk.shows_states([number], "accepted", "海关入库")
    desk.open_document(number)
    signed = desk.at("timeline-item", what="signed")
    expect(signed).to_contain_text("sm2-sm3")
    expect(signed.locator('[data-test="software-key"]')).to_contain_text("软件密钥，无硬件保护")
    desk.shoot("45-signed-with-sm2")
    assert b"sm2-sm3" in customs.message_about(number)


@pytest.fixture
def broker(desk: Desk, stack: Stack) -> Desk:
    """A window where the broker has signed in and acts for nobody yet."""
    user = stack.user("C", "broker")
    desk.sign_in(user["username"], user["password"])
    return desk


def test_a_broker_sees_no_documents_before_choosing_a_client(broker: Desk) -> None:
    desk = broker
    desk.on_page("clients")
    expect(desk.at("client-row")).to_have_count(1)
    expect(desk.at("client-row")).to_contain_text(CLIENT)
    expect(desk.at("client-row")).to_contain_text("订单")
    expect(desk.at("client-bar")).to_have_count(0)
    expect(desk.at("menu-A1")).to_have_count(0)
    desk.accessible("clients")
    desk.shoot("46-broker-clients")
    desk.shoot("page-clients")
    desk.go("/pages/A1")
    desk.on_page("clients")


def test_a_broker_files_for_the_client_and_everybody_sees_who_did(
    broker: Desk, desks: OpenDesk, stack: Stack, clerk: Visitor
) -> None:
    desk, number = broker, a_number("J")
    saved = clerk.save_order(number)
    desk.at("client-enter").click()
    for page in ("A1", "A5-import", "A5-declare", "A5-query", "A6-import", "A6-declare", "A6-query", "A2"):
        desk.menu(page)
        expect(desk.at("client-name")).to_have_text(CLIENT)
        expect(desk.at("client-until")).to_contain_text(re.compile(r"委托至 20\d\d-\d\d-\d\d"))
    desk.menu("A5-declare")
    desk.find(number)
    desk.submit_all(1, number)
    desk.shoot("47-broker-submitted")
    desk.at("results-close").click()
    desk.shows_states([number], "accepted", "海关入库")
    desk.open_document(number)
    expect(desk.at("client-bar")).to_be_visible()
    # nine tabs do not fit: the one in use is seen whole
    expect(desk.page.locator('[data-test="tabs"] [aria-current="page"]')).to_be_in_viewport(ratio=1)
    desk.shoot("48-broker-detail")

    # the client sees that it was the broker's person, not one of its own
    theirs = desks()
    theirs.take_over(clerk)
    theirs.go(f"/documents/order/{saved['id']}")
    submitted = theirs.at("timeline-item", what="submitted")
    expect(submitted).to_contain_text("丙报关员（代理 演示甲跨境电商有限公司）")
    expect(theirs.at("timeline-item", what="receipt").first).to_be_visible(timeout=CUSTOMS)

    desk.at("client-leave").click()
    desk.on_page("clients")
    expect(desk.at("client-bar")).to_have_count(0)
    expect(desk.page.get_by_text(number)).to_have_count(0)


def test_a_broker_has_no_way_to_another_enterprise(broker: Desk, stack: Stack) -> None:
    desk = broker
    theirs = signed_in(stack, "B", "declarant").save_order(a_number("V"))
    token = desk.page.request.get(f"{desk.stack['url']}/api/v1/session").json()["csrf_token"]
    stepped = desk.page.request.post(
        f"{desk.stack['url']}/api/v1/session/client",
        data={"client_id": tenant_id(stack, "B")},
        headers={"X-CSRF-Token": token, "Origin": str(desk.stack["url"])},
    )
    assert stepped.status in (403, 404)
    desk.at("client-enter").click()
    expect(desk.at("client-bar")).to_be_visible()
    desk.go(f"/documents/order/{theirs['id']}")
    expect(desk.at("error-headline")).to_contain_text("没有找到")
    expect(desk.page.get_by_text(theirs["number"])).to_have_count(0)
    desk.page.keyboard.press("Control+k")
    desk.at("search-input").fill(theirs["number"])
    expect(desk.at("search-note")).to_contain_text("没有找到")
    # clients' keys are no broker's business
    expect(desk.at("menu-keys")).to_have_count(0)
