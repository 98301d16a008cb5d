"""Alembic's entry; everything it does is shared."""

from runtime.migrate import run_env

run_env()
