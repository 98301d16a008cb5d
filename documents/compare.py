"""四单比对: an export list against its order (or booking), waybill and receipt of payment, before customs does it.

Source: guide 002, 3.2 (customs compares the four documents when a list is filed) and the field tables, which say of
several fields that they equal those of another document. What exactly customs compares is not published: the choice
of fields below is assumed. Pure; never decides whether a list may be filed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from documents import registry
from documents.rules import amount, plain
from documents.spec import Body, DocumentType
from documents.words import Words

Status = Literal["same", "differs", "missing", "not-needed", "unknown"]
#: (field of the list, field of the other)
_Pairs = tuple[tuple[str, str], ...]

#: in the heads of both, compared as texts
_HEAD: dict[str, _Pairs] = {
    "order": (("ebpCode", "ebpCode"), ("orderNo", "orderNo"), ("ebcCode", "ebcCode"), ("ebcName", "ebcName")),
    "waybill": (
        ("logisticsCode", "logisticsCode"),
        ("logisticsName", "logisticsName"),
        ("logisticsNo", "logisticsNo"),
    ),
    "payment": (("ebpCode", "ebpCode"), ("orderNo", "orderNo"), ("ebcCode", "ebcCode")),
}
#: in the heads of both, compared as numbers
_NUMBERS: dict[str, _Pairs] = {"waybill": (("packNo", "packNo"), ("grossWeight", "grossWeight"))}
#: only where the other one names it
_IF_NAMED: dict[str, _Pairs] = {"waybill": (("ebcCode", "ebcCode"),)}
#: line by line, which customs numbers in the same order
_LINE_TEXTS = ("itemNo", "unit", "currency")
_LINE_NUMBERS = ("qty", "price", "totalPrice")
#: trade mode -> the value of orderType that belongs to it (field tables CEB303, CEB603)
_ORDER_TYPE = {"9610": "E", "1210": "E", "9710": "B", "9810": "W"}
_TOTAL = Words("总价合计", "Sum of totals")
_LINE = Words("商品项", "Line")
#: states in which a document speaks for nothing any more
GONE = ("amended", "deleted", "cancelled")


@dataclass(frozen=True, slots=True)
class Other:
    """A document that shares order or waybill with the list; as they were stored, oldest first."""

    kind: str
    id: str
    number: str
    state: str
    body: Body
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that is not the same. pointer: into the list's body."""

    field: str
    label: Words
    list_value: str
    other_value: str
    pointer: str


@dataclass(frozen=True, slots=True)
class Leg:
    """One of the other documents, or that it is not there. unknown: the reader may not see this kind."""

    kind: str
    status: Status
    other: Other | None = None
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """complete: every document that is needed is there and says the same."""

    legs: tuple[Leg, ...]
    complete: bool = field(init=False)

    def __post_init__(self) -> None:
        fine = all(leg.status in ("same", "not-needed") for leg in self.legs)
        object.__setattr__(self, "complete", fine)


def compare(body: Body, others: Iterable[Other], readable: Iterable[str] | None = None) -> Comparison:
    """The list's body against what shares its order and waybill. readable: kinds the reader may see, None = all."""
    found = _in_force(others)
    seen = None if readable is None else set(readable)
    trade = "booking" if body["head"].get("tradeMode") == "9810" else "order"
    legs = [
        _leg(body, trade, [item for item in found if item.kind in ("order", "booking")][-1:], seen),
        _leg(body, "waybill", [item for item in found if item.kind == "waybill"][-1:], seen),
    ]
    payments = [item for item in found if item.kind == "payment"]
    received = _sum(item.body["head"].get("charge", "") for item in payments)
    legs += [_paid(body, one, received) for one in payments] or [_unpaid(seen)]
    return Comparison(tuple(legs))


def _in_force(others: Iterable[Other]) -> list[Other]:
    """Without what is gone, and without revisions that customs did not take yet where the one before still stands."""
    found = [item for item in others if item.state not in GONE]
    standing = [item for item in found if item.revision == 1 or item.state in _held(item.kind)]
    names = {(item.kind, item.number) for item in standing}
    return [item for item in found if item in standing or (item.kind, item.number) not in names]


def _held(kind: str) -> frozenset[str]:
    doctype = registry.by_kind(kind)
    return doctype.lifecycle.held if doctype else frozenset()


def _leg(body: Body, kind: str, found: Sequence[Other], seen: set[str] | None) -> Leg:
    if seen is not None and kind not in seen and not found:
        return Leg(kind, "unknown")
    if not found:
        return Leg(kind, "missing")
    other = found[0]
    differences = tuple(_differences(body, other))
    return Leg(other.kind, "differs" if differences else "same", other, differences)


