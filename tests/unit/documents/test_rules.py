"""Rules that no single field can judge: what they refuse, what they let pass, and where they say nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents import rules
from documents.rules.codes import ALPHABET, CREDIT_CODE, REGISTRATION
from documents.spec import Rule
from documents.words import Words, Wrong

LABEL = Words("某项", "Something")
REASON = Words("在此情况下", "in this case")
#: the standard's own worked example (GB 32100-2015, annex)
STANDARD = "91350100M000100Y43"
amounts = st.decimals(min_value=Decimal("0.01"), max_value=Decimal(9999999), places=2)


def found(
    rule: Rule, head: dict[str, str] | None = None, lines: Iterable[dict[str, str]] = ()
) -> list[Wrong]:
    wrongs = list(rule({"head": head or {}, "lines": list(lines)}))
    for wrong in wrongs:
        assert wrong.words.zh.endswith("。")
        assert wrong.words.en.endswith(".")
        assert not re.search("[\u4e00-\u9fff]", wrong.words.en)
    return wrongs


def paths(rule: Rule, head: dict[str, str] | None = None, lines: Iterable[dict[str, str]] = ()) -> list[Any]:
    return [wrong.path for wrong in found(rule, head, lines)]


# ---- codes of enterprises


def test_the_check_character_is_the_standards() -> None:
    assert rules.credit_code(STANDARD[:17]) == STANDARD
    assert rules.verify_enterprise(STANDARD) is None


@given(st.from_regex(CREDIT_CODE, fullmatch=True, alphabet=st.characters(codec="ascii")), st.data())
def test_every_slip_of_one_character_and_every_swap_is_caught(drawn: str, data: st.DataObject) -> None:
    right = rules.credit_code(drawn[:17])
    assert rules.verify_enterprise(right) is None
    place = data.draw(st.integers(0, 17))
    other = data.draw(st.sampled_from([item for item in ALPHABET if item != right[place]]))
    assert rules.verify_enterprise(right[:place] + other + right[place + 1 :]) is not None
    place = data.draw(st.integers(0, 16))
    if right[place] != right[place + 1]:
        swapped = right[:place] + right[place + 1] + right[place] + right[place + 2 :]
        assert rules.verify_enterprise(swapped) is not None


def test_one_check_character_of_31_is_right() -> None:
    right = [item for item in ALPHABET if rules.verify_enterprise(STANDARD[:17] + item) is None]
    assert right == ["3"]


@pytest.mark.parametrize(
    "first", ["", STANDARD, STANDARD[:16], "I" + STANDARD[1:17], "a" + STANDARD[1:17], "０" * 17]
)
def test_what_is_no_beginning_of_a_code_is_refused(first: str) -> None:
    with pytest.raises(ValueError, match="beginning"):
        rules.credit_code(first)


@pytest.mark.parametrize("value", ["无", "NO", "6101960AAA", "0000000000"])
def test_what_has_no_check_character_is_not_judged(value: str) -> None:
    assert rules.verify_enterprise(value) is None


def test_the_words_for_a_wrong_check_character() -> None:
    judged = rules.verify_enterprise(STANDARD[:17] + "4")
    assert judged is not None
    code, words = judged
    assert code == "check-character"
    assert "校验码" in words.zh
    assert "check character" in words.en


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ("6101960AAA", True),
        ("610196AAAA", True),
        ("A101960001", False),
        ("610A960001", False),
        ("610196000", False),
    ],
)
def test_the_shape_of_a_registration(value: str, right: bool) -> None:
    assert bool(re.fullmatch(REGISTRATION, value)) == right


# ---- amounts


@given(quantity=amounts, price=amounts)
def test_totals_to_the_cent_are_right_and_a_cent_more_is_not(quantity: Decimal, price: Decimal) -> None:
    rule = rules.line_totals("qty", "price", "total")
    exact = quantity * price
    rounded = exact.quantize(Decimal("0.01"), "ROUND_HALF_UP")
    line = {"qty": str(quantity), "price": str(price)}
    if rounded:
        assert found(rule, lines=[line | {"total": str(rounded)}]) == []
    (wrong,) = found(rule, lines=[line, line | {"total": str(rounded + Decimal("0.01"))}])
    assert (wrong.path, wrong.code) == (("lines", 1, "total"), "mismatch")
    assert rules.plain(rounded) in wrong.words.zh


@given(st.lists(amounts, min_size=1, max_size=20))
def test_the_sum_is_exact_whatever_the_order(values: list[Decimal]) -> None:
    lines = [{"total": str(value)} for value in values]
    summed = rules.sum_of_lines("total")({"head": {}, "lines": lines})
    assert Decimal(summed) == sum(values)
    rule = rules.head_equals_sum("goodsValue", "total", LABEL)
    assert found(rule, {"goodsValue": summed}, reversed(lines)) == []
    assert paths(rule, {"goodsValue": str(sum(values) + Decimal("0.00001"))}, lines) == [
        ("head", "goodsValue")
    ]


@pytest.mark.parametrize("text", [None, "", "x", "1e5", "１", "1.", "-", "1" * 21])
def test_what_is_no_amount_is_not_judged(text: str | None) -> None:
    assert rules.amount(text) is None
    line = {"qty": text or "", "price": "1", "total": "7"}
    assert found(rules.line_totals("qty", "price", "total"), lines=[line]) == []


# ---- weights, pieces, parts


@given(amounts, amounts)
def test_net_is_never_above_gross(net: Decimal, gross: Decimal) -> None:
    rule = rules.net_within_gross("net", "gross")
    assert bool(found(rule, {"net": str(net), "gross": str(gross)})) == (net > gross)


def test_a_weight_alone_is_not_judged() -> None:
    rule = rules.net_within_gross("net", "gross")
    assert (
        found(rule, {"net": "5"})
        == found(rule, {"gross": "5"})
        == found(rule, {"net": "x", "gross": "1"})
        == []
    )


def test_nothing_is_counted_as_none() -> None:
    rule = rules.whole_above_zero("packNo", LABEL)
    assert paths(rule, {"packNo": "0"}) == paths(rule, {"packNo": "000"}) == [("head", "packNo")]
    assert found(rule, {"packNo": "1"}) == found(rule, {}) == found(rule, {"packNo": "x"}) == []
    rule = rules.whole_above_zero("gnum", LABEL, in_lines=True)
    assert paths(rule, {"gnum": "0"}, [{"gnum": "1"}, {"gnum": "0"}]) == [("lines", 1, "gnum")]
    assert found(rule, {"gnum": "0"}) == []


@given(st.integers(0, 12), st.integers(0, 12))
def test_a_part_is_one_of_the_parts(count: int, number: int) -> None:
    rule = rules.part_within("msgCount", "msgSeqNo")
    wrongs = paths(rule, {"msgCount": str(count), "msgSeqNo": str(number)})
    assert bool(wrongs) == (not 1 <= number <= count)
    if count == 0:
        assert wrongs == [("head", "msgCount")]
    elif wrongs:
        assert wrongs == [("head", "msgSeqNo")]


def test_parts_that_are_not_there_are_not_judged() -> None:
    rule = rules.part_within("msgCount", "msgSeqNo")
    assert found(rule, {}) == found(rule, {"msgCount": "2"}) == found(rule, {"msgSeqNo": "2"}) == []


# ---- dates


days = st.dates().map(lambda day: f"{day.year:04d}{day:%m%d}")


@given(days)
def test_dates_before_the_first_are_implausible(day: str) -> None:
    rule = rules.not_before("ieDate", "20100101", LABEL)
    assert bool(found(rule, {"ieDate": day})) == (day < "20100101")
    assert bool(found(rule, {"ieDate": day + "235959"})) == (day < "20100101")


@pytest.mark.parametrize("value", ["", "2009", "２００９０１０１", "2009-1-1", "x" * 8])
def test_what_is_no_date_is_not_judged(value: str) -> None:
    assert found(rules.not_before("ieDate", "20100101", LABEL), {"ieDate": value}) == []


moments = st.datetimes().map(lambda moment: f"{moment.year:04d}{moment:%m%d%H%M%S}")


@given(moments, moments)
def test_a_period_ends_after_it_began(begin: str, end: str) -> None:
    rule = rules.period("startTime", "endTime")
    assert bool(found(rule, {"startTime": begin, "endTime": end})) == (end < begin)
    assert paths(rule, {"startTime": begin}) == [("head", "endTime")]
    assert paths(rule, {"endTime": end}) == [("head", "startTime")]
    assert found(rule, {}) == []


# ---- presence


@pytest.mark.parametrize(
    ("mode", "needed"), [("1210", True), ("9610", False), ("", False), ("nonsense", False)]
)
def test_a_field_is_needed_where_another_says_so(mode: str, needed: bool) -> None:
    head_rule = rules.needed_where("emsNo", LABEL, "tradeMode", frozenset({"1210"}), REASON)
    assert bool(found(head_rule, {"tradeMode": mode})) == needed
    assert found(head_rule, {"tradeMode": mode, "emsNo": "T1"}) == []
    line_rule = rules.needed_where("record", LABEL, "tradeMode", frozenset({"1210"}), REASON, level="line")
    wrongs = paths(line_rule, {"tradeMode": mode}, [{"record": "1"}, {}, {"record": ""}])
    assert wrongs == ([("lines", 1, "record"), ("lines", 2, "record")] if needed else [])


@pytest.mark.parametrize(("mode", "needed"), [("6", False), ("5", True), ("", False)])
def test_a_field_is_needed_unless_another_says_not(mode: str, needed: bool) -> None:
    rule = rules.needed_where("billNo", LABEL, "trafMode", frozenset({"6"}), REASON, unless=True)
    assert paths(rule, {"trafMode": mode}) == ([("head", "billNo")] if needed else [])


def test_a_field_must_be_empty_where_another_says_so() -> None:
    rule = rules.empty_where("licenseNo", LABEL, "flag", frozenset({"A"}), REASON)
    assert paths(rule, {"flag": "A", "licenseNo": "1"}) == [("head", "licenseNo")]
    for head in (
        {"flag": "B", "licenseNo": "1"},
        {"flag": "A"},
        {"licenseNo": "1"},
        {"flag": "A", "licenseNo": ""},
    ):
        assert found(rule, head) == []


def test_two_fields_of_a_line_go_together() -> None:
    rule = rules.together("qty2", "unit2", LABEL)
    lines = [{"qty2": "1"}, {"unit2": "011"}, {"qty2": "1", "unit2": "011"}, {}, {"qty2": "", "unit2": ""}]
    assert paths(rule, {}, lines) == [("lines", 0, "unit2"), ("lines", 1, "qty2")]


def test_a_refused_code_is_refused_alone() -> None:
    rule = rules.not_code("country", frozenset({"142", "CHN"}), Words("不能是中国。", "must not be China."))
    assert paths(rule, {"country": "142"}) == paths(rule, {"country": "CHN"}) == [("head", "country")]
    assert found(rule, {"country": "502"}) == found(rule, {}) == []


# ---- lines


@given(st.lists(st.sampled_from(["502", "142", "300", ""]), max_size=8))
def test_lines_agree_with_the_first_that_says_something(values: list[str]) -> None:
    rule = rules.same_among_lines("currency", LABEL)
    said = [value for value in values if value]
    odd = [index for index, value in enumerate(values) if value and value != said[0]]
    assert paths(rule, {}, [{"currency": value} for value in values]) == [
        ("lines", i, "currency") for i in odd
    ]


@given(st.lists(st.sampled_from(["A", "B", "C", ""]), max_size=8))
def test_a_number_stands_once(values: list[str]) -> None:
    rule = rules.no_repeated_line(("number",), "number", LABEL)
    again = [index for index, value in enumerate(values) if value and value in values[:index]]
    wrongs = found(rule, {}, [{"number": value} for value in values])
    assert [wrong.path for wrong in wrongs] == [("lines", index, "number") for index in again]
    for wrong in wrongs:
        assert f"第 {values.index(wrong.value) + 1} 项" in wrong.words.zh


def test_lines_or_something_instead() -> None:
    rule = rules.lines_or("billNo", Words("必填。", "is required."))
    assert paths(rule, {}) == [("head", "billNo")]
    assert found(rule, {"billNo": "B1"}) == found(rule, {}, [{}]) == []
    rule = rules.empty_with_lines("startTime", Words("二选一。", "either or."))
    assert paths(rule, {"startTime": "1"}, [{}]) == [("head", "startTime")]
    assert found(rule, {"startTime": "1"}) == found(rule, {}, [{}]) == []


@given(
    st.dictionaries(st.sampled_from(["a", "b", "c"]), st.text(max_size=30)),
    st.lists(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.text(max_size=30)), max_size=3),
)
def test_no_rule_falls_over_any_text(head: dict[str, str], lines: list[dict[str, str]]) -> None:
    for rule in (
        rules.line_totals("a", "b", "c"), rules.head_equals_sum("a", "b", LABEL), rules.same_in_lines("a", LABEL),
        rules.same_among_lines("a", LABEL), rules.no_repeated_line(("a", "b"), "a"), rules.period("a", "b"),
        rules.no_repeated_line(("a",), "a", LABEL), rules.not_before("a", "20100101", LABEL),
        rules.net_within_gross("a", "b"), rules.whole_above_zero("a", LABEL), rules.part_within("a", "b"),
        rules.whole_above_zero("a", LABEL, in_lines=True), rules.together("a", "b", LABEL),
        rules.needed_where("a", LABEL, "b", frozenset("x"), REASON, unless=True),
        rules.empty_where("a", LABEL, "b", frozenset("x"), REASON), rules.lines_or("a", LABEL),
        rules.empty_with_lines("a", LABEL), rules.not_code("a", frozenset("x"), LABEL),
    ):  # fmt: skip
        for wrong in rule({"head": head, "lines": lines}):
            (wrong.pointer + wrong.words.zh + wrong.words.en + wrong.value).encode()
