"""Four documents compared: what agrees, what differs in which words, what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.compare import Leg, compare
from simulator.config import Rules
from tests.unit.simulator.material import CODE
from tests.unit.simulator.papers import CARRIER

LIST = {
    "ebpCode": CODE, "orderNo": "ORD-1", "logisticsCode": CARRIER, "logisticsNo": "WB-1", "ebcCode": CODE,
    "tradeMode": "9610", "packNo": "1", "grossWeight": "1.5",
}  # fmt: skip
LINES = (
    {"gnum": "1", "itemNo": "SKU1", "currency": "502", "qty": "2", "price": "9.5", "totalPrice": "19"},
    {"gnum": "2", "itemNo": "SKU2", "currency": "502", "qty": "3", "price": "4", "totalPrice": "12"},
)
ORDER = {
    "orderType": "E",
    "ebpCode": CODE,
    "ebcCode": CODE,
    "goodsValue": "31",
    "freight": "2",
    "currency": "502",
}
WAYBILL = {"packNo": "1", "grossWeight": "1.50000"}
PAYMENT = {"ebpCode": CODE, "ebcCode": CODE, "charge": "31", "currency": "502", "payNo": "PAY-1"}

Change = Mapping[str, str]


def listed(line: Change | None = None, **head: str) -> Leg:
    return Leg(LIST | head, [LINES[0] | (line or {}), LINES[1]])


def order(line: Change | None = None, **head: str) -> Leg:
    return Leg(ORDER | head, [LINES[0] | (line or {}), LINES[1]])


def payment(**head: str) -> Leg:
    return Leg(PAYMENT | head, [])


def test_what_agrees_agrees() -> None:
    found = compare(listed(), order(), Leg(WAYBILL, []), [payment()], Rules())
    assert (found.missing, found.differences) == ((), ())
    # Numbers are compared as numbers, lines by their number and not by their place.
    turned = Leg(ORDER, [LINES[1], LINES[0] | {"gnum": "01", "qty": "2.00", "totalPrice": "19.0"}])
    assert compare(listed(), turned, Leg(WAYBILL, []), [], Rules()).differences == ()


def test_each_missing_leg_is_named() -> None:
    found = compare(listed(), None, None, [], Rules())
    assert [text[:4] for text in found.missing] == ["缺少订单", "缺少运单"]
    assert "ORD-1" in found.reason
    assert "WB-1" in found.reason
    assert "海外仓订仓单" in compare(listed(tradeMode="9810"), None, None, [], Rules()).missing[0]
    needed = compare(listed(), order(), Leg(WAYBILL, []), [], Rules(require_payment=True))
    assert needed.missing == ("缺少收款单：ORD-1 未入库",)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (order(ebcCode="91330100MA2K0TXT2X"), ("订单 ebcCode", "91330100MA2K0TXT2X", CODE)),
        (order(orderType="B"), ("订单 orderType 为 B", "9610", "E")),
        (order({"itemNo": "SKU9"}), ("订单第 1 项 itemNo", "SKU9", "SKU1")),
        (order({"currency": "142"}), ("订单第 1 项 currency", "142", "502")),
        (order({"qty": "3"}), ("订单第 1 项 qty 为 3，清单为 2",)),
        (order({"price": "9.51"}), ("订单第 1 项 price 为 9.51，清单为 9.5",)),
        (order({"totalPrice": "18.99"}), ("订单第 1 项 totalPrice 为 18.99，清单为 19",)),
        (order(goodsValue="32"), ("订单 goodsValue 为 32，清单为 总价合计 31",)),
        (Leg(ORDER, LINES[:1]), ("商品项数 为 1，清单为 2", "订单没有清单的第 2 项")),
    ],
)
def test_each_difference_with_the_order_names_leg_field_and_both_values(
    other: Leg, words: tuple[str, ...]
) -> None:
    found = compare(listed(), other, Leg(WAYBILL, []), [], Rules())
    assert found.missing == ()
    assert all(word in found.reason for word in words), found.reason


@pytest.mark.parametrize(("mode", "kind"), [("9610", "E"), ("1210", "E"), ("9710", "B"), ("9810", "W")])
def test_the_order_is_of_the_kind_of_the_trade_mode(mode: str, kind: str) -> None:
    for other in "EBW":
        found = compare(listed(tradeMode=mode), order(orderType=other), Leg(WAYBILL, []), [], Rules())
        assert bool(found.differences) == (other != kind)


def test_differences_with_the_waybill() -> None:
    found = compare(listed(), order(), Leg({"packNo": "2", "grossWeight": "1.51"}, []), [], Rules())
    assert found.differences == ("运单 packNo 为 2，清单为 1", "运单 grossWeight 为 1.51，清单为 1.5")


@pytest.mark.parametrize(
    ("charges", "good"),
    [
        (["31"], True),
        (["33"], True),
        (["20", "11"], True),
        (["30.98"], False),
        (["33.02"], False),
        (["31", "31"], False),
    ],
)
def test_what_was_received_is_the_goods_with_or_without_freight(charges: list[str], good: bool) -> None:
    payments = [payment(charge=charge) for charge in charges]
    found = compare(listed(), order(), Leg(WAYBILL, []), payments, Rules())
    assert bool(found.differences) != good
    assert not compare(listed(), order(), Leg(WAYBILL, []), payments, Rules(compare_charge=False)).differences


def test_differences_with_a_payment() -> None:
    other = payment(ebcCode="91330100MA2K0TXT2X", currency="142")
    found = compare(listed(), order(), Leg(WAYBILL, []), [other], Rules())
    assert [text.split(" 为 ")[0] for text in found.differences] == [
        "收款单 PAY-1 ebcCode",
        "收款单 PAY-1 currency",
    ]


def test_the_reason_is_never_longer_than_a_receipt_takes() -> None:
    lines = [LINES[0] | {"gnum": str(at)} for at in range(1, 101)]
    other = Leg(ORDER, [line | {"itemNo": "X" * 30} for line in lines])
    assert len(compare(Leg(LIST, lines), other, None, [], Rules()).reason) <= 1000


amounts = st.decimals(min_value=Decimal("0.00001"), max_value=Decimal(99999999999999), places=5).map(str)


@given(
    numbers=st.lists(st.tuples(amounts, amounts, amounts), min_size=1, max_size=5),
    field=st.sampled_from(["qty", "price", "totalPrice"]),
    at=st.integers(0, 4),
)
def test_any_line_agrees_with_itself_and_any_changed_number_is_found(
    numbers: list[tuple[str, str, str]], field: str, at: int
) -> None:
    lines = [
        {
            "gnum": str(number),
            "itemNo": "X",
            "currency": "502",
            "qty": qty,
            "price": price,
            "totalPrice": total,
        }
        for number, (qty, price, total) in enumerate(numbers, 1)
    ]
    rules = Rules(check_goods_value=False)
    one = Leg(LIST, lines)
    assert not compare(one, Leg(ORDER, lines), Leg(WAYBILL, []), [], rules).differences
    changed = [dict(line) for line in lines]
    target = changed[at % len(changed)]
    target[field] = str(Decimal(target[field]) + Decimal("0.00001"))
    (difference,) = compare(one, Leg(ORDER, changed), Leg(WAYBILL, []), [], rules).differences
    assert field in difference
    assert target[field] in difference
