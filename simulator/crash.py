"""Named places to die, so that tests can end the process exactly where it hurts.

Must never do anything unless CRASH_POINTS_FILE is set and names this very place.
"""

from __future__ import annotations

import os
from pathlib import Path

# As a killed process would report it: 128 + SIGKILL.
EXIT_CODE = 137


def point(name: str) -> None:
    """End the process once, without cleaning up, if the file named by CRASH_POINTS_FILE contains `name`."""
    setting = os.environ.get("CRASH_POINTS_FILE")
    if not setting:
        return
    path = Path(setting)
    try:
        wanted = path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return
    if wanted == name:
        # Removed first, or a supervised restart would die again at the same place for ever.
        path.unlink(missing_ok=True)
        os._exit(EXIT_CODE)
