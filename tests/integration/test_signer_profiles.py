"""Tokens with other numbers and algorithms are configuration: SM2 by a vendor's numbers, P-256 by the standard's.

The vendor's module is one of ours over OpenSSL (sm2token.c); signatures are judged by the openssl program and by
cryptography.
"""

from __future__ import annotations

import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from services.signer import certificates
from services.signer.domain import token_key
from services.signer.tokens.base import SignRequest
from tests.support import tokens
from tests.support.tokens import pool_of
from tools import debs, devices, native
from tools.servers import softhsm

PIN = "11223344"


def key() -> str:
    return token_key(str(uuid.uuid4()), str(uuid.uuid4()))


def vendor(folder: Path, profile: str, workers: int = 2) -> Path:
    (folder / "keys").mkdir()
    (folder / "pin").write_text(PIN)
    member: dict[str, Any] = {
        "name": "vendor",
        "module": native.build(tokens.NATIVE / "sm2token.c", native.crypto(), shared=True),
        "token_serial": "0001",
        "pin_file": folder / "pin",
        "profile": profile,
        "workers": workers,
        "environment": {"SM2TOKEN_DIR": str(folder / "keys"), "SM2TOKEN_PIN": PIN},
    }
    return devices.write(folder / "devices.toml", folder / "memory", {"vendor": ("pkcs11", [member])})


def openssl_accepts(folder: Path, public_key: bytes, data: bytes, raw: bytes, signer_id: str) -> bool:
    for name, content in (
        ("public.der", public_key),
        ("data", data),
        ("signature", certificates.sm2_der(raw)),
    ):
        (folder / name).write_bytes(content)
    program = debs.program("openssl")
    assert program is not None
    done = subprocess.run(
        [
            *(program, "pkeyutl", "-verify", "-rawin", "-digest", "sm3", "-pkeyopt", f"distid:{signer_id}"),
            *("-pubin", "-keyform", "DER", "-inkey", "public.der", "-in", "data", "-sigfile", "signature"),
        ],
        cwd=folder,
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


@pytest.mark.parametrize("profile", ["example-sm2-digest-outside", "example-sm2-digest-inside"])
def test_a_vendors_sm2_is_configuration(tmp_path: Path, profile: str) -> None:
    with pool_of(vendor(tmp_path, profile)) as device:
        name = key()
        assert device.settings.makes("sm2")
        assert not device.settings.makes("rsa")
        public = device.generate(name, "sm2")
        assert public == device.generate(name, "sm2") == device.public_key(name)
        assert certificates.key_kind(public) == "sm2"
        for data in (b"", b"<ds:SignedInfo/>", bytes(range(256)) * 40):
            (raw,) = device.sign([SignRequest(name, "sm2-sm3", data)])
            assert isinstance(raw, bytes)
            assert len(raw) == 64
            assert openssl_accepts(tmp_path, public, data, raw, "1234567812345678")
            assert not openssl_accepts(tmp_path, public, data, raw, "8765432187654321")
            assert not openssl_accepts(tmp_path, public, data + b"x", raw, "1234567812345678")
            # the judge of the product agrees
            assert certificates.verifier(public)("sm2-sm3", data, raw)


def test_vendor_keys_are_found_after_a_restart(tmp_path: Path) -> None:
    file = vendor(tmp_path, "example-sm2-digest-outside")
    name = key()
    with pool_of(file) as device:
        public = device.generate(name, "sm2")
    with pool_of(file) as device:
        assert device.key_names() == [name]
        assert device.public_key(name) == public
        # the canary judges it, too
        assert device.probe(device.members[0], name) == ""


def test_p256_in_softhsm(tmp_path: Path) -> None:
    for file in ("pin", "so-pin"):
        (tmp_path / file).write_text(PIN)
    token = softhsm.SoftHsm(tmp_path / "token", tmp_path / "pin", tmp_path / "so-pin")
    token.create()
    file = devices.write(
        tmp_path / "devices.toml", tmp_path / "memory", {"hsm": ("pkcs11", [token.member("softhsm")])}
    )
    with pool_of(file) as device:
        name = key()
        public = load_der_public_key(device.generate(name, "ec"))
        assert isinstance(public, ec.EllipticCurvePublicKey)
        for data in (b"", b"data" * 100):
            (raw,) = device.sign([SignRequest(name, "ecdsa-sha256", data)])
            assert isinstance(raw, bytes)
            assert len(raw) == 64
            public.verify(certificates.sm2_der(raw), data, ec.ECDSA(hashes.SHA256()))
        assert device.probe(device.members[0], name) == ""
