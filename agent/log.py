"""Structured log: one JSON object a line, in a rotating file of the state folder and on standard error.

Facts are named, and what is named like a secret is never written. Must never log what is signed.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

_SECRET = ("pin", "password", "secret", "token", "cookie", "code_once", "key")
_FILE_BYTES = 2 * 1024 * 1024
_FILES = 5


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        facts = getattr(record, "facts", {})
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "event": record.getMessage(),
            **{name: "***" if _is_secret(name) else value for name, value in facts.items()},
        }
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def _is_secret(name: str) -> bool:
    return any(name == word or name.endswith(f"_{word}") for word in _SECRET)


def configure(folder: Path, level: str, *, console: bool) -> None:
    """Call once at start."""
    file = RotatingFileHandler(
        folder / "agent.log", maxBytes=_FILE_BYTES, backupCount=_FILES, encoding="utf-8", delay=True
    )
    handlers: list[logging.Handler] = [file]
    if console:
        handlers.append(logging.StreamHandler(sys.stderr))
    for handler in handlers:
        handler.setFormatter(_Lines())
    root = logging.getLogger("agent")
    root.handlers[:] = handlers
    root.setLevel(level)
    root.propagate = False


class Log:
    """A logger; facts as keyword arguments."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(f"agent.{name}")

    def info(self, event: str, **facts: object) -> None:
        """What happened."""
        self._logger.info(event, extra={"facts": facts})

    def warning(self, event: str, **facts: object) -> None:
        """What a person may want to look at."""
        self._logger.warning(event, extra={"facts": facts})

    def failure(self, event: str, **facts: object) -> None:
        """What should not happen, with its trace."""
        self._logger.error(event, exc_info=True, extra={"facts": facts})  # noqa: LOG014 - called in handlers
