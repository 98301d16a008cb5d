"""Alembic's entry: see runtime.migrate."""

from runtime.migrate import run_env

run_env()
