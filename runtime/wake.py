"""LISTEN on a connection of its own: an alarm clock for those who wait for rows, never the truth about them.

May hold a lock for as long as the connection lives, for work that one process at a time should do. A connection that
is lost loses the lock without notice: what the lock is for must stay right if two hold it for a moment.
"""

from __future__ import annotations

import threading
from typing import Any

import psycopg

from runtime import log

_LOG = log.get("wake")


class Listener:
    """One channel of one database. Not for several threads at once."""

    def __init__(self, url: str, channel: str, lock: str = "") -> None:
        """lock: the name of the lock, "" = none."""
        self._url = url
        self._channel = channel
        self._lock = lock
        self._connection: psycopg.Connection[Any] | None = None
        self._holds = False

    def held(self) -> bool:
        """True if the lock is ours now; tries to get it if it is not."""
        try:
            connection = self._connect()
            if not self._holds:
                row = connection.execute(
                    "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", (self._lock,)
                ).fetchone()
                self._holds = bool(row and row[0])
        except psycopg.Error as exc:
            self._lost(exc)
        return self._holds

    def wait(self, seconds: float) -> set[str]:
        """Until something was notified, for that long at most; what was said with it. Empty: look everywhere."""
        try:
            if self._connection is None:
                self._connect()
                return set()  # something may have come before LISTEN took hold: look once more
            # what came together is answered together
            return {note.payload for note in self._connection.notifies(timeout=seconds, stop_after=1)}
        except psycopg.Error as exc:
            self._lost(exc)
            threading.Event().wait(seconds)
            return set()

    def close(self) -> None:
        """Give connection and lock back."""
        self._holds = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connect(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            self._connection = psycopg.connect(self._url, autocommit=True, connect_timeout=3)
            self._connection.execute(f"LISTEN {self._channel}")
        return self._connection

    def _lost(self, exc: psycopg.Error) -> None:
        _LOG.warning("wake.lost", channel=self._channel, reason=str(exc))
        self.close()
