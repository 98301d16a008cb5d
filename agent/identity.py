"""Who this agent is: its key, its certificate, and where its service is. One file, for its owner alone.

The key is made here and leaves only into TLS. Written whole, so that key and certificate always belong together.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from agent import files
from agent.errors import AgentError

FILE = "identity.json"
#: the key of an enrolment under way: a code whose answer was lost can be tried again with the same key
_PENDING = "enrolment-key.pem"


@dataclass(frozen=True, slots=True)
class Identity:
    """authority, certificate and key: PEM. address: of Agents, host:port. revoked: what the service said, if it did."""

    agent_id: str
    enterprise_name: str
    address: str
    authority: str
    certificate: str
    key: str = field(repr=False)
    revoked: str = ""

    @property
    def not_after(self) -> datetime:
        """The end of the certificate."""
        return x509.load_pem_x509_certificate(self.certificate.encode()).not_valid_after_utc

    def due(self, now: datetime, days: int) -> bool:
        """Is it time for a new certificate: in its last third, or so many days before its end if that is shorter?"""
        body = x509.load_pem_x509_certificate(self.certificate.encode())
        third = (body.not_valid_after_utc - body.not_valid_before_utc) / 3
        return body.not_valid_after_utc - now <= min(third, timedelta(days=days))


def read(state: Path) -> Identity | None:
    """The identity of an enrolled agent, None before. Raises AgentError for a damaged file."""
    path = state / FILE
    try:
        return Identity(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as exc:
        raise AgentError(
            "identity",
            f"身份文件 {path} 已损坏，请移走后重新登记。",
            f"The identity file {path} is damaged: move it away and enrol again.",
        ) from exc


def write(state: Path, identity: Identity) -> None:
    """Replace the identity; a pending enrolment is over then."""
    files.write_private(state / FILE, json.dumps(asdict(identity), ensure_ascii=False, indent=1).encode())
    (state / _PENDING).unlink(missing_ok=True)


def mark_revoked(state: Path, identity: Identity, words: str) -> None:
    """The service does not want this agent any more: later starts say so at once."""
    write(state, replace(identity, revoked=words or "revoked"))


def new_key() -> str:
    """A P-256 key, PEM."""
    return (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        .decode()
    )


def pending_key(state: Path) -> str:
    """The key of the enrolment under way, made if there is none."""
    path = state / _PENDING
    if not path.exists():
        files.write_private(path, new_key().encode())
    return path.read_text(encoding="ascii")


def request(key: str) -> bytes:
    """PKCS#10, DER. The service decides the name."""
    private = serialization.load_pem_private_key(key.encode(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tongguan-agent")])
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject)
        .sign(private, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )


def certificate_for(key: str, der: bytes) -> str:
    """The certificate as PEM; raises AgentError unless it belongs to the key and has not ended."""
    try:
        certificate = x509.load_der_x509_certificate(der)
    except ValueError as exc:
        raise _odd("证书无法读取", "the certificate cannot be read") from exc
    private = serialization.load_pem_private_key(key.encode(), None)
    if certificate.public_key() != private.public_key():
        raise _odd("证书不属于本机的密钥", "the certificate is for another key")
    if certificate.not_valid_after_utc <= datetime.now(UTC):
        raise _odd("证书已过期，或本机时钟不准", "the certificate has ended, or this PC's clock is wrong")
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _odd(zh: str, en: str) -> AgentError:
    return AgentError("certificate", f"服务的答复不可用：{zh}。", f"The service's answer is of no use: {en}.")
