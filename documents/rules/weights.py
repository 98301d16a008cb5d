"""Weights, pieces and parts: numbers of the head that must fit each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from documents.rules.amounts import amount
from documents.rules.reckoned import Reckoned
from documents.spec import Body, Rule
from documents.words import Words, Wrong


def net_within_gross(net: str, gross: str) -> Reckoned:
    """The net weight is not above the gross weight.

    Source: what the words mean (净重 is 毛重 without packaging; rules for filling in declarations).
    """

    def check(body: Body) -> Iterator[Wrong]:
        given = body["head"].get(net, "")
        inner, outer = amount(given), amount(body["head"].get(gross, ""))
        if inner is not None and outer is not None and inner > outer:
            yield Wrong(
                ("head", net),
                "above-gross",
                Words(
                    f"净重 {given} 公斤大于毛重 {body['head'][gross]} 公斤，请更正其中一项。",
                    f"The net weight of {given} kg is above the gross weight of {body['head'][gross]} kg; correct one.",
                ),
                given,
            )

    return Reckoned("at-most", "head", net, (gross,), check)


def whole_above_zero(field: str, label: Words, *, in_lines: bool = False) -> Rule:
    """A whole number, of parcels for example, must be 1 or more. Source: it counts what is there."""

    def check(body: Body) -> Iterator[Wrong]:
        parts: list[tuple[tuple[str | int, ...], Mapping[str, str]]] = [(("head",), body["head"])]
        if in_lines:
            parts = [(("lines", index), line) for index, line in enumerate(body["lines"])]
        for path, part in parts:
            given = part.get(field, "")
            if amount(given) == 0:
                yield Wrong(
                    (*path, field),
                    "not-positive",
                    Words(
                        f"{label.zh}必须为 1 或以上，请更正。", f"{label.en} must be 1 or more; correct it."
                    ),
                    given,
                )

    return check


def part_within(count: str, number: str) -> Rule:
    """The number of a part is 1 or more and not above the count of parts.

    Source: field tables of the messages that can be split (msgCount: total parts; msgSeqNo: from 1 without gaps).
    """

    def check(body: Body) -> Iterator[Wrong]:
        total, given = amount(body["head"].get(count, "")), body["head"].get(number, "")
        part = amount(given)
        if total == 0:
            words = Words(
                "报文总数至少为 1，未拆分时填 1。", "There is at least 1 part; enter 1 if nothing was split."
            )
            yield Wrong(("head", count), "not-positive", words, body["head"][count])
        elif part == 0:
            words = Words(
                "报文序号从 1 开始，未拆分时填 1。",
                "Parts are numbered from 1; enter 1 if nothing was split.",
            )
            yield Wrong(("head", number), "not-positive", words, given)
        elif part is not None and total is not None and part > total:
            words = Words(
                f"报文序号 {given} 大于报文总数 {body['head'][count]}，请更正其中一项。",
                f"Part {given} of {body['head'][count]} cannot be; correct one of the two numbers.",
            )
            yield Wrong(("head", number), "out-of-range", words, given)

    return check
