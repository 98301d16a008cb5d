"""What is begun from an export list: its return and its cancellation, as far as the list tells them."""

from __future__ import annotations

from collections.abc import Iterable

from documents.rules import amount
from documents.spec import Body
from documents.words import Words, Wrong

_PARTIES = ("customsCode", "agentCode", "agentName", "ebcCode", "ebcName")
_RETURN_HEAD = (
    *_PARTIES, "loctNo", "ebpCode", "ebpName", "logisticsNo", "logisticsCode", "logisticsName", "invtNo", "billNo",
    "trafMode", "trafName", "voyageNo", "portCode", "country",
)  # fmt: skip
_RETURN_LINE = ("gcode", "gname", "gmodel", "qty", "qty1", "unit", "unit1", "qty2", "unit2")
#: CEB213, tradeMode: 9661 for general returns, 1261 for those to a special area
_RETURN_MODES = {"9610": "9661", "1210": "1261"}
#: states of a list of which goods can come back
RELEASED = ("released", "closed", "case_closed")
#: assumed: customs decides on a cancellation until the list is closed (-623005: its state does not allow it)
CANCELLABLE = ("accepted", "in_review", "settled", "inspection", "released")


def return_of(body: Body) -> Body:
    """The return of everything in a list; the reason, and what came back in fact, is for people to say."""
    head = {name: body["head"][name] for name in _RETURN_HEAD if body["head"].get(name)}
    mode = _RETURN_MODES.get(body["head"].get("tradeMode", ""))
    if mode:
        head["tradeMode"] = mode
    # the waybill number stands for a bill there is none of (field table)
    head.setdefault("billNo", body["head"].get("logisticsNo", ""))
    lines = [
        {"gnum": str(number), **{name: line[name] for name in _RETURN_LINE if line.get(name)}}
        for number, line in enumerate(body["lines"], 1)
    ]
    return {"head": head, "lines": lines}


def cancellation_of(body: Body) -> Body:
    """The cancellation of a list; the reason is for people to say."""
    names = (*_PARTIES, "invtNo")
    return {"head": {name: body["head"][name] for name in names if body["head"].get(name)}, "lines": []}


def within_list(body: Body, number: str, state: str, original: Body) -> Iterable[Wrong]:
    """A return names a released list, and no more of any item than is in it (CEB213, rules)."""
    if state not in RELEASED:
        yield Wrong(
            ("head", "invtNo"),
            "not-released",
            Words(
                f"原清单 {number} 尚未放行，不能退货；请放行后再申报，或改用撤销申请。",
                f"List {number} is not released yet, nothing of it can be returned; wait, or cancel the list.",
            ),
            body["head"].get("invtNo", ""),
        )
        return
    for index, line in enumerate(body["lines"]):
        position = line.get("gnum", "")
        known = original["lines"]
        item = known[int(position) - 1] if position.isdecimal() and 0 < int(position) <= len(known) else None
        if item is None:
            yield Wrong(
                ("lines", index, "gnum"),
                "no-such-item",
                Words(
                    f"原清单 {number} 只有 {len(known)} 项商品，没有第 {position} 项。",
                    f"List {number} has {len(known)} items, there is no item {position}.",
                ),
                position,
            )
            continue
        for name in ("qty", "qty1", "qty2"):
            given, most = amount(line.get(name)), amount(item.get(name))
            if given is not None and most is not None and given > most:
                yield Wrong(
                    ("lines", index, name),
                    "above-list",
                    Words(
                        f"数量 {line[name]} 大于原清单第 {position} 项的 {item[name]}，请更正。",
                        f"{line[name]} is more than the {item[name]} of item {position} in the list; correct it.",
                    ),
                    line[name],
                )


def still_cancellable(body: Body, number: str, state: str, _original: Body) -> Iterable[Wrong]:
    """A cancellation names a list that customs holds and has not closed."""
    if state not in CANCELLABLE:
        yield Wrong(
            ("head", "invtNo"),
            "not-cancellable",
            Words(
                f"清单 {number} 当前状态不能撤销：未被海关接收、已结关、已结案或已撤销。",
                f"List {number} cannot be cancelled now: customs does not hold it, or it is closed or cancelled.",
            ),
            body["head"].get("invtNo", ""),
        )
