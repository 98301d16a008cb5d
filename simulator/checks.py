"""What any document must keep by itself: times, types, codes, amounts, weights, parts - as its table says.

Pure: no clock, no database, no network. Must never use the product's own rules.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import ROUND_HALF_UP, Context, Decimal

from simulator.config import Rules
from simulator.contents import Document
from simulator.problems import Refusal
from simulator.tables import LineChecks, Table

_UUID = re.compile(r"[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}")
_STAMP = re.compile(r"[0-9]{14}")
_DATE = re.compile(r"[0-9]{8}")
_CUSTOMS = re.compile(r"[0-9]{4}")
# Customs registration of 10 characters or unified social credit code of 18 (which has no I, O, S, V, Z). Published.
_ENTERPRISE = re.compile(r"[0-9A-Z]{10}|[0-9A-HJ-NPQRTUWXY]{18}")
_APP_TYPES = frozenset({"1", "2", "3"})
# Two numbers of 19 digits have a product of 38; 60 keeps every step exact before the one rounding that is meant.
EXACT = Context(prec=60, rounding=ROUND_HALF_UP)


def check_document(document: Document, table: Table, rules: Rules) -> Refusal | None:
    """The first rule the document itself breaks, or None."""
    head, checks = document.head, table.checks
    return (
        _check_general(head, table)
        or _check_head(head, table, rules)
        or (_check_weights(head, table) if checks.weights else None)
        or (_check_parts(head, table) if table.books.parts else None)
        or (_check_lines(document, table, rules) if checks.lines is not None else None)
        or (_check_period(document, table) if table.kind == 701 else None)
    )


def _check_general(head: Mapping[str, str], table: Table) -> Refusal | None:
    content = table.codes["content"]
    if not _UUID.fullmatch(head["guid"]):
        return Refusal(content, f"guid {head['guid']} 不是大写 UUID", "guid is not an upper-case UUID")
    if head["appType"] not in _APP_TYPES:
        return Refusal(
            content, f"appType 应为 1、2 或 3，实为 {head['appType']}", "appType must be 1, 2 or 3"
        )
    if head["appStatus"] != "2":
        return Refusal(content, "appStatus 应为 2（申报）", "appStatus must be 2 (declare)")
    for name, values in table.checks.choices:
        if head[name] not in values:
            allowed = sorted(value for value in values if value)
            return Refusal(
                content,
                f"{name} 应为 {'、'.join(allowed)} 之一，实为 {head[name]}",
                f"{name} must be one of {', '.join(allowed)}",
            )
    for name in table.checks.times:
        # Optional times may be left out; a required one cannot be empty, the structure sees to that.
        if head[name] and not is_time(head[name]):
            return Refusal(
                content, f"{name} {head[name]} 不是 yyyyMMddHHmmss 的时间", f"{name} is not yyyyMMddHHmmss"
            )
    for name in table.checks.dates:
        if not _DATE.fullmatch(head[name]) or not is_time(head[name] + "000000"):
            return Refusal(content, f"{name} {head[name]} 不是 yyyyMMdd 的日期", f"{name} is not yyyyMMdd")
    return None


def is_time(text: str) -> bool:
    """Whether a text is a time that exists, as yyyyMMddHHmmss."""
    if not _STAMP.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(f"{text[:8]}T{text[8:]}")
    except ValueError:
        return False
    return True


def _check_head(head: Mapping[str, str], table: Table, rules: Rules) -> Refusal | None:
    checks, codes = table.checks, table.codes
    for name in checks.customs:
        if not _CUSTOMS.fullmatch(head[name]):
            return Refusal(
                codes["content"],
                f"{name} {head[name]} 不是 4 位关区代码",
                f"{name} is not a customs code of 4 digits",
            )
    if rules.check_codes:
        for name, nobody in checks.enterprises:
            value = head[name]
            if value and value != nobody and not _ENTERPRISE.fullmatch(value):
                return Refusal(
                    codes["enterprise"],
                    f"{name} {value} 不是 10 位海关注册编码或 18 位统一社会信用代码",
                    f"{name} is neither a customs registration of 10 nor a social credit code of 18 characters",
                )
    for name in checks.positive:
        if Decimal(head[name]) <= 0:
            return Refusal(codes["amount"], f"{name} 应大于 0", f"{name} must be above 0")
    for name in checks.not_negative:
        if Decimal(head[name]) < 0:
            return Refusal(codes["amount"], f"{name} 不得为负", f"{name} must not be negative")
    return None


def _check_weights(head: Mapping[str, str], table: Table) -> Refusal | None:
    names = table.checks.weights
    weights = [Decimal(head[name]) for name in names]
    for name, weight in zip(names, weights, strict=True):
        if weight <= 0:
            return Refusal(table.codes["weight"], f"{name} {weight} 应大于 0", f"{name} must be above 0")
    if len(weights) == 2 and weights[1] > weights[0]:
        return Refusal(
            table.codes["weight"],
            f"净重 {weights[1]} 大于毛重 {weights[0]}",
            f"net weight {weights[1]} is above gross weight {weights[0]}",
        )
    return None


def _check_parts(head: Mapping[str, str], table: Table) -> Refusal | None:
    count, number = Decimal(head["msgCount"]), Decimal(head["msgSeqNo"])
    if number < 1 or count < number:
        return Refusal(
            table.codes["parts"],
            f"报文序号 {number} 应在 1 到报文总数 {count} 之间",
            f"msgSeqNo {number} must lie between 1 and msgCount {count}",
        )
    return None


def _check_period(document: Document, table: Table) -> Refusal | None:
    """A summary application names lists or a period."""
    start, end = document.head["startTime"], document.head["endTime"]
    if bool(start) != bool(end) or start > end:
        return Refusal(
            table.codes["content"],
            f"汇总开始时间 {start or '空'} 与结束时间 {end or '空'} 应同时填写且不得颠倒",
            "startTime and endTime go together, the end not before the start",
        )
    if not start and not document.lines:
        return Refusal(
            table.codes["content"],
            "未填汇总时间段，也没有清单编号",
            "neither a period nor a list number is given",
        )
    return None


def _check_lines(document: Document, table: Table, rules: Rules) -> Refusal | None:
    checks = table.checks.lines
    if checks is None:
        return None
    codes, numbered = table.codes, checks.number == "gnum"
    currency = document.head["currency"] if checks.currency else ""
    step = Decimal(1).scaleb(-rules.amount_scale)
    total = Decimal(0)
    seen: set[int | str] = set()
    for line in document.lines:
        where = line[checks.number]
        number = int(Decimal(where)) if numbered else where
        if number in seen or (isinstance(number, int) and number < 1):
            return Refusal(
                codes["repeated"],
                f"第 {where} 项序号重复或小于 1" if numbered else f"{where} 重复",
                f"item {where} is repeated or below 1",
            )
        seen.add(number)
        if currency and line["currency"] != currency:
            return Refusal(
                codes["currency"],
                f"第 {where} 项币制 {line['currency']} 与表头币制 {currency} 不一致",
                f"item {where}: currency {line['currency']} is not the head's {currency}",
            )
        fault = _check_signs(line, where, checks, codes)
        if fault is not None:
            return fault
        if checks.product:
            stated = Decimal(line["totalPrice"])
            computed = EXACT.quantize(EXACT.multiply(Decimal(line["qty"]), Decimal(line["price"])), step)
            if abs(EXACT.subtract(computed, stated)) > rules.amount_tolerance:
                return Refusal(
                    codes["amount"],
                    f"第 {where} 项总价 {stated} 与数量×单价 {computed} 不符",
                    f"item {where}: total {stated} is not quantity x price = {computed}",
                )
            total = EXACT.add(total, stated)
    return _check_sum(document, total, table, rules) if checks.sum else None


def _check_signs(
    line: Mapping[str, str], where: str, checks: LineChecks, codes: Mapping[str, str]
) -> Refusal | None:
    for name in checks.positive:
        if Decimal(line[name]) <= 0:
            return Refusal(
                codes["amount"], f"第 {where} 项 {name} 应大于 0", f"item {where}: {name} must be above 0"
            )
    for name in checks.not_negative:
        # Only a text with a minus can be negative, which spares making a number of all the others.
        if line[name][:1] == "-" and Decimal(line[name]) < 0:
            return Refusal(
                codes["amount"], f"第 {where} 项 {name} 不得为负", f"item {where}: {name} is negative"
            )
    return None


def _check_sum(document: Document, total: Decimal, table: Table, rules: Rules) -> Refusal | None:
    name = table.checks.lines.sum if table.checks.lines else ""
    value = Decimal(document.head[name])
    if rules.check_goods_value and abs(EXACT.subtract(total, value)) > rules.amount_tolerance:
        return Refusal(
            table.codes["amount"],
            f"商品金额 {value} 与各项总价之和 {total} 不符",
            f"{name} {value} is not the sum of totals {total}",
        )
    return None
