"""The authority of edge agents: certificates for their connections, and the codes that let an agent ask for one.

It certifies nobody but agents. A certificate alone lets nobody in: its fingerprint must be the agent's in the database.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from runtime.errors import Problem

#: days; an agent asks for the next certificate when a third is left
VALID_DAYS = 90
#: minutes for which a code can be used
CODE_MINUTES = 30
# without what is mistaken for something else when read aloud or typed: 0 O 1 I L
_LETTERS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_GROUPS, _GROUP = 4, 5
_MAX_CSR = 4096


def new_code() -> str:
    """A code as a person reads it: four groups of five, about 99 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))


def code_hash(code: str) -> str:
    """What is kept of a code; blanks, dashes and case do not matter. Random enough to need no salt."""
    plain = "".join(code.split()).replace("-", "").upper()
    return hashlib.sha256(plain.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Leaf:
    """A certificate that was made. fingerprint: SHA-256 of der, key: of its SubjectPublicKeyInfo, hex."""

    der: bytes
    key: str
    fingerprint: str
    serial: str
    not_after: datetime


class Authority:
    """Signs with the key that the settings name."""

    def __init__(self, certificate_file: Path, key_file: Path) -> None:
        self._certificate = x509.load_pem_x509_certificate(certificate_file.read_bytes())
        key = serialization.load_pem_private_key(key_file.read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise TypeError("the authority of edge agents must have an EC key")
        self._key = key

    def issue(self, csr: bytes, agent_id: str, now: datetime) -> Leaf:
        """A certificate for the agent. csr: DER. Raises Problem invalid for anything but a signed request with a P-256 key."""
        public = _public_key(csr)
        not_after = min(now + timedelta(days=VALID_DAYS), self._certificate.not_valid_after_utc)
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, agent_id)]))
            .issuer_name(self._certificate.subject)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            # clocks of customers' computers are not always right
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(not_after)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        der = made.public_bytes(serialization.Encoding.DER)
        key = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return Leaf(der, _sha256(key), _sha256(der), format(made.serial_number, "x"), not_after)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _public_key(csr: bytes) -> ec.EllipticCurvePublicKey:
    try:
        request = x509.load_der_x509_csr(csr) if len(csr) <= _MAX_CSR else None
        public = request.public_key() if request is not None and request.is_signature_valid else None
    except ValueError:
        public = None
    if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
        raise Problem(
            "invalid",
            "证书请求不可用：应为 P-256 密钥自签的 PKCS#10。",
            "The certificate request is not usable: a PKCS#10 signed with its own P-256 key is needed.",
        )
    return public


def now() -> datetime:
    """The clock of this process."""
    return datetime.now(UTC)
