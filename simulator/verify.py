"""Does the signature hold, and does the certificate belong to an enterprise the authority knows?

Must never trust anything from the message before the authority's own signature on the certificate was checked.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.x509.oid import NameOID, SignatureAlgorithmOID
from tongsuopy.crypto import hashes as sm_hashes
from tongsuopy.crypto import serialization as sm_serialization
from tongsuopy.crypto.asymciphers import ec as sm_ec
from tongsuopy.crypto.exceptions import InternalError as SmInternalError
from tongsuopy.crypto.exceptions import InvalidSignature as SmInvalidSignature

from simulator.config import Rules
from simulator.signature import Parts, SignatureFault

SM2_CURVE = "1.2.156.10197.1.301"
_MIN_RSA_BITS = 2048
_CACHED_CERTIFICATES = 1024


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a certificate names. `kind` is rsa or sm2; `key` the matching public key object."""

    code: str
    name: str
    serial: int
    kind: str
    key: rsa.RSAPublicKey | sm_ec.EllipticCurvePublicKey
    not_before: datetime
    not_after: datetime


class Trust:
    """The one authority whose certificates count, and its list of revoked serials."""

    def __init__(self, directory: Path) -> None:
        """Reads ca.pem at once. Raises FileNotFoundError or ValueError."""
        self._certificate = x509.load_pem_x509_certificate((directory / "ca.pem").read_bytes())
        self._revoked_file = directory / "revoked.txt"
        self._revoked: frozenset[int] = frozenset()
        self._revoked_stamp: tuple[int, int] | None = None
        self._cache: OrderedDict[bytes, Holder] = OrderedDict()
        self._lock = Lock()

    def holder(self, der: bytes, now: datetime) -> Holder:
        """The holder of a certificate that is issued by the authority, valid at `now`, fit for signing.

        Raises SignatureFault with the reason.
        """
        with self._lock:
            holder = self._cache.get(der)
            if holder is None:
                holder = self._read(der)
                self._cache[der] = holder
                if len(self._cache) > _CACHED_CERTIFICATES:
                    self._cache.popitem(last=False)
            revoked = holder.serial in self._revoked_serials()
        # Time and revocation are asked every time; only what cannot change is kept.
        if now < holder.not_before:
            raise SignatureFault(
                f"证书尚未生效，{holder.not_before:%Y-%m-%d} 起有效",
                f"certificate is not valid before {holder.not_before:%Y-%m-%d}",
            )
        if now > holder.not_after:
            raise SignatureFault(
                f"证书已于 {holder.not_after:%Y-%m-%d} 过期",
                f"certificate expired on {holder.not_after:%Y-%m-%d}",
            )
        if revoked:
            raise SignatureFault(
                f"证书 {holder.serial:x} 已吊销", f"certificate {holder.serial:x} is revoked"
            )
        return holder

    def _revoked_serials(self) -> frozenset[int]:
        try:
            status = self._revoked_file.stat()
        except FileNotFoundError:
            return frozenset()
        stamp = (status.st_mtime_ns, status.st_size)
        if stamp != self._revoked_stamp:
            lines = self._revoked_file.read_text(encoding="ascii").split()
            self._revoked = frozenset(int(line, 16) for line in lines)
            self._revoked_stamp = stamp
        return self._revoked

    def _read(self, der: bytes) -> Holder:
        try:
            certificate = x509.load_der_x509_certificate(der)
            issuer = certificate.issuer
            extensions = certificate.extensions
            subject = certificate.subject
            if certificate.signature_algorithm_oid != SignatureAlgorithmOID.RSA_WITH_SHA256:
                raise SignatureFault("证书不是电子口岸 CA 签发", "certificate is not issued by the authority")
        except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
            raise SignatureFault("证书无法读取", f"certificate cannot be read: {error}") from error
        authority = self._certificate.public_key()
        if issuer != self._certificate.subject or not isinstance(authority, rsa.RSAPublicKey):
            raise SignatureFault("证书不是电子口岸 CA 签发", "certificate is not issued by the authority")
        try:
            authority.verify(
                certificate.signature, certificate.tbs_certificate_bytes, padding.PKCS1v15(), hashes.SHA256()
            )
        except InvalidSignature as error:
            raise SignatureFault(
                "证书不是电子口岸 CA 签发", "certificate is not issued by the authority"
            ) from error
        _check_usage(extensions)
        codes = subject.get_attributes_for_oid(NameOID.ORGANIZATIONAL_UNIT_NAME)
        names = subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        if len(codes) != 1 or len(names) != 1:
            raise SignatureFault("证书中没有企业代码", "certificate does not name one enterprise code (OU)")
        kind, key = _public_key(der, certificate)
        return Holder(
            code=str(codes[0].value),
            name=str(names[0].value),
            serial=certificate.serial_number,
            kind=kind,
            key=key,
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
        )


