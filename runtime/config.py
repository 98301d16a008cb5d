"""Settings come from the environment, read once into each service's frozen dataclass.

A missing setting is named, with what it is for, before anything starts.
"""

from __future__ import annotations

import os
from pathlib import Path

from runtime.tls import TlsFiles


class ConfigError(Exception):
    """A setting is missing or wrong."""


def text(name: str, default: str | None = None) -> str:
    """A setting as text; without a default it must be there."""
    value = os.environ.get(name, default)
    if value is None or value == "":
        if default == "":
            return ""
        raise ConfigError(f"setting {name} is missing")
    return value


def number(name: str, default: int, low: int, high: int) -> int:
    """A whole number within limits."""
    raw = os.environ.get(name, str(default))
    if not raw.isascii() or not raw.isdigit() or not low <= int(raw) <= high:
        raise ConfigError(f"setting {name} must be a whole number from {low} to {high}, not {raw!r}")
    return int(raw)


def path(name: str) -> Path:
    """A file or folder that must exist."""
    value = Path(text(name))
    if not value.exists():
        raise ConfigError(f"setting {name} names {value}, which does not exist")
    return value


def tls() -> TlsFiles:
    """The three files of mutual TLS."""
    return TlsFiles(path("TLS_CA_FILE"), path("TLS_CERT_FILE"), path("TLS_KEY_FILE"))
