"""Settings of the signer's processes, read once from the environment.

Each command reads only what it needs, so that no process holds a password it has no use for.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from runtime import config
from runtime.config import ConfigError
from runtime.tls import TlsFiles
from services.signer.check import ENCODINGS
from services.signer.tokens.pool import DeviceSettings

COMMANDS = ("serve", "consume", "relay", "migrate", "provision", "verify-ledger")
#: seconds for a frame of one command that makes keys: an HSM may take long to find primes
_GENERATE_SECONDS = 60.0


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
                devices=_devices(config.number("SIGNER_WORKERS", 2, 1, 64)),
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
            return Config(
                level, database_url=config.text("DATABASE_URL"), devices=_devices(1, _GENERATE_SECONDS)
            )
        case "verify-ledger":
            return Config(level, database_url=config.text("DATABASE_URL"))
    raise ConfigError(f"no such command: {command}")


def _choice(name: str, allowed: tuple[str, ...]) -> str:
    value = config.text(name, allowed[0])
    if value not in allowed:
        raise ConfigError(f"setting {name} must be one of {', '.join(allowed)}, not {value!r}")
    return value


def _devices(workers: int, seconds: float = 8.0) -> tuple[DeviceSettings, ...]:
    """The devices whose settings are there; at least one must be."""
    devices = []
    if os.environ.get("PKCS11_MODULE"):
        settings = {
            "PKCS11_MODULE": str(config.path("PKCS11_MODULE").absolute()),
            "TOKEN_LABEL": config.text("TOKEN_LABEL"),
            "TOKEN_PIN_FILE": str(config.path("TOKEN_PIN_FILE").absolute()),
        }
        devices.append(
            DeviceSettings("pkcs11", "services.signer.tokens.pkcs11_worker", settings, workers, seconds)
        )
    if os.environ.get("SEALED_TOKEN_DIR"):
        settings = {
            "SEALED_TOKEN_DIR": str(config.path("SEALED_TOKEN_DIR").absolute()),
            "SEALED_TOKEN_KEY_FILE": str(config.path("SEALED_TOKEN_KEY_FILE").absolute()),
        }
        devices.append(DeviceSettings("sealed", "services.signer.tokens.sealed", settings, 1, seconds))
    if not devices:
        raise ConfigError("set PKCS11_MODULE or SEALED_TOKEN_DIR: without a device nothing can be signed")
    return tuple(devices)
