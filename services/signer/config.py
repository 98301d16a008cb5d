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
from services.signer.domain import is_uuid
from services.signer.tokens import settings as devices
from services.signer.tokens.settings import DeviceSettings

COMMANDS = (
    "serve",
    "consume",
    "pool",
    "cards",
    "relay",
    "migrate",
    "provision",
    "bench-device",
    "verify-ledger",
)


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
    level = config.text("LOG_LEVEL", "INFO").upper()
    match command:
        case "serve":
            return Config(
                level,
                database_url=config.text("DATABASE_URL"),
                ops_listen=config.text("OPS_LISTEN"),
                grpc_listen=config.text("GRPC_LISTEN"),
                pool_grpc=config.text("SIGNER_POOL_GRPC"),
                tls=config.tls(),
                actor_public_key=config.path("ACTOR_PUBLIC_KEY_FILE"),
            )
        case "consume":
            return Config(
                level,
                database_url=config.text("DATABASE_URL"),
                bus_url=config.text("BUS_URL"),
                ops_listen=config.text("OPS_LISTEN"),
                pool_grpc=config.text("SIGNER_POOL_GRPC"),
                tls=config.tls(),
                actor_public_key=config.path("ACTOR_PUBLIC_KEY_FILE"),
                sm2_encoding=_choice("SM2_SIGNATURE_ENCODING", ENCODINGS),
                batch=config.number("SIGNER_BATCH", 50, 1, 500),
                weights=_weights(config.text("SIGNER_WEIGHTS", "")),
            )
        case "pool":
            return Config(
                level,
                ops_listen=config.text("OPS_LISTEN"),
                grpc_listen=config.text("GRPC_LISTEN"),
                tls=config.tls(),
                actor_public_key=config.path("ACTOR_PUBLIC_KEY_FILE"),
                devices=_devices(),
                canary_seconds=config.number("SIGNER_CANARY_SECONDS", 10, 1, 3600),
            )
        case "cards":
            return Config(
                level,
                database_url=config.text("DATABASE_URL"),
                ops_listen=config.text("OPS_LISTEN"),
                grpc_listen=config.text("GRPC_LISTEN"),
                tls=config.tls(),
                actor_public_key=config.path("ACTOR_PUBLIC_KEY_FILE"),
                sm2_encoding=_choice("SM2_SIGNATURE_ENCODING", ENCODINGS),
                heartbeat_seconds=config.number("AGENT_HEARTBEAT_SECONDS", 15, 1, 300),
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
        case "bench-device":
            return Config(level, database_url=config.text("DATABASE_URL"), devices=_devices())
        case "verify-ledger":
            return Config(level, database_url=config.text("DATABASE_URL"))
    raise ConfigError(f"no such command: {command}")


def _weights(setting: str) -> dict[str, float]:
    """tenant=share,tenant=share: more or less of a device than the others' 1."""
    weights = {}
    for part in filter(None, setting.split(",")):
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
