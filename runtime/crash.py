"""Named crash points: the fault tests let a process die exactly here, once.

Costs one environment look-up when no file is configured. Must never be used for control flow.
"""

from __future__ import annotations

import os
from pathlib import Path

_FILE = os.environ.get("CRASH_POINTS_FILE", "")


def point(name: str) -> None:
    """Die as by SIGKILL if the crash file names this point; the file is removed first, so it happens once."""
    if not _FILE:
        return
    path = Path(_FILE)
    try:
        wanted = path.read_text().strip()
    except FileNotFoundError:
        return
    if wanted == name:
        path.unlink(missing_ok=True)
        os._exit(137)
