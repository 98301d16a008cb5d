"""Settings of the signer's processes, read once from the environment.

Each command reads only what it needs, so that no process holds a password it has no use for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from runtime import config
from runtime.config import ConfigError
from runtime.tls import TlsFiles
from services.signer.check import ENCODINGS
from services.signer.tokens import settings as devices
from services.signer.tokens.settings import DeviceSettings

COMMANDS = ("serve", "consume", "relay", "migrate", "provision", "verify-ledger")


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
    tls: TlsFiles | None = None
    actor_public_key: Path | None = None
    devices: tuple[DeviceSettings, ...] = ()
    #: raw | der: SM2 signatures in messages. raw was seen from a USB key, the HSM's form is unknown (assumed raw)
    sm2_encoding: str = "raw"
    #: seconds between canary signatures
    canary_seconds: int = 10
    #: deliveries per batch
    batch: int = 50


def read(command: str) -> Config:
    """The settings that `command` needs; raises ConfigError naming the first that is missing or wrong."""
    level = config.text("LOG_LEVEL", "INFO").upper()
    match command:
        case "serve":
            return Config(
                level,
                database_url=config.text("DATABASE_URL"),
                ops_listen=config.text("OPS_LISTEN"),
                grpc_listen=config.text("GRPC_LISTEN"),
                tls=config.tls(),
                actor_public_key=config.path("ACTOR_PUBLIC_KEY_FILE"),
            )
        case "consume":
            return Config(
                level,
                database_url=config.text("DATABASE_URL"),
                bus_url=config.text("BUS_URL"),
                ops_listen=config.text("OPS_LISTEN"),
                actor_public_key=config.path("ACTOR_PUBLIC_KEY_FILE"),
                devices=_devices(),
                sm2_encoding=_choice("SM2_SIGNATURE_ENCODING", ENCODINGS),
                canary_seconds=config.number("SIGNER_CANARY_SECONDS", 10, 1, 3600),
                batch=config.number("SIGNER_BATCH", 50, 1, 500),
            )
        case "relay":
            return Config(
                level,
                relay_database_url=config.text("RELAY_DATABASE_URL"),
                bus_url=config.text("BUS_URL"),
                ops_listen=config.text("OPS_LISTEN"),
            )
        case "migrate":
            return Config(level, owner_database_url=config.text("OWNER_DATABASE_URL"))
        case "provision":
            # one process of each token is enough to make a key
            few = tuple(device.with_workers(1) for device in _devices())
            return Config(level, database_url=config.text("DATABASE_URL"), devices=few)
        case "verify-ledger":
            return Config(level, database_url=config.text("DATABASE_URL"))
    raise ConfigError(f"no such command: {command}")


def _choice(name: str, allowed: tuple[str, ...]) -> str:
    value = config.text(name, allowed[0])
    if value not in allowed:
        raise ConfigError(f"setting {name} must be one of {', '.join(allowed)}, not {value!r}")
    return value


def _devices() -> tuple[DeviceSettings, ...]:
    return devices.read(config.path("SIGNER_DEVICES_FILE").absolute())
