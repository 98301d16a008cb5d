"""How a token is driven, judged by other code: cryptography and tongsuopy."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given, settings
from hypothesis import strategies as st
from tongsuopy.crypto import hashes as sm_hashes
from tongsuopy.crypto import serialization as sm_serialization
from tongsuopy.crypto.asymciphers import ec as sm_ec

from agent import algorithms, certificates, sm2
from agent.algorithms import CKM_RSA_PKCS, CKM_SHA256_RSA_PKCS, MECHANISMS
from agent.config import Profile
from tests.support.cards import certificate_for
from tests.unit.signer.conftest import build_certificate

SM2 = MECHANISMS["sm2-sm3"]
ID = b"1234567812345678"
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
VENDOR = Profile("vendor", sm2_mechanism=0x80000101)


@pytest.fixture(scope="module")
def pair() -> tuple[Any, bytes]:
    key: Any = sm_ec.generate_private_key(sm_ec.SM2())
    public = key.public_key().public_bytes(
        sm_serialization.Encoding.DER, sm_serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return key, public


def test_the_digest_of_sm2_is_the_one_that_was_signed(pair: tuple[Any, bytes]) -> None:
    key, public = pair
    data = b"what is signed"
    made = sm2.digest(data, public, ID)
    r, s = decode_dss_signature(key.sign(data, sm_ec.ECDSA(sm_hashes.SM3())))
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    # holds only if e was the one that tongsuopy signed
    assert sm2.holds(public, data, signature, ID)
    assert not sm2.holds(public, data, signature, b"another id")
    inside = algorithms.order(SM2, data, public, [0x80000101], VENDOR)
    assert (inside.number, inside.payload) == (0x80000101, data)
    outside = Profile("v", sm2_mechanism=7, sm2_hashes=False)
    assert algorithms.order(SM2, data, public, [7], outside).payload == made


def test_a_signature_of_sm2_is_judged(pair: tuple[Any, bytes]) -> None:
    key, public = pair
    der = build_certificate(public, rsa.generate_private_key(65537, 2048))
    certificate = certificates.read(der)
    assert certificate.kind == "sm2"
    answer = key.sign(b"data", sm_ec.ECDSA(sm_hashes.SM3()))
    raw = algorithms.wire_signature(SM2, answer, Profile("v", sm2_mechanism=7, sm2_der=True))
    assert len(raw) == 64
    assert certificates.holds(certificate, SM2, b"data", raw)
    assert not certificates.holds(certificate, SM2, b"date", raw)
    assert not certificates.holds(certificate, SM2, b"data", answer)
    assert not certificates.holds(certificate, MECHANISMS["rsa-sha1"], b"data", raw)
    with pytest.raises(ValueError, match="asn1"):
        algorithms.wire_signature(SM2, b"no asn.1", Profile("v", sm2_mechanism=7, sm2_der=True))


@settings(max_examples=30)
@given(st.integers(0, 511), st.binary(max_size=40))
def test_a_changed_signature_of_sm2_does_not_hold(pair: tuple[Any, bytes], bit: int, data: bytes) -> None:
    key, public = pair
    r, s = decode_dss_signature(key.sign(data, sm_ec.ECDSA(sm_hashes.SM3())))
    signature = (r << 256) | s
    assert sm2.holds(public, data, signature.to_bytes(64, "big"), ID)
    assert not sm2.holds(public, data, (signature ^ (1 << bit)).to_bytes(64, "big"), ID)


@pytest.mark.parametrize(("r", "s"), [(0, 0), (0, 1), (1, 0), (N, 1), (1, N), (1, N - 1)])
def test_numbers_out_of_range_are_no_signature(pair: tuple[Any, bytes], r: int, s: int) -> None:
    assert not sm2.holds(pair[1], b"data", r.to_bytes(32, "big") + s.to_bytes(32, "big"), ID)


def test_a_key_off_the_curve_is_refused(pair: tuple[Any, bytes]) -> None:
    off = pair[1][:-1] + bytes([pair[1][-1] ^ 1])
    with pytest.raises(ValueError, match="not a point"):
        sm2.digest(b"data", off, ID)


def test_what_a_token_can_do_follows_from_its_numbers() -> None:
    plain = Profile()
    assert algorithms.able("rsa", [CKM_RSA_PKCS], plain) == ("rsa-sha1", "rsa-sha256")
    assert algorithms.able("rsa", [CKM_SHA256_RSA_PKCS], plain) == ("rsa-sha256",)
    assert algorithms.able("rsa", [], plain) == ()
    assert algorithms.able("sm2", [CKM_RSA_PKCS, 0x80000101], plain) == ()
    assert algorithms.able("sm2", [0x80000101], VENDOR) == ("sm2-sm3",)
    assert algorithms.able("sm2", [0x80000102], VENDOR) == ()
    assert algorithms.able("other", [CKM_RSA_PKCS], plain) == ()


def test_a_token_that_hashes_by_itself_is_given_the_data() -> None:
    sha256 = MECHANISMS["rsa-sha256"]
    given = algorithms.order(sha256, b"data", b"", [CKM_SHA256_RSA_PKCS], Profile())
    assert (given.number, given.payload) == (CKM_SHA256_RSA_PKCS, b"data")
    made = algorithms.order(sha256, b"data", b"", [CKM_RSA_PKCS, CKM_SHA256_RSA_PKCS], Profile())
    assert made.number == CKM_RSA_PKCS
    assert made.payload.endswith(hashlib.sha256(b"data").digest())
    with pytest.raises(KeyError):
        algorithms.order(MECHANISMS["rsa-sha1"], b"data", b"", [CKM_SHA256_RSA_PKCS], Profile())


def test_certificates_that_may_not_sign_are_known() -> None:
    key = rsa.generate_private_key(65537, 2048)
    assert certificates.read(certificate_for(key, "signs")).signs
    assert certificates.read(certificate_for(key, "too", content_commitment=True)).signs
    assert not certificates.read(certificate_for(key, "not", key_encipherment=True)).signs
    with pytest.raises(ValueError, match="not a certificate"):
        certificates.read(b"no certificate")
