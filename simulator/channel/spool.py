"""The shared directory: to-customs/*.xml in, from-customs/*.xml out.

Files appear by rename, so a half-written one is never seen. Must never follow links or delete before the desk booked.
"""

from __future__ import annotations

import logging
import os
import stat
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from simulator import crash
from simulator.channel import SPOOL, ChannelDown, Outgoing
from simulator.examine import Arrival
from simulator.files import sync_directory, write_atomically

log = logging.getLogger("simulator.spool")

_INTERVAL_S = 0.2
_BATCH = 50


class SpoolIntake:
    """Looks into to-customs/ and hands batches to the desk."""

    def __init__(
        self,
        directory: Path,
        max_bytes: int,
        take: Callable[[Sequence[Arrival]], None],
        stop: threading.Event,
    ) -> None:
        self._directory = directory / "to-customs"
        self._max_bytes = max_bytes
        self._take = take
        self._stop = stop
        self._complained: set[str] = set()

    def run(self) -> None:
        """Until stopped."""
        while not self._stop.is_set():
            try:
                busy = self.once()
            except OSError as error:
                log.warning("spool %s not readable: %s", self._directory, error)
                busy = False
            if not busy:
                self._stop.wait(_INTERVAL_S)

    def once(self) -> bool:
        """Take what is there, at most a batch; whether there was anything."""
        self._directory.mkdir(parents=True, exist_ok=True)
        found: list[tuple[int, str]] = []
        with os.scandir(self._directory) as entries:
            for entry in entries:
                # A name with a dot in front is somebody's unfinished work.
                if entry.name.startswith(".") or not entry.name.endswith(".xml"):
                    continue
                status = entry.stat(follow_symlinks=False)
                if not stat.S_ISREG(status.st_mode):
                    if entry.name not in self._complained:
                        self._complained.add(entry.name)
                        log.warning("%s is no regular file and is left alone", entry.name)
                    continue
                found.append((status.st_mtime_ns, entry.name))
        arrivals, names = [], []
        for _, name in sorted(found)[:_BATCH]:
            arrival = self._read(name)
            if arrival is not None:
                arrivals.append(arrival)
                names.append(name)
        if not arrivals:
            return False
        self._take(arrivals)
        crash.point("simulator.spool.before-unlink")
        for name in names:
            (self._directory / name).unlink(missing_ok=True)
        return True

    def _read(self, name: str) -> Arrival | None:
        try:
            descriptor = os.open(self._directory / name, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            # One byte more than allowed: enough for the desk to see that it is too much.
            raw = file.read(self._max_bytes * 2 + 1)
        # The same file read again after a crash is not a second sending; a file written anew is.
        return Arrival(raw, SPOOL, f"{name}:{status.st_ino}:{status.st_mtime_ns}")


class SpoolOutlet:
    """Writes receipts into from-customs/."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "from-customs"

    def publish(self, items: Sequence[Outgoing]) -> None:
        """Write all, each whole or not at all. Raises ChannelDown."""
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            for item in items:
                path = self._directory / f"{item.msg_type}_{item.name}.xml"
                write_atomically(path, item.body, 0o644, sync_folder=False)
            sync_directory(self._directory)
        except OSError as error:
            raise ChannelDown(f"{self._directory}: {error}") from error

    def idle(self) -> None:
        """Nothing to keep alive."""

    def close(self) -> None:
        """Nothing to let go of."""