def _check_usage(extensions: x509.Extensions) -> None:
    try:
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
        constraints = extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound as error:
        raise SignatureFault("证书没有密钥用途", "certificate has no key usage") from error
    if not usage.digital_signature or constraints.ca:
        raise SignatureFault("证书用途不是签名", "certificate is not for signing")


def _public_key(
    der: bytes, certificate: x509.Certificate
) -> tuple[str, rsa.RSAPublicKey | sm_ec.EllipticCurvePublicKey]:
    info = asn1_x509.Certificate.load(der)["tbs_certificate"]["subject_public_key_info"]
    algorithm = info["algorithm"]
    if algorithm["algorithm"].native == "ec" and algorithm["parameters"].chosen.dotted == SM2_CURVE:
        return "sm2", sm_serialization.load_der_public_key(info.dump())
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise SignatureFault("证书的公钥类型不受支持", f"unsupported public key: {error}") from error
    if not isinstance(key, rsa.RSAPublicKey):
        raise SignatureFault("证书的公钥应为 RSA 或 SM2", "the certificate's key must be RSA or SM2")
    if key.key_size < _MIN_RSA_BITS:
        raise SignatureFault(
            f"RSA 密钥 {key.key_size} 位，至少应为 {_MIN_RSA_BITS} 位",
            f"RSA key has {key.key_size} bits, {_MIN_RSA_BITS} are needed",
        )
    return "rsa", key


_DIGESTS: dict[str, type[hashes.HashAlgorithm]] = {
    "rsa-sha1": hashes.SHA1,
    "rsa-sha256": hashes.SHA256,
    "sm2-sm3": hashes.SM3,
}
_KEY_KINDS = {"rsa-sha1": "rsa", "rsa-sha256": "rsa", "sm2-sm3": "sm2"}


def check(canonical: bytes, parts: Parts, trust: Trust, rules: Rules, now: datetime) -> Holder:
    """The enterprise that really signed `canonical`. Raises SignatureFault."""
    if parts.algorithm not in rules.algorithms:
        raise SignatureFault(
            f"本接入点不接受 {parts.algorithm}", f"{parts.algorithm} is not accepted at this access point"
        )
    holder = trust.holder(parts.certificate, now)
    if holder.kind != _KEY_KINDS[parts.algorithm]:
        raise SignatureFault(
            f"{parts.algorithm} 与证书的 {holder.kind} 密钥不符",
            f"{parts.algorithm} does not fit the certificate's {holder.kind} key",
        )
    if rules.check_key_name and int(parts.key_name, 16) != holder.serial:
        raise SignatureFault(
            f"KeyName {parts.key_name} 不是证书序列号 {holder.serial:x}",
            f"KeyName {parts.key_name} is not the certificate's serial {holder.serial:x}",
        )
    digest = hashes.Hash(_DIGESTS[parts.algorithm]())
    digest.update(canonical)
    if not hmac.compare_digest(digest.finalize(), parts.digest):
        raise SignatureFault("摘要与报文内容不符", "the digest does not match the message", mismatch=True)
    try:
        if isinstance(holder.key, rsa.RSAPublicKey):
            holder.key.verify(parts.value, parts.signed_info, padding.PKCS1v15(), _DIGESTS[parts.algorithm]())
        else:
            # Signer id 1234567812345678, the GM/T default, is what tongsuopy uses; customs' own id is unknown.
            holder.key.verify(
                sm2_der(parts.value, rules.accept_der), parts.signed_info, sm_ec.ECDSA(sm_hashes.SM3())
            )
    except (InvalidSignature, SmInvalidSignature, SmInternalError) as error:
        raise SignatureFault("签名值与 SignedInfo 不符", "the signature value does not hold") from error
    return holder


def sm2_der(value: bytes, accept_der: bool) -> bytes:
    """An SM2 signature as DER, from 64 bytes r||s or (if accepted) from DER. Raises SignatureFault."""
    if len(value) == 64:
        return encode_dss_signature(int.from_bytes(value[:32], "big"), int.from_bytes(value[32:], "big"))
    if not accept_der:
        raise SignatureFault(
            f"SM2 签名值应为 64 字节 r||s，实为 {len(value)} 字节",
            f"an SM2 signature is 64 bytes r||s, found {len(value)}",
        )
    try:
        r, s = decode_dss_signature(value)
    except ValueError as error:
        raise SignatureFault(
            "SM2 签名值既非 r||s 亦非 DER", "SM2 signature is neither r||s nor DER"
        ) from error
    return encode_dss_signature(r, s)
