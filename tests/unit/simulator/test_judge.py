"""Judgement of single documents: content, amounts, books, script."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import script, tables
from simulator.checks import check_document as check_any
from simulator.config import Rules
from simulator.judge import Earlier, Judgement, check_books, check_message
from simulator.judge import judge as judge_any
from simulator.problems import BadRequest, Refusal
from simulator.structure import Document
from tests.unit.simulator.material import CODE, DXP_ID, new_guid


def document(lines: int = 2, line: dict[str, str] | None = None, **head: str) -> Document:
    fields = {
        "guid": "0A1B2C3D-0A1B-0A1B-0A1B-0A1B2C3D4E5F",
        "appType": "1",
        "appTime": "20260228235959",
        "appStatus": "2",
        "orderType": "B",
        "orderNo": "ORD-1",
        "ebpCode": CODE,
        "ebcCode": CODE,
        "goodsValue": str(19 * lines),
        "freight": "0",
        "currency": "502",
    }
    goods = {"currency": "502", "qty": "2", "price": "9.5", "totalPrice": "19"} | (line or {})
    return Document(fields | head, tuple({"gnum": str(at + 1)} | goods for at in range(lines)))


ORDER = tables.known()["CEB303Message"]


def check_document(found: Document, rules: Rules) -> Refusal | None:
    return check_any(found, ORDER, rules)


def judge(found: Document, earlier: list[Earlier], rules: Rules, made: script.Script) -> Judgement:
    return judge_any(found, ORDER, earlier, rules, made.outcome_for(found.head["orderNo"]))


def code(found: Refusal | None) -> str:
    return "" if found is None else found.status


def test_a_good_document_breaks_no_rule() -> None:
    assert check_document(document(), Rules()) is None
    for kind in "EBW":
        assert check_document(document(orderType=kind), Rules()) is None


@pytest.mark.parametrize(
    ("field", "value", "status"),
    [
        ("guid", "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f", "-301005"),
        ("guid", "X" * 36, "-301005"),
        ("appType", "4", "-301005"),
        ("appStatus", "1", "-301005"),
        ("orderType", "I", "-301005"),
        ("appTime", "20260230120000", "-301005"),
        ("appTime", "20260228246060", "-301005"),
        ("appTime", "2026022812000x", "-301005"),
        ("currency", "142", "-301004"),
        ("goodsValue", "38.02", "-301003"),
        ("goodsValue", "-38", "-301003"),
        ("freight", "-0.01", "-301003"),
    ],
)
def test_head_rules(field: str, value: str, status: str) -> None:
    assert code(check_document(document(**{field: value}), Rules())) == status


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ({"totalPrice": "19.01"}, ""),
        ({"totalPrice": "19.02"}, "-301003"),
        ({"totalPrice": "18.98"}, "-301003"),
        ({"qty": "0"}, "-301003"),
        ({"qty": "-2", "totalPrice": "-19"}, "-301003"),
        ({"price": "-9.5"}, "-301003"),
        ({"currency": "142"}, "-301004"),
        ({"gnum": "1"}, "-301002"),
        ({"gnum": "0"}, "-301002"),
    ],
)
def test_line_rules(line: dict[str, str], status: str) -> None:
    rules = Rules(check_goods_value=False)
    assert code(check_document(document(line=line), rules)) == status


def test_the_product_is_rounded_half_up_before_it_is_compared() -> None:
    line = {"qty": "0.00001", "price": "0.5", "totalPrice": "0.00001"}
    strict = Rules(amount_tolerance=Decimal(0), check_goods_value=False)
    assert check_document(document(1, line), strict) is None
    assert code(check_document(document(1, line | {"totalPrice": "0"}), strict)) == "-301003"
    coarse = Rules(amount_tolerance=Decimal(0), amount_scale=2, check_goods_value=False)
    assert check_document(document(1, {"qty": "1", "price": "0.125", "totalPrice": "0.13"}), coarse) is None


big = st.decimals(min_value=Decimal("0.00001"), max_value=Decimal("99999999999999.99999"), places=5)


@given(quantity=big, price=big)
def test_arithmetic_is_exact_for_the_largest_numbers(quantity: Decimal, price: Decimal) -> None:
    numerator = int(quantity * 10**5) * int(price * 10**5)
    exact = (numerator + 5 * 10**4) // 10**5  # in units of 0.00001, half up
    total = Decimal(exact).scaleb(-5)
    rules = Rules(amount_tolerance=Decimal(0), check_goods_value=False)
    line = {"qty": f"{quantity:f}", "price": f"{price:f}", "totalPrice": f"{total:f}"}
    if len(str(exact)) <= 28:  # beyond that the test's own Decimal would round
        assert check_document(document(1, line), rules) is None


def test_the_sum_of_totals_may_be_left_unchecked() -> None:
    assert check_document(document(goodsValue="1"), Rules(check_goods_value=False)) is None


MESSAGE = {"copCode": CODE, "dxpMode": "DXP", "dxpId": DXP_ID}


@pytest.mark.parametrize(
    ("change", "sender", "msg_type", "holder", "status"),
    [
        ({}, DXP_ID, "CEB303Message", CODE, ""),
        ({}, DXP_ID, "CEB303Message", None, ""),
        ({}, DXP_ID, "CEB603Message", CODE, "-301005"),
        ({"dxpMode": "XXX"}, DXP_ID, "CEB303Message", CODE, "-301005"),
        ({}, "DXPENT0000000002", "CEB303Message", CODE, "-10102"),
        ({}, DXP_ID, "CEB303Message", "91330100MA2K0AAA18", "-10102"),
    ],
)
def test_the_parties_must_agree(
    change: dict[str, str], sender: str, msg_type: str, holder: str | None, status: str
) -> None:
    try:
        check_message(MESSAGE | change, sender, msg_type, "CEB303Message", holder)
        found = ""
    except Refusal as refusal:
        refusal.resolve(ORDER.codes)
        found = refusal.status
    assert found == status


def earlier(
    app_type: str = "1", accepted: bool = True, guid: str = "", app_time: str = "20260101000000"
) -> Earlier:
    return Earlier(guid or new_guid(), app_type, app_time, accepted)


def books(head: dict[str, str], *rows: Earlier) -> str:
    return code(check_books(document(**head).head, ORDER, rows))


def test_a_number_is_accepted_once() -> None:
    guid = document().head["guid"]
    assert books({}) == ""
    assert books({}, earlier(accepted=False)) == ""
    assert books({}, earlier()) == "-301010"
    assert books({}, earlier(guid=guid)) == "-301010"
    assert books({}, earlier(guid=guid, accepted=False)) == ""
    assert books({}, earlier(), earlier("3")) == ""


def test_amendments_need_something_to_amend() -> None:
    assert books({"appType": "2"}) == "-301012"
    assert books({"appType": "2"}, earlier()) == ""
    assert books({"appType": "2", "appTime": "20250101000000"}, earlier()) == "-301014"
    assert books({"appType": "3"}, earlier()) == ""
    assert books({"appType": "2"}, earlier(), earlier("3")) == "-301012"
    guid = document().head["guid"]
    assert books({"appType": "2"}, earlier(), earlier("2", guid=guid)) == "-301010"


@pytest.mark.parametrize(
    ("number", "verdict", "final"),
    [
        ("A", "accepted", "120"),
        ("REJ-1", "rejected", "100"),
        ("ERR-1", "error", "-301009"),
        ("INS-1", "inspect", "500"),
        ("SIL-1", "silent", ""),
        ("SLOW-1", "accepted", "120"),
    ],
)
def test_the_built_in_prefixes(number: str, verdict: str, final: str) -> None:
    found = judge(document(orderNo=number), [], Rules(), script.Script())
    assert (found.verdict, found.code) == (verdict, final)


def test_a_script_decides_first_and_cannot_excuse_a_broken_rule() -> None:
    rules = [
        {"prefix": "REJ", "outcome": "accept", "code": 399},
        {"prefix": "", "outcome": "reject", "reason": "不行", "delay_s": 1.5},
    ]
    made = script.from_json({"rules": rules})
    assert judge(document(orderNo="REJ"), [], Rules(), made).code == "399"
    other = judge(document(), [], Rules(), made)
    assert (other.code, other.info, other.delay_ms, other.steps) == ("100", "不行", 1500, ("2", "3"))
    broken = judge(document(orderNo="REJ", appStatus="1"), [], Rules(), made)
    assert (broken.verdict, broken.code, broken.steps) == ("error", "-301005", ())


def test_a_scripts_defaults() -> None:
    made = script.from_json(
        {"default": {"outcome": "error", "namespace": "default"}, "default_delay_s": 2, "builtin": False}
    )
    found = made.outcome_for("REJ-1")
    assert (found.outcome, found.delay_ms, found.prefixed) == ("error", 2000, False)


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        {"unknown": 1},
        {"rules": {}},
        {"rules": [1]},
        {"rules": [{"outcome": "accept"}]},
        {"rules": [{"prefix": "A", "outcome": "explode"}]},
        {"rules": [{"prefix": "A", "code": "abc"}]},
        {"rules": [{"prefix": "A", "code": True}]},
        {"rules": [{"prefix": "A", "reason": ""}]},
        {"rules": [{"prefix": "A", "delay_s": -1}]},
        {"rules": [{"prefix": "A", "extra": 1}]},
        {"default": 5},
        {"default_delay_s": "1"},
        {"namespace": "both"},
        {"compare": "yes"},
        {"close": 1},
        {"result_step_s": -1},
        {"rules": [{"prefix": "A", "type": "CEB304Message"}]},
        {"rules": [{"prefix": "A", "type": 603}]},
        {"rules": [{"prefix": "A", "statuses": "120"}]},
        {"rules": [{"prefix": "A", "statuses": ["late"]}]},
        {"rules": [{"prefix": "A", "statuses": ["120"] * 21}]},
        {"rules": [{"prefix": "A", "statuses": ["120"], "outcome": "accept"}]},
        {"rules": [{"prefix": "A", "statuses": ["120"], "code": 300}]},
        {"builtin": "yes"},
    ],
)
def test_a_wrong_script_is_refused_in_both_languages(wrong: object) -> None:
    with pytest.raises(BadRequest) as caught:
        script.from_json(wrong)
    assert caught.value.zh
    assert caught.value.en
