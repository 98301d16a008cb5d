"""Certificates and requests: what is read, what is refused, what OpenSSL says to our requests."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from typing import Any

import pytest
from asn1crypto import pem
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from services.signer import certificates
from tests.unit.signer.conftest import NOW, Pair, build_certificate, spki


def test_what_is_read(rsa_pair: Pair, sm2_pair: Pair) -> None:
    read = rsa_pair.certificate
    assert (read.kind, sm2_pair.certificate.kind) == ("rsa", "sm2")
    assert read.not_before == NOW - timedelta(days=1)
    assert read.units == ("9144030000000000X8",)
    assert read.subject == "OU=9144030000000000X8, O=测试企业"
    assert len(read.fingerprint) == 64
    assert int(read.serial, 16) > 0
    armoured = pem.armor("CERTIFICATE", read.der)
    assert certificates.read(armoured) == read


@pytest.mark.parametrize("data", [b"", b"x", b"\x30\x03\x02\x01\x01", b"-----BEGIN CERTIFICATE-----\nx\n"])
def test_other_things_are_refused(data: bytes) -> None:
    with pytest.raises(certificates.CertificateError):
        certificates.read(data)


def test_trailing_bytes_are_refused(rsa_pair: Pair) -> None:
    with pytest.raises(certificates.CertificateError):
        certificates.read(rsa_pair.certificate.der + b"\x00")


def test_a_certificate_not_for_signatures_is_refused(rsa_key: rsa.RSAPrivateKey) -> None:
    usage = [{"extn_id": "key_usage", "critical": True, "extn_value": {"key_encipherment"}}]
    with pytest.raises(certificates.CertificateError, match="key usage"):
        certificates.read(build_certificate(spki(rsa_key), rsa_key, extensions=usage))
    without = certificates.read(build_certificate(spki(rsa_key), rsa_key, extensions=[]))
    assert without.kind == "rsa"


def test_short_and_strange_keys_are_refused(rsa_key: rsa.RSAPrivateKey) -> None:
    short = spki(rsa.generate_private_key(65537, 1024))  # noqa: S505 - to be refused
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    p256 = curve.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    for public in (short, p256):
        with pytest.raises(certificates.CertificateError):
            certificates.read(build_certificate(public, rsa_key))


def test_an_algorithm_must_fit_its_key(rsa_pair: Pair, sm2_pair: Pair) -> None:
    for pair, own, foreign in ((rsa_pair, "rsa-sha256", "sm2-sm3"), (sm2_pair, "sm2-sm3", "rsa-sha1")):
        check = certificates.verifier(pair.certificate.public_key)
        made = pair.sign(own, b"data")
        assert check(own, b"data", made)
        assert not check(own, b"other", made)
        assert not check(foreign, b"data", made)
        assert not check("hmac-sha1", b"data", made)
        assert not check(own, b"data", made[:-1])
        assert not check(own, b"data", bytes(len(made)))


@given(st.binary(min_size=64, max_size=64))
def test_both_forms_of_an_sm2_signature(raw: bytes) -> None:
    assert certificates.sm2_raw(certificates.sm2_der(raw)) == raw


@pytest.mark.parametrize("kind", ["rsa", "sm2"])
def test_openssl_accepts_our_requests(kind: str, request: Any) -> None:
    pair: Pair = request.getfixturevalue(f"{kind}_pair")
    made = certificates.request(pair.certificate.public_key, "测试企业", "91440300MA5EXAMPLA", pair.sign)
    arguments = ["openssl", "req", "-verify", "-noout", "-subject", "-nameopt", "utf8,sep_comma_plus"]
    if kind == "sm2":
        arguments += ["-vfyopt", "distid:1234567812345678"]
    done = subprocess.run(arguments, input=made, capture_output=True, check=True)
    assert b"OK" in done.stderr
    assert "O=测试企业,OU=91440300MA5EXAMPLA" in done.stdout.decode()
