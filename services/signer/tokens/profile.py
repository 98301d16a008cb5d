"""Mechanism profiles: what a vendor's module calls its keys and ways of signing. Data, one TOML file per vendor.

Must stay free of heavy imports beside tomllib: children and configuration load it. Shape in profiles/standard.toml.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("profiles")
#: none: data goes to the token as it is (a DigestInfo; or the token hashes) · sm3-z: e of sm2.py · sha256
DIGESTS = ("none", "sha256", "sm3-z")
#: raw: r||s of equal halves, or RSA's number · der: SEQUENCE of two INTEGERs
FORMS = ("raw", "der")
KEY_KINDS = ("rsa", "ec", "sm2")


class ProfileError(Exception):
    """Which file, which entry, what it should be."""


@dataclass(frozen=True, slots=True)
class KeyProfile:
    """How keys of one kind are made. parameters: CKA_EC_PARAMS, DER; bits: RSA's modulus."""

    type: int
    generate: int
    bits: int = 0
    parameters: bytes = b""


@dataclass(frozen=True, slots=True)
class SignProfile:
    """One way of signing: with keys of that kind, by that mechanism, over that digest, answered in that form."""

    key: str
    mechanism: int
    digest: str
    signature: str


@dataclass(frozen=True, slots=True)
class Profile:
    """keys by kind (KEY_KINDS), signing by the name requests use (base.SignRequest.mechanism)."""

    name: str
    keys: dict[str, KeyProfile]
    signing: dict[str, SignProfile]

    def kind_of(self, key_type: int) -> str | None:
        """Which kind of key has this CKA_KEY_TYPE; the first that fits, since vendors call SM2 keys EC as well."""
        return next((kind for kind, key in self.keys.items() if key.type == key_type), None)


def path_of(name: str) -> Path:
    """The file of a profile: one of ours by name, or a path that ends in .toml. Raises ProfileError."""
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in FOLDER.glob("*.toml")))
        raise ProfileError(f"no profile {name!r}: give a path that ends in .toml, or one of {known}")
    return path


def read(path: Path) -> Profile:
    """Raises ProfileError naming the entry that is wrong."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        keys = {kind: _key(kind, values) for kind, values in data["key"].items()}
        signing = {name: _signing(name, values, keys) for name, values in data["sign"].items()}
        return Profile(str(data["name"]), keys, signing)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        raise ProfileError(f"profile {path}: {type(exc).__name__} {exc}") from exc


def _key(kind: str, values: dict[str, Any]) -> KeyProfile:
    if kind not in KEY_KINDS:
        raise ValueError(f"[key.{kind}] must be one of {', '.join(KEY_KINDS)}")
    made = KeyProfile(
        _number(values["type"]),
        _number(values["generate"]),
        _number(values.get("bits", 0)),
        bytes.fromhex(values.get("parameters", "")),
    )
    if (made.bits == 0) == (made.parameters == b""):
        raise ValueError(f"[key.{kind}] needs bits (RSA) or parameters (curves)")
    return made


def _signing(name: str, values: dict[str, Any], keys: dict[str, KeyProfile]) -> SignProfile:
    made = SignProfile(
        values["key"],
        _number(values["mechanism"]),
        values.get("digest", "none"),
        values.get("signature", "raw"),
    )
    for field, value, allowed in (
        ("key", made.key, tuple(keys)),
        ("digest", made.digest, DIGESTS),
        ("signature", made.signature, FORMS),
    ):
        if value not in allowed:
            raise ValueError(f"[sign.{name}] {field} must be one of {', '.join(allowed)}, not {value!r}")
    return made


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**32:
        raise ValueError(f"{value!r} is not a number of PKCS#11 (0 to 0xFFFFFFFF)")
    return value
