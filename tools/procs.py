"""Which process is ours: a pid alone is not enough, since the system gives numbers out again.

Never signals a process whose start time is not the recorded one.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
from dataclasses import dataclass
from pathlib import Path

from tools.paths import write_private


def start_time(pid: int) -> int | None:
    """Start of a living process in clock ticks since boot (field 22 of /proc/PID/stat); None if it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    # a zombie has ended: only its parent has not asked yet
    return None if fields[0] in "ZX" else int(fields[19])


@dataclass(frozen=True)
class Identity:
    """One process of ours, as kept in a pid file: also its process group, which we made for it."""

    pid: int
    started: int

    def alive(self) -> bool:
        """True while this very process runs (not another one with its number)."""
        return start_time(self.pid) == self.started

    def send(self, number: signal.Signals) -> None:
        """Signal the process, if it is still this one."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def send_to_group(self, number: signal.Signals) -> None:
        """Signal the whole group it leads, if the leader is still this one."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)


def identity_of(pid: int) -> Identity | None:
    """The identity of a living process, None if it is gone."""
    started = start_time(pid)
    return None if started is None else Identity(pid, started)


def write_pid_file(path: Path, identity: Identity) -> None:
    """Keep an identity."""
    write_private(path, json.dumps({"pid": identity.pid, "started": identity.started}))


def read_pid_file(path: Path) -> Identity | None:
    """The identity kept in a pid file; None where there is no readable file."""
    try:
        content = json.loads(path.read_text())
        return Identity(int(content["pid"]), int(content["started"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
