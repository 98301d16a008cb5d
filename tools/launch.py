"""What the supervisor needs to know of one process, be it a server, a service or a task that ends.

Pure values and two helpers; never starts anything itself.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tools.paths import ROOT

STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Launch:
    """One process: how it starts, when it is ready, how it ends.

    `ready` answers at once (at most about a second) and never raises for "not yet"; `prepare` runs before every
    start, also after a crash; `after` are names that must be ready (or, for tasks, done) before;
    `output` takes standard output where it is a result and not a log."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    ready: Callable[[], bool]
    folder: Path
    after: tuple[str, ...] = ()
    prepare: Callable[[], None] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = STOP_SECONDS
    start_seconds: float = 60.0
    address: str | None = None
    output: Path | None = None


def dies_with_parent(command: tuple[str, ...], number: signal.Signals = signal.SIGTERM) -> tuple[str, ...]:
    """Let the kernel send `number` when the supervisor dies without stopping its children (kill -9)."""
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", number.name.removeprefix("SIG"), *command) if setpriv else command


def task(
    name: str,
    command: tuple[str, ...],
    environment: Mapping[str, str],
    after: tuple[str, ...] = (),
    output: Path | None = None,
) -> Launch:
    """A command of ours that ends by itself."""
    return Launch(
        name=name,
        command=dies_with_parent(command),
        environment=environment,
        ready=lambda: False,  # it is done when it has ended
        folder=ROOT,
        after=after,
        output=output,
    )
