"""The four documents: whatever fits is the same, whatever is changed is named where it stands, numbers are numbers."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents import registry
from documents.compare import GONE, Comparison, Other, compare

ITEMS = ("itemNo", "unit", "currency", "qty", "price", "totalPrice")


def four(lines: int = 2, mode: str = "9610") -> tuple[dict[str, Any], list[Other]]:
    """A list and what belongs to it, all saying the same."""
    rows = [
        {
            "itemNo": f"A{n}",
            "unit": "011",
            "currency": "502",
            "qty": "2",
            "price": "1.50",
            "totalPrice": "3.00",
        }
        for n in range(lines)
    ]
    party = {"ebpCode": "P", "orderNo": "O1", "ebcCode": "E", "ebcName": "甲"}
    carrier = {
        "logisticsCode": "L",
        "logisticsName": "物流",
        "logisticsNo": "W1",
        "packNo": "1",
        "grossWeight": "1.2",
    }
    total = str(3 * lines)
    kind, order_type = {"9810": ("booking", "W"), "9710": ("order", "B")}.get(mode, ("order", "E"))
    order = {
        "head": {**party, "orderType": order_type, "goodsValue": total, "currency": "502"},
        "lines": rows,
    }
    payment = {"head": {**party, "charge": total, "currency": "502"}, "lines": []}
    body = {"head": {**party, **carrier, "tradeMode": mode}, "lines": copy.deepcopy(rows)}
    return body, [
        Other(kind, "o", "O1", "accepted", order),
        Other("waybill", "w", "W1", "settled", {"head": carrier, "lines": []}),
        Other("payment", "p", "O1", "checked", payment),
    ]


def statuses(found: Comparison) -> dict[str, str]:
    return {leg.kind: leg.status for leg in found.legs}


@pytest.mark.parametrize("mode", ["9610", "1210", "9710", "9810"])
def test_what_fits_is_the_same(mode: str) -> None:
    body, others = four(mode=mode)
    found = compare(body, others)
    assert found.complete
    assert [leg.status for leg in found.legs] == ["same"] * 3
    assert found.legs[0].kind == ("booking" if mode == "9810" else "order")


def test_what_is_not_there() -> None:
    body, _ = four()
    found = compare(body, [])
    assert statuses(found) == {"order": "missing", "waybill": "missing", "payment": "not-needed"}
    assert not found.complete
    body["head"]["tradeMode"] = "9810"
    assert statuses(compare(body, []))["booking"] == "missing"


def test_what_may_not_be_seen_is_unknown_and_not_missing() -> None:
    body, _ = four()
    assert set(statuses(compare(body, [], readable=["list"])).values()) == {"unknown"}
    assert statuses(compare(body, [], readable=["order"]))["order"] == "missing"


@given(st.sampled_from(["1.50", "1.5", "001.5", "1.50000"]), st.sampled_from(["2", "2.0", "2.00000"]))
def test_numbers_are_compared_as_numbers(price: str, quantity: str) -> None:
    body, others = four()
    body["lines"][0] |= {"price": price, "qty": quantity, "totalPrice": "3.0000"}
    body["head"]["grossWeight"] = "1.20000"
    assert compare(body, others).complete


HEAD_LEGS = {
    "ebpCode": {"order", "payment"}, "orderNo": {"order", "payment"}, "ebcCode": {"order", "payment"}, "ebcName": {"order"},
    "logisticsCode": {"waybill"}, "logisticsName": {"waybill"}, "logisticsNo": {"waybill"}, "packNo": {"waybill"},
    "grossWeight": {"waybill"},
}  # fmt: skip


@pytest.mark.parametrize("name", HEAD_LEGS)
@pytest.mark.parametrize("value", ["", "other", "99"])
def test_each_field_of_the_head_is_named_where_it_differs(name: str, value: str) -> None:
    body, others = four()
    body["head"][name] = value
    found = compare(body, others)
    assert {leg.kind for leg in found.legs if leg.status == "differs"} == HEAD_LEGS[name]
    for leg in found.legs:
        for difference in leg.differences:
            assert (difference.field, difference.list_value) == (name, value)
            assert difference.pointer == f"/head/{name}"
            assert difference.other_value


@given(st.integers(0, 4), st.sampled_from(ITEMS))
def test_each_field_of_a_line_is_named_where_it_differs(index: int, name: str) -> None:
    body, others = four(lines=5)
    body["lines"][index][name] = "7.77"
    order = compare(body, others).legs[0]
    assert f"/lines/{index}/{name}" in {item.pointer for item in order.differences}
    assert {item.field for item in order.differences} <= {name, "totalPrice"}


def test_lines_that_only_one_has() -> None:
    body, others = four(lines=2)
    body["lines"].pop()
    order = compare(body, others).legs[0]
    assert [(item.field, item.pointer, item.list_value, item.other_value) for item in order.differences] == [
        ("gnum", "/lines/1", "", "A1"),
        ("totalPrice", "/lines", "3.00", "6"),
    ]


def test_the_type_of_the_order_belongs_to_the_trade_mode() -> None:
    body, others = four(mode="9710")
    body["head"]["tradeMode"] = "9610"
    [difference] = compare(body, others).legs[0].differences
    assert (difference.field, difference.list_value, difference.other_value) == ("tradeMode", "9610", "B")


def test_payments_of_one_order_count_together() -> None:
    body, others = four()
    half = {"head": {**others[2].body["head"], "charge": "3"}, "lines": []}
    two = [Other("payment", f"p{n}", "O1", "accepted", half) for n in range(2)]
    assert compare(body, [*others[:2], *two]).complete
    found = compare(body, [*others[:2], two[0]])
    [difference] = found.legs[2].differences
    assert (difference.list_value, difference.other_value) == ("6.00", "3")


def test_the_waybill_need_not_name_the_seller_but_must_not_name_another() -> None:
    body, others = four()
    others[1].body["head"]["ebcCode"] = "E"
    assert compare(body, others).complete
    others[1].body["head"]["ebcCode"] = "F"
    assert compare(body, others).legs[1].status == "differs"


@pytest.mark.parametrize("state", GONE)
def test_what_is_gone_does_not_count(state: str) -> None:
    body, others = four()
    wrong = {"head": {**others[0].body["head"], "ebcName": "乙"}, "lines": []}
    assert compare(body, [Other("order", "x", "O1", state, wrong), *others]).complete
    assert statuses(compare(body, [Other("order", "x", "O1", state, wrong)]))["order"] == "missing"


def test_an_amendment_counts_once_customs_took_it() -> None:
    body, others = four()
    changed = {"head": {**others[0].body["head"], "ebcName": "乙"}, "lines": others[0].body["lines"]}
    draft = Other("order", "o2", "O1", "draft", changed, revision=2)
    assert compare(body, [*others, draft]).complete
    taken = Other("order", "o2", "O1", "accepted", changed, revision=2)
    assert (
        compare(body, [Other("order", "o", "O1", "amended", others[0].body), *others[1:], taken])
        .legs[0]
        .other
        == taken
    )
    # nothing else is left to compare with
    assert compare(body, [*others[1:], draft]).legs[0].other == draft


def test_a_waybill_number_that_is_used_again_means_the_newer_one() -> None:
    body, others = four()
    old = Other("waybill", "w0", "W1", "settled", {"head": {"logisticsCode": "X"}, "lines": []})
    assert compare(body, [old, *others]).complete


texts = st.dictionaries(
    st.sampled_from([*HEAD_LEGS, *ITEMS, "charge", "goodsValue", "tradeMode"]), st.text(max_size=5)
)
bodies = st.fixed_dictionaries({"head": texts, "lines": st.lists(texts, max_size=3)})


@given(
    bodies,
    st.lists(st.tuples(st.sampled_from(["order", "booking", "waybill", "payment"]), bodies), max_size=5),
)
def test_whatever_stands_there_is_judged(
    body: dict[str, Any], others: list[tuple[str, dict[str, Any]]]
) -> None:
    found = compare(
        body, [Other(kind, str(n), "N", "draft", other) for n, (kind, other) in enumerate(others)]
    )
    for leg in found.legs:
        assert (leg.status == "differs") == bool(leg.differences)
        assert (leg.other is None) == (leg.status in ("missing", "not-needed"))
        for difference in leg.differences:
            assert difference.label.zh
            assert difference.label.en


@given(st.lists(st.decimals(0, 10**6, places=5), min_size=1, max_size=20))
def test_sums_are_exact(totals: list[Decimal]) -> None:
    body, others = four(lines=len(totals))
    for lines in (body["lines"], others[0].body["lines"]):
        for line, total in zip(lines, totals, strict=True):
            line["totalPrice"] = str(total)
    others[0].body["head"]["goodsValue"] = others[2].body["head"]["charge"] = format(sum(totals), "f")
    assert compare(body, others).complete


def test_every_field_that_is_compared_is_declared() -> None:
    doctype = registry.by_kind("list")
    assert doctype is not None
    heads, lines = {item.name for item in doctype.head}, {item.name for item in doctype.lines}
    assert set(HEAD_LEGS) <= heads
    assert set(ITEMS) <= lines
