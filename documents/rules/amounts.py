"""Amounts: totals of lines, the head's sums, and what has to be above 0. Exact decimals, never floats."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_UP, Context, Decimal

from documents.rules.reckoned import Reckoned
from documents.spec import Body
from documents.words import Words, Wrong

_CENT_DECIMALS = 2
_CENT = Decimal(1).scaleb(-_CENT_DECIMALS)
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


def line_totals(quantity: str, price: str, total: str) -> Reckoned:
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

    return Reckoned("product", "line", total, (quantity, price), check, _CENT_DECIMALS)


def sum_of_lines(total: str) -> Callable[[Body], str]:
    """The exact sum of a line field, as text: what a computed head field is filled with."""

    def compute(body: Body) -> str:
        return plain(sum((Decimal(line[total]) for line in body["lines"]), Decimal(0)))

    return compute


def head_equals_sum(field: str, total: str, label: Words) -> Reckoned:
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

    return Reckoned("sum", "head", field, (total,), check)
