"""Judging one document: the rules any order must keep, then what the books already hold, then the script.

Pure: no clock, no database, no network. Must never use the product's own rules.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal

from simulator.config import Rules
from simulator.problems import Refusal
from simulator.script import Script
from simulator.structure import Document

# Negative statuses for orders. Published meanings (error ranges of table 7-2): -301002 duplicate item number,
# -301010 order number exists, -301014 older than the stored message, -10102 enterprise type or code invalid.
# The others are inside the published range of order errors, their meaning is assumed.
DUPLICATE_ITEM = "-301002"
AMOUNT = "-301003"
CURRENCY = "-301004"
CONTENT = "-301005"
EXISTS = "-301010"
UNKNOWN_ORDER = "-301012"
OLDER = "-301014"
ENTERPRISE = "-10102"

_UUID = re.compile(r"[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}")
_STAMP = re.compile(r"[0-9]{14}")
_ORDER_TYPES = frozenset({"E", "B", "W"})
_APP_TYPES = frozenset({"1", "2", "3"})
# Two numbers of 19 digits have a product of 38; 60 keeps every step exact before the one rounding that is meant.
_EXACT = Context(prec=60, rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Earlier:
    """What the books already say about one order number on one platform."""

    guid: str
    app_type: str
    app_time: str
    accepted: bool


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome for one document. `verdict` is accepted, rejected, error, inspect or silent."""

    verdict: str
    code: str
    info: str
    steps: tuple[str, ...]
    delay_ms: int
    prefixed: bool


def check_message(
    message: dict[str, str], sender: str, msg_type: str, root_type: str, holder_code: str | None
) -> None:
    """Envelope, transfer node and certificate must name the same party. Raises Refusal."""
    if msg_type != root_type:
        raise Refusal(
            CONTENT,
            f"信封 MsgType 为 {msg_type or '空'}，业务报文为 {root_type}",
            f"envelope says MsgType {msg_type or 'nothing'}, the message is {root_type}",
        )
    if message["dxpMode"] != "DXP":
        raise Refusal(CONTENT, "BaseTransfer 的 dxpMode 应为 DXP", "BaseTransfer/dxpMode must be DXP")
    if message["dxpId"] != sender:
        raise Refusal(
            ENTERPRISE,
            f"BaseTransfer 的 dxpId {message['dxpId']} 与信封发送方 {sender} 不一致",
            f"BaseTransfer/dxpId {message['dxpId']} is not the envelope's sender {sender}",
        )
    if holder_code is not None and message["copCode"] != holder_code:
        raise Refusal(
            ENTERPRISE,
            f"传输企业代码 {message['copCode']} 与证书持有人 {holder_code} 不一致",
            f"BaseTransfer/copCode {message['copCode']} is not the certificate holder's code {holder_code}",
        )


def check_document(document: Document, rules: Rules) -> Refusal | None:
    """The first rule the document itself breaks, or None."""
    head = document.head
    if not _UUID.fullmatch(head["guid"]):
        return Refusal(CONTENT, f"guid {head['guid']} 不是大写 UUID", "guid is not an upper-case UUID")
    if head["appType"] not in _APP_TYPES:
        return Refusal(
            CONTENT, f"appType 应为 1、2 或 3，实为 {head['appType']}", "appType must be 1, 2 or 3"
        )
    if head["appStatus"] != "2":
        return Refusal(CONTENT, "appStatus 应为 2（申报）", "appStatus must be 2 (declare)")
    if head["orderType"] not in _ORDER_TYPES:
        return Refusal(
            CONTENT, f"orderType 应为 E、B 或 W，实为 {head['orderType']}", "orderType must be E, B or W"
        )
    if not _is_time(head["appTime"]):
        return Refusal(
            CONTENT, f"appTime {head['appTime']} 不是 yyyyMMddHHmmss 的时间", "appTime is not yyyyMMddHHmmss"
        )
    return _check_lines(document, rules)


def _is_time(text: str) -> bool:
    if not _STAMP.fullmatch(text):
        return False
    date, clock = text[:8], text[8:]
    try:
        datetime.fromisoformat(f"{date}T{clock}")
    except ValueError:
        return False
    return True


