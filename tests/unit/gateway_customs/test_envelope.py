"""The envelope carries any bytes unchanged, and only well-made ones are opened."""

from __future__ import annotations

import base64
import string
import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from services.gateway.customs import envelope
from services.gateway.customs.envelope import DxpMsg, DxpRep, TransInfo
from services.gateway.customs.safexml import Unreadable, one_line
from simulator.envelope import open_envelope

# what XML can carry in an element and nobody trims or folds
words = st.text(
    st.characters(
        codec="utf-8", exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp"), exclude_characters="\ufffe\uffff"
    ),
    min_size=1,
)


def head(**changes: object) -> TransInfo:
    values: dict[str, object] = {
        "cop_msg_id": "1b4e28ba-2fa1-11d2-883f-0016d3cca427",
        "sender": "DXPENT0000000001",
        "receivers": ("DXPEDCCEB0000003",),
        "created": "2026-01-02T03:04:05",
        "message_type": "CEB303Message",
    }
    return TransInfo(**(values | changes))  # type: ignore[arg-type]


@given(
    data=st.binary(min_size=1),
    cop_msg_id=words.filter(lambda text: len(text) <= 255),
    sender=words.filter(lambda text: len(text) <= 16),
    receivers=st.lists(words.filter(lambda text: len(text) <= 16), min_size=1, max_size=5).map(tuple),
    message_type=words.filter(lambda text: len(text) <= 30),
    name=words.filter(lambda text: len(text) <= 255),
)
def test_round_trip(
    data: bytes, cop_msg_id: str, sender: str, receivers: tuple[str, ...], message_type: str, name: str
) -> None:
    made = head(cop_msg_id=cop_msg_id, sender=sender, receivers=receivers, message_type=message_type)
    raw = envelope.write(made, data, name)
    assert envelope.read(raw) == DxpMsg(made, data, name)
    assert envelope.write(made, data, name) == raw


@given(st.binary())
def test_hostile_bytes_are_named_never_a_crash(raw: bytes) -> None:
    with pytest.raises(Unreadable) as caught:
        envelope.read(raw)
    assert caught.value.code
    assert caught.value.zh
    assert caught.value.en


@given(data=st.data())
def test_a_damaged_envelope_is_opened_right_or_named(data: st.DataObject) -> None:
    raw = bytearray(envelope.write(head(), b"<a/>", "x.xml"))
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(raw) - 1))
        raw[position : position + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        opened = envelope.read(bytes(raw))
    except Unreadable:
        return
    assert isinstance(opened, DxpMsg)
    assert opened.data


@pytest.mark.parametrize(
    "business", [b"<ceb:X xmlns:ceb='http://www.chinaport.gov.cn/ceb'/>", b"\x00\xff", b"]]>&\r\n"]
)
def test_another_implementation_opens_it(business: bytes) -> None:
    raw = envelope.write(head(), business, envelope.file_name("CEB303Message", head().cop_msg_id))
    opened = open_envelope(raw, "DXPEDCCEB0000003", 1 << 20)
    assert (opened.cop_msg_id, opened.sender, opened.data) == (head().cop_msg_id, head().sender, business)


def test_elements_stand_in_the_order_of_the_definition() -> None:
    root = etree.fromstring(envelope.write(head(receivers=("A", "B")), b"x", "n.xml"))
    assert root.tag == "{http://www.chinaport.gov.cn/dxp}DxpMsg"
    assert root.get("ver") == "1.0"
    names = [etree.QName(node).localname for node in root.iter()]
    assert names == [
        "DxpMsg", "TransInfo", "CopMsgId", "SenderId", "ReceiverIds", "ReceiverId", "ReceiverId",
        "CreatTime", "MsgType", "Data", "AddInfo", "FileName",
    ]  # fmt: skip


def test_times_are_of_shanghai() -> None:
    assert envelope.created_text(datetime(2025, 12, 31, 16, 0, 1, 999, tzinfo=UTC)) == "2026-01-01T00:00:01"
    west = datetime(2026, 1, 1, 0, 0, tzinfo=timezone(timedelta(hours=-5)))
    assert envelope.created_text(west) == "2026-01-01T13:00:00"
    with pytest.raises(ValueError, match="offset"):
        envelope.created_text(datetime(2026, 1, 1))  # noqa: DTZ001


def test_the_file_name_has_the_id_in_capitals() -> None:
    number = str(uuid.UUID("1b4e28ba-2fa1-11d2-883f-0016d3cca427"))
    assert (
        envelope.file_name("CEB303Message", number)
        == "CEB303Message_1B4E28BA-2FA1-11D2-883F-0016D3CCA427.xml"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"sender": ""},
        {"sender": "D" * 17},
        {"sender": " D"},
        {"cop_msg_id": "a\x00b"},
        {"cop_msg_id": "x" * 256},
        {"message_type": "\n"},
        {"receivers": ()},
        {"receivers": ("A",) * 6},
        {"receivers": ("\ud800",)},
    ],
)
def test_fields_that_do_not_fit_are_refused_before_sending(changes: dict[str, object]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each says its own field
        envelope.write(head(**changes), b"x", "n.xml")


GOOD = envelope.write(head(), b"<a/>", "n.xml").decode()


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('ver="1.0"', 'ver="2.0"', "invalid"),
        (' ver="1.0"', "", "invalid"),
        ("chinaport.gov.cn/dxp", "example.com/dxp", "not-an-envelope"),
        ("dxp:DxpMsg", "dxp:DxpMsgSv", "not-an-envelope"),
        ("<dxp:CopMsgId>1b4e28ba-2fa1-11d2-883f-0016d3cca427</dxp:CopMsgId>", "", "incomplete"),
        ("<dxp:ReceiverId>DXPEDCCEB0000003</dxp:ReceiverId>", "", "invalid"),
        ("<dxp:SenderId>", "<dxp:SenderId>X</dxp:SenderId><dxp:SenderId>", "invalid"),
        ("DXPENT0000000001", "DXPENT00000000012", "invalid"),
        ("DXPENT0000000001", "<dxp:b/>", "invalid"),
        (base64.b64encode(b"<a/>").decode(), "%%%", "invalid"),
        (base64.b64encode(b"<a/>").decode(), "", "invalid"),
        (base64.b64encode(b"<a/>").decode(), "中", "invalid"),
        ("<dxp:Data>", "<dxp:Data/><dxp:Data>", "invalid"),
    ],
)
def test_what_breaks_the_definition_is_named(old: str, new: str, code: str) -> None:
    assert old in GOOD
    with pytest.raises(Unreadable) as caught:
        envelope.read(GOOD.replace(old, new).encode())
    assert caught.value.code == code


