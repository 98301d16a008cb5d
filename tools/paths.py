"""Where a checkout keeps what it makes: one place, so that no other file spells a folder.

Never holds an absolute path of one machine; everything follows from this file's own place and two variables.
"""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def run_dir() -> Path:
    """The folder of one stack: data, logs, secrets, pids. RUN_DIR moves it (relative: to the checkout)."""
    return ROOT / (os.environ.get("RUN_DIR") or ".run")


def cache_dir() -> Path:
    """The folder of downloads that any checkout may share. TONGGUAN_CACHE moves it."""
    return ROOT / (os.environ.get("TONGGUAN_CACHE") or ".run/cache")


def private_dir(path: Path) -> Path:
    """Create `path` so that only its owner may look inside."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.chmod(0o700)
    return path


def write_private(path: Path, content: str | bytes, mode: int = 0o600) -> None:
    """Write a file only its owner may read, whole or not at all (a reader never meets half of it)."""
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    temporary.replace(path)
