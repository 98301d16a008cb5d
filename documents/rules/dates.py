"""Dates and times: order and plausibility. Values are local times of China, without a zone; nothing asks a clock."""

from __future__ import annotations

from collections.abc import Iterator

from documents.spec import Body, Rule
from documents.words import Words, Wrong

#: digits of yyyyMMdd and of yyyyMMddHHmmss
_DIGITS = (8, 14)


def _moment(text: str) -> str:
    """A text that can be compared with others of its length; empty where there is no date."""
    return text if len(text) in _DIGITS and text.isascii() and text.isdigit() else ""


def not_before(field: str, first: str, label: Words) -> Rule:
    """A date in the head must not lie before `first` (yyyyMMdd).

    Assumed: no message of this family is older than its predecessor of 2010; an earlier date is a slip of the keys.
    """

    def check(body: Body) -> Iterator[Wrong]:
        given = _moment(body["head"].get(field, ""))
        if given and given[:8] < first:
            yield Wrong(
                ("head", field),
                "implausible",
                Words(
                    f"{label.zh}“{given}”早于 {first}，请核对年份。",
                    f"{label.en} {given} lies before {first}; check the year.",
                ),
                given,
            )

    return check


def period(start: str, end: str) -> Rule:
    """Begin and end of a period stand together, and the end is not before the begin.

    Source: field table of CEB701 (startTime "pair with endTime", endTime "not before startTime").
    """

    def check(body: Body) -> Iterator[Wrong]:
        head = body["head"]
        begin, finish = head.get(start, ""), head.get(end, "")
        if bool(begin) != bool(finish):
            yield Wrong(
                ("head", end if begin else start),
                "incomplete",
                Words(
                    "汇总开始时间和结束时间须同时填写或同时留空，请补全。",
                    "Begin and end of the period go together: fill in both or neither.",
                ),
                "",
            )
        elif _moment(begin) and _moment(finish) and finish < begin:
            yield Wrong(
                ("head", end),
                "before-begin",
                Words(
                    f"汇总结束时间“{finish}”早于开始时间“{begin}”，请更正。",
                    f"The end {finish} lies before the begin {begin}; correct one of them.",
                ),
                finish,
            )

    return check
