"""Which devices there are and which tokens each consists of: read from the TOML file that SIGNER_DEVICES_FILE names.

A device is what a key lives in; its members are tokens that hold the same keys (slots of an HSM cluster, several
modules). Shape of the file in services/signer/README.md. Must never open a token.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from runtime.config import ConfigError
from services.signer.tokens import profile

#: what `python -m` runs for each kind of member
MODULES = {"pkcs11": "services.signer.tokens.pkcs11_worker", "sealed": "services.signer.tokens.sealed"}
#: times a job may cost a process before the job itself is looked at
ATTEMPTS = 3
_MEMBER = {
    "pkcs11": {"name", "module", "pin_file", "token_label", "token_serial", "profile", "environment"},
    "sealed": {"name", "folder", "key_file"},
}
_COMMON = {"workers", "seconds"}


@dataclass(frozen=True, slots=True)
class MemberSettings:
    """One token. kind: pkcs11 | sealed. environment: what its processes are told. seconds: the longest that a call may
    take; what is measured makes it shorter. makes: kinds of keys it can make (rsa, ec, sm2)."""

    name: str
    kind: str
    environment: dict[str, str]
    workers: int = 1
    seconds: float = 8.0
    makes: tuple[str, ...] = ()

    @property
    def module(self) -> str:
        """What `python -m` runs."""
        return MODULES[self.kind]


@dataclass(frozen=True, slots=True)
class DeviceSettings:
    """A device by name, with at least one member."""

    name: str
    members: tuple[MemberSettings, ...]

    @property
    def patience(self) -> float:
        """Seconds a caller waits: long enough for a job that costs its full number of processes."""
        return ATTEMPTS * max(member.seconds for member in self.members) + 5

    def makes(self, kind: str) -> bool:
        """Can a member make keys of this kind?"""
        return any(kind in member.makes for member in self.members)

    def with_workers(self, workers: int) -> DeviceSettings:
        """The same with another number of processes for each member."""
        return replace(self, members=tuple(replace(member, workers=workers) for member in self.members))


def read(file: Path) -> tuple[DeviceSettings, ...]:
    """Every device of the file, in its order. Raises ConfigError naming the entry that is missing or wrong."""
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise ConfigError(f"SIGNER_DEVICES_FILE {file}: {exc}") from exc
    where = _Where(file, file.parent)
    unknown = sorted(data.keys() - {"memory", "device"})
    if unknown:
        raise ConfigError(f"{file}: unknown entry {unknown[0]}; known are memory and device")
    devices = where.table(data, "device", "")
    if not devices:
        raise ConfigError(f"{file}: no [device.NAME]; without a device nothing can be signed")
    memory = where.folder(data, "memory", "") if "memory" in data else None
    return tuple(_device(where, name, devices, memory) for name in devices)


@dataclass(frozen=True, slots=True)
class _Where:
    """Typed looks into one file; relative paths begin where it lies."""

    file: Path
    base: Path

    def wrong(self, at: str, what: str) -> ConfigError:
        return ConfigError(f"{self.file}: {at} {what}")

    def table(self, data: dict[str, Any], name: str, at: str) -> dict[str, Any]:
        value = data.get(name, {})
        if not isinstance(value, dict):
            raise self.wrong(f"{at}{name}", "must be a table")
        return value

    def text(self, data: dict[str, Any], name: str, at: str) -> str:
        value = data.get(name)
        if not isinstance(value, str) or not value:
            raise self.wrong(f"{at}{name}", "must be text" if name in data else "is missing")
        return value

    def number(self, data: dict[str, Any], name: str, at: str, default: float, most: float) -> float:
        value = data.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= most:
            raise self.wrong(f"{at}{name}", f"must be a number from 1 to {most:g}")
        return value

    def path(self, data: dict[str, Any], name: str, at: str) -> Path:
        path = (self.base / self.text(data, name, at)).absolute()
        if not path.exists():
            raise self.wrong(f"{at}{name}", f"names {path}, which does not exist")
        return path

    def folder(self, data: dict[str, Any], name: str, at: str) -> Path:
        path = self.path(data, name, at)
        if not path.is_dir():
            raise self.wrong(f"{at}{name}", f"names {path}, which is no folder")
        return path


def _device(where: _Where, name: str, devices: dict[str, Any], memory: Path | None) -> DeviceSettings:
    at = f"device.{name}."
    data = where.table(devices, name, "device.")
    if not name.isascii() or not name.replace("-", "").isalnum():
        raise where.wrong(f"device.{name}", "may hold letters, digits and hyphens")
    kind = where.text(data, "kind", at)
    if kind not in MODULES:
        raise where.wrong(f"{at}kind", f"must be one of {', '.join(MODULES)}, not {kind!r}")
    if unknown := sorted(data.keys() - {"kind", "member"}):
        raise where.wrong(at + unknown[0], "is unknown; known are kind and member")
    entries = data.get("member")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries) or not entries:
        raise where.wrong(f"{at}member", f"is missing: [[device.{name}.member]]")
    members = tuple(
        _member(where, f"{at}member[{index}].", kind, entry, memory) for index, entry in enumerate(entries)
    )
    names = [member.name for member in members]
    if len(set(names)) < len(names):
        raise where.wrong(f"{at}member", "has two of one name")
    return DeviceSettings(name, members)


def _member(where: _Where, at: str, kind: str, data: dict[str, Any], memory: Path | None) -> MemberSettings:
    if unknown := sorted(data.keys() - _MEMBER[kind] - _COMMON):
        raise where.wrong(
            at + unknown[0], f"is unknown; known are {', '.join(sorted(_MEMBER[kind] | _COMMON))}"
        )
    build = _pkcs11 if kind == "pkcs11" else _sealed
    environment, makes = build(where, at, data, memory)
    return MemberSettings(
        where.text(data, "name", at),
        kind,
        environment,
        int(where.number(data, "workers", at, 2 if kind == "pkcs11" else 1, 64)),
        float(where.number(data, "seconds", at, 8, 600)),
        makes,
    )


def _pkcs11(
    where: _Where, at: str, data: dict[str, Any], memory: Path | None
) -> tuple[dict[str, str], tuple[str, ...]]:
    if memory is None:
        raise where.wrong("memory", "is missing: a writable folder where attempts with PINs are remembered")
    extra = where.table(data, "environment", at)
    if not all(isinstance(value, str) for value in extra.values()):
        raise where.wrong(f"{at}environment", "must hold text only")
    if ("token_label" in data) == ("token_serial" in data):
        raise where.wrong(f"{at}token_label", "or token_serial must be given, one of the two")
    try:
        numbers = profile.path_of(where.text({"profile": "standard"} | data, "profile", at))
        made = profile.read(numbers)
    except profile.ProfileError as exc:
        raise where.wrong(f"{at}profile", str(exc)) from exc
    which = {
        name.upper(): where.text(data, name, at) for name in ("token_label", "token_serial") if name in data
    }
    module = str(where.path(data, "module", at))
    environment = {
        **extra,
        **which,
        "TOKEN_MODULE": module,
        "TOKEN_PIN_FILE": str(where.path(data, "pin_file", at)),
        "TOKEN_PROFILE": str(numbers),
        "TOKEN_MEMORY": str(memory),
        # which token this is, whatever file describes it
        "TOKEN_IDENTITY": json.dumps([module, which, extra], sort_keys=True),
    }
    return environment, tuple(made.keys)


def _sealed(
    where: _Where, at: str, data: dict[str, Any], _memory: Path | None
) -> tuple[dict[str, str], tuple[str, ...]]:
    environment = {
        "SEALED_TOKEN_DIR": str(where.path(data, "folder", at)),
        "SEALED_TOKEN_KEY_FILE": str(where.path(data, "key_file", at)),
    }
    return environment, ("sm2",)