def _check_lines(document: Document, rules: Rules) -> Refusal | None:
    currency = document.head["currency"]
    step = Decimal(1).scaleb(-rules.amount_scale)
    total = Decimal(0)
    seen: set[int] = set()
    for line in document.lines:
        number = int(line["gnum"])
        where = f"第 {number} 项"
        if number in seen or number < 1:
            return Refusal(
                DUPLICATE_ITEM, f"{where}序号重复或小于 1", f"item number {number} is repeated or below 1"
            )
        seen.add(number)
        if line["currency"] != currency:
            return Refusal(
                CURRENCY,
                f"{where}币制 {line['currency']} 与表头币制 {currency} 不一致",
                f"item {number}: currency {line['currency']} is not the head's {currency}",
            )
        quantity, price, stated = Decimal(line["qty"]), Decimal(line["price"]), Decimal(line["totalPrice"])
        if quantity <= 0 or price < 0 or stated < 0:
            return Refusal(
                AMOUNT, f"{where}数量应大于 0，单价、总价不得为负", f"item {number}: amount out of range"
            )
        computed = _EXACT.quantize(_EXACT.multiply(quantity, price), step)
        if abs(_EXACT.subtract(computed, stated)) > rules.amount_tolerance:
            return Refusal(
                AMOUNT,
                f"{where}总价 {stated} 与数量×单价 {computed} 不符",
                f"item {number}: total {stated} is not quantity x price = {computed}",
            )
        total = _EXACT.add(total, stated)
    value, freight = Decimal(document.head["goodsValue"]), Decimal(document.head["freight"])
    if value < 0 or freight < 0:
        return Refusal(AMOUNT, "商品金额、运杂费不得为负", "goodsValue and freight must not be negative")
    if rules.check_goods_value and abs(_EXACT.subtract(total, value)) > rules.amount_tolerance:
        return Refusal(
            AMOUNT,
            f"商品金额 {value} 与各项总价之和 {total} 不符",
            f"goodsValue {value} is not the sum of totals {total}",
        )
    return None


def check_books(head: dict[str, str], earlier: Sequence[Earlier]) -> Refusal | None:
    """Does the document fit what was accepted before under the same platform and order number?"""
    accepted = [row for row in earlier if row.accepted]
    if any(row.guid == head["guid"] and row.app_type == head["appType"] for row in accepted):
        return Refusal(
            EXISTS,
            f"订单 {head['orderNo']} 已申报并入库，请勿重复申报",
            f"order {head['orderNo']} was accepted before under another message",
        )
    if head["appType"] == "1":
        # A deleted order may be declared anew; what was last accepted decides.
        if accepted and accepted[-1].app_type != "3":
            return Refusal(
                EXISTS,
                f"订单编号 {head['orderNo']} 已存在，请更换编号或改为变更申报",
                f"order number {head['orderNo']} exists; use another number or amend",
            )
        return None
    if not accepted or accepted[-1].app_type == "3":
        return Refusal(
            UNKNOWN_ORDER,
            f"订单 {head['orderNo']} 未入库，不能变更或删除",
            f"order {head['orderNo']} is not in the books, it cannot be amended or deleted",
        )
    if head["appTime"] < accepted[-1].app_time:
        return Refusal(
            OLDER,
            f"申报时间 {head['appTime']} 早于已入库报文 {accepted[-1].app_time}",
            f"appTime {head['appTime']} is older than the stored {accepted[-1].app_time}",
        )
    return None


_VERDICTS = {
    "accept": "accepted",
    "reject": "rejected",
    "error": "error",
    "inspect": "inspect",
    "silent": "silent",
}


def judge(document: Document, earlier: Sequence[Earlier], rules: Rules, script: Script) -> Judgement:
    """The outcome of a well-built, rightly signed document."""
    fault = check_document(document, rules) or check_books(document.head, earlier)
    outcome = script.outcome_for(document.head["orderNo"])
    if fault is not None:
        return refused(fault, outcome.prefixed)
    return Judgement(
        _VERDICTS[outcome.outcome],
        outcome.code,
        outcome.info,
        outcome.steps,
        outcome.delay_ms,
        outcome.prefixed,
    )


def refused(fault: Refusal, prefixed: bool) -> Judgement:
    """A processing exception: it comes alone and at once."""
    return Judgement("error", fault.status, fault.zh[:1000], (), 0, prefixed)
