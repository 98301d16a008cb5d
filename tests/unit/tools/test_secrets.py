"""Secrets of a stack: random, kept, readable by their owner only; certificates that fit mutual TLS."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.x509.oid import NameOID

from tools.stack import secrets


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_every_file_is_its_owners_only(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    secrets.make_all(folder, ["order.serve"]).get("postgres")
    assert folder.stat().st_mode & 0o777 == 0o700
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert {path.name for path in files} >= {"passwords.json", "token-pin", "actor-private.pem", "ca.pem"}


def test_secrets_stay_over_a_restart_and_differ_between_stacks(tmp_path: Path) -> None:
    first = secrets.make_all(tmp_path / "one", []).get("postgres")
    again = secrets.make_all(tmp_path / "one", [])
    other = secrets.make_all(tmp_path / "two", [])
    assert first == again.get("postgres") != other.get("postgres")
    assert len(first) >= 32
    assert first != again.get("redis")
    for name in ("token-pin", "token-so-pin", "sealed-token.key", "actor-private.pem"):
        assert (tmp_path / "one" / name).read_bytes() != (tmp_path / "two" / name).read_bytes()


def test_the_actor_keys_are_one_pair(tmp_path: Path) -> None:
    secrets.make_all(tmp_path, [])
    private = serialization.load_pem_private_key((tmp_path / "actor-private.pem").read_bytes(), None)
    public = serialization.load_pem_public_key((tmp_path / "actor-public.pem").read_bytes())
    assert isinstance(private, ed25519.Ed25519PrivateKey)
    assert isinstance(public, ed25519.Ed25519PublicKey)
    public.verify(private.sign(b"x"), b"x")


def test_a_leaf_names_its_process_and_this_machine(tmp_path: Path) -> None:
    secrets.issue_certificates(tmp_path, ["order.serve", "gateway.http"])
    authority = certificate(tmp_path / "ca.pem")
    for name in ("order.serve", "gateway.http"):
        leaf = certificate(tmp_path / f"{name}.pem")
        leaf.verify_directly_issued_by(authority)
        assert leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == name
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert names.get_values_for_type(x509.DNSName) == ["localhost"]
        assert names.get_values_for_type(x509.IPAddress) == [ipaddress.ip_address("127.0.0.1")]
        key = serialization.load_pem_private_key((tmp_path / f"{name}.key").read_bytes(), None)
        assert key.public_key() == leaf.public_key()


def test_the_authoritys_key_is_kept_nowhere(tmp_path: Path) -> None:
    secrets.issue_certificates(tmp_path, ["order.serve"])
    authority = certificate(tmp_path / "ca.pem").public_key()
    keys = [
        serialization.load_pem_private_key(path.read_bytes(), None)
        for path in tmp_path.iterdir()
        if b"PRIVATE KEY" in path.read_bytes()
    ]
    assert keys
    assert all(key.public_key() != authority for key in keys)
