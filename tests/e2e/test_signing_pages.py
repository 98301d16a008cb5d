"""Cards at the customer's computers, as people see them: from an agent's enrolment to its revocation, with the real agent.

A SoftHSM token is the card; whoever sits at it is played through the agent's own page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.conftest import Sits
from tests.support.agents import Agent
from tests.support.at_the_card import agree, certified, shown
from tests.support.browser import CUSTOMS, Desk
from tests.support.cards import Card, Reader
from tests.support.eventually import eventually
from tests.support.people import Visitor, a_number, new_user, signed_in
from tests.support.stack import Stack

PIN = "1357-card-pin"
COMPUTER = "单证室窗口机"
LABEL = "报关员的卡"


@pytest.fixture
def admin(stack: Stack) -> Iterator[Visitor]:
    """Tenant A's administrator over the API; the key that was in use is in use again after the test."""
    visitor = signed_in(stack, "A", "enterprise_admin")
    before = next(key["id"] for key in visitor.get("/devices").json()["items"] if key["active"])
    yield visitor
    assert visitor.post(f"/devices/{before}/actions/activate").ok


@pytest.fixture
def card(stack: Stack, admin: Visitor, tmp_path: Path) -> Card:
    return certified(stack, admin.me["enterprise"], tmp_path, PIN)


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path / "reader")


@pytest.fixture
def agent(tmp_path: Path, reader: Reader) -> Iterator[Agent]:
    """The program at the customer's computer, not enrolled yet."""
    program = Agent(tmp_path / "agent", reader.settings("reader"))
    yield program
    if not program.ended:
        program.stop()


def test_a_card_from_its_agents_enrolment_to_its_revocation(
    *,
    sits: Sits,
    desk: Desk,
    stack: Stack,
    admin: Visitor,
    clerk: Visitor,
    agent: Agent,
    card: Card,
    reader: Reader,
    tmp_path: Path,
) -> None:
    door, desk = desk, sits("A", "enterprise_admin")
    lets_an_agent_in(desk, agent, tmp_path)
    reader.insert(card)
    agent.start()
    expect(row_of(desk)).to_have_attribute("data-state", "connected")
    expect(row_of(desk)).to_contain_text("已连接")
    desk.accessible("agents")
    desk.shoot("agents")

    registers_the_card(desk, card)
    confirms_and_activates(desk, agent, card)

    [order] = filed(clerk, 1)
    eventually(lambda: state(clerk, order) == "accepted", "customs accepts what the card signed", 60)
    reads_the_ledger(desk)
    signs_in_by_card(door, stack, admin, agent, card)

    reader.remove(card)
    eventually(lambda: shown(admin, card)["state"] == "out", "the card is out", 30)
    orders = filed(clerk, 3)
    withdraws_one(desk)
    eventually(
        lambda: sorted(state(clerk, one) for one in orders) == ["checked", "signing", "signing"],
        "one is back",
    )
    reader.insert(card)
    expect(desk.at("queue-key").filter(has_text=LABEL)).to_contain_text("等待输入 PIN")
    agent.logged_in(card.fingerprint, PIN)
    # the page follows by itself
    expect(desk.at("empty-panel")).to_contain_text("没有等待", timeout=CUSTOMS)

    revokes(desk, agent, clerk)


def row_of(desk: Desk) -> Locator:
    return desk.at("agent-row", name=COMPUTER).filter(has_not_text="已撤销")


def key_of(desk: Desk) -> Locator:
    return desk.at("key-row").filter(has_text=LABEL)


def lets_an_agent_in(desk: Desk, agent: Agent, folder: Path) -> None:
    desk.menu("agents")
    desk.at("agent-new").click()
    desk.at("agent-make").click()
    expect(desk.at("agent-fault")).to_contain_text("请填写名称")
    desk.accessible("new agent")
    desk.at("agent-name").fill(COMPUTER)
    desk.page.keyboard.press("Enter")
    dialog = desk.at("enrolment-dialog")
    expect(dialog).to_contain_text("只显示这一次")
    code = desk.at("enrolment-code").inner_text()
    assert re.fullmatch(r"[A-Z0-9]+(-[A-Z0-9]+)+", code)
    expect(desk.at("enrolment-left")).to_have_text(re.compile(r"剩余 (30:00|29:\d\d)"))
    expect(desk.at("command-enrol")).to_have_text("tongguan-agent enrol --file enrolment.json")
    desk.accessible("enrolment")
    desk.shoot("agents-code")
    file = desk.saved(desk.at("enrolment-download"), folder)
    assert file.name == "enrolment.json"
    assert code in file.read_text()
    done = agent.command("enrol", "--file", str(file))
    assert done.returncode == 0, done.stderr.decode()
    expect(desk.at("enrolment-done")).to_contain_text(COMPUTER)
    desk.at("enrolment-close").click()
    expect(row_of(desk)).to_have_attribute("data-state", "offline")
    # a code once shown is nowhere any more
    expect(desk.page.get_by_text(code)).to_have_count(0)


