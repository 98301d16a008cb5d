"""Ends processes of a running stack with SIGKILL and waits until the supervisor has them back.

Only what the supervisor says it runs, or what descends from that; never a process of anybody else.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from tests.support.eventually import eventually
from tests.support.stack import Stack

#: seconds until everything must be back; a broker takes longest
BACK = 90.0


class Killer:
    """Kills in one stack. `recoveries`: seconds from each kill until all processes were ready again."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._point_file = Path(stack.environment("order.serve")["CRASH_POINTS_FILE"])
        self.kills: list[str] = []
        self.points: list[str] = []
        self.recoveries: list[float] = []

    def kill(self, *names: str) -> None:
        """End processes by name at once, and wait until all are back. "NAME/child": one of its children."""
        before = self._stack.processes()
        pids = [self._pid(name, before) for name in names]
        began = time.monotonic()
        for pid in pids:
            with suppress(ProcessLookupError):  # its supervisor or its own end was faster
                os.kill(pid, signal.SIGKILL)
        self.kills += names
        for name, pid in zip(names, pids, strict=True):
            eventually(partial(_gone, pid), f"{name} ends", BACK)
        for name in names:
            if not name.endswith("/child"):
                old = before[name]["pid"]
                eventually(partial(self._new, name, old), f"{name} is started again", BACK)
        self._wait_all()
        self.recoveries.append(time.monotonic() - began)

    def arm(self, point: str) -> None:
        """Let the process that next comes to the crash point die there."""
        self._point_file.write_text(point)

    def hit(self, point: str, look: Callable[[], None], timeout: float) -> None:
        """Wait until somebody died there and all are back. `look` raises what makes waiting useless."""

        def died() -> bool:
            try:
                look()
            except AssertionError as exc:
                raise RuntimeError("the work that should come there has failed") from exc
            return not self._point_file.exists()

        eventually(died, f"somebody comes to {point}", timeout)
        began = time.monotonic()
        self.points.append(point)
        # a child that died needs no restart the supervisor knows of; so only "all ready" tells, asked for twice
        pause = threading.Event()
        pause.wait(0.3)
        self._wait_all()
        self.recoveries.append(time.monotonic() - began)

    def disarm(self) -> None:
        """Nobody dies any more."""
        self._point_file.unlink(missing_ok=True)

    def _pid(self, name: str, processes: dict[str, dict[str, object]]) -> int:
        parent, _, child = name.partition("/")
        pid = processes[parent]["pid"]
        assert isinstance(pid, int), f"{name} does not run"
        if not child:
            return pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        # started by another thread: then it stands under that one
        if not children:
            children = [
                one
                for task in Path(f"/proc/{pid}/task").iterdir()
                for one in (task / "children").read_text().split()
            ]
        assert children, f"{parent} has no children"
        return int(children[0])

    def _new(self, name: str, old: int) -> bool:
        entry = self._stack.processes()[name]
        return entry["pid"] not in (None, old) and entry["ready"]

    def _wait_all(self) -> None:
        eventually(
            lambda: all(entry["ready"] for entry in self._stack.processes().values()), "all are ready", BACK
        )


def _gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()
