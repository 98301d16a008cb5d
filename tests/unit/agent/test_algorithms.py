"""How a token is driven, judged by other code: cryptography, tongsuopy, and the curve's own arithmetic."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from tongsuopy.crypto import hashes as sm_hashes
from tongsuopy.crypto import serialization as sm_serialization
from tongsuopy.crypto.asymciphers import ec as sm_ec

from agent import algorithms, certificates
from agent.algorithms import CKM_RSA_PKCS, CKM_SHA256_RSA_PKCS, MECHANISMS
from agent.config import Profile
from tests.support.cards import certificate_for
from tests.unit.signer.conftest import build_certificate

SM2 = MECHANISMS["sm2-sm3"]
VENDOR = Profile("vendor", sm2_mechanism=0x80000101)
# GM/T 0003.5
P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
Point = tuple[int, int] | None


def add(one: Point, two: Point) -> Point:
    if one is None or two is None:
        return one or two
    if one[0] == two[0] and (one[1] + two[1]) % P == 0:
        return None
    if one == two:
        slope = (3 * one[0] ** 2 + A) * pow(2 * one[1], -1, P)
    else:
        slope = (two[1] - one[1]) * pow(two[0] - one[0], -1, P)
    x = (slope**2 - one[0] - two[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def times(count: int, point: Point) -> Point:
    total: Point = None
    while count:
        if count & 1:
            total = add(total, point)
        point, count = add(point, point), count >> 1
    return total


@pytest.fixture(scope="module")
def sm2() -> tuple[Any, bytes]:
    key: Any = sm_ec.generate_private_key(sm_ec.SM2())
    public = key.public_key().public_bytes(
        sm_serialization.Encoding.DER, sm_serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return key, public


def test_the_digest_of_sm2_is_the_one_that_was_signed(sm2: tuple[Any, bytes]) -> None:
    key, public = sm2
    data = b"what is signed"
    r, s = decode_dss_signature(key.sign(data, sm_ec.ECDSA(sm_hashes.SM3())))
    point = public[-64:]
    owner = (int.from_bytes(point[:32], "big"), int.from_bytes(point[32:], "big"))
    found = add(times(s, G), times((r + s) % N, owner))
    assert found is not None
    # GM/T 0003.2, 7.1: r = e + x1
    signed = (r - found[0]) % N
    made = algorithms.sm2_digest(data, public, b"1234567812345678")
    assert int.from_bytes(made, "big") % N == signed
    inside = algorithms.order(SM2, data, public, [0x80000101], VENDOR)
    assert (inside.number, inside.payload) == (0x80000101, data)
    outside = Profile("v", sm2_mechanism=7, sm2_hashes=False)
    assert algorithms.order(SM2, data, public, [7], outside).payload == made


def test_a_signature_of_sm2_is_judged(sm2: tuple[Any, bytes]) -> None:
    key, public = sm2
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