def signs_in_by_card(door: Desk, stack: Stack, admin: Visitor, agent: Agent, card: Card) -> None:
    user = new_user(stack, "A", "declarant")
    person = next(one for one in admin.get("/users").json()["items"] if one["username"] == user["username"])
    bound = admin.put(f"/users/{person['id']}/card", json={"fingerprint": card.fingerprint})
    assert bound.status_code == 204, bound.text
    door.go("/")
    door.at("signin-by-card").click()
    expect(door.at("signin-username")).to_have_attribute("aria-invalid", "true")
    door.at("signin-username").fill(user["username"])
    door.at("signin-by-card").click()
    code = door.at("card-code").inner_text()
    door.accessible("sign-in by card")
    door.shoot("page-signin-card")
    eventually(lambda: agent.shown["asking"], "the agent asks its person", 30)
    [asked] = agent.shown["asking"]
    assert code in asked["title_zh"]
    agree(agent)
    expect(door.at("menu")).to_be_visible()


def registers_the_card(desk: Desk, card: Card) -> None:
    desk.menu("keys")
    new = desk.at("new-card", fingerprint=card.fingerprint)
    expect(new).to_contain_text("等待输入 PIN")
    expect(new).to_contain_text(COMPUTER)
    desk.shoot("keys-new-card")
    new.locator('[data-test="card-register"]').click()
    desk.at("card-save").click()
    expect(desk.at("card-fault")).to_contain_text("请填写名称")
    desk.accessible("register")
    desk.at("card-label").fill(LABEL)
    desk.page.keyboard.press("Enter")
    desk.says("已登记")
    expect(new).to_have_count(0)
    expect(key_of(desk)).to_have_attribute("data-state", "unavailable")
    activate = key_of(desk).locator('[data-test="key-activate"]')
    expect(activate).to_have_attribute("aria-disabled", "true")
    activate.focus()
    expect(desk.page.get_by_role("tooltip").filter(visible=True)).to_contain_text("请先点“确认”")


def confirms_and_activates(desk: Desk, agent: Agent, card: Card) -> None:
    key_of(desk).locator('[data-test="key-confirm"]').click()
    dialog = desk.at("challenge-dialog")
    expect(dialog).to_contain_text(COMPUTER)
    expect(desk.at("challenge-trouble")).to_contain_text("请在插卡的电脑上输入 PIN")
    expect(desk.at("challenge-left")).to_have_text(re.compile(r"剩余 [23]:\d\d"))
    desk.shoot("keys-challenge")
    desk.accessible("challenge")
    agent.logged_in(card.fingerprint, PIN)
    expect(desk.at("challenge-trouble")).to_have_count(0)
    agree(agent)
    expect(desk.at("challenge-used")).to_contain_text("已确认")
    desk.at("challenge-close").click()
    expect(key_of(desk)).to_have_attribute("data-state", "usable")
    expect(key_of(desk).locator('[data-test="key-confirmed"]')).to_contain_text("测试员")
    key_of(desk).locator('[data-test="key-activate"]').click()
    desk.confirm(LABEL, "启用", "随即停用")
    desk.says("已启用")
    expect(key_of(desk)).to_have_attribute("data-state", "active")
    desk.accessible("keys")
    expect(desk.page.locator(".el-message")).to_have_count(0)
    desk.shoot("keys")


