"""What a body may hold: the compiled check never knows less than the schema, and every refusal says why."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import Schema, fields, validate

from documents.body import complete
from documents.check import checker, compile_check
from documents.spec import DocumentType
from documents.types.booking import BOOKING
from documents.types.order import ORDER
from documents.words import Wrong
from tests.unit.documents.making import HOSTILE, IMPOSSIBLE, order_body, right_bodies

Body = dict[str, Any]
TYPES = pytest.mark.parametrize("doctype", [ORDER, BOOKING], ids=lambda t: t.kind)

#: values of every sort that the wire can carry where a text belongs
VALUES: tuple[Any, ...] = (
    "", " ", "0", "-0", "-1", "00", "01", "1.", ".5", "1.5", "1.234567", "NaN", "Infinity", "1E+5", "1_000", "0x10",
    "１２", "١٢", "१२", "1²", "+1", "1e400", "9" * 30, "9" * 15, "a", "B", "E", "W", "502", "50２", "035", "35", "无", "无 ",
    "\u00a01", "1\u3000", "\u200b", "\ufeff1", "\x00", "\t", "\n", "a\rb", "\ud800", "𠮷", "x" * 101, "x" * 1001, "1 2",
    "6101960AAA", "6101960aaa", "91610131MA6TTTTT01", None, 0, 1, 1.5, True, False, [], ["1"], {}, {"a": "b"},
)  # fmt: skip


def by_schema(doctype: DocumentType, body: Any) -> bool:
    """What the Marshmallow schemas alone say."""
    known = checker(doctype)
    if not isinstance(body, dict) or set(body) != {"head", "lines"}:
        return False
    head, lines = body["head"], body["lines"]
    if not isinstance(head, dict) or not isinstance(lines, list) or not 0 < len(lines) <= 100:
        return False
    return not known.head.validate(head) and all(
        isinstance(line, dict) and not known.line.validate(line) for line in lines
    )


@TYPES
@given(data=st.data())
@settings(max_examples=200)
def test_right_bodies_are_accepted_by_both(doctype: DocumentType, data: st.DataObject) -> None:
    body = data.draw(right_bodies(doctype))
    assert checker(doctype).wrongs(body) == []
    assert checker(doctype).is_right(body)
    assert by_schema(doctype, body)


@TYPES
@given(data=st.data(), seed=st.integers(0, 2**32))
@settings(max_examples=150)
def test_the_compiled_check_accepts_nothing_that_the_schema_refuses(
    doctype: DocumentType, data: st.DataObject, seed: int
) -> None:
    body = data.draw(right_bodies(doctype))
    is_right = checker(doctype).is_right
    rng = random.Random(seed)
    for _ in range(40):
        changed = mutated(body, rng)
        if is_right(changed):
            assert by_schema(doctype, changed), changed
        elif by_schema(doctype, changed):
            raise AssertionError(f"the compiled check is needlessly unsure of {changed!r}")


def mutated(body: Body, rng: random.Random) -> Any:
    """One to three changes of a copy: another value, a missing or unknown field, another shape."""
    body = copy.deepcopy(body)
    for _ in range(rng.randint(1, 3)):
        part = rng.choice([body["head"], *body["lines"]])
        name = rng.choice(sorted(part) or ["orderNo"])
        value = str(part.get(name, ""))
        move: Callable[[], Any] = rng.choice(
            (
                lambda: part.__setitem__(name, rng.choice(VALUES)),  # noqa: B023
                lambda: part.__setitem__(name, _edited(value, rng)),  # noqa: B023
                lambda: part.pop(name, None),  # noqa: B023
                lambda: part.__setitem__(rng.choice(("guid", "gnum", "tenant_id", "", "x")), "1"),  # noqa: B023
            )
        )
        move()
    shape = rng.random()
    if shape < 0.02:
        body["lines"] = rng.choice([[], None, {}, body["lines"] * 101, tuple(body["lines"]), [None], "x"])
    elif shape < 0.04:
        body["head"] = rng.choice([None, [], "x", {}])
    elif shape < 0.05:
        body["more"] = {}
    return body


def _edited(text: str, rng: random.Random) -> str:
    place = rng.randint(0, len(text))
    character = rng.choice(HOSTILE + "0A9.-" + "".join(IMPOSSIBLE))
    return text[:place] + character + text[place + rng.randint(0, 1) :]


def test_a_check_is_compiled_from_text_fields_with_our_rules_only() -> None:
    head = checker(ORDER).head
    for field in (
        fields.Integer(),
        fields.String(),
        fields.String(validate=validate.Length(max=3)),
        fields.String(validate=[validate.Length(max=3), validate.Length(min=1)]),
    ):
        foreign = type("Foreign", (Schema,), {"x": field})()
        with pytest.raises(TypeError, match="x: only text fields"):
            compile_check(foreign, head, 1, 100)


def wrong_at(body: Body, *path: str | int) -> Wrong:
    found = [wrong for wrong in checker(ORDER).wrongs(body) if wrong.path == path]
    assert len(found) == 1, checker(ORDER).wrongs(body)
    return found[0]


def head_with(**values: Any) -> Body:
    body = order_body()
    body["head"] |= values
    return body


def line_with(**values: Any) -> Body:
    body = order_body()
    body["lines"][0] |= values
    return body


WRONG_NUMBERS = {
    "NaN": "not-a-number", "Infinity": "not-a-number", "-Infinity": "not-a-number", "1E+5": "scientific",
    "1e400": "scientific", "1_000": "not-a-number", "1,000": "not-a-number", "0x10": "not-a-number",
    "-0": "not-positive", "-1": "not-positive", "0": "not-positive", "0.00000": "not-positive", "+1": "not-a-number",
    "１２": "full-width", "1．5": "full-width", "١٢": "not-a-number", "१२": "not-a-number", "1²": "not-a-number",
    "①": "not-a-number", "9" * 30: "out-of-range", "9" * 15: "out-of-range", "1.123456": "too-many-decimals",
    "1.": "not-a-number", ".5": "not-a-number", "1 2": "not-a-number", "1\u00a0": "not-a-number",
    "\u30001": "not-a-number", "1\u200b": "not-a-number", "\ufeff1": "not-a-number", "1\n": "control-character",
    "1\x00": "control-character", "\ud8001": "control-character", "٫": "not-a-number", "1½": "not-a-number",
    "--1": "not-a-number", "1-": "not-a-number", "十二": "not-a-number", "": "required", "12%": "not-a-number",
}  # fmt: skip


@pytest.mark.parametrize(("value", "code"), WRONG_NUMBERS.items(), ids=map(ascii, WRONG_NUMBERS))
@pytest.mark.parametrize("name", ["qty", "price"])
def test_wrong_numbers_say_why(name: str, value: str, code: str) -> None:
    assert wrong_at(line_with(**{name: value}), "lines", 0, name).code == code


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("freight", "-0", "negative"),
        ("freight", "-1", "negative"),
        ("freight", "1.123456", "too-many-decimals"),
        ("freight", "999999999999999", "out-of-range"),
        ("goodsValue", "-5", "negative"),
        ("goodsValue", "3.01", "mismatch"),
    ],
)
def test_wrong_head_amounts_say_why(name: str, value: str, code: str) -> None:
    assert wrong_at(head_with(**{name: value}), "head", name).code == code


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("3.001", "too-many-decimals"),
        ("-3.001", "too-many-decimals"),
        ("-999999999999999", "out-of-range"),
        ("-0", "negative"),
        ("3.01", "mismatch"),
        ("2.99", "mismatch"),
        ("-3.00", "mismatch"),
    ],
)
def test_wrong_totals_say_why(value: str, code: str) -> None:
    assert wrong_at(line_with(totalPrice=value), "lines", 0, "totalPrice").code == code


def test_a_total_names_the_computed_figure_and_the_rounding() -> None:
    wrong = wrong_at(line_with(qty="3", price="1.115", totalPrice="3.34"), "lines", 0, "totalPrice")
    assert "3.35" in wrong.words.zh
    assert "四舍五入" in wrong.words.zh
    assert "rounded half up" in wrong.words.en
    assert checker(ORDER).wrongs(line_with(qty="3", price="1.115", totalPrice="3.35")) == []


def test_the_greatest_amounts_are_multiplied_exactly() -> None:
    most = "99999999999999.99999"
    wrong = wrong_at(line_with(qty=most, price=most, totalPrice="1"), "lines", 0, "totalPrice")
    assert "9999999999999999998000000000.00" in wrong.words.en


def test_a_sum_that_the_message_cannot_carry_is_refused_although_every_line_is_right() -> None:
    line = {"qty": "1", "price": "99999999999999", "totalPrice": "99999999999999"}
    body = order_body(lines=2)
    body["lines"] = [{**each, **line} for each in body["lines"]]
    assert wrong_at(body, "head", "goodsValue").code == "out-of-range"


WRONG_CODES = {
    "A B": "blank-inside", " A": "blank-inside", "A\u00a0": "blank-inside", "A\u3000B": "blank-inside",
    "A\u200bB": "blank-inside", "\ufeffA": "blank-inside", "A\u200e": "blank-inside", "A\u2060": "blank-inside",
    "\u202eA": "blank-inside", "A\u00ad": "blank-inside", "A\u3164": "blank-inside", "Ａ１": "full-width",
    "A＝": "full-width", "A١": "odd-digit", "१२": "odd-digit", "A²": "odd-digit", "₂": "odd-digit",
    "A\x00": "control-character", "A\x1b": "control-character", "A\x7f": "control-character",
    "A\x85": "control-character", "A\tB": "control-character", "A\r\nB": "control-character",
    "\ud83d": "control-character", "A\ufffe": "control-character", "X" * 61: "too-long", "": "required",
}  # fmt: skip


@pytest.mark.parametrize(("value", "code"), WRONG_CODES.items(), ids=map(ascii, WRONG_CODES))
def test_wrong_numbers_of_documents_say_why(value: str, code: str) -> None:
    assert wrong_at(order_body(value), "head", "orderNo").code == code


@pytest.mark.parametrize(
    "value", ["TY-001", "订单1", "😀", "𠮷𠮷", "X" * 60, "𠮷" * 60, "<&>", "=1+1", "{{7*7}}", "-1"]
)
def test_numbers_of_documents_are_kept_as_they_are(value: str) -> None:
    body = order_body(value)
    assert checker(ORDER).wrongs(body) == []
    assert complete(ORDER, body)["head"]["orderNo"] == value


WRONG_TEXTS = {
    " 甲": "blank-edge", "甲 ": "blank-edge", "\u00a0甲": "blank-edge", "甲\u3000": "blank-edge", "\ufeff甲": "blank-edge",
    "甲\u200b": "blank-edge", " ": "blank-edge", "\u3000": "blank-edge", "   ": "blank-edge", "\u200b": "blank-edge",
    "甲\n乙": "control-character", "甲\t乙": "control-character", "甲\x00": "control-character",
    "\udfff": "control-character", "甲" * 251: "too-long", "": "required",
}  # fmt: skip


@pytest.mark.parametrize(("value", "code"), WRONG_TEXTS.items(), ids=map(ascii, WRONG_TEXTS))
def test_wrong_texts_say_why(value: str, code: str) -> None:
    assert wrong_at(line_with(itemName=value), "lines", 0, "itemName").code == code


@pytest.mark.parametrize(
    "value", ["绿 茶", "绿\u3000茶", "😀👨‍👩‍👧", "𠮷野家", "a\u200db", "É", "甲" * 250, "=SUM(A1)", "１２"]
)
def test_texts_are_kept_as_they_are(value: str) -> None:
    body = line_with(itemName=value)
    assert checker(ORDER).wrongs(body) == []
    assert complete(ORDER, body)["lines"][0]["itemName"] == value


@pytest.mark.parametrize(
    ("path", "value", "code", "words"),
    [
        (("head", "currency"), "999", "unknown-code", "币制"),
        (("head", "currency"), "50", "code-shape", "3 位"),
        (("head", "currency"), "5O2", "unknown-code", "币制"),
        (("lines", 0, "unit"), "35", "code-shape", "035"),
        (("lines", 0, "unit"), "999", "unknown-code", "计量单位"),
        (("lines", 0, "unit"), "0035", "too-long", "最多 3"),
        (("head", "orderType"), "W", "unknown-code", "B2B"),
        (("head", "orderType"), "b", "unknown-code", "B2B"),
        (("head", "ebcCode"), "无", "code-shape", "10 位"),
        (("head", "ebcCode"), "6101960aaa", "code-shape", "大写"),
        (("head", "ebcCode"), "6101960AA", "code-shape", "10 位"),
        (("head", "ebcCode"), "91610131MA6TTTTT011", "too-long", "最多 18"),
        (("head", "ebcCode"), "91610131MA6TTTTTI0", "code-shape", "18 位"),
        (("head", "ebpCode"), "有", "code-shape", "无"),
        (("lines", 0, "barCode"), "6 9", "blank-inside", "空格"),
    ],
)
def test_wrong_codes_name_the_table_or_the_shape(
    path: tuple[str | int, ...], value: str, code: str, words: str
) -> None:
    body = order_body()
    (body["head"] if path[0] == "head" else body["lines"][0])[path[-1]] = value
    wrong = wrong_at(body, *path)
    assert (wrong.code, wrong.value) == (code, value)
    assert words in wrong.words.zh


@pytest.mark.parametrize("value", [None, 1, 1.5, True, [], {}, ["1"], {"a": 1}, 10**4000])
@pytest.mark.parametrize("name", ["qty", "itemNo", "note"])
def test_what_is_no_text_is_refused(name: str, value: Any) -> None:
    body = line_with(**{name: value})
    assert wrong_at(body, "lines", 0, name).code == ("required" if value is None else "not-text")


@pytest.mark.parametrize("name", ["guid", "appStatus", "tenant_id", "state", "gnum", "\ud800", "x" * 5000])
@pytest.mark.parametrize("part", ["head", "lines"])
def test_fields_that_nobody_may_fill_are_refused(part: str, name: str) -> None:
    body = order_body()
    (body["head"] if part == "head" else body["lines"][0])[name] = "1"
    (wrong,) = checker(ORDER).wrongs(body)
    assert wrong.code == "unknown-field"
    assert len(wrong.pointer) < 200
    wrong.pointer.encode()


@pytest.mark.parametrize("name", ["note", "goodsValue"])
def test_an_optional_field_may_be_empty(name: str) -> None:
    body = head_with(**{name: ""})
    assert checker(ORDER).wrongs(body) == []
    assert complete(ORDER, body)["head"].get(name) == complete(ORDER, order_body())["head"].get(name)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (None, ""),
        ([], ""),
        ("x", ""),
        ({}, "/head"),
        ({"head": {}}, "/lines"),
        ({"head": [], "lines": [{}]}, "/head"),
        ({"head": {}, "lines": {}}, "/lines"),
        ({"head": {}, "lines": []}, "/lines"),
        ({"head": {}, "lines": [1]}, "/lines"),
        ({"head": {}, "lines": [{}], "more": 1}, "/more"),
        ({"head": {}, "lines": [{}] * 101}, "/lines/100"),
    ],
)
def test_wrong_shapes_are_named(body: Any, pointer: str) -> None:
    assert pointer in {wrong.pointer for wrong in checker(ORDER).wrongs(body)}


def test_cross_field_rules_name_the_line() -> None:
    body = order_body(lines=3)
    body["lines"][1]["currency"] = "142"
    body["lines"][2] = dict(body["lines"][0])
    found = {wrong.pointer: wrong for wrong in checker(ORDER).wrongs(body)}
    assert {pointer: wrong.code for pointer, wrong in found.items()} == {
        "/lines/1/currency": "mismatch",
        "/lines/2/itemNo": "duplicate-line",
    }
    assert "第 1 项" in found["/lines/2/itemNo"].words.zh


def _every_wrong() -> Mapping[str, Wrong]:
    """One example of every code that orders know."""
    bodies: list[Any] = [None, {"head": {}, "lines": [{}]}, {"head": {}, "lines": [{}] * 101}]
    bodies += [line_with(qty=value) for value in WRONG_NUMBERS]
    bodies += [order_body(value) for value in WRONG_CODES] + [
        line_with(itemName=value) for value in WRONG_TEXTS
    ]
    bodies += [
        order_body(currency="50"),
        order_body(currency="999"),
        order_body(freight="-1"),
        line_with(x="1"),
    ]
    bodies += [line_with(qty=1), line_with(totalPrice="1"), order_body(ebcCode="x")]
    double = order_body(lines=1)
    double["lines"] *= 2
    found = (wrong for body in [*bodies, double] for wrong in checker(ORDER).wrongs(body))
    return {wrong.code: wrong for wrong in found}


EVERY_WRONG = _every_wrong()


def test_every_code_is_met() -> None:
    assert set(EVERY_WRONG) == {
        "blank-edge", "blank-inside", "code-shape", "control-character", "duplicate-line", "full-width", "mismatch",
        "negative", "not-a-number", "not-positive", "not-text", "odd-digit", "out-of-range", "required", "scientific",
        "shape", "too-long", "too-many-decimals", "too-many-lines", "unknown-code", "unknown-field",
    }  # fmt: skip


@pytest.mark.parametrize("code", sorted(EVERY_WRONG))
def test_every_code_is_a_sentence_with_a_way_out_in_both_languages(code: str) -> None:
    words = EVERY_WRONG[code].words
    assert words.zh.endswith("。")
    assert words.en.endswith(".")
    assert any("\u4e00" <= character <= "\u9fff" for character in words.zh)
    assert not any(
        "\u4e00" <= character <= "\u9fff" for character in words.en.replace("无", "").replace("十二", "")
    )
    assert len(words.zh) >= 8
    assert len(words.en) >= 15


@pytest.mark.parametrize("name", ["itemName", "qty", "unit", "itemNo"])
def test_a_monstrous_value_is_not_sent_back_whole(name: str) -> None:
    for value in ("9" * 1_000_000, "１" * 1_000_000, " " * 1_000_000, "x" * 1_000_000, "１\ud800" * 500_000):
        wrong = wrong_at(line_with(**{name: value}), "lines", 0, name)
        assert len(wrong.value) <= 200
        assert len(wrong.words.zh) <= 300
        (wrong.value + wrong.words.zh + wrong.words.en).encode()
