"""Certificates and certificate requests, RSA and SM2 alike: reads them, checks signatures with their public keys.

asn1crypto reads, because the usual library refuses SM2 keys. Must never see a private key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from asn1crypto import algos, core, csr, pem
from asn1crypto import x509 as a_x509
from asn1crypto.keys import PublicKeyInfo
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key
from tongsuopy.crypto import hashes as sm_hashes
from tongsuopy.crypto import serialization as sm_serialization
from tongsuopy.crypto.asymciphers import ec as sm_ec
from tongsuopy.crypto.exceptions import InternalError as SmInternalError
from tongsuopy.crypto.exceptions import InvalidSignature as SmInvalidSignature

from services.signer.domain import MIN_RSA_BITS

#: GM/T 0006: the curve and the signature method
SM2_CURVE = "1.2.156.10197.1.301"
SM2_WITH_SM3 = "1.2.156.10197.1.501"
#: parts of a name of X.520, as RFC 4514 abbreviates them
_SHORT = {
    "common_name": "CN", "organizational_unit_name": "OU", "organization_name": "O", "country_name": "C",
    "locality_name": "L", "state_or_province_name": "ST",
}  # fmt: skip
#: bytes of r and of s
_HALF = 32


class CertificateError(Exception):
    """What is wrong with a certificate, in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.zh = zh
        self.en = en


@dataclass(frozen=True, slots=True)
class Certificate:
    """der and public_key (SubjectPublicKeyInfo) as DER; serial and fingerprint (SHA-256) in hex; times UTC."""

    der: bytes
    public_key: bytes
    kind: str  # rsa | sm2
    serial: str
    fingerprint: str
    not_before: datetime
    not_after: datetime
    units: tuple[str, ...]
    #: for people
    subject: str = ""


def read(data: bytes) -> Certificate:
    """A certificate from PEM or DER. Raises CertificateError for anything that may not be used for signing."""
    try:
        der = pem.unarmor(data)[2] if pem.detect(data) else data
        body = a_x509.Certificate.load(der, strict=True)["tbs_certificate"]
        info = body["subject_public_key_info"]
        usage = _key_usage(body)
        validity = body["validity"]
        units = body["subject"].native.get("organizational_unit_name", ())
        certificate = Certificate(
            der=der,
            public_key=info.dump(),
            kind=key_kind(info.dump()),
            # public code writes the serial in plain hex for service devices (envelope.yaml, key_name)
            serial=format(body["serial_number"].native, "x"),
            fingerprint=hashlib.sha256(der).hexdigest(),
            not_before=validity["not_before"].native.astimezone(UTC),
            not_after=validity["not_after"].native.astimezone(UTC),
            units=tuple(units) if isinstance(units, list) else (str(units),) if units else (),
            subject=_subject(body["subject"]),
        )
    except (ValueError, TypeError, KeyError) as exc:
        raise CertificateError("不是可用的 X.509 证书。", f"Not a usable X.509 certificate: {exc}") from exc
    if usage is not None and not usage & {"digital_signature", "non_repudiation"}:
        raise CertificateError(
            "证书的密钥用途不含数字签名。", "The certificate's key usage excludes signatures."
        )
    return certificate


def _subject(name: Any) -> str:
    """CN=…, OU=…, O=…, C=…: the letters mean the same in every language."""
    pairs = [pair for part in name.chosen for pair in part]
    return ", ".join(
        f"{_SHORT.get(pair['type'].native, pair['type'].native)}={pair['value'].native}"
        for pair in reversed(pairs)
    )


@lru_cache(maxsize=4096)
def read_cached(der: bytes) -> Certificate:
    """As `read`, for certificates that are used again and again."""
    return read(der)


def _key_usage(body: Any) -> set[str] | None:
    for extension in body["extensions"]:
        if extension["extn_id"].native == "key_usage":
            return set(extension["extn_value"].parsed.native)
    return None


