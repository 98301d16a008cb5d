"""The envelope: opened strictly, nothing outside it is touched, and what we seal we can open."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.envelope import EnvelopeFault, open_envelope, seal
from simulator.problems import Unreadable
from tests.unit.simulator.material import CUSTOMS_ID, DXP, DXP_ID, envelope

LIMIT = 10_000


def opened(raw: bytes) -> bytes:
    return open_envelope(raw, CUSTOMS_ID, LIMIT).data


def test_a_good_envelope_is_opened() -> None:
    found = open_envelope(envelope(b"<x/>", cop_msg_id="abc"), CUSTOMS_ID, LIMIT)
    assert (found.cop_msg_id, found.sender, found.msg_type, found.data) == (
        "abc",
        DXP_ID,
        "CEB303Message",
        b"<x/>",
    )


@pytest.mark.parametrize("prefixed", [True, False])
def test_what_is_sealed_can_be_opened(prefixed: bool) -> None:
    sealed = seal(
        "<甲/>".encode(),
        msg_type="CEB304Message",
        cop_msg_id="A&B",
        sender="S",
        receiver=CUSTOMS_ID,
        created="2026-01-01T00:00:00",
        prefixed=prefixed,
    )
    found = open_envelope(sealed, CUSTOMS_ID, LIMIT)
    assert (found.cop_msg_id, found.sender, found.data) == ("A&B", "S", "<甲/>".encode())


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('ver="1.0"', 'ver="2.0"', "ver=1.0"),
        ('ver="1.0"', 'ver="1.0" x="1"', "ver=1.0"),
        ('ver="1.0"', 'ver="1.0" Id="123"', "XML name"),
        ("dxp:DxpMsg", "dxp:DxpMsgSv", "root must be DxpMsg"),
        (DXP, "urn:other", "root must be DxpMsg"),
        (f"<dxp:SenderId>{DXP_ID}</dxp:SenderId>", "", "SenderId must occur"),
        (DXP_ID, "X" * 17, "1 to 16 characters"),
        (DXP_ID, "", "1 to 16 characters"),
        ("<dxp:SenderId>", "<dxp:SenderId x='1'>", "plain text"),
        ("<dxp:MsgType>", "<dxp:MsgType/><dxp:MsgType>", "MsgType must occur"),
        ("CEB303Message", "C" * 31, "0 to 30"),
        ("2026-01-01T12:00:00", "2026-02-30T12:00:00", "CreatTime must be"),
        ("2026-01-01T12:00:00", "2026-01-01 12:00:00", "CreatTime must be"),
        (CUSTOMS_ID, "DXPEDCCEB0000002", "unknown receiver"),
        ("<dxp:TransInfo>", "text<dxp:TransInfo>", "stray text"),
        ("</dxp:TransInfo>", "</dxp:TransInfo>text", "stray text"),
        ("</dxp:TransInfo>", "<dxp:Extra/></dxp:TransInfo>", "does not belong"),
        ("<dxp:Data>", "<dxp:Data>*", "not base64"),
        ("<dxp:Data>", "<dxp:AddInfo/><dxp:Data>", "out of order"),
        ("</dxp:Data>", "</dxp:Data><dxp:AddInfo><dxp:Other/></dxp:AddInfo>", "does not belong"),
        ("</dxp:Data>", "</dxp:Data><dxp:AddInfo><dxp:IcCard/></dxp:AddInfo>", "1 to 13"),
        (
            "</dxp:Data>",
            '</dxp:Data><Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/>',
            "signature is not supported",
        ),
    ],
)
def test_every_departure_is_refused(old: str, new: str, reason: str) -> None:
    raw = envelope(b"<x/>").decode()
    assert old in raw
    with pytest.raises(EnvelopeFault, match=reason):
        opened(raw.replace(old, new).encode())


def test_sender_and_id_are_kept_for_the_answer() -> None:
    raw = envelope(b"<x/>", cop_msg_id="QUOTE-ME", created="never")
    with pytest.raises(EnvelopeFault) as caught:
        opened(raw)
    assert (caught.value.sender, caught.value.cop_msg_id) == (DXP_ID, "QUOTE-ME")


def test_times_with_zone_and_extra_parts_are_fine() -> None:
    more = "</dxp:Data><dxp:AddInfo><dxp:FileName>f</dxp:FileName><dxp:BizKey><dxp:Key name='a'>1</dxp:Key></dxp:BizKey></dxp:AddInfo>"
    raw = envelope(b"<x/>", created="2026-01-01T12:00:00.5+08:00").replace(b"</dxp:Data>", more.encode())
    assert opened(raw) == b"<x/>"


def test_base64_may_be_broken_into_lines() -> None:
    raw = envelope(b"<x/>" * 50).replace(b"<dxp:Data>", b"<dxp:Data>\r\n ").replace(b"PHgvPj", b"PHg\n vPj")
    assert opened(raw) == b"<x/>" * 50


@pytest.mark.parametrize("size", [LIMIT + 1, LIMIT * 3])
def test_too_much_is_refused(size: int) -> None:
    with pytest.raises(EnvelopeFault, match="split it"):
        opened(envelope(b"x" * size))


def hostile(tmp_path: Path) -> dict[str, bytes]:
    secret = tmp_path / "secret"
    secret.write_text("TOP SECRET")
    raw = envelope(b"<x/>").decode()
    body = raw.partition("?>")[2]
    named = body.replace("CEB303Message", "&e;")
    return {
        "file entity": f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{secret}">]>{named}'.encode(),
        "http entity": f'<!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1:9/">]>{named}'.encode(),
        "parameter entity": f'<!DOCTYPE x [<!ENTITY % p SYSTEM "file://{secret}"> %p;]>{body}'.encode(),
        "external dtd": f'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">{body}'.encode(),
        "laughs": (
            '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;"><!ENTITY e "&b;&b;&b;&b;">]>'
            + named
        ).encode(),
        "doctype only": f"<!DOCTYPE x>{body}".encode(),
        "processing instruction": f"<?xml-stylesheet href='http://127.0.0.1:9/'?>{body}".encode(),
        "inner instruction": raw.replace("<dxp:Data>", "<?x y?><dxp:Data>").encode(),
        "comment": raw.replace("CEB303Message", "CEB303<!-- -->Message").encode(),
        "utf-16": raw.replace("UTF-8", "UTF-16").encode("utf-16"),
        "latin declared": raw.replace("UTF-8", "ISO-8859-1").encode(),
        "not utf-8": raw.encode() + b"\xff",
        "empty": b"",
        "no xml": b"hello",
        "cut": raw.encode()[:100],
        "nul": raw.replace("CEB303", "CEB\0").encode(),
    }


KINDS = (
    *("file entity", "http entity", "parameter entity", "external dtd", "laughs", "doctype only"),
    *("processing instruction", "inner instruction", "comment", "utf-16", "latin declared", "not utf-8"),
    *("empty", "no xml", "cut", "nul"),
)


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_xml_is_refused_and_touches_nothing(kind: str, tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as caught:
        opened(hostile(tmp_path)[kind])
    assert "SECRET" not in str(caught.value)
