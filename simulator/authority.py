"""The demo certificate authority: makes itself once, and certifies the keys of demo enterprises.

Must never be used for anything but the demo and tests: whoever can run this can be any enterprise here.
Its rule: subject O = enterprise name, OU = enterprise code (18-character credit code or 10-digit customs code).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from asn1crypto import algos, core, csr, keys, pem
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID
from tongsuopy.crypto import hashes as sm_hashes
from tongsuopy.crypto import serialization as sm_serialization
from tongsuopy.crypto.asymciphers import ec as sm_ec
from tongsuopy.crypto.exceptions import InternalError as SmInternalError
from tongsuopy.crypto.exceptions import InvalidSignature as SmInvalidSignature

from simulator.files import write_atomically

SM2_CURVE = "1.2.156.10197.1.301"
SM2_WITH_SM3 = "1.2.156.10197.1.501"
_VALIDITY = timedelta(days=730)
_CA_VALIDITY = timedelta(days=3650)
# A clock a little behind the authority's must not find the certificate "not yet valid".
_BACKDATE = timedelta(minutes=5)
_CODE = re.compile(r"[0-9A-Z]{10}|[0-9A-HJ-NPQRTUWXY]{18}")


class AuthorityError(Exception):
    """The authority cannot do what was asked; the text says why and what to do."""


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


class Authority:
    """An opened authority directory: ca.key (0600), ca.pem, issued/, revoked.txt."""

    def __init__(self, directory: Path, key: rsa.RSAPrivateKey, certificate: x509.Certificate) -> None:
        self.directory = directory
        self._key = key
        self.certificate = certificate

    @staticmethod
    def open(directory: Path) -> Authority:
        """Open, creating what is missing. Safe when two processes do it at once. Raises AuthorityError."""
        with _locked(directory):
            key_file, certificate_file = directory / "ca.key", directory / "ca.pem"
            if key_file.exists():
                loaded = serialization.load_pem_private_key(key_file.read_bytes(), password=None)
                if not isinstance(loaded, rsa.RSAPrivateKey):
                    raise AuthorityError(f"{key_file} 不是 RSA 私钥 / {key_file} is not an RSA key")
                key = loaded
            else:
                if certificate_file.exists():
                    raise AuthorityError(
                        f"{certificate_file} 存在而 {key_file} 不存在，请删除整个目录后重试 / "
                        f"{certificate_file} exists without {key_file}; remove the directory and try again"
                    )
                key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
                # The key first: a certificate for a key that was lost would be of no use to anybody.
                write_atomically(
                    key_file,
                    key.private_bytes(
                        serialization.Encoding.PEM,
                        serialization.PrivateFormat.PKCS8,
                        serialization.NoEncryption(),
                    ),
                    0o600,
                )
            if certificate_file.exists():
                certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
                if certificate.public_key() != key.public_key():
                    raise AuthorityError(
                        f"{certificate_file} 与 {key_file} 不匹配 / {certificate_file} is not for {key_file}"
                    )
            else:
                certificate = _self_signed(key)
                write_atomically(
                    certificate_file, certificate.public_bytes(serialization.Encoding.PEM), 0o644
                )
            (directory / "issued").mkdir(exist_ok=True, mode=0o755)
            return Authority(directory, key, certificate)

    def issue(
        self,
        request_pem: bytes,
        *,
        now: datetime | None = None,
        validity: timedelta = _VALIDITY,
        remember: bool = True,
    ) -> bytes:
        """Certificate (PEM) for a PKCS#10 request with an RSA, P-256 or SM2 key.

        The same key and subject get the same certificate again while it is valid, so a repeated request after a
        crash changes nothing. Raises AuthorityError.
        """
        now = now or datetime.now(UTC)
        info = _checked_request(request_pem)
        public = info["subject_pk_info"].dump()
        subject = _subject(info)
        fingerprint = hashlib.sha256(public + subject.dump()).hexdigest()
        kept = self.directory / "issued" / f"{fingerprint}.pem"
        with _locked(self.directory):
            if remember and kept.exists():
                certificate = x509.load_pem_x509_certificate(kept.read_bytes())
                if certificate.not_valid_after_utc > now and not self._is_revoked(certificate.serial_number):
                    return kept.read_bytes()
            issued = pem.armor("CERTIFICATE", self._assemble(public, subject, now, validity).dump())
            if remember:
                write_atomically(kept, issued, 0o644)
        return bytes(issued)

    def revoke(self, serial: int) -> None:
        """From now on certificates with this serial are refused."""
        with _locked(self.directory):
            if self._is_revoked(serial):
                return
            path = self.directory / "revoked.txt"
            old = path.read_bytes() if path.exists() else b""
            write_atomically(path, old + f"{serial:x}\n".encode(), 0o644)

    def _is_revoked(self, serial: int) -> bool:
        path = self.directory / "revoked.txt"
        return path.exists() and f"{serial:x}" in path.read_text(encoding="ascii").split()

    def _assemble(
        self, public: bytes, subject: asn1_x509.Name, now: datetime, validity: timedelta
    ) -> asn1_x509.Certificate:
        # Assembled by hand because the usual builder does not take SM2 public keys.
        info = keys.PublicKeyInfo.load(public)
        identifier = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()).digest
        algorithm = algos.SignedDigestAlgorithm({"algorithm": "sha256_rsa", "parameters": core.Null()})
        body = asn1_x509.TbsCertificate(
            {
                "version": "v3",
                "serial_number": x509.random_serial_number(),
                "signature": algorithm,
                "issuer": asn1_x509.Name.load(self.certificate.subject.public_bytes()),
                "validity": {
                    "not_before": asn1_x509.Time({"utc_time": (now - _BACKDATE).replace(microsecond=0)}),
                    "not_after": asn1_x509.Time({"utc_time": (now + validity).replace(microsecond=0)}),
                },
                "subject": subject,
                "subject_public_key_info": info,
                "extensions": [
                    {"extn_id": "basic_constraints", "critical": True, "extn_value": {"ca": False}},
                    {
                        "extn_id": "key_usage",
                        "critical": True,
                        "extn_value": {"digital_signature", "non_repudiation"},
                    },
                    {"extn_id": "key_identifier", "extn_value": info.sha1},
                    {
                        "extn_id": "authority_key_identifier",
                        "extn_value": asn1_x509.AuthorityKeyIdentifier({"key_identifier": identifier}),
                    },
                ],
            }
        )
        return asn1_x509.Certificate(
            {
                "tbs_certificate": body,
                "signature_algorithm": algorithm,
                "signature_value": self._key.sign(body.dump(), padding.PKCS1v15(), hashes.SHA256()),
            }
        )


def _self_signed(key: rsa.RSAPrivateKey) -> x509.Certificate:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "模拟海关"),
            x509.NameAttribute(NameOID.COMMON_NAME, "模拟电子口岸证书颁发机构（仅供演示）"),
        ]
    )
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATE)
        .not_valid_after(now + _CA_VALIDITY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _checked_request(request_pem: bytes) -> csr.CertificationRequestInfo:
    """The request's content after its own signature was verified. Raises AuthorityError."""
    try:
        kind, _, der = pem.unarmor(request_pem)
        if kind not in ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"):
            raise ValueError(f"PEM block is {kind}")
        request = csr.CertificationRequest.load(der, strict=True)
        info = request["certification_request_info"]
        signed, signature = info.dump(), request["signature"].native
        oid = request["signature_algorithm"]["algorithm"].dotted
        public = info["subject_pk_info"].dump()
        _verify_request(public, oid, signature, signed)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise AuthorityError(
            f"证书请求不是正确的 PKCS#10（PEM）：{error} / not a usable PKCS#10 request: {error}"
        ) from error
    except (InvalidSignature, SmInvalidSignature, SmInternalError) as error:
        raise AuthorityError(
            "证书请求自身的签名不成立，请用同一私钥重新生成 / the request's own signature does not hold"
        ) from error
    return info


