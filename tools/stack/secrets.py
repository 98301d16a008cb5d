"""Passwords, keys and certificates of one stack, made on its first start and kept 0600.

Never a default, never twice the same: each run folder has its own. Certificates are for one machine's processes.
"""

from __future__ import annotations

import ipaddress
import json
import secrets
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tools.paths import private_dir, write_private
from tools.ports import HOST

#: days
AUTHORITY_DAYS = 3650
LEAF_DAYS = 90


class Passwords:
    """Random passwords by name, made when first asked for and kept in one file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._values: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}

    def get(self, name: str) -> str:
        """The password called `name` (letters and digits only, so that it fits any URL or command)."""
        if name not in self._values:
            self._values[name] = secrets.token_hex(16)
            write_private(self._file, json.dumps(self._values, indent=1, sort_keys=True))
        return self._values[name]


def make_all(folder: Path, process_names: Iterable[str]) -> Passwords:
    """Make what is missing below `folder`; certificates are new at every start. Returns the passwords."""
    private_dir(folder)
    _make_once(folder / "token-pin", lambda: secrets.token_hex(8))
    _make_once(folder / "token-so-pin", lambda: secrets.token_hex(8))
    _make_once(folder / "sealed-token.key", lambda: secrets.token_hex(32))
    if not (folder / "actor-private.pem").exists():
        key = ed25519.Ed25519PrivateKey.generate()
        write_private(folder / "actor-private.pem", _pem(key))
    actor = serialization.load_pem_private_key((folder / "actor-private.pem").read_bytes(), None)
    write_private(
        folder / "actor-public.pem",
        actor.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
    )
    issue_certificates(private_dir(folder / "tls"), process_names)
    edge_authority(private_dir(folder / "edge"))
    return Passwords(folder / "passwords.json")


def _make_once(path: Path, make: Callable[[], str]) -> None:
    if not path.exists():
        write_private(path, make())


def _pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def issue_certificates(folder: Path, names: Iterable[str]) -> None:
    """A new authority and one leaf per name (common name; localhost and 127.0.0.1 as addresses).

    The authority's key is never written: nobody can add a member to a running stack."""
    key = ec.generate_private_key(ec.SECP256R1())
    authority = _authority("tongguan local processes", key, LEAF_DAYS)
    write_private(folder / "ca.pem", authority.public_bytes(serialization.Encoding.PEM))
    for name in names:
        _issue(folder, name, authority, key)


def edge_authority(folder: Path) -> None:
    """The authority of edge agents, made once and kept, since agents stay enrolled; its server's leaf is new each time."""
    if not (folder / "authority.pem").exists():
        made = ec.generate_private_key(ec.SECP256R1())
        write_private(folder / "authority.key", _pem(made))
        authority = _authority("tongguan edge agents", made, AUTHORITY_DAYS)
        # last: its presence says that both are there
        write_private(folder / "authority.pem", authority.public_bytes(serialization.Encoding.PEM))
    key: Any = serialization.load_pem_private_key((folder / "authority.key").read_bytes(), None)
    _issue(folder, "server", x509.load_pem_x509_certificate((folder / "authority.pem").read_bytes()), key)


def _authority(name: str, key: ec.EllipticCurvePrivateKey, days: int) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _issue(
    folder: Path, name: str, authority: x509.Certificate, authority_key: ec.EllipticCurvePrivateKey
) -> None:
    now = datetime.now(UTC)
    addresses = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(HOST))]
    key = ec.generate_private_key(ec.SECP256R1())
    leaf = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=LEAF_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign_certificates=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
            critical=False,
        )
        .add_extension(x509.SubjectAlternativeName(addresses), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )
    write_private(folder / f"{name}.pem", leaf.public_bytes(serialization.Encoding.PEM))
    write_private(folder / f"{name}.key", _pem(key))


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )
