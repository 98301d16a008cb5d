"""Manual 002, part four, 进入或退出系统: user name and password, the main page, 退出 at the upper right."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.support.browser import Desk
from tests.support.people import new_user
from tests.support.stack import Stack


def test_in_by_name_and_password_and_out_at_the_upper_right(desk: Desk, stack: Stack) -> None:
    user = new_user(stack, "A", "declarant")
    desk.go("/")
    expect(desk.at("signin-page")).to_be_visible()
    desk.shoot("page-signin")
    desk.accessible("sign-in")
    desk.sign_in(user["username"], user["password"])
    desk.menu("A2")
    expect(desk.at("enterprise")).to_have_text("演示甲跨境电商有限公司")
    desk.at("user-menu").click()
    place = desk.at("sign-out").bounding_box()
    assert place is not None
    assert place["x"] > 1366 / 2
    assert place["y"] < 768 / 2
    expect(desk.at("sign-out")).to_have_text(re.compile("退出"))
    desk.accessible("user menu")
    desk.at("sign-out").click()
    expect(desk.at("signin-notice")).to_contain_text("已退出")
    # 安全退出: nobody comes back with the browser's history
    desk.page.go_back()
    expect(desk.at("signin-page")).to_be_visible()
    expect(desk.at("menu")).to_have_count(0)