def reads_the_ledger(desk: Desk) -> None:
    desk.menu("ledger")
    expect(desk.at("ledger-chain")).to_have_attribute("data-valid", "true")
    for what, words in (("bound", "登记卡"), ("confirmed", "确认密钥"), ("activated", "启用密钥")):
        expect(desk.at("ledger-row", what=what).first).to_contain_text(words)
    signed = desk.at("ledger-row", what="signed").first
    expect(signed).to_contain_text(LABEL)
    signed.locator('[data-test="ledger-only"]').click()
    expect(desk.at("ledger-row")).to_have_count(2)
    expect(desk.at("ledger-row", what="intent")).to_contain_text("意向")
    desk.accessible("ledger")
    desk.at("ledger-message").fill("not a message")
    desk.at("query-submit").click()
    expect(desk.at("empty-panel")).to_contain_text("没有这个报文的记录")
    desk.at("query-reset").click()
    expect(desk.at("ledger-row").first).to_be_visible()
    desk.shoot("ledger")


def withdraws_one(desk: Desk) -> None:
    desk.menu("keys")
    expect(key_of(desk)).to_contain_text("卡未插入")
    key_of(desk).locator('[data-test="key-queue"]').click()
    desk.on_page("signing-queue")
    rows = desk.at("queue-row")
    expect(rows).to_have_count(3)
    for row in rows.all():
        expect(row).to_contain_text("卡未插入")
        expect(row).to_contain_text("请把卡插入装有签名代理的电脑")
    expect(desk.at("queue-key").filter(has_text=LABEL)).to_contain_text("3 个报文")
    withdraw = desk.at("queue-withdraw")
    expect(withdraw).to_have_attribute("aria-disabled", "true")
    rows.first.locator('[data-test="select-row"]').check()
    expect(desk.at("selected-count")).to_have_text("已选 1 条")
    expect(withdraw).to_have_attribute("aria-disabled", "false")
    desk.shoot("signing-queue")
    desk.accessible("signing queue")
    withdraw.click()
    desk.confirm("1 个报文", "1 份单证", "撤回")
    expect(desk.at("results-done")).to_contain_text("已办理 1 条")
    desk.shoot("signing-queue-results")
    desk.at("results-close").click()
    expect(rows).to_have_count(2)
    expect(desk.at("selected-count")).to_have_text("已选 0 条")


def revokes(desk: Desk, agent: Agent, clerk: Visitor) -> None:
    desk.menu("agents")
    revoke = row_of(desk).locator('[data-test="agent-revoke"]')
    revoke.click()
    desk.refuse(COMPUTER, LABEL, "立即停止签名")
    expect(row_of(desk)).to_have_attribute("data-state", "connected")
    revoke.click()
    desk.confirm("不能恢复")
    desk.says("已撤销")
    expect(row_of(desk)).to_have_count(0)
    eventually(lambda: agent.shown["link"]["code"] == "revoked", "the agent's own page says so", 20)
    filed(clerk, 1)
    desk.menu("keys")
    expect(key_of(desk)).to_contain_text("签名代理未连接")
    expect(key_of(desk)).to_contain_text("1 个报文")


def filed(clerk: Visitor, count: int) -> list[str]:
    orders = [clerk.save_order(a_number("CARD"))["id"] for _ in range(count)]
    done = clerk.post("/documents/order/actions/declare", json={"ids": orders, "documents_per_message": 1})
    assert all(item["ok"] for item in done.json()["results"]), done.text
    return orders


def state(clerk: Visitor, order: str) -> Any:
    return clerk.get(f"/documents/order/{order}").json()["state"]


def test_a_declarant_sees_the_queue_and_the_keys_and_no_more(sits: Sits) -> None:
    desk = sits("A")
    desk.menu("signing-queue")
    expect(desk.at("empty-panel").or_(desk.at("queue-row")).first).to_be_visible()
    desk.menu("keys")
    confirm = desk.at("key-confirm").first
    expect(confirm).to_have_attribute("aria-disabled", "true")
    confirm.focus()
    expect(desk.page.get_by_role("tooltip").filter(visible=True)).to_contain_text("只有企业管理员")
    expect(desk.at("pool-member", state="healthy").first).to_contain_text("正常")
    for hidden in ("agents", "ledger"):
        expect(desk.at(f"menu-{hidden}")).to_have_count(0)
    desk.go("/settings/agents")
    expect(desk.at("error-panel")).to_contain_text("权限")


def test_a_key_of_the_pool_confirms_itself_at_once(sits: Sits, admin: Visitor) -> None:
    desk = sits("A", "enterprise_admin")
    desk.menu("keys")
    row = desk.at("key-row", state="active")
    row.locator('[data-test="key-confirm"]').click()
    desk.says("确认完成")
    expect(row.locator('[data-test="key-confirmed"]')).to_contain_text("测试员")
