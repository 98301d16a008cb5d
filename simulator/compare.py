"""Four documents compared (四单比对): a list against its order or booking, its waybill, and payments where there are any.

Published is that the four must agree; which fields, and what a difference is answered with, is assumed. Pure.
Must never look anything up: what is not given is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from simulator.checks import EXACT
from simulator.config import Rules

# Revision note of 202205: E for 9610 and 1210, B for 9710, W for 9810.
ORDER_TYPES = {"9610": "E", "1210": "E", "9710": "B", "9810": "W"}


@dataclass(frozen=True, slots=True)
class Leg:
    """What the books keep of a document for comparison."""

    head: Mapping[str, str]
    lines: Sequence[Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Legs that are not there yet, and in what the others differ; Chinese sentences for the receipt."""

    missing: tuple[str, ...]
    differences: tuple[str, ...]

    @property
    def reason(self) -> str:
        """Everything that is wrong, at most as long as a receipt may be."""
        text = "四单比对不符：" + "；".join((*self.missing, *self.differences))
        return text if len(text) <= 1000 else text[:997] + "……"


def compare(
    one: Leg, order: Leg | None, waybill: Leg | None, payments: Sequence[Leg], rules: Rules
) -> Comparison:
    """Hold a list against what was found for it."""
    missing: list[str] = []
    differences: list[str] = []
    name = "海外仓订仓单" if one.head["tradeMode"] == "9810" else "订单"
    if order is None:
        missing.append(f"缺少{name}：电商平台 {one.head['ebpCode']} 的 {one.head['orderNo']} 未入库")
    else:
        differences += _order(name, one, order, rules)
    if waybill is None:
        missing.append(f"缺少运单：物流企业 {one.head['logisticsCode']} 的 {one.head['logisticsNo']} 未入库")
    else:
        differences += _numbers("运单", one.head, waybill.head, ("packNo", "grossWeight"))
    if payments:
        differences += _payments(one, order, payments, rules)
    elif rules.require_payment:
        missing.append(f"缺少收款单：{one.head['orderNo']} 未入库")
    return Comparison(tuple(missing), tuple(differences))


def _differs(leg: str, field: str, theirs: str, ours: str) -> str:
    return f"{leg} {field} 为 {theirs or '空'}，清单为 {ours or '空'}"


def _numbers(
    leg: str, ours: Mapping[str, str], theirs: Mapping[str, str], names: tuple[str, ...]
) -> list[str]:
    return [
        _differs(leg, name, theirs[name], ours[name])
        for name in names
        if Decimal(theirs[name]) != Decimal(ours[name])
    ]


def _order(name: str, one: Leg, order: Leg, rules: Rules) -> list[str]:
    found: list[str] = []
    wanted = ORDER_TYPES[one.head["tradeMode"]]
    if order.head["orderType"] != wanted:
        found.append(
            f"{name} orderType 为 {order.head['orderType']}，监管方式 {one.head['tradeMode']} 的清单应为 {wanted}"
        )
    if order.head["ebcCode"] != one.head["ebcCode"]:
        found.append(_differs(name, "ebcCode", order.head["ebcCode"], one.head["ebcCode"]))
    if len(order.lines) != len(one.lines):
        found.append(_differs(name, "商品项数", str(len(order.lines)), str(len(one.lines))))
    theirs = {int(Decimal(line["gnum"])): line for line in order.lines}
    for line in one.lines:
        other = theirs.get(int(Decimal(line["gnum"])))
        leg = f"{name}第 {line['gnum']} 项"
        if other is None:
            found.append(f"{name}没有清单的第 {line['gnum']} 项")
            continue
        found += [
            _differs(leg, field, other[field], line[field])
            for field in ("itemNo", "currency")
            if other[field] != line[field]
        ]
        found += _numbers(leg, line, other, ("qty", "price", "totalPrice"))
    total = _total(one)
    apart = abs(EXACT.subtract(Decimal(order.head["goodsValue"]), total))
    if rules.check_goods_value and apart > rules.amount_tolerance:
        found.append(_differs(name, "goodsValue", order.head["goodsValue"], f"总价合计 {total}"))
    return found


def _total(one: Leg) -> Decimal:
    total = Decimal(0)
    for line in one.lines:
        total = EXACT.add(total, Decimal(line["totalPrice"]))
    return total


def _payments(one: Leg, order: Leg | None, payments: Sequence[Leg], rules: Rules) -> list[str]:
    found: list[str] = []
    charged, currency = Decimal(0), one.lines[0]["currency"]
    for payment in payments:
        leg = f"收款单 {payment.head['payNo']}".strip()
        if payment.head["ebcCode"] != one.head["ebcCode"]:
            found.append(_differs(leg, "ebcCode", payment.head["ebcCode"], one.head["ebcCode"]))
        if payment.head["currency"] != currency:
            found.append(_differs(leg, "currency", payment.head["currency"], currency))
        charged = EXACT.add(charged, Decimal(payment.head["charge"]))
    if rules.compare_charge and not found:
        total = _total(one)
        freight = Decimal(order.head["freight"]) if order is not None else Decimal(0)
        least, most = total - rules.amount_tolerance, EXACT.add(total, freight) + rules.amount_tolerance
        if not least <= charged <= most:
            found.append(_differs("收款单", "charge", f"{charged}", f"总价合计 {total}"))
    return found
