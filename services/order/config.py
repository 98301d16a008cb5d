"""Settings of the order service, read once from the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from runtime import config


@dataclass(frozen=True, slots=True)
class Config:
    """database_url: application role. documents_per_message: 1..100, how many orders ride in one customs message."""

    database_url: str
    bus_url: str
    ops_listen: str
    grpc_listen: str
    actor_public_key: Path
    documents_per_message: int
    log_level: str


def load() -> Config:
    """From the environment; raises ConfigError that names what is missing."""
    return Config(
        database_url=config.text("DATABASE_URL"),
        bus_url=config.text("BUS_URL"),
        ops_listen=config.text("OPS_LISTEN"),
        grpc_listen=os.environ.get("GRPC_LISTEN", ""),
        actor_public_key=config.path("ACTOR_PUBLIC_KEY_FILE"),
        documents_per_message=config.number("DOCUMENTS_PER_MESSAGE", 100, 1, 100),
        log_level=config.text("LOG_LEVEL", "INFO"),
    )
