"""What is taken for a document's SignedInfo, and what never is."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import challenge, signed_info
from agent.algorithms import MECHANISMS
from agent.signed_info import NotSignedInfo
from services.signer import xmlsign
from tests.support.signed_infos import challenge as a_challenge
from tests.support.signed_infos import signed_info as an_info

RSA = MECHANISMS["rsa-sha1"]
GOOD = an_info()


@pytest.mark.parametrize("name", MECHANISMS)
def test_what_the_services_signer_makes_is_taken(name: str) -> None:
    namespaces = (("ceb", xmlsign.CEB), ("xsi", xmlsign.XSI))
    canonical = b"<ceb:CEB603Message>x</ceb:CEB603Message>"
    prepared = xmlsign.prepare(xmlsign.ALGORITHMS[name], namespaces, canonical)
    assert signed_info.check(prepared.signed_info, MECHANISMS[name]) == prepared.digest
    # DigestInfo and hashes are the same by both codes
    if name != "sm2-sm3":
        mechanism = MECHANISMS[name]
        assert mechanism.digest_info + mechanism.digest(prepared.signed_info) == prepared.digest_info


def test_the_digest_is_answered() -> None:
    assert signed_info.check(an_info("报文"), RSA) == hashlib.sha1("报文".encode()).digest()  # noqa: S324


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"ds:SignedInfo", b"ds:Manifest"),
        (b'URI=""', b'URI="#x"'),
        (b'URI=""', b'Id="a" URI=""'),
        (b'<ds:Reference URI="">', b'<ds:Reference URI="" URI="">'),
        (b"xmldsig#rsa-sha1", b"xmldsig#dsa-sha1"),
        (b"xmldsig#sha1", b"xmldsig#sha512"),
        (b"enveloped-signature", b"base64"),
        (b"REC-xml-c14n-20010315", b"REC-xml-c14n-20010315#WithComments"),
        (b"<ds:DigestValue>", b"<ds:DigestValue> "),
        (b"<ds:DigestValue>", b"<ds:DigestValue>AAAA"),
        (b"<ds:DigestValue>", b"<ds:DigestValue>!"),
        (b"<ds:Transforms>", b"<ds:Transforms><!-- x -->"),
        (b"<ds:Transforms>", b"<ds:Transforms>text"),
        (b"<ds:Transforms>", b"<ds:Transforms><?x y?>"),
        (b"></ds:DigestMethod>", b"/>"),
        (b"<ds:SignedInfo", b"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><ds:SignedInfo"),
        (b"<ds:SignedInfo", b"<?xml version='1.0'?><ds:SignedInfo"),
        (b"<ds:SignedInfo", b"<ds:SignedInfo "),
        (b"<ds:SignedInfo", b'<ds:SignedInfo Id="a"'),
        (b"2000/09/xmldsig#\"", b"2000/09/other#\""),
    ],
)  # fmt: skip
def test_anything_else_is_refused(old: bytes, new: bytes) -> None:
    assert old in GOOD
    with pytest.raises(NotSignedInfo):
        signed_info.check(GOOD.replace(old, new), RSA)


@pytest.mark.parametrize("name", ["rsa-sha256", "sm2-sm3"])
def test_another_mechanism_is_refused(name: str) -> None:
    with pytest.raises(NotSignedInfo):
        signed_info.check(GOOD, MECHANISMS[name])


def test_two_references_are_refused() -> None:
    at, end = GOOD.index(b"<ds:Reference"), GOOD.index(b"</ds:SignedInfo>")
    with pytest.raises(NotSignedInfo):
        signed_info.check(GOOD[:end] + GOOD[at:], RSA)


def test_it_is_not_longer_than_it_can_be() -> None:
    with pytest.raises(NotSignedInfo):
        signed_info.check(GOOD.replace(b"<ds:SignedInfo", b"<ds:SignedInfo" + b" " * 20_000), RSA)


def refused(data: bytes) -> bool:
    try:
        signed_info.check(data, RSA)
    except NotSignedInfo:
        return True
    return False


@given(st.binary(max_size=600))
def test_bytes_of_any_kind_are_refused_and_nothing_worse(data: bytes) -> None:
    assert refused(data)


@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=8), st.booleans())
def test_a_changed_one_is_refused_unless_only_its_digest_or_a_foreign_namespace_changed(
    at: int, put: bytes, instead: bool
) -> None:
    changed = GOOD[:at] + put + GOOD[at + (len(put) if instead else 0) :]
    try:
        digest = signed_info.check(changed, RSA)
    except NotSignedInfo:
        return
    # what passes says a digest of the right kind, and is as canonical as the good one
    begin = changed.index(b"<ds:DigestValue>") + 16
    assert base64.b64decode(changed[begin : changed.index(b"</ds:DigestValue>")]) == digest
    assert changed.count(b"<ds:Reference") == 1
    assert GOOD[GOOD.index(b">") : GOOD.index(b"<ds:DigestValue>")] in changed


def test_a_challenge_is_no_document_and_a_document_no_challenge() -> None:
    assert refused(a_challenge())
    with pytest.raises(challenge.NotChallenge):
        challenge.read(GOOD)
