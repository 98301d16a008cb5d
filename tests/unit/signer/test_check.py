"""What the signer refuses to sign by looking at the message, and what it refuses to let out."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable

import pytest

from services.signer import check, domain, refusals, xmlsign
from tests.support.signing import CEB, XSI, message
from tests.unit.signer.conftest import Pair
from tests.unit.signer.test_xmlsign import CODE, signed

GOOD = message(CODE, documents=2)


def refused(xml: bytes) -> str:
    with pytest.raises(refusals.Refused) as caught:
        check.read(xml)
    refusal = caught.value.refusal
    assert refusal.zh
    assert refusal.en
    return refusal.code


def test_facts_of_a_message() -> None:
    facts = check.read(message(CODE, "DXPENT0000000007", 3, namespaces={"xsi": XSI}))
    assert facts.message_type == "CEB303Message"
    assert facts.namespaces == (("ceb", CEB), ("xsi", XSI))
    assert (facts.cop_code, facts.dxp_id) == (CODE, "DXPENT0000000007")
    assert facts.parties == (frozenset({CODE, "无"}),) * 3


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda xml: xml[:-5], "sign.malformed"),
        (lambda xml: xml[:0], "sign.malformed"),
        (lambda xml: xml + b"\n", "sign.not-canonical"),
        (lambda xml: b'<?xml version="1.0"?>' + xml, "sign.not-canonical"),
        (lambda xml: b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>" + xml, "sign.not-canonical"),
        (lambda xml: xml.replace(b"<ceb:Order>", b"<!-- c --><ceb:Order>", 1), "sign.not-canonical"),
        (lambda xml: xml.replace(b"<ceb:note></ceb:note>", b"<ceb:note/>"), "sign.not-canonical"),
        (lambda xml: xml.replace(b"version=", b" version=", 1), "sign.not-canonical"),
        (lambda xml: xml.replace(b"version='1.0'", b'version="1.0"'), None),
        (lambda xml: xml.replace(b"CEB303Message", b"CEB304Message"), "sign.wrong-type"),
        (lambda xml: xml.replace(CEB.encode(), b"http://www.chinaport.gov.cn/other"), "sign.wrong-type"),
        (lambda xml: xml.replace(b"xmlns:ceb", b"xmlns:a", 1).replace(b"ceb:", b"a:"), "sign.wrong-type"),
        (lambda xml: xml.replace(b' guid="', b' xmlns:z="urn:z" guid="', 1), "sign.wrong-root"),
        (lambda xml: xml.replace(b' version="1.0"', b' version="1.0" zoo="1"', 1), "sign.wrong-root"),
        (lambda xml: xml.replace(b"ceb:BaseTransfer", b"ceb:Basetransfer"), "sign.wrong-sequence"),
        (lambda xml: xml.replace(b"</ceb:BaseTransfer>", b"</ceb:BaseTransfer><ceb:Order></ceb:Order>"), "sign.wrong-sequence"),
    ],
)  # fmt: skip
def test_refusals(change: Callable[[bytes], bytes], code: str | None) -> None:
    if code is None:
        check.read(change(GOOD))
    else:
        assert refused(change(GOOD)) == code


def test_a_signed_message_is_not_signed_again(rsa_pair: Pair) -> None:
    assert refused(signed(rsa_pair, "rsa-sha1", GOOD)) == "sign.already-signed"


def test_an_extend_message_inside_a_document_is_refused() -> None:
    nested = b"<ceb:ExtendMessage><ceb:name></ceb:name></ceb:ExtendMessage>"
    xml = GOOD.replace(b"</ceb:BaseTransfer>", b"</ceb:BaseTransfer>" + nested)
    check.read(xml)
    assert refused(xml.replace(b"<ceb:OrderList>", b"<ceb:OrderList>" + nested, 1)) == "sign.wrong-sequence"


def test_huge_messages_are_refused_before_parsing() -> None:
    assert refused(b"<" + b"a" * domain.MAX_BYTES) == "sign.too-large"


def test_every_head_field_of_the_table_is_found() -> None:
    """A flat node (no head) and one with a head, from the table that lists where codes stand."""
    for name, table in domain.MESSAGE_TYPES.items():
        fields = "".join(f"<ceb:{code}>{code.upper()}</ceb:{code}>" for code in table.codes)
        inner = f"<ceb:{table.head}>{fields}</ceb:{table.head}>" if table.head else fields
        xml = (
            f'<ceb:{name} xmlns:ceb="{CEB}" guid="G" version="1.0"><ceb:{table.node}>{inner}</ceb:{table.node}>'
            f"<ceb:BaseTransfer></ceb:BaseTransfer></ceb:{name}>"
        ).encode()
        facts = check.read(xml)
        assert facts.parties == (frozenset(code.upper() for code in table.codes),)
        assert facts.cop_code == ""


# ---- what may leave ------------------------------------------------------------------------------------------------


def wrong(final: bytes, pair: Pair, digest: bytes | None = None) -> str:
    algorithm = xmlsign.ALGORITHMS["rsa-sha1"]
    with pytest.raises(check.SignatureWrong) as caught:
        check.verify(final, digest or algorithm.digest(GOOD), algorithm, pair.certificate, "raw")
    return str(caught.value)


def test_what_was_signed_is_what_leaves(rsa_pair: Pair, sm2_pair: Pair) -> None:
    final = signed(rsa_pair, "rsa-sha1", GOOD)
    algorithm = xmlsign.ALGORITHMS["rsa-sha1"]
    check.verify(final, algorithm.digest(GOOD), algorithm, rsa_pair.certificate, "raw")
    assert "digest differs" in wrong(final.replace(b"<ceb:qty>1<", b"<ceb:qty>2<"), rsa_pair)
    assert "digest differs" in wrong(final, rsa_pair, b"x" * 20)
    assert "another certificate" in wrong(final, sm2_pair)
    assert "methods differ" in wrong(final.replace(b"xmldsig#sha1", b"xmldsig#sha256"), rsa_pair)
    assert "methods differ" in wrong(final.replace(b'URI=""', b'URI="#x"'), rsa_pair)
    value = re.search(rb"<ds:SignatureValue>(.*)</ds:SignatureValue>", final)
    assert value is not None
    other = base64.b64encode(rsa_pair.sign("rsa-sha1", b"something else"))
    assert "does not hold" in wrong(final.replace(value[1], other), rsa_pair)
    assert wrong(final.replace(value[1], b"***"), rsa_pair)
    assert "not exactly one" in wrong(GOOD, rsa_pair)


def test_a_misplaced_signature_does_not_leave(rsa_pair: Pair) -> None:
    final = signed(rsa_pair, "rsa-sha1", GOOD)
    begin, end = final.index(b"<ds:Signature "), final.index(b"</ds:Signature>") + len(b"</ds:Signature>")
    moved = final[:begin] + final[end:]
    at = moved.index(b"<ceb:BaseTransfer>")
    assert "misplaced" in wrong(moved[:at] + final[begin:end] + moved[at:], rsa_pair)
