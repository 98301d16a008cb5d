"""A session that ends loses nothing: a warning with the time left, and a sign-in over the pages as they stand."""

from __future__ import annotations

import hashlib
import re

import redis
from playwright.sync_api import expect

from services.gateway.http.sessions import key
from tests.support.browser import Desk
from tests.support.eventually import eventually
from tests.support.people import new_user
from tests.support.stack import Stack

TYPED = "放在一边的备注"


def test_whoever_comes_back_goes_on_with_what_was_typed(desk: Desk, stack: Stack) -> None:
    user = new_user(stack, "A", "declarant")
    desk.page.clock.install()
    desk.sign_in(user["username"], user["password"])
    desk.go("/documents/list/new")
    desk.at("input-note").fill(TYPED)
    expect(desk.at("form-unsaved")).to_be_visible()
    server, name = redis.Redis.from_url(stack.environment("gateway.http")["REDIS_URL"]), session_key(desk)

    # the server's half hour is nearly over (the page's clock runs ahead to when it would ask), and the person stays
    server.expire(name, 100)
    desk.page.clock.fast_forward("28:01")
    expect(desk.at("idle-left")).to_contain_text(re.compile(r"[01]:\d\d"))
    desk.shoot("80-idle-warning")
    desk.at("idle-go-on").click()
    expect(desk.at("idle-warning")).to_have_count(0)
    eventually(lambda: int(server.ttl(name)) > 1_000, "the server keeps the session")  # type: ignore[arg-type]

    # now it is over: saving waits for the sign-in and is then done, in a second window nothing is lost either
    other = desk.context.new_page()
    other.goto(f"{stack['url']}/pages/A2")
    expect(other.locator('[data-test="header"]')).to_be_visible()
    server.delete(name)
    desk.at("form-save").click()
    again = desk.at("sign-in-again")
    expect(again).to_contain_text("换其他账号登录")
    expect(desk.at("again-username")).to_have_value(user["username"])
    desk.shoot("81-sign-in-again")
    desk.at("again-password").fill("not the password")
    desk.at("again-submit").click()
    expect(desk.at("again-error")).to_contain_text("用户名或密码")
    desk.at("again-password").fill(user["password"])
    desk.at("again-submit").click()
    expect(again).to_have_count(0)
    expect(desk.at("form-errors").or_(desk.at("form-number"))).to_be_visible()
    expect(desk.at("input-note")).to_have_value(TYPED)
    expect(other.locator('[data-test="sign-in-again"]').filter(visible=True)).to_have_count(0)


def test_somebody_else_gets_the_pages_afresh_and_leaving_gives_them_up(desk: Desk, stack: Stack) -> None:
    one, another = new_user(stack, "A", "declarant"), new_user(stack, "B", "declarant")
    desk.sign_in(one["username"], one["password"], "/signin?to=/documents/list/new")
    desk.at("input-note").fill(TYPED)
    desk.menu("A2")
    ended(desk, stack)
    desk.at("again-username").fill(another["username"])
    desk.at("again-password").fill(another["password"])
    desk.at("again-submit").click()
    expect(desk.at("enterprise")).to_contain_text("乙")
    expect(desk.page.locator('[data-test="tab-/documents/list/new"]')).to_have_count(0)

    ended(desk, stack)
    desk.at("again-leave").click()
    expect(desk.at("signin-page")).to_be_visible()
    expect(desk.at("signin-notice")).to_contain_text("登录已失效")


def session_key(desk: Desk) -> str:
    (cookie,) = (item for item in desk.context.cookies() if item.get("name") == "tongguan_session")
    tenant, secret = str(cookie.get("value")).split(".")
    return key(tenant, "session", hashlib.sha256(secret.encode()).hexdigest())


def ended(desk: Desk, stack: Stack) -> None:
    """The session ends on the server, and the page finds that out at the next thing one asks."""
    # what the page asks by itself has been answered
    expect(desk.at("query-submit")).to_be_enabled()
    redis.Redis.from_url(stack.environment("gateway.http")["REDIS_URL"]).delete(session_key(desk))
    # not by the pointer: the page may have found out by itself this very moment, and stands under the dialog
    desk.at("query-submit").dispatch_event("click")
    expect(desk.at("sign-in-again")).to_be_visible()
