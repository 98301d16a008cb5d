"""Alembic's entry point; everything is in runtime.migrate."""

from runtime.migrate import run_env

run_env()
