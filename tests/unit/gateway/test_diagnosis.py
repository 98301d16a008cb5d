"""The self-diagnosis: each thing that can be wrong is named by its check, with a way out, for documents of every kind."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from documents import registry
from documents.compare import Comparison, Difference, Leg, Other
from documents.spec import DocumentType
from documents.words import Words
from services.gateway.diagnosis import checks
from services.gateway.diagnosis.facts import Facts, Happened, Item, Key, Queue, Receipt, Way
from services.gateway.tenants.domain import Enterprise, Mandate

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ENTERPRISE = Enterprise(
    "91610131MA0DEMA01X", "6101960A01", "演示企业", "YSJ", "DXPENT0000000101", "amqp",
    ("ecommerce", "platform", "agent", "logistics", "operator"),
)  # fmt: skip
KEY = Key("一号", "usable", NOW - timedelta(days=1), NOW + timedelta(days=300), hardware=True)
MANDATE = Mandate(
    "m", "c", "客户", "b", "代理", ("order", "list"), ("read", "declare"), NOW - timedelta(days=1),
    NOW + timedelta(days=100), None,
)  # fmt: skip
SUBMITTED = Happened("submitted", NOW - timedelta(minutes=3), {"message_id": "m"})
SIGNED = Happened("signed", NOW - timedelta(minutes=2), {"key_label": "一号"})
SENT = Happened("sent", NOW - timedelta(minutes=1), {"channel": "amqp"})


def doctype(kind: str = "order") -> DocumentType:
    found = registry.by_kind(kind)
    assert found is not None
    return found


def facts(kind: str = "order", state: str = "checked", **changes: Any) -> Facts:
    declared = doctype(kind)
    base = Facts(
        now=NOW, doctype=declared, id="1", state=state, customs_status="", return_info="", updated_at=NOW,
        replaced_by="", body=declared.example or {}, enterprise=ENTERPRISE, enterprise_kinds=ENTERPRISE.kinds,
        mandate=None, keys=[KEY], timeline=[], receipts=[], queue=Queue(0, None, None),
    )  # fmt: skip
    return replace(base, **changes)


def filed(state: str, *receipts: Receipt, **changes: Any) -> Facts:
    status = receipts[-1].status if receipts else ""
    given: dict[str, Any] = {"timeline": [SUBMITTED, SIGNED, SENT], "way": Way("sent", 1, NOW)}
    return facts(state=state, receipts=list(receipts), customs_status=status, **{**given, **changes})


def receipt(status: str, info: str = "", standing: str = "applied") -> Receipt:
    return Receipt(status, Words("说法", "words"), info, standing, "")


def found(given: Facts) -> dict[str, Item]:
    items = checks.run(given)
    assert len({item.check for item in items}) == len(items)
    return {item.check: item for item in items}


def result(given: Facts, check: str) -> str:
    return found(given)[check].result


@pytest.mark.parametrize("kind", [item.kind for item in registry.ALL])
def test_every_kind_in_every_state_is_judged(kind: str) -> None:
    for state in doctype(kind).lifecycle.by_name:
        for given in (facts(kind, state), replace(filed(state, receipt("100")), doctype=doctype(kind))):
            for item in found(given).values():
                assert item.words.zh
                assert item.words.en
                assert any("\u4e00" <= sign <= "\u9fff" for sign in item.words.zh)
                assert item.label.zh != item.label.en


def test_a_right_order_is_fine() -> None:
    items = found(facts())
    assert {name: item.result for name, item in items.items()} == {
        "state": "ok", "content": "ok", "qualification": "unknown", "kinds": "ok", "transmission-id": "ok",
        "blanks": "ok", "key": "ok", "channel": "ok",
    }  # fmt: skip
    assert checks.is_fine(list(items.values()))


def test_what_customs_sends_is_not_asked_for_what_files_it() -> None:
    assert set(found(facts("summary-result", "received"))) == {"state", "channel"}


def test_incomplete_content_names_the_fields_and_the_page() -> None:
    head = {**facts().body["head"], "orderNo": "", "currency": "xx"}
    item = found(facts(state="draft", body={**facts().body, "head": head}))["content"]
    assert item.result == "failed"
    assert "/head/orderNo" in item.words.zh
    assert item.page is not None
    assert item.page.path == "/documents/order/1"
    assert "content" not in found(facts(state="accepted", body={"head": {}, "lines": []})), (
        "customs' to judge now"
    )


@pytest.mark.parametrize(
    ("state", "age", "expected", "word"),
    [
        ("signing", 20, "warning", "15 分钟"), ("signed", 20, "warning", "通道"), ("sent", 61, "warning", "自助诊断"),
        ("sent", 59, "ok", "时限"), ("checked", 10**5, "ok", "待提交"), ("rejected", 0, "failed", "退单"),
        ("error", 0, "failed", "异常"), ("send_failed", 0, "failed", "失败"),
    ],
)  # fmt: skip
def test_the_state_and_its_time_limit(state: str, age: int, expected: str, word: str) -> None:
    item = found(facts(state=state, updated_at=NOW - timedelta(minutes=age)))["state"]
    assert item.result == expected
    assert word in item.words.zh


def test_an_unfinished_amendment_is_pointed_to() -> None:
    item = found(facts(state="accepted", replaced_by="2"))["state"]
    assert item.result == "warning"
    assert item.page is not None
    assert item.page.path == "/documents/order/2"
    assert result(facts(state="amended", replaced_by="2"), "state") == "ok"


def test_the_kind_of_enterprise() -> None:
    assert result(facts("waybill"), "kinds") == "ok"
    item = found(facts("waybill", enterprise_kinds=("ecommerce",)))["kinds"]
    assert item.result == "failed"
    assert "物流企业" in item.words.zh


@pytest.mark.parametrize(
    ("status", "state", "expected"),
    [("-10101", "error", "failed"), ("120", "accepted", "ok"), ("2", "received", "unknown")],
)
def test_the_qualification_shows_in_receipts_only(status: str, state: str, expected: str) -> None:
    assert result(filed(state, receipt(status)), "qualification") == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [("DXPENT0000000101", "ok"), ("DXPLGS0000000101", "ok"), ("", "failed"), ("DXP1", "warning")],
)
def test_the_transmission_id(given: str, expected: str) -> None:
    assert result(facts(enterprise=replace(ENTERPRISE, dxp_id=given)), "transmission-id") == expected


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("code", "91 610131MA0DEMA01X", "failed"), ("dxp_id", "DXPENT0000000101 ", "failed"),
        ("customs_code", "6101960A01\u3000", "failed"), ("short_code", "Y SJ", "failed"), ("name", " 演示", "failed"),
        ("name", "Demo Trading Ltd", "ok"),
    ],
)  # fmt: skip
def test_blanks_in_the_settings(name: str, value: str, expected: str) -> None:
    assert result(facts(enterprise=replace(ENTERPRISE, **{name: value})), "blanks") == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (None, "unknown"), ([], "failed"), ([replace(KEY, state="unavailable")], "failed"),
        ([replace(KEY, state="expired")], "failed"), ([replace(KEY, not_after=NOW - timedelta(days=1))], "failed"),
        ([replace(KEY, not_before=NOW + timedelta(days=1))], "failed"),
        ([replace(KEY, not_after=NOW + timedelta(days=29))], "warning"), ([KEY], "ok"),
    ],
)  # fmt: skip
def test_the_key_and_its_certificate(keys: list[Key] | None, expected: str) -> None:
    item = found(facts(keys=keys))["key"]
    assert item.result == expected
    assert item.page is not None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "ok"), ({"revoked_at": NOW}, "failed"), ({"valid_to": NOW}, "failed"), ({"kinds": ("list",)}, "failed"),
        ({"actions": ("read",)}, "warning"), ({"valid_to": NOW + timedelta(days=6)}, "warning"),
    ],
)  # fmt: skip
def test_the_mandate(changes: dict[str, Any], expected: str) -> None:
    assert result(facts(mandate=replace(MANDATE, **changes)), "mandate") == expected
    assert "mandate" not in found(facts())


def test_not_filed_yet_asks_nothing_of_the_way() -> None:
    edited = [SUBMITTED, SIGNED, Happened("edited", NOW)]
    for given in (facts(), facts(timeline=edited)):
        assert not {"signed", "sent", "refused", "receipts", "visible"} & set(found(given))


def test_the_way_of_a_message() -> None:
    waiting = facts(state="signing", timeline=[SUBMITTED])
    assert result(waiting, "signed") == "ok"
    assert result(replace(waiting, updated_at=NOW - timedelta(hours=1)), "signed") == "warning"
    signed = facts(state="signed", timeline=[SUBMITTED, SIGNED])
    assert (result(signed, "signed"), result(signed, "sent")) == ("ok", "ok")
    tried = replace(signed, way=Way("waiting", 7, NOW, "down", Words("连接不上。", "No connection.")))
    item = found(tried)["sent"]
    assert (item.result, "7 次" in item.words.zh, "连接不上" in item.words.zh) == ("failed", True, True)
    assert result(filed("sent"), "sent") == "ok"


@pytest.mark.parametrize(
    ("queue", "expected"),
    [
        (Queue(0, None, None), "ok"), (Queue(3, NOW - timedelta(minutes=1), None), "ok"),
        (Queue(3, NOW - timedelta(minutes=6), None), "warning"),
        (Queue(3, NOW, Words("连接不上。", "No connection.")), "failed"),
    ],
)  # fmt: skip
def test_the_channel(queue: Queue, expected: str) -> None:
    assert result(facts(queue=queue), "channel") == expected
    assert "channel" not in found(facts(enterprise=None))


def refused(code: str, stage: str = "send") -> Facts:
    entry = Happened("refused", NOW, {"code": code, "stage": stage}, Words("平台退回。", "Refused."))
    return facts(state="send_failed", timeline=[SUBMITTED, SIGNED, entry], way=Way("refused", 1, NOW, code))


def test_a_refused_message_says_why_and_what_to_do() -> None:
    item = found(refused("platform-1002"))["refused"]
    assert item.result == "failed"
    assert "签名已过期" in item.words.zh
    assert "设备与密钥" in item.words.zh
    assert "（推定）" in found(refused("platform-3998"))["refused"].words.zh
    assert found(refused("enterprise-disabled"))["refused"].words.zh == "平台退回。"
    items = found(refused("sign.no-key", "sign"))
    assert items["signed"].result == "failed"
    assert "refused" not in items


@pytest.mark.parametrize(
    ("heard", "expected", "word"),
    [
        ((), "unknown", "尚未收到"), ((receipt("120"),), "ok", "（120）"),
        ((receipt("100", "缺少运单"),), "failed", "缺少运单"), ((receipt("-301010"),), "failed", "订单编号已存在"),
        ((receipt("777", standing="unknown_status"),), "warning", "未公布"),
        ((receipt("2"), receipt("-621011", standing="late")), "ok", "（2）"),
    ],
)  # fmt: skip
def test_receipts_and_their_words(heard: tuple[Receipt, ...], expected: str, word: str) -> None:
    given = filed("received", *heard)
    item = found(replace(given, customs_status=next((one.status for one in heard), "")))["receipts"]
    assert item.result == expected
    assert word in item.words.zh


def test_a_status_that_names_its_number_is_not_given_it_twice() -> None:
    words = Words("处理异常（-621503）", "Processing error (-621503)")
    told = found(filed("error", Receipt("-621503", words, "", "applied", "")))["receipts"].words
    assert (told.zh.count("-621503"), told.en.count("-621503")) == (1, 1)


def test_no_answer_in_time_is_a_warning() -> None:
    assert result(filed("sent", updated_at=NOW - timedelta(hours=2)), "receipts") == "warning"


def test_whether_customs_can_see_it() -> None:
    assert result(filed("sent"), "visible") == "unknown"
    assert "95198" in found(filed("sent"))["visible"].words.zh
    assert result(filed("received", receipt("2")), "visible") == "ok"
    assert result(filed("error", receipt("-621000")), "visible") == "unknown"


def test_the_four_documents() -> None:
    other = Other("order", "o", "O", "checked", {"head": {}, "lines": []})
    differs = Leg(
        "order", "differs", other, (Difference("qty", Words("数量", "Quantity"), "1", "2", "/lines/0/qty"),)
    )
    cases = {
        "failed": (differs,),
        "warning": (Leg("order", "missing"), Leg("waybill", "same")),
        "unknown": (Leg("order", "unknown"),),
        "ok": (Leg("order", "same", other), Leg("payment", "not-needed")),
    }
    for expected, legs in cases.items():
        assert result(facts("list", comparison=Comparison(legs)), "companions") == expected
    assert "出口订单" in found(facts("list", comparison=Comparison(cases["warning"])))["companions"].words.zh


def test_receipts_nobody_understood_are_told() -> None:
    assert result(facts(odd_receipts=2), "odd-receipts") == "warning"
    assert "odd-receipts" not in found(facts())