def _unpaid(seen: set[str] | None) -> Leg:
    """The receipt of payment is optional (guide 003)."""
    return Leg("payment", "unknown" if seen is not None and "payment" not in seen else "not-needed")


def _paid(body: Body, other: Other, received: Decimal | None) -> Leg:
    """received: the sum of all payments of the order, which count together."""
    differences = [*_heads("payment", body["head"], other.body["head"])]
    total = _sum(line.get("totalPrice", "") for line in body["lines"])
    if total != received:
        shown = other.body["head"].get("charge", "") if received is None else plain(received)
        differences.append(Difference("totalPrice", _TOTAL, _shown(total), shown, "/lines"))
    currency = other.body["head"].get("currency", "")
    for index, line in enumerate(body["lines"]):
        if line.get("currency", "") != currency:
            differences.append(_of_line(index, "currency", line.get("currency", ""), currency))
    return Leg("payment", "differs" if differences else "same", other, tuple(differences))


def _differences(body: Body, other: Other) -> Iterator[Difference]:
    kind = "order" if other.kind == "booking" else other.kind
    yield from _heads(kind, body["head"], other.body["head"])
    if kind == "order":
        yield from _trade(body["head"], other.body["head"])
        yield from _lines(body["lines"], other.body["lines"])
        total = _sum(line.get("totalPrice", "") for line in body["lines"])
        stated = other.body["head"].get("goodsValue", "")
        if total != amount(stated):
            yield Difference("totalPrice", _TOTAL, _shown(total), stated, "/lines")


def _heads(kind: str, head: Body, other: Body) -> Iterator[Difference]:
    pairs = [(ours, theirs, _same_text) for ours, theirs in _HEAD[kind]]
    pairs += [(ours, theirs, _same_number) for ours, theirs in _NUMBERS.get(kind, ())]
    pairs += [(ours, theirs, _same_text) for ours, theirs in _IF_NAMED.get(kind, ()) if other.get(theirs)]
    for ours, theirs, same in pairs:
        mine, yours = str(head.get(ours, "")), str(other.get(theirs, ""))
        if not same(mine, yours):
            yield Difference(ours, _list().head_field(ours).words, mine, yours, f"/head/{ours}")


def _trade(head: Body, other: Body) -> Iterator[Difference]:
    """The order's type must be the one of the list's trade mode."""
    mode, kind = str(head.get("tradeMode", "")), str(other.get("orderType", ""))
    if mode in _ORDER_TYPE and kind and _ORDER_TYPE[mode] != kind:
        yield Difference("tradeMode", _list().head_field("tradeMode").words, mode, kind, "/head/tradeMode")


def _lines(mine: Sequence[Body], yours: Sequence[Body]) -> Iterator[Difference]:
    for index in range(max(len(mine), len(yours))):
        if index >= len(mine) or index >= len(yours):
            ours = mine[index].get("itemNo", "") if index < len(mine) else ""
            theirs = yours[index].get("itemNo", "") if index < len(yours) else ""
            yield Difference("gnum", _LINE, str(ours), str(theirs), f"/lines/{index}")
            continue
        for name, same in [(item, _same_text) for item in _LINE_TEXTS] + [
            (item, _same_number) for item in _LINE_NUMBERS
        ]:
            ours, theirs = str(mine[index].get(name, "")), str(yours[index].get(name, ""))
            if not same(ours, theirs):
                yield _of_line(index, name, ours, theirs)


def _of_line(index: int, name: str, mine: str, yours: str) -> Difference:
    label = next((item.words for item in _list().lines if item.name == name), Words(name, name))
    return Difference(name, label, mine, yours, f"/lines/{index}/{name}")


def _same_text(mine: str, yours: str) -> bool:
    return mine.strip() == yours.strip()


def _same_number(mine: str, yours: str) -> bool:
    left, right = amount(mine), amount(yours)
    return mine == yours if left is None or right is None else left == right


def _sum(values: Iterable[Any]) -> Decimal | None:
    """None where a value is missing or no number: then there is no sum to compare."""
    found = [amount(str(value)) for value in values]
    known = [value for value in found if value is not None]
    return sum(known, Decimal(0)) if len(known) == len(found) else None


def _shown(value: Decimal | None) -> str:
    return "" if value is None else plain(value)


def _list() -> DocumentType:
    found = registry.by_kind("list")
    assert found is not None  # declared; the registry's tests hold it
    return found
