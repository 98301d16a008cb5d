"""Cards for the agent's tests: real SoftHSM tokens, each in a folder of its own that is moved into a reader and out.

`python -m tests.support.cards` makes one, in a process of its own because the library reads its environment once.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pkcs11
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from pkcs11 import Attribute, ObjectClass
from pkcs11.util.rsa import decode_rsa_private_key

from tests.support.tokens import Shim
from tools.paths import ROOT
from tools.servers import softhsm

SO_PIN = "so-pin-of-a-test"
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Card:
    """A token out of any reader lies in `home`. certificate: DER."""

    name: str
    home: Path
    folder: str
    pin: str
    certificate: bytes
    key: rsa.RSAPrivateKey

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.certificate).hexdigest()

    def copied(self, home: Path) -> Card:
        """The same card once more, in a folder of its own."""
        shutil.copytree(self.home, home)
        return replace(self, home=home)


class Reader:
    """A SoftHSM configuration of its own: what a PKCS#11 module of one vendor sees."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tokens = folder / "tokens"
        self.tokens.mkdir(parents=True)
        self.configuration = folder / "softhsm2.conf"
        _configure(self.configuration, self.tokens)

    def insert(self, card: Card) -> None:
        (card.home / card.folder).rename(self.tokens / card.folder)

    def remove(self, card: Card) -> None:
        (self.tokens / card.folder).rename(card.home / card.folder)

    def settings(
        self, name: str, module: Path | None = None, profile: str = "", shim: Shim | None = None
    ) -> str:
        """A [[module]] section of agent.toml. shim: before the module."""
        environment = {"SOFTHSM2_CONF": str(self.configuration), **softhsm.environment()}
        if shim is not None:
            entry = shim.through({"module": str(module or softhsm.module()), "environment": environment})
            module, environment = Path(entry["module"]), entry["environment"]
        pairs = ", ".join(f"{key} = {json.dumps(value)}" for key, value in environment.items())
        return (
            f"[[module]]\nname = {json.dumps(name)}\npath = {json.dumps(str(module or softhsm.module()))}\n"
            f"profile = {json.dumps(profile)}\nenvironment = {{ {pairs} }}\n"
        )


def _configure(file: Path, tokens: Path) -> None:
    file.write_text(
        f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = true\n"
    )


def certificate_for(
    key: rsa.RSAPrivateKey, name: str, days: int = 365, unit: str = "91440300TEST000001", **usage: bool
) -> bytes:
    """A self-signed certificate (DER) as a card holds one. unit: the enterprise's code."""
    now = datetime.now(UTC)
    names = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, name),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit),
        ]
    )
    allowed = dict.fromkeys(
        (
            "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
            "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
        ),
        False,
    )  # fmt: skip
    allowed |= usage or {"digital_signature": True}
    built = (
        x509.CertificateBuilder()
        .subject_name(names)
        .issuer_name(names)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now, now + days * DAY) - DAY)
        .not_valid_after(now + days * DAY)
        .add_extension(x509.KeyUsage(**allowed), critical=True)
        .sign(key, hashes.SHA256())
    )
    return built.public_bytes(serialization.Encoding.DER)


def make(
    folder: Path,
    name: str,
    pin: str,
    days: int = 365,
    certify: Callable[[rsa.RSAPrivateKey], bytes] | None = None,
) -> Card:
    """A card with one RSA key and its certificate, and beside it one for encryption, as vendors do it.

    certify: who makes the certificate (DER); without, the key certifies itself."""
    home = folder / name
    home.mkdir(parents=True)
    _configure(home / "making.conf", home)
    key = rsa.generate_private_key(65537, 2048)
    certificate = certify(key) if certify else certificate_for(key, name, days)
    other = certificate_for(key, f"{name} encryption", days, key_encipherment=True)
    order = {
        "module": str(softhsm.module()),
        "pin": pin,
        "key": _text(
            key.private_bytes(
                serialization.Encoding.DER,
                serialization.PrivateFormat.TraditionalOpenSSL,
                serialization.NoEncryption(),
            )
        ),
        "certificates": [_text(other), _text(certificate)],
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.cards"],
        input=json.dumps(order),
        text=True,
        capture_output=True,
        check=False,
        cwd=ROOT,
        env=os.environ | softhsm.environment() | {"SOFTHSM2_CONF": str(home / "making.conf")},
    )
    assert done.returncode == 0, done.stderr
    (token,) = (path.name for path in home.iterdir() if path.is_dir())
    return Card(name, home, token, pin, certificate, key)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _make(order: dict[str, Any]) -> None:
    softhsm.initialise(order["module"], SO_PIN.encode(), order["pin"].encode())
    library = pkcs11.lib(order["module"])
    token = library.get_token(token_label=softhsm.LABEL)
    with token.open(rw=True, user_pin=order["pin"]) as session:
        attributes = decode_rsa_private_key(base64.b64decode(order["key"]))
        session.create_object({**attributes, Attribute.ID: b"\x01", Attribute.TOKEN: True})
        for number, certificate in enumerate(order["certificates"]):
            der = base64.b64decode(certificate)
            session.create_object(
                {
                    Attribute.CLASS: ObjectClass.CERTIFICATE,
                    Attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
                    Attribute.TOKEN: True,
                    Attribute.PRIVATE: False,
                    Attribute.ID: bytes([number]),
                    Attribute.SUBJECT: x509.load_der_x509_certificate(der).subject.public_bytes(),
                    Attribute.VALUE: der,
                }
            )


if __name__ == "__main__":
    _make(json.load(sys.stdin))
