"""Receipts of every type are read by namespace and name; what nobody knows is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.customs import ceb, platform_errors
from services.gateway.customs.safexml import Unreadable

CEB = "http://www.chinaport.gov.cn/ceb"


def receipt(root: str, node: str, fields: dict[str, str], prefix: str = "ceb") -> bytes:
    dot, declared = (f"{prefix}:", f"xmlns:{prefix}") if prefix else ("", "xmlns")
    inside = "".join(f"<{dot}{name}>{value}</{dot}{name}>" for name, value in fields.items())
    return (
        f'<{dot}{root} {declared}="{CEB}" guid="G" version="1.0"><{dot}{node}>{inside}</{dot}{node}></{dot}{root}>'
    ).encode()


# root and node names of the receipts in the specification's tables
RECEIPTS = {
    "CEB304Message": "OrderReturn",
    "CEB404Message": "ReceiptsReturn",
    "CEB506Message": "LogisticsReturn",
    "CEB508Message": "ArrivalReturn",
    "CEB510Message": "DepartureReturn",
    "CEB604Message": "InventoryReturn",
    "CEB702Message": "SummaryReturn",
    "CEB900Message": "MessageReturn",
}


@pytest.mark.parametrize("prefix", ["ceb", "", "n0"])
@pytest.mark.parametrize("root", RECEIPTS)
def test_every_type_with_any_prefix(root: str, prefix: str) -> None:
    fields = {
        "guid": "G-1",
        "orderNo": " N-1 ",
        "returnStatus": "-301010",
        "returnTime": "20260102030405678",
        "returnInfo": "订单&lt;已存在&gt;",
        "oriCopMsgId": "m",
    }
    read = ceb.read(receipt(root, RECEIPTS[root], fields, prefix))
    assert read.message_type == root
    assert read.items == (
        ceb.Item(
            "G-1", "-301010", "20260102030405678", "订单<已存在>", {"orderNo": "N-1", "oriCopMsgId": "m"}
        ),
    )


def test_the_order_of_elements_does_not_matter() -> None:
    fields = {"guid": "G", "returnStatus": "120", "returnTime": "1", "returnInfo": "x", "orderNo": "N"}
    swapped = dict(reversed(fields.items()))
    first, second = (ceb.read(receipt("CEB304Message", "OrderReturn", one)) for one in (fields, swapped))
    assert first == second


def test_deeper_repeated_and_foreign_elements_are_kept() -> None:
    raw = (
        f'<ceb:CEB999Message xmlns:ceb="{CEB}" xmlns:o="urn:other"><ceb:SummaryResult>'
        "<ceb:SummaryResultHead><ceb:guid>G</ceb:guid><ceb:sumNo>S</ceb:sumNo></ceb:SummaryResultHead>"
        "<ceb:SummaryResultList><ceb:gnum>1</ceb:gnum></ceb:SummaryResultList>"
        "<ceb:SummaryResultList><ceb:gnum>2</ceb:gnum></ceb:SummaryResultList>"
        "<o:extra>x</o:extra><ceb:twice>a</ceb:twice><ceb:twice>b</ceb:twice>"
        "</ceb:SummaryResult><o:Signature><o:x/></o:Signature><ceb:BaseTransfer/></ceb:CEB999Message>"
    ).encode()
    [item] = ceb.read(raw).items
    assert item.guid == ""
    assert item.status == ""
    assert item.fields == {
        "SummaryResultHead.guid": "G",
        "SummaryResultHead.sumNo": "S",
        "SummaryResultList.gnum": "1",
        "SummaryResultList[2].gnum": "2",
        "{urn:other}extra": "x",
        "twice": "a",
        "twice[2]": "b",
    }


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"<CEB304Message><OrderReturn/></CEB304Message>", "not-a-receipt"),
        (f'<CEB.304 xmlns="{CEB}"><OrderReturn/></CEB.304>'.encode(), "not-a-receipt"),
        (f'<{"C" * 41} xmlns="{CEB}"><OrderReturn/></{"C" * 41}>'.encode(), "not-a-receipt"),
        (f'<CEB304Message xmlns="{CEB}"/>'.encode(), "empty"),
        (f'<CEB304Message xmlns="{CEB}"><BaseTransfer/>text</CEB304Message>'.encode(), "empty"),
    ],
)
def test_what_is_no_receipt_is_named(raw: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as caught:
        ceb.read(raw)
    assert caught.value.code == code


def test_long_fields_are_cut_for_the_road() -> None:
    [item] = ceb.read(receipt("CEB900Message", "MessageReturn", {"oriBizMessage": "x" * 90_000})).items
    assert len(item.fields["oriBizMessage"]) == ceb.MAX_FIELD


text = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff<&>")
)


@given(st.dictionaries(st.from_regex(r"[A-Za-z][A-Za-z0-9]{0,15}", fullmatch=True), text, max_size=20))
def test_no_field_is_lost(fields: dict[str, str]) -> None:
    [item] = ceb.read(receipt("CEB304Message", "OrderReturn", fields)).items
    own = {
        "guid": item.guid,
        "returnStatus": item.status,
        "returnTime": item.return_time,
        "returnInfo": item.info,
    }
    assert {name: value for name, value in own.items() if name in fields} | item.fields == {
        name: value.strip() for name, value in fields.items()
    }


@pytest.mark.parametrize(
    ("code", "error", "zh"),
    [
        ("1004", True, "签名与数据不符"),
        ("4000", True, "平台自定义错误"),
        ("9999", True, "平台自定义错误"),
        ("3998", True, "未知的平台应答代码"),
        ("x", True, "未知的平台应答代码"),
        ("0000", False, "未知的平台应答代码"),
    ],
)
def test_answer_codes(code: str, error: bool, zh: str) -> None:
    assert platform_errors.is_error(code) is error
    assert platform_errors.meaning(code)[0] == zh
