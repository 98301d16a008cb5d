"""Strategies and kinds: what serves what, and who fills which field. Expected answers are the business's."""

from __future__ import annotations

import pytest

from documents import strategy
from documents.registry import ALL, by_kind
from documents.types.export_list import LIST
from documents.types.order import ORDER
from services.gateway.tenants import demo

SELLER = {"ebpCode": "无", "ebpName": "平台", "ebcCode": "4401960A01", "ebcName": "甲", "currency": "502"}


def kinds(trade_mode: str, defaults: dict[str, str]) -> set[str]:
    return {item.kind for item in ALL if strategy.fits(item, trade_mode, defaults)}


@pytest.mark.parametrize(
    ("trade_mode", "yes", "no"),
    [
        ("9610", {"order", "payment", "list"}, {"booking"}),
        ("9710", {"order", "payment", "list"}, {"booking"}),
        ("9810", {"booking", "payment", "list"}, {"order"}),
    ],
)
def test_a_trade_mode_serves_its_kinds(trade_mode: str, yes: set[str], no: set[str]) -> None:
    assert yes <= kinds(trade_mode, SELLER)
    assert not no & kinds(trade_mode, SELLER)
    assert not {"summary-result", "summary-declaration"} & kinds(trade_mode, SELLER)


def test_the_type_of_order_follows_from_the_trade_mode_unless_it_is_said() -> None:
    assert [strategy.fill(ORDER, mode, {})[0]["orderType"] for mode in ("9610", "9710", "9810")] == [
        "E",
        "B",
        "W",
    ]
    assert strategy.fill(ORDER, "9610", {"orderType": "B"})[0]["orderType"] == "B"
    assert strategy.fill(LIST, "9810", {})[0]["tradeMode"] == "9810"
    assert strategy.fill(LIST, "9610", {"tradeMode": "1210"})[0]["tradeMode"] == "1210"


def test_a_kind_takes_its_own_fields_only_and_only_what_a_strategy_fills() -> None:
    everything = {item.name: "x" for doctype in ALL for item in (*doctype.head, *doctype.lines)}
    for doctype in ALL:
        head, line = strategy.fill(doctype, "9710", everything | {"unknown": "y"})
        assert set(head) == {item.name for item in doctype.head if item.filled_by == "strategy"}
        assert set(line) == {item.name for item in doctype.lines if item.filled_by == "strategy"}
    assert strategy.fill(ORDER, "9710", {"ebpName": ""})[0].keys() == {"orderType"}


def test_without_anything_to_fill_a_strategy_serves_nothing() -> None:
    assert kinds("", {}) == set()
    assert "list" not in kinds("", SELLER)


@pytest.mark.parametrize(
    "tenant", [item for item in demo.TENANTS if demo.strategies(item)], ids=lambda item: item.label
)
def test_the_demo_s_strategies_fill_all_that_their_kinds_leave_to_one(tenant: demo.DemoTenant) -> None:
    for row in demo.strategies(tenant):
        main = by_kind(row["kind"])
        assert main is not None
        assert strategy.completes(main, row["trade_mode"], row["defaults"])
        served = {item.kind for item in ALL if strategy.completes(item, row["trade_mode"], row["defaults"])}
        if "ecommerce" in tenant.kinds:
            trade = "booking" if row["trade_mode"] == "9810" else "order"
            assert {trade, "payment", "list", "return", "cancellation", "summary-application"} <= served
        elif "logistics" in tenant.kinds:
            assert {"waybill", "departure"} <= served
        else:
            assert {"arrival", "tally"} <= served


def test_what_only_a_strategy_can_fill_is_known() -> None:
    lacking = [item.name for item in strategy.lacking(ORDER, ORDER.sheet.columns)]  # type: ignore[union-attr]
    assert lacking == ["orderType", "ebpCode", "ebpName", "ebcCode", "ebcName", "currency", "currency"]
