"""What dashboards count by: groups of states, what waits for a person, reasons of refusals."""

from __future__ import annotations

import pytest

from documents import groups, refusals
from documents.registry import REGISTRY
from documents.spec import DocumentType


def doctype(kind: str) -> DocumentType:
    found = REGISTRY.get(kind)
    assert found is not None
    return found


@pytest.mark.parametrize("kind", [item.kind for item in REGISTRY.types])
def test_every_state_belongs_to_one_group(kind: str) -> None:
    found = [name for group in groups.GROUPS for name in groups.states_of(doctype(kind), group)]
    assert sorted(found) == sorted(doctype(kind).lifecycle.by_name)


def test_what_is_over_is_not_waiting_to_be_submitted() -> None:
    assert groups.states_of(doctype("list"), "ready") == ("draft", "checked")
    assert groups.states_of(doctype("list"), "ended") == ("cancelled", "amended", "deleted")


def test_nothing_waits_twice() -> None:
    names = [name for what in groups.WAITING for name in groups.waiting_states(doctype("list"), what)]
    assert len(names) == len(set(names))
    assert "inspection" in groups.waiting_states(doctype("list"), "attention")
    assert "sent" in groups.waiting_states(doctype("list"), "overdue")
    # what customs issues asks nothing of anybody
    assert [groups.waiting_states(doctype("summary-result"), what) for what in groups.WAITING] == [()] * 4


@pytest.mark.parametrize(
    ("status", "info", "key"),
    [
        ("100", "电商企业备案已过期", "100 电商企业备案已过期"),
        ("100", "订单 T123-9f3a 不存在", "100 订单 … 不存在"),
        ("100", "订单 T4-88100  不存在 ", "100 订单 … 不存在"),
        ("100", "第 3 行币制不符", "100 第 3 行币制不符"),
        ("100", "[Code:1405;Desc:清单 298020260000001 重复]", "100 1405"),
        ("-621004", "清单 298020260000001 已申报", "-621004"),
        ("4", "", "4"),
        ("100", "x" * 5000, "100 " + "x" * 80),
    ],
)
def test_numbers_do_not_make_another_reason(status: str, info: str, key: str) -> None:
    assert refusals.key(status, info) == key
    assert refusals.of_receipt(doctype("list"), status, info) == key


def test_what_is_no_refusal_has_no_reason() -> None:
    for status in ("1", "2", "3", "120", "399", "800", "777"):
        assert refusals.of_receipt(doctype("list"), status, "放行") == ""
    assert refusals.of_receipt(doctype("list"), "501", "") == "501"
