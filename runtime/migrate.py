"""Runs a service's Alembic migrations as the owner of its schema, with lock and statement limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, pool, text

from runtime.db import sqlalchemy_url


def upgrade(owner_url: str, folder: Path, app_role: str, relay_role: str) -> None:
    """Bring the schema to the newest version. Roles exist already; migrations grant to them."""
    from alembic import command  # noqa: PLC0415 - a quarter of the start of all processes that never migrate
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(folder))
    config.attributes["url"] = sqlalchemy_url(owner_url)
    config.attributes["app_role"] = app_role
    config.attributes["relay_role"] = relay_role
    command.upgrade(config, "head")


def run_env() -> None:
    """What every service's migrations/env.py does."""
    context = _context()
    config = context.config
    engine = create_engine(config.attributes["url"], poolclass=pool.NullPool)
    with engine.connect() as connection:
        # several machines may start at once: one migrates, the others wait and find it done
        connection.execute(text("SELECT pg_advisory_lock(7463)"))
        connection.execute(text("SET lock_timeout = '5s'"))
        connection.commit()
        context.configure(connection=connection, target_metadata=None)
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()
        connection.execute(text("SELECT pg_advisory_unlock(7463)"))
        connection.commit()


def roles() -> tuple[str, str]:
    """(app role, relay role) inside a migration."""
    attributes = _context().config.attributes
    return attributes["app_role"], attributes["relay_role"]


def _context() -> Any:
    from alembic import context  # noqa: PLC0415

    return context
