"""Manual 002, 批量申报与批量删除 of 2.3, 3.2, 3.7, 3.9 and 4.1, and what one document's page lets one do.

选择多个查询出的数据，点击弹出框的确认按钮可以进行批量申报和删除操作，否则点击取消按钮则取消相应操作.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Sits
from tests.support.browser import Desk
from tests.support.consignment import Consignment
from tests.support.glass import CUSTOMS
from tests.support.people import Visitor

#: what the examples do not have: the mode of a return, and of each cancellation a list of its own, filed elsewhere
OWN: dict[str, Callable[[], dict[str, str]]] = {
    "return": lambda: {"tradeMode": "9661"},
    "cancellation": lambda: {"invtNo": f"90002026E{uuid.uuid4().int % 10**9:09}"},
}


def drafts(kind: str, by: Visitor, carrier: Visitor, clerk: Visitor, operator: Visitor) -> list[str]:
    """Numbers of three documents of a kind that are ready to be declared, the list's with its papers."""
    found = []
    for _ in range(3):
        one = Consignment(clerk, carrier=carrier, operator=operator, prefix="M")
        if kind == "list":
            one.papers()
        found.append(one.save(kind, by, **OWN.get(kind, dict)())["number"])
    return found


@pytest.mark.parametrize(
    ("section", "page", "tenant", "kind"),
    [
        ("2.3", "B3", "O", "arrival"),
        ("3.2", "C3", "A", "list"),
        ("3.7", "C8", "A", "cancellation"),
        ("3.9", "C10", "A", "master-house"),
        ("4.1", "D1", "A", "return"),
    ],
)
def test_several_are_declared_and_deleted(
    section: str,
    page: str,
    tenant: str,
    kind: str,
    sits: Sits,
    clerk: Visitor,
    carrier: Visitor,
    operator: Visitor,
) -> None:
    declared, also, unwanted = drafts(kind, operator if tenant == "O" else clerk, carrier, clerk, operator)
    desk = sits(tenant)
    desk.menu(page)
    expect(desk.rows().first).to_be_visible()
    both = [declared, also]
    choose(desk, both)
    desk.at("action-declare").click()
    if section == "3.2":
        desk.accessible("question before declaring")
    desk.refuse("2 条", "申报")
    expect(desk.at("results-done")).to_have_count(0)
    for number in both:
        expect(desk.state(number)).to_have_text("待提交")
    desk.at("action-declare").click()
    desk.confirm("2 条", "申报")
    expect(desk.at("results-done")).to_contain_text("已办理 2 条")
    desk.at("results-close").click()
    one_document_is_changed(desk, unwanted)
    desk.menu(page)
    choose(desk, [unwanted])
    desk.at("action-delete").click()
    desk.refuse(unwanted, "删除")
    expect(desk.row(unwanted)).to_be_visible()
    desk.at("action-delete").click()
    desk.confirm(unwanted, "删除")
    expect(desk.row(unwanted)).to_have_count(0)


def choose(desk: Desk, numbers: list[str]) -> None:
    for number in numbers:
        desk.row(number).locator('[data-test="select-row"]').check()
    expect(desk.at("selected-count")).to_have_text(f"已选 {len(numbers)} 条")


def one_document_is_changed(desk: Desk, number: str) -> None:
    """可以单独对该单证进行申报、暂存以及删除操作，且置灰字段无法修改（反填信息自动录入），未置灰字段可以进行修改."""
    desk.open_document(number)
    for action in ("declare", "delete", "edit"):
        expect(desk.at(f"action-{action}")).not_to_have_attribute("aria-disabled", "true")
    desk.at("action-edit").click()
    expect(desk.at("input-note")).to_be_editable(timeout=CUSTOMS)
    expect(desk.at("input-preNo")).to_be_disabled()
    desk.fill_in(note="改过的备注")
    desk.at("form-save").click()
    desk.says("已暂存")
    expect(desk.at("form-unsaved")).to_have_count(0)