def key_kind(public_key: bytes) -> str:
    """The kind ("rsa" or "sm2") of a SubjectPublicKeyInfo; raises CertificateError for anything else."""
    algorithm = PublicKeyInfo.load(public_key)["algorithm"]
    name = algorithm["algorithm"].native
    if name == "rsa":
        key = load_der_public_key(public_key)
        if isinstance(key, rsa.RSAPublicKey) and key.key_size >= MIN_RSA_BITS:
            return "rsa"
        raise CertificateError(
            f"RSA 密钥短于 {MIN_RSA_BITS} 位。", f"The RSA key is shorter than {MIN_RSA_BITS} bits."
        )
    if name == "ec" and algorithm["parameters"].chosen.dotted == SM2_CURVE:
        return "sm2"
    raise CertificateError(f"不支持的密钥种类 {name}。", f"Keys of kind {name} are not supported.")


@lru_cache(maxsize=4096)
def verifier(public_key: bytes) -> Callable[[str, bytes, bytes], bool]:
    """check(algorithm name, signed bytes, signature) -> holds? SM2 signatures are raw r||s here, 64 bytes."""
    if key_kind(public_key) == "sm2":
        return _sm2_verifier(public_key)
    key = load_der_public_key(public_key)
    assert isinstance(key, rsa.RSAPublicKey)
    chosen: dict[str, hashes.HashAlgorithm] = {
        "rsa-sha1": hashes.SHA1(),  # noqa: S303 - prescribed for RSA certificates
        "rsa-sha256": hashes.SHA256(),
    }

    def check(algorithm: str, signed: bytes, signature: bytes) -> bool:
        method = chosen.get(algorithm)
        if method is None:
            return False
        try:
            key.verify(signature, signed, padding.PKCS1v15(), method)
        except InvalidSignature:
            return False
        return True

    return check


def _sm2_verifier(public_key: bytes) -> Callable[[str, bytes, bytes], bool]:
    key: Any = sm_serialization.load_der_public_key(public_key)

    def check(algorithm: str, signed: bytes, signature: bytes) -> bool:
        if algorithm != "sm2-sm3" or len(signature) != 2 * _HALF:
            return False
        try:
            key.verify(sm2_der(signature), signed, sm_ec.ECDSA(sm_hashes.SM3()))
        except (SmInvalidSignature, SmInternalError):
            return False
        return True

    return check


def sm2_der(raw: bytes) -> bytes:
    """r||s (64 bytes) as the ASN.1 sequence of two integers."""
    return encode_dss_signature(int.from_bytes(raw[:_HALF], "big"), int.from_bytes(raw[_HALF:], "big"))


def sm2_raw(der: bytes) -> bytes:
    """The ASN.1 sequence as r||s (64 bytes); raises ValueError if it is not one."""
    r, s = decode_dss_signature(der)
    return r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")


def request(public_key: bytes, name: str, enterprise_code: str, sign: Callable[[str, bytes], bytes]) -> bytes:
    """A PKCS#10 request (PEM): O = enterprise name, OU = its code. sign(algorithm, bytes) is done in the token."""
    kind = key_kind(public_key)
    info = csr.CertificationRequestInfo(
        {
            "version": "v1",
            "subject": a_x509.Name.build(
                {
                    "country_name": "CN",
                    "organization_name": name,
                    "organizational_unit_name": enterprise_code,
                    "common_name": name,
                }
            ),
            "subject_pk_info": PublicKeyInfo.load(public_key),
            "attributes": [],
        }
    )
    if kind == "rsa":
        method = algos.SignedDigestAlgorithm({"algorithm": "sha256_rsa", "parameters": core.Null()})
        signature = sign("rsa-sha256", info.dump())
    else:
        method = algos.SignedDigestAlgorithm({"algorithm": SM2_WITH_SM3})
        signature = sm2_der(sign("sm2-sm3", info.dump()))
    document = csr.CertificationRequest(
        {"certification_request_info": info, "signature_algorithm": method, "signature": signature}
    )
    return bytes(pem.armor("CERTIFICATE REQUEST", document.dump()))
