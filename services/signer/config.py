"""Settings of the signer's processes, read once from the environment.

Each command reads only what it needs, so that no process holds a password it has no use for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from runtime import config
from runtime.config import ConfigError
from runtime.tls import TlsFiles
from services.signer.check import ENCODINGS
from services.signer.domain import is_uuid
from services.signer.tokens import settings as devices
from services.signer.tokens.settings import DeviceSettings


@dataclass(frozen=True, slots=True)
class Config:
    """Empty where a command has no use for a setting. Addresses are host:port, files exist."""

    log_level: str
    database_url: str = field(default="", repr=False)
    relay_database_url: str = field(default="", repr=False)
    owner_database_url: str = field(default="", repr=False)
    bus_url: str = field(default="", repr=False)
    ops_listen: str = ""
    grpc_listen: str = ""
    #: where signer.pool listens
    pool_grpc: str = ""
    tls: TlsFiles | None = None
    actor_public_key: Path | None = None
    devices: tuple[DeviceSettings, ...] = ()
    #: raw | der: SM2 signatures in messages. raw was seen from a USB key, the HSM's form is unknown (assumed raw)
    sm2_encoding: str = "raw"
    #: seconds between canary signatures
    canary_seconds: int = 10
    #: seconds within which each side of an edge agent's connection says something
    heartbeat_seconds: int = 15
    #: deliveries per batch
    batch: int = 50
    #: tenant -> its share of a device, 1 for all others
    weights: dict[str, float] = field(default_factory=dict)


def read(command: str) -> Config:
    """The settings that `command` needs; raises ConfigError naming the first that is missing or wrong."""
    if command not in _NEEDS:
        raise ConfigError(f"no such command: {command}")
    found: dict[str, Any] = {name: _READ[name]() for name in _NEEDS[command]}
    if command == "provision":
        # one process of each token is enough to make a key
        found["devices"] = tuple(device.with_workers(1) for device in found["devices"])
    return Config(config.text("LOG_LEVEL", "INFO").upper(), **found)


def _weights() -> dict[str, float]:
    """tenant=share,tenant=share: more or less of a device than the others' 1."""
    weights = {}
    for part in filter(None, config.text("SIGNER_WEIGHTS", "").split(",")):
        tenant, _, share = part.partition("=")
        try:
            weights[tenant.strip()] = float(share)
        except ValueError:
            weights[tenant.strip()] = 0.0
        if not (is_uuid(tenant.strip()) and 0.01 <= weights[tenant.strip()] <= 100):
            raise ConfigError(f"setting SIGNER_WEIGHTS must be tenant=0.01..100,…, not {part!r}")
    return weights


def _choice(name: str, allowed: tuple[str, ...]) -> str:
    value = config.text(name, allowed[0])
    if value not in allowed:
        raise ConfigError(f"setting {name} must be one of {', '.join(allowed)}, not {value!r}")
    return value


def _devices() -> tuple[DeviceSettings, ...]:
    return devices.read(config.path("SIGNER_DEVICES_FILE").absolute())


#: field of Config -> how it is read
_READ: dict[str, Callable[[], Any]] = {
    "database_url": partial(config.text, "DATABASE_URL"),
    "relay_database_url": partial(config.text, "RELAY_DATABASE_URL"),
    "owner_database_url": partial(config.text, "OWNER_DATABASE_URL"),
    "bus_url": partial(config.text, "BUS_URL"),
    "ops_listen": partial(config.text, "OPS_LISTEN"),
    "grpc_listen": partial(config.text, "GRPC_LISTEN"),
    "pool_grpc": partial(config.text, "SIGNER_POOL_GRPC"),
    "tls": config.tls,
    "actor_public_key": partial(config.path, "ACTOR_PUBLIC_KEY_FILE"),
    "devices": _devices,
    "sm2_encoding": partial(_choice, "SM2_SIGNATURE_ENCODING", ENCODINGS),
    "canary_seconds": partial(config.number, "SIGNER_CANARY_SECONDS", 10, 1, 3600),
    "heartbeat_seconds": partial(config.number, "AGENT_HEARTBEAT_SECONDS", 15, 1, 300),
    "batch": partial(config.number, "SIGNER_BATCH", 50, 1, 500),
    "weights": _weights,
}
_SERVER = ("ops_listen", "grpc_listen", "tls", "actor_public_key")
#: command -> the fields that it needs
_NEEDS: dict[str, tuple[str, ...]] = {
    "serve": ("database_url", *_SERVER, "pool_grpc"),
    "consume": (
        "database_url", "bus_url", "ops_listen", "pool_grpc", "tls", "actor_public_key", "sm2_encoding",
        "batch", "weights",
    ),
    "pool": (*_SERVER, "devices", "canary_seconds"),
    "cards": ("database_url", *_SERVER, "sm2_encoding", "heartbeat_seconds"),
    "relay": ("relay_database_url", "bus_url", "ops_listen"),
    "migrate": ("owner_database_url",),
    "provision": ("database_url", "devices"),
    "bench-device": ("database_url", "devices"),
    "verify-ledger": ("database_url",),
}  # fmt: skip
COMMANDS = tuple(_NEEDS)
