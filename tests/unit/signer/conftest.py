"""Devices and keys of the unit tests: software only, made once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from asn1crypto import algos, core, keys, x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from tongsuopy.crypto import hashes as sm_hashes
from tongsuopy.crypto import serialization as sm_serialization
from tongsuopy.crypto.asymciphers import ec as sm_ec

from services.signer import certificates

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Pair:
    """A key and its certificate. sign(algorithm name, bytes) as a token does: PKCS#1, or r||s for SM2."""

    certificate: certificates.Certificate
    sign: Callable[[str, bytes], bytes]


def _rsa_sign(key: rsa.RSAPrivateKey) -> Callable[[str, bytes], bytes]:
    methods = {"rsa-sha1": hashes.SHA1(), "rsa-sha256": hashes.SHA256()}  # noqa: S303
    return lambda algorithm, data: key.sign(data, padding.PKCS1v15(), methods[algorithm])


def build_certificate(public_key: bytes, issuer: rsa.RSAPrivateKey, **changes: Any) -> bytes:
    """A certificate (DER) by hand: the usual builder takes no SM2 keys."""
    method = algos.SignedDigestAlgorithm({"algorithm": "sha256_rsa", "parameters": core.Null()})
    name = x509.Name.build(
        {"organization_name": "测试企业", "organizational_unit_name": "9144030000000000X8"}
    )
    body = {
        "version": "v3",
        "serial_number": int(hashlib.sha256(public_key).hexdigest()[:30], 16),
        "signature": method,
        "issuer": name,
        "validity": {
            "not_before": x509.Time({"utc_time": NOW - timedelta(days=1)}),
            "not_after": x509.Time({"utc_time": NOW + timedelta(days=365)}),
        },
        "subject": name,
        "subject_public_key_info": keys.PublicKeyInfo.load(public_key),
        "extensions": [{"extn_id": "key_usage", "critical": True, "extn_value": {"digital_signature"}}],
    }
    signed = x509.TbsCertificate(body | changes)
    value = issuer.sign(signed.dump(), padding.PKCS1v15(), hashes.SHA256())
    return bytes(
        x509.Certificate(
            {"tbs_certificate": signed, "signature_algorithm": method, "signature_value": value}
        ).dump()
    )


def spki(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


@pytest.fixture(scope="session")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="session")
def rsa_pair(rsa_key: rsa.RSAPrivateKey) -> Pair:
    return Pair(certificates.read(build_certificate(spki(rsa_key), rsa_key)), _rsa_sign(rsa_key))


@pytest.fixture(scope="session")
def sm2_pair(rsa_key: rsa.RSAPrivateKey) -> Pair:
    key: Any = sm_ec.generate_private_key(sm_ec.SM2())
    public = key.public_key().public_bytes(
        sm_serialization.Encoding.DER, sm_serialization.PublicFormat.SubjectPublicKeyInfo
    )

    def sign(_algorithm: str, data: bytes) -> bytes:
        return certificates.sm2_raw(key.sign(data, sm_ec.ECDSA(sm_hashes.SM3())))

    return Pair(certificates.read(build_certificate(public, rsa_key)), sign)
