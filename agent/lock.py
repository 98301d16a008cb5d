"""One agent per state folder: two would use one identity and one journal."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

from agent.errors import AgentError


def only_one(state: Path) -> io.FileIO:
    """A lock that lasts as long as the returned file is open and the process lives. Raises AgentError if taken."""
    file = io.FileIO(os.open(state / "agent.lock", os.O_RDWR | os.O_CREAT, 0o600), "r+")
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        file.close()
        raise AgentError(
            "running",
            f"代理已在运行（{state}）。用 tongguan-agent status 查看。",
            f"The agent runs already ({state}); see tongguan-agent status.",
        ) from exc
    return file
