"""Named points at which the fault tests let the agent die, once. Must never be used for control flow."""

from __future__ import annotations

import os
import signal
from pathlib import Path

_FILE = os.environ.get("TONGGUAN_AGENT_CRASH_FILE", "")


def point(name: str) -> None:
    """Die by SIGKILL if the crash file names this point; the file is removed first, so it happens once."""
    if not _FILE:
        return
    path = Path(_FILE)
    try:
        wanted = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return
    if wanted == name:
        path.unlink(missing_ok=True)
        os.kill(os.getpid(), signal.SIGKILL)
