"""Keeps processes running: starts them in order, waits until each is ready, restarts the dead, stops all.

One thread, no polling of what the kernel tells: it sleeps until a child ends, a signal comes or a check is due.
Never touches a process that it did not start itself.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from tools.errors import ToolError
from tools.launch import Launch
from tools.procs import identity_of, write_pid_file

FIRST_DELAY, LAST_DELAY = 0.3, 5.0
HEALTHY_SECONDS = 20.0
READY_CHECK_SECONDS = 0.1
START_ATTEMPTS = 3
# answer of a process that ended by itself before it was ready, in lines of its log
LOG_TAIL = 15


class Stopped(Exception):
    """A signal or `make stop` asked for the end."""


@dataclass
class Unit:
    """One process under supervision and what became of it."""

    launch: Launch
    log: Path
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    ready: bool = False
    next_check: float = 0.0
    restart_at: float | None = None
    delay: float = FIRST_DELAY
    restarts: int = 0
    been_ready: bool = False
    attempts: int = 0
    log_offset: int = field(default=0, repr=False)

    @property
    def name(self) -> str:
        return self.launch.name

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None


class Supervisor:
    """Starts and keeps `Launch`es. `changed` is called after each start, readiness and end; `say` prints a line."""

    def __init__(
        self, logs: Path, pids: Path, say: Callable[[str, str], None], changed: Callable[[], None]
    ) -> None:
        self._logs = logs
        self._pids = pids
        self._say = say
        self._changed = changed
        self._units: dict[str, Unit] = {}
        self._stop_asked = False
        # a byte arrives here at each signal, so that sleeping ends at once
        self._wake, self._signal_end = socket.socketpair()
        self._wake.setblocking(False)
        self._signal_end.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._wake, selectors.EVENT_READ)
        signal.set_wakeup_fd(self._signal_end.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._ask_stop)

    def _ask_stop(self, *_: object) -> None:
        self._stop_asked = True

    @property
    def units(self) -> Iterable[Unit]:
        """All units in start order."""
        return self._units.values()

    # --- starting

    def add(self, launches: Iterable[Launch]) -> None:
        """Take launches over: each starts once all it waits for is ready, while `wait` or anything else runs."""
        for launch in launches:
            self._units[launch.name] = Unit(launch, self._logs / f"{launch.name}.log")

    def wait(self, names: Iterable[str]) -> None:
        """Return when all of these are ready.

        Raises ToolError with the log's end when one does not become ready, Stopped when a signal came."""
        wanted = [self._units[name] for name in names if name in self._units]
        while not all(unit.ready for unit in wanted):
            self._tick()
            for unit in wanted:
                late = unit.process and time.monotonic() - unit.started > unit.launch.start_seconds
                if late and not unit.ready:
                    raise ToolError(
                        f"{unit.name}: {unit.launch.start_seconds:.0f} 秒内未就绪 / not ready after "
                        f"{unit.launch.start_seconds:.0f} s; {self._end_of_log(unit)}"
                    )

    def run_to_end(self, launches: Iterable[Launch]) -> None:
        """Run tasks (in the order their `after` asks) until each has ended well.

        Raises ToolError with the log's end when one fails, Stopped when a signal came."""
        tasks = {launch.name: Unit(launch, self._logs / f"{launch.name}.log") for launch in launches}
        done: set[str] = set()
        try:
            while len(done) < len(tasks):
                for unit in tasks.values():
                    waits = [name for name in unit.launch.after if name in tasks and name not in done]
                    if unit.process is None and not waits:
                        self._spawn(unit)
                self._tick()
                for unit in tasks.values():
                    code = self._reap(unit) if unit.process and unit.name not in done else None
                    if code is not None:
                        if code:
                            raise ToolError(f"{unit.name}: {_cause(code)}; {self._end_of_log(unit)}")
                        done.add(unit.name)
                        self._say(unit.name, f"done in {time.monotonic() - unit.started:.1f} s")
        finally:
            for unit in tasks.values():
                if unit.process and unit.process.returncode is None:
                    self._end(unit, signal.SIGKILL)

    def watch(self) -> None:
        """Keep everything running until a signal asks for the end."""
        with contextlib.suppress(Stopped):
            while True:
                self._tick()

    def _is_ready(self, name: str) -> bool:
        unit = self._units.get(name)
        return unit is None or unit.ready  # what is no unit here was a task or an outside server: done before

    def _spawn(self, unit: Unit) -> None:
        launch = unit.launch
        if launch.prepare:
            launch.prepare()
        with contextlib.ExitStack() as files:
            log = files.enter_context(unit.log.open("ab"))
            unit.log_offset = log.tell()
            output: BinaryIO = files.enter_context(_private(launch.output)) if launch.output else log
            unit.process = subprocess.Popen(
                launch.command,
                cwd=launch.folder,
                env=dict(launch.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=log,
                # a group of its own: the terminal's Ctrl-C reaches only us, and its children can be ended with it
                start_new_session=True,
            )
        unit.started = time.monotonic()
        unit.next_check = unit.started
        unit.restart_at = None
        unit.ready = False
        identity = identity_of(unit.process.pid)
        if identity:
            write_pid_file(self._pids / f"{unit.name}.json", identity)
        self._changed()

    # --- the loop

    def _tick(self) -> None:
        """Start what may start, sleep until something is due, then do it. Raises Stopped."""
        for unit in self._units.values():
            idle = unit.process is None and unit.restart_at is None
            if idle and all(self._is_ready(name) for name in unit.launch.after):
                self._spawn(unit)
        self._sleep()
        if self._stop_asked:
            raise Stopped
        now = time.monotonic()
        for unit in self._units.values():
            if unit.process:
                code = self._reap(unit)
                if code is not None:
                    self._ended(unit, code, now)
                elif not unit.ready and now >= unit.next_check:
                    self._check(unit)
            if unit.restart_at is not None and now >= unit.restart_at:
                unit.restarts += 1
                self._spawn(unit)

    def _sleep(self) -> None:
        now = time.monotonic()
        due = [now + 5.0]
        for unit in self._units.values():
            if unit.restart_at is not None:
                due.append(unit.restart_at)
            if unit.process and not unit.ready:
                due.append(unit.next_check)
        self._selector.select(max(0.0, min(due) - now))
        with contextlib.suppress(BlockingIOError):
            self._wake.recv(4096)

    def _reap(self, unit: Unit) -> int | None:
        """Exit code if the process has ended, after ending what is left of its group."""
        assert unit.process is not None
        if unit.process.returncode is None:
            # look without collecting: while it is a zombie its group number cannot be another's
            ended = os.waitid(os.P_PID, unit.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None:
                return None
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(unit.process.pid, signal.SIGKILL)
            (self._pids / f"{unit.name}.json").unlink(missing_ok=True)
        return unit.process.wait()

    def _ended(self, unit: Unit, code: int, now: float) -> None:
        unit.process = None
        if unit.ready and now - unit.started > HEALTHY_SECONDS:
            unit.delay = FIRST_DELAY
        unit.ready = False
        unit.attempts += 1
        if not unit.been_ready and unit.attempts >= START_ATTEMPTS:
            raise ToolError(f"{unit.name}: {_cause(code)}; {self._end_of_log(unit)}")
        self._say(unit.name, f"{_cause(code)}; again in {unit.delay:.1f} s (log: {unit.log})")
        unit.restart_at = now + unit.delay
        unit.delay = min(unit.delay * 2, LAST_DELAY)
        self._changed()

    def _check(self, unit: Unit) -> None:
        if unit.launch.ready():
            unit.ready = unit.been_ready = True
            took = time.monotonic() - unit.started
            place = f" {unit.launch.address}" if unit.launch.address else ""
            self._say(unit.name, f"ready in {took:.1f} s{place} (pid {unit.pid})")
            self._changed()
        unit.next_check = time.monotonic() + READY_CHECK_SECONDS

    # --- stopping

    def stop(self) -> None:
        """Stop all, those that were waited for last. A second signal ends what is left at once."""
        self._stop_asked = False
        left = [unit for unit in self._units.values() if unit.process]
        while left:
            # whatever nobody left waits for
            waited_for = {name for unit in left for name in unit.launch.after}
            wave = [unit for unit in left if unit.name not in waited_for]
            for unit in wave:
                self._end(unit, unit.launch.stop_signal, wait=False)
            self._wait_for_ends(wave)
            left = [unit for unit in left if unit not in wave]

    def _wait_for_ends(self, wave: list[Unit]) -> None:
        begin = time.monotonic()
        running = list(wave)
        while running:
            running = [unit for unit in running if self._reap(unit) is None]
            for unit in running:
                if self._stop_asked or time.monotonic() - begin > unit.launch.stop_seconds:
                    self._say(unit.name, "does not stop: killed")
                    self._end(unit, signal.SIGKILL)
            if running:
                self._selector.select(0.5)
                with contextlib.suppress(BlockingIOError):
                    self._wake.recv(4096)
        for unit in wave:
            unit.process = None
            unit.ready = False

    def _end(self, unit: Unit, number: signal.Signals, *, wait: bool = True) -> None:
        assert unit.process is not None
        if number == signal.SIGKILL:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(unit.process.pid, number)
        unit.process.send_signal(number)
        if wait:
            unit.process.wait()
            (self._pids / f"{unit.name}.json").unlink(missing_ok=True)

    def _end_of_log(self, unit: Unit) -> str:
        with unit.log.open("rb") as file:
            file.seek(unit.log_offset)
            lines = file.read().decode(errors="replace").splitlines()[-LOG_TAIL:]
        text = "\n".join(f"  {unit.name} | {line}" for line in lines)
        return f"log {unit.log}:\n{text}" if lines else f"log {unit.log} is empty"


def _private(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _cause(code: int) -> str:
    return f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