_REQUEST_HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "1.2.840.113549.1.1.11": hashes.SHA256,
    "1.2.840.113549.1.1.12": hashes.SHA384,
    "1.2.840.113549.1.1.13": hashes.SHA512,
    "1.2.840.10045.4.3.2": hashes.SHA256,
    "1.2.840.10045.4.3.3": hashes.SHA384,
    "1.2.840.10045.4.3.4": hashes.SHA512,
}


def _verify_request(public: bytes, oid: str, signature: bytes, signed: bytes) -> None:
    algorithm = keys.PublicKeyInfo.load(public)["algorithm"]
    if algorithm["algorithm"].native == "ec" and algorithm["parameters"].chosen.dotted == SM2_CURVE:
        if oid != SM2_WITH_SM3:
            raise ValueError(f"an SM2 key must sign its request with SM2-SM3, not {oid}")
        sm2 = sm_serialization.load_der_public_key(public)
        sm2.verify(signature, signed, sm_ec.ECDSA(sm_hashes.SM3()))
        return
    chosen = _REQUEST_HASHES.get(oid)
    if chosen is None:
        raise ValueError(f"signature algorithm {oid} is not accepted")
    key = serialization.load_der_public_key(public)
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < 2048:
            raise ValueError(f"RSA key has {key.key_size} bits, 2048 are needed")
        key.verify(signature, signed, padding.PKCS1v15(), chosen())
        return
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise UnsupportedAlgorithm("the key must be RSA, P-256 or SM2")
    key.verify(signature, signed, ec.ECDSA(chosen()))


def _subject(info: csr.CertificationRequestInfo) -> asn1_x509.Name:
    """O and OU from the request, CN too; nothing else is carried over. Raises AuthorityError."""
    wanted: dict[str, list[str]] = {
        "organization_name": [],
        "organizational_unit_name": [],
        "common_name": [],
    }
    for attributes in info["subject"].chosen:
        for attribute in attributes:
            if attribute["type"].native in wanted:
                wanted[attribute["type"].native].append(str(attribute["value"].native))
    names, codes, common = wanted.values()
    if len(names) != 1 or not names[0].strip() or len(codes) != 1 or not _CODE.fullmatch(codes[0]):
        raise AuthorityError(
            "证书请求的主体应有一个 O（企业名称）和一个 OU（18 位统一社会信用代码或 10 位海关代码）/ "
            "the request's subject needs one O (enterprise name) and one OU (18-character credit code or "
            "10-character customs code)"
        )
    return asn1_x509.Name.build(
        {
            "country_name": "CN",
            "organization_name": names[0],
            "organizational_unit_name": codes[0],
            "common_name": common[0] if common else names[0],
        }
    )
