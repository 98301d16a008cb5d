"""Settings of the gateway's http and relay processes, read once from the environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from documents.print import fonts
from documents.registry import REGISTRY
from runtime import config
from runtime.tls import TlsFiles


@dataclass(frozen=True, slots=True)
class HttpConfig:
    """What gateway.http needs. Times in seconds, sizes in bytes; owners: service -> address of its gRPC port;
    edge_address, enrol_address, edge_authority: what an edge agent is told to dial, and whom to trust there."""

    listen: str
    ops_listen: str
    database_url: str
    redis_url: str
    bus_url: str
    owners: Mapping[str, str]
    signer_grpc: str
    edge_address: str
    enrol_address: str
    edge_authority: Path
    tls: TlsFiles
    actor_private_key: Path
    actor_public_key: Path
    web_dist: Path | None
    font: Path | None
    log_level: str
    workers: int
    threads: int
    trusted_proxies: int
    session_idle: int
    session_absolute: int
    lockout_failures: int
    lockout_time: int
    address_failures: int
    upload_limit: int
    streams_per_user: int
    streams_per_worker: int


def http_config() -> HttpConfig:
    """Read and check; raises ConfigError naming the setting."""
    dist = os.environ.get("WEB_DIST", "")
    threads = config.number("HTTP_THREADS", 64, 4, 512)
    return HttpConfig(
        listen=config.text("HTTP_LISTEN"),
        ops_listen=config.text("OPS_LISTEN"),
        database_url=config.text("DATABASE_URL"),
        redis_url=config.text("REDIS_URL"),
        bus_url=config.text("BUS_URL"),
        owners={name: config.text(f"{name.upper()}_GRPC") for name in REGISTRY.owners()},
        signer_grpc=config.text("SIGNER_GRPC"),
        edge_address=config.text("EDGE_ADDRESS"),
        enrol_address=config.text("ENROL_ADDRESS"),
        edge_authority=config.path("EDGE_AUTHORITY_FILE"),
        tls=config.tls(),
        actor_private_key=config.path("ACTOR_PRIVATE_KEY_FILE"),
        actor_public_key=config.path("ACTOR_PUBLIC_KEY_FILE"),
        web_dist=Path(dist) if dist else None,
        font=_font(),
        log_level=config.text("LOG_LEVEL", "INFO"),
        workers=config.number("HTTP_WORKERS", 1, 1, 16),
        threads=threads,
        trusted_proxies=config.number("TRUSTED_PROXIES", 0, 0, 5),
        session_idle=config.number("SESSION_IDLE_SECONDS", 30 * 60, 10, 24 * 3600),
        session_absolute=config.number("SESSION_ABSOLUTE_SECONDS", 12 * 3600, 10, 7 * 24 * 3600),
        lockout_failures=config.number("LOCKOUT_FAILURES", 5, 1, 100),
        lockout_time=config.number("LOCKOUT_SECONDS", 15 * 60, 1, 24 * 3600),
        address_failures=config.number("ADDRESS_FAILURES", 100, 1, 100_000),
        upload_limit=config.number("UPLOAD_LIMIT_BYTES", 10 * 1024 * 1024, 1024, 20 * 1024 * 1024),
        streams_per_user=config.number("STREAMS_PER_USER", 8, 1, 100),
        # an open stream holds a thread: half of them stay free for requests
        streams_per_worker=config.number("STREAMS_PER_WORKER", threads // 2, 1, 500),
    )


def _font() -> Path | None:
    """The font of printed documents. Without the setting everything works but printing, which says so."""
    if not os.environ.get("FONT_FILE"):
        return None
    path = config.path("FONT_FILE")
    try:
        fonts.face(path)
    except fonts.FontError as exc:
        raise config.ConfigError(f"setting FONT_FILE: {exc}") from exc
    return path


@dataclass(frozen=True, slots=True)
class RelayConfig:
    """What gateway.relay needs."""

    database_url: str
    bus_url: str
    ops_listen: str
    log_level: str


def relay_config() -> RelayConfig:
    """Read and check; raises ConfigError naming the setting."""
    return RelayConfig(
        database_url=config.text("RELAY_DATABASE_URL"),
        bus_url=config.text("BUS_URL"),
        ops_listen=config.text("OPS_LISTEN"),
        log_level=config.text("LOG_LEVEL", "INFO"),
    )


@dataclass(frozen=True, slots=True)
class MigrateConfig:
    """What the migration needs: the owner's URL and the names of the roles it grants to."""

    owner_url: str
    app_role: str
    relay_role: str


def migrate_config() -> MigrateConfig:
    """Read and check. The role names follow from the other two URLs where these are given."""
    return MigrateConfig(
        owner_url=config.text("OWNER_DATABASE_URL"),
        app_role=_user_of("DATABASE_URL", "gateway_app"),
        relay_role=_user_of("RELAY_DATABASE_URL", "gateway_relay"),
    )


def main(of: str) -> None:
    """The verb check-config: raises ConfigError if a setting of that process is missing or wrong."""
    {"http": http_config, "relay": relay_config, "migrate": migrate_config}[of]()
    sys.stdout.write(f"{of}: settings are complete\n")


def _user_of(setting: str, default: str) -> str:
    return urlsplit(os.environ.get(setting, "")).username or default