def test_base64_may_be_folded_and_prefixes_are_free() -> None:
    data = bytes(range(256)) * 20
    folded = base64.encodebytes(data).decode()
    raw = (
        GOOD.replace(base64.b64encode(b"<a/>").decode(), folded).replace("dxp:", "q:").replace(":dxp=", ":q=")
    )
    opened = envelope.read(raw.encode())
    assert isinstance(opened, DxpMsg)
    assert opened.data == data


def test_an_answer_of_the_platform_is_read() -> None:
    original = GOOD[GOOD.index("<dxp:CopMsgId>") : GOOD.index("</dxp:TransInfo>")]
    one = (
        "<dxp:Response><dxp:NodeId>N</dxp:NodeId><dxp:ResponseCode>{}</dxp:ResponseCode>{}"
        "<dxp:NoticeTime>2026-01-02</dxp:NoticeTime><dxp:OriHead>"
        + original
        + "</dxp:OriHead></dxp:Response>"
    )
    raw = (
        '<dxp:DxpRep xmlns:dxp="http://www.chinaport.gov.cn/dxp" ver="1.0">'
        "<dxp:RecevierId>DXPENT0000000001</dxp:RecevierId>"
        + one.format("1004", "<dxp:ResponseInfo> 签名不符 </dxp:ResponseInfo>")
        + one.format("4711", "")
        + "</dxp:DxpRep>"
    )
    answer = envelope.read(raw.encode())
    assert isinstance(answer, DxpRep)
    assert answer.receiver == "DXPENT0000000001"
    assert [(one.code, one.info) for one in answer.responses] == [("1004", "签名不符"), ("4711", "")]
    assert {one.original for one in answer.responses} == {head()}
    for cut in (
        "<dxp:RecevierId>DXPENT0000000001</dxp:RecevierId>",
        "<dxp:ResponseCode>1004</dxp:ResponseCode>",
    ):
        with pytest.raises(Unreadable):
            envelope.read(raw.replace(cut, "").encode())


@given(st.text(string.printable, max_size=300))
def test_names_from_outside_are_one_clean_line(text: str) -> None:
    assert one_line(text).isprintable()
    assert len(one_line(text, 20)) <= 20
