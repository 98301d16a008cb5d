"""A shared directory: to-customs/ out, from-customs/ in, one file per envelope.

A file appears whole or not at all (hidden name, fsync, rename, fsync of the folder), and sending again replaces it
by the same bytes. Must never delete an incoming file before its commit, nor follow a link out of the folder.
"""

from __future__ import annotations

import os
import re
import secrets
import stat
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from runtime import crash, log
from runtime.errors import Problem
from services.gateway.customs.channels.base import Arrival, ChannelFailed, Handler, Parcel
from services.gateway.customs.safexml import MAX_BYTES, one_line

_LOG = log.get("customs.spool")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PART = ".part"
#: threads that write at once: the disk joins their fsyncs, one after the other they would cost ten times as much
WRITERS = 8
#: seconds after which a hidden file of a killed process is swept away
STALE = 3600
BATCH = 100
BATCH_BYTES = 32 * 1024 * 1024
#: seconds between looks into the folder
IDLE = 0.2
#: seconds a file that seems cut off is left alone: its writer may not use rename
SETTLE = 5.0


class SpoolChannel:
    """Out into to-customs/."""

    name = "spool"

    def __init__(self, spool: Path) -> None:
        self._folder = spool / "to-customs"
        self._pool = ThreadPoolExecutor(WRITERS, thread_name_prefix="spool")
        self._swept = False

    def send(self, parcels: Sequence[Parcel]) -> None:
        """See Channel."""
        try:
            if not self._swept:
                self._sweep()
            for written in [self._pool.submit(self._write, parcel) for parcel in parcels]:
                written.result()
            _sync_folder(self._folder)
        except OSError as exc:
            # full, read-only, gone, forbidden: all the same to the caller, and all may end by themselves
            raise ChannelFailed(one_line(f"{exc.strerror or exc} ({self._folder.name})")) from exc

    def check(self) -> None:
        """See Channel."""
        if not os.access(self._folder, os.W_OK | os.X_OK):
            raise ChannelFailed(f"{self._folder.name} is not writable")

    def close(self) -> None:
        """See Channel."""
        self._pool.shutdown()

    def _write(self, parcel: Parcel) -> None:
        if not _NAME.fullmatch(parcel.cop_msg_id):
            raise ValueError(f"a message id must be fit for a file name: {parcel.cop_msg_id!r}")
        final = self._folder / f"{parcel.cop_msg_id}.xml"
        # a name of its own for each try: two processes may hold the same message after a takeover
        part = self._folder / f".{parcel.cop_msg_id}.{secrets.token_hex(4)}{_PART}"
        try:
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
            with os.fdopen(descriptor, "wb") as file:
                file.write(parcel.body)
                file.flush()
                os.fsync(descriptor)
            crash.point("spool.written")
            part.rename(final)
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def _sweep(self) -> None:
        for part in self._folder.glob(f".*{_PART}"):
            try:
                if time.time() - part.lstat().st_mtime > STALE:
                    part.unlink()
            except FileNotFoundError:
                continue  # another process was faster
        self._swept = True


class SpoolSource:
    """In from from-customs/*.xml, oldest first."""

    name = "spool"

    def __init__(self, spool: Path) -> None:
        self._folder = spool / "from-customs"
        self._unreadable = self._folder / "unreadable"

    def run(self, handler: Handler, stop: threading.Event) -> None:
        """See Source."""
        delay = IDLE
        while not stop.is_set():
            try:
                found = self.step(handler)
                delay = IDLE
            except (OSError, Problem) as exc:
                # the folder or the database is away: the files stay where they are
                _LOG.warning("spool.waiting", reason=one_line(str(exc)))
                delay = min(delay * 2, 5)
                found = 0
            if not found:
                stop.wait(delay)

    def step(self, handler: Handler) -> int:
        """Hand over one batch and remove it; returns how many files were dealt with."""
        batch: list[tuple[Path, bytes]] = []
        size = moved = 0
        for path in self._waiting():
            try:
                raw = _read(path)
            except FileNotFoundError:
                continue  # another process was faster
            except OSError as exc:
                self._set_aside(path, exc)
                moved += 1
                continue
            if raw is None:
                continue
            batch.append((path, raw))
            size += len(raw)
            if len(batch) >= BATCH or size >= BATCH_BYTES:
                break
        if batch:
            handler([Arrival("spool", one_line(path.name, 255), raw) for path, raw in batch])
            crash.point("receipts.spool.before-delete")
            for path, _ in batch:
                path.unlink(missing_ok=True)
        return len(batch) + moved

    def check(self) -> None:
        """See Source."""
        if not os.access(self._folder, os.R_OK | os.W_OK | os.X_OK):
            raise ChannelFailed(f"{self._folder.name} is not accessible")

    def _waiting(self) -> list[Path]:
        found: list[tuple[int, str]] = []
        with os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.endswith(".xml") and not entry.name.startswith("."):
                    try:
                        found.append((entry.stat(follow_symlinks=False).st_mtime_ns, entry.name))
                    except FileNotFoundError:
                        continue
        return [self._folder / name for _, name in sorted(found)]

    def _set_aside(self, path: Path, reason: OSError) -> None:
        """What cannot even be read is kept for a person to look at, out of the way of the others."""
        self._unreadable.mkdir(exist_ok=True)
        target = self._unreadable / path.name
        if target.exists():
            target = self._unreadable / f"{path.stem}.{secrets.token_hex(4)}.xml"
        path.rename(target)
        _LOG.error("spool.unreadable", file=one_line(path.name), reason=one_line(str(reason)))


def _read(path: Path) -> bytes | None:
    """The bytes of a regular file; None if its writer seems not to be done. Raises OSError for anything else."""
    # not through a link, and without waiting for the writer of a pipe
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError("not a regular file")
        if status.st_size > MAX_BYTES:
            raise OSError(f"{status.st_size} bytes, the limit is {MAX_BYTES}")
        raw = file.read(MAX_BYTES + 1)
    young = abs(time.time() - status.st_mtime) < SETTLE
    return None if young and not raw.rstrip().endswith(b">") else raw


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
