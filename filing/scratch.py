"""Folders for files that live no longer than one piece of work.

A process that is killed leaves its folder behind; the next one that asks removes it. A folder in use is locked, so
that nobody removes it from under a living process.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "tongguan-scratch-"
_LOCK = "in-use"


@contextmanager
def folder() -> Iterator[Path]:
    """An empty folder only its owner may look into, below TMPDIR; gone at the end."""
    _remove_left_over()
    path = Path(tempfile.mkdtemp(prefix=_PREFIX))
    try:
        # locked before it has its name: whoever finds the name finds it locked
        waiting = path / f"{_LOCK}.new"
        with waiting.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            waiting.rename(path / _LOCK)
            yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _remove_left_over() -> None:
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        try:
            if path.is_symlink() or path.stat().st_uid != os.getuid():
                continue
            with (path / _LOCK).open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
        except OSError:
            continue  # in use, just being made, or gone already
