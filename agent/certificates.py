"""Reads certificates of cards, RSA and SM2 alike, and judges signatures by them. Must never see a private key.

asn1crypto reads, because the usual library refuses SM2 keys; other code than the card's does the verifying.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from asn1crypto import x509
from asn1crypto.keys import PublicKeyInfo
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from agent import sm2
from agent.algorithms import Mechanism
from agent.config import SM2_USER_ID

#: GM/T 0006
_SM2_CURVE = "1.2.156.10197.1.301"


@dataclass(frozen=True, slots=True)
class Certificate:
    """fingerprint: SHA-256 of the DER, hex. kind: rsa | sm2 | other. signs: its key usage allows signatures."""

    der: bytes
    fingerprint: str
    kind: str
    public_key: bytes
    subject: str
    units: str
    serial: str
    not_before: datetime
    not_after: datetime
    signs: bool


@lru_cache(maxsize=256)
def read(der: bytes) -> Certificate:
    """Raises ValueError for what is no certificate."""
    try:
        body = x509.Certificate.load(der, strict=True)["tbs_certificate"]
        info = body["subject_public_key_info"]
        names = body["subject"].native
        return Certificate(
            der=der,
            fingerprint=hashlib.sha256(der).hexdigest(),
            kind=_kind(info),
            public_key=info.dump(),
            subject=_words(names.get("common_name") or names.get("organization_name") or ""),
            units=_words(names.get("organizational_unit_name") or ""),
            serial=format(body["serial_number"].native, "x"),
            not_before=body["validity"]["not_before"].native.astimezone(UTC),
            not_after=body["validity"]["not_after"].native.astimezone(UTC),
            signs=_signs(body),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        raise ValueError(f"not a certificate: {exc}") from exc


def _words(value: Any) -> str:
    return " ".join(value) if isinstance(value, list) else str(value)


def _kind(info: PublicKeyInfo) -> str:
    algorithm = info["algorithm"]
    name = algorithm["algorithm"].native
    if name == "rsa":
        return "rsa"
    parameters = algorithm["parameters"]
    if name == "ec" and parameters.name == "named" and parameters.chosen.dotted == _SM2_CURVE:
        return "sm2"
    return "other"


def _signs(body: Any) -> bool:
    for extension in body["extensions"] or ():
        if extension["extn_id"].native == "key_usage":
            # cards with two certificates have one for encryption, which must sign nothing
            return bool({"digital_signature", "non_repudiation"} & set(extension["extn_value"].parsed.native))
    return True


def holds(
    certificate: Certificate, mechanism: Mechanism, data: bytes, signature: bytes, user_id: str = SM2_USER_ID
) -> bool:
    """Is this a signature over data by the certificate's key? user_id: the signer id of SM2."""
    if certificate.kind != mechanism.kind:
        return False
    if mechanism.kind == "sm2":
        try:
            return sm2.holds(certificate.public_key, data, signature, user_id.encode())
        except ValueError:
            return False  # the certificate's own key is none
    key = load_der_public_key(certificate.public_key)
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    try:
        key.verify(signature, data, padding.PKCS1v15(), mechanism.hash)
    except InvalidSignature:
        return False
    return True
