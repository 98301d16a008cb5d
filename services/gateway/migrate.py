"""The command `migrate`: brings the schema to the newest version as its owner."""

from __future__ import annotations

from pathlib import Path

from runtime.migrate import upgrade
from services.gateway import config


def main() -> None:
    """Upgrade; nothing happens where there is nothing to do."""
    settings = config.migrate_config()
    upgrade(settings.owner_url, Path(__file__).parent / "migrations", settings.app_role, settings.relay_role)
