"""Cross-field rules used by more than one type: pure functions over a body.

A rule says nothing about a field that is missing or wrong by itself: that one is reported already, once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from decimal import ROUND_HALF_UP, Context, Decimal

from documents.spec import Body, Rule
from documents.words import Words, Wrong, short

_CENT = Decimal("0.01")
#: the product of two amounts of 19 digits is exact in it; the usual context has 28 and raises
_EXACT = Context(prec=80)
_NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,10})?")


def amount(text: str | None) -> Decimal | None:
    """The number in a field, or None where there is none (ASCII digits only, no exponent)."""
    return Decimal(text) if text and _NUMBER.fullmatch(text) else None


def plain(value: Decimal) -> str:
    """A decimal as people write it: no exponent, no trailing zeros beyond what was meant."""
    return format(value, "f")


def _cents(value: Decimal) -> Decimal:
    return value.quantize(_CENT, ROUND_HALF_UP, _EXACT)


def line_totals(quantity: str, price: str, total: str) -> Rule:
    """quantity × price must equal total, both rounded half up to cents.

    Source: field table of CEB303 (totalPrice: quantity times unit price). The rounding is ours: the guides allow two
    decimals in a total, the message five; half up to cents is stated in the error, so that a clerk can follow it.
    """

    def check(body: Body) -> Iterator[Wrong]:
        for index, line in enumerate(body["lines"]):
            count, unit_price = amount(line.get(quantity)), amount(line.get(price))
            given = line.get(total, "")
            stated = amount(given)
            if count is None or unit_price is None or stated is None or count <= 0 or unit_price <= 0:
                continue
            computed = _cents(_EXACT.multiply(count, unit_price))
            if computed != _cents(stated):
                shown = plain(computed)
                yield Wrong(
                    ("lines", index, total),
                    "mismatch",
                    Words(
                        f"总额“{given}”与数量×单价不符：{line[quantity]}×{line[price]}={shown}"
                        f"（四舍五入到分），请改为 {shown} 或更正数量、单价。",
                        f"Total {given} differs from quantity × price: {line[quantity]} × {line[price]} = {shown} "
                        f"(rounded half up to cents). Enter {shown} or correct quantity or price.",
                    ),
                    given,
                )
            elif computed <= 0:
                yield Wrong(
                    ("lines", index, total),
                    "not-positive",
                    Words(
                        "总额必须大于 0，请更正数量或单价。",
                        "The total must be above 0; correct quantity or price.",
                    ),
                    given,
                )

    return check


def sum_of_lines(total: str) -> Callable[[Body], str]:
    """The exact sum of a line field, as text: what a computed head field is filled with."""

    def compute(body: Body) -> str:
        return plain(sum((Decimal(line[total]) for line in body["lines"]), Decimal(0)))

    return compute


def head_equals_sum(field: str, total: str, label: Words) -> Rule:
    """A head amount, where given, must equal the sum of a line field."""

    def check(body: Body) -> Iterator[Wrong]:
        given = body["head"].get(field, "")
        stated = amount(given)
        parts = [amount(line.get(total)) for line in body["lines"]]
        known = [part for part in parts if part is not None]
        if stated is not None and len(known) == len(parts) and stated != sum(known):
            computed = plain(sum(known, Decimal(0)))
            yield Wrong(
                ("head", field),
                "mismatch",
                Words(
                    f"{label.zh}“{given}”与表体合计 {computed} 不符，请改为 {computed} 或留空由系统计算。",
                    f"{label.en} {given} differs from the sum of the lines, {computed}; enter that or leave it empty.",
                ),
                given,
            )

    return check


def same_in_lines(field: str, label: Words) -> Rule:
    """A field that stands in head and lines must be the same in both."""

    def check(body: Body) -> Iterator[Wrong]:
        wanted = body["head"].get(field, "")
        for index, line in enumerate(body["lines"]):
            given = line.get(field, "")
            if wanted and given and given != wanted:
                yield Wrong(
                    ("lines", index, field),
                    "mismatch",
                    Words(
                        f"表体{label.zh}“{short(given)}”与表头“{short(wanted)}”不一致，请统一。",
                        f"{label.en} {short(given)} of the line differs from {short(wanted)} of the head; "
                        "make them equal.",
                    ),
                    given,
                )

    return check


def no_repeated_line(fields: tuple[str, ...], shown: str) -> Rule:
    """The same line must not stand twice in one document; the later one is named."""

    def check(body: Body) -> Iterable[Wrong]:
        seen: dict[tuple[str, ...], int] = {}
        for index, line in enumerate(body["lines"]):
            key = tuple(line.get(name, "") for name in fields)
            first = seen.setdefault(key, index)
            if first != index:
                yield Wrong(
                    ("lines", index, shown),
                    "duplicate-line",
                    Words(
                        f"与同一单据第 {first + 1} 项商品完全相同，疑为重复行；请删除一行或合并数量。",
                        f"The same as line {first + 1} of this document; delete one of them or add the quantities.",
                    ),
                    line.get(shown, ""),
                )

    return check
