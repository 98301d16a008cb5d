"""The books: messages, documents, receipts still to be sent, counters, script and faults, in SQLite.

One transaction per batch of arrivals and one per window of sent receipts, so kill -9 at any moment loses nothing
and counts nothing twice. Must never be opened by two simulators at once (a lock file sees to that).
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY,
    sender TEXT NOT NULL,
    cop_msg_id TEXT NOT NULL,
    digest BLOB NOT NULL,
    type TEXT NOT NULL,
    channel TEXT NOT NULL,
    arrival TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    reason TEXT NOT NULL,
    documents INTEGER NOT NULL,
    lost INTEGER NOT NULL,
    UNIQUE (sender, cop_msg_id, digest)
);
CREATE INDEX IF NOT EXISTS messages_received ON messages (received_at);
CREATE TABLE IF NOT EXISTS bodies (message_id INTEGER PRIMARY KEY, raw BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS documents (
    message_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    order_no TEXT NOT NULL,
    ebp_code TEXT NOT NULL,
    ebc_code TEXT NOT NULL,
    guid TEXT NOT NULL,
    app_type TEXT NOT NULL,
    app_time TEXT NOT NULL,
    verdict TEXT NOT NULL,
    code TEXT NOT NULL,
    info TEXT NOT NULL,
    track INTEGER NOT NULL,
    repeat INTEGER NOT NULL,
    PRIMARY KEY (message_id, seq)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS documents_number ON documents (order_no, ebp_code);
CREATE TABLE IF NOT EXISTS receipts (
    id INTEGER PRIMARY KEY,
    message_id INTEGER,
    track INTEGER,
    status TEXT NOT NULL,
    due INTEGER NOT NULL,
    cop_msg_id TEXT NOT NULL,
    guid TEXT NOT NULL,
    return_time TEXT NOT NULL,
    prefixed INTEGER NOT NULL,
    receiver TEXT NOT NULL,
    channel TEXT NOT NULL,
    body BLOB,
    state TEXT NOT NULL,
    sent_at INTEGER
);
CREATE INDEX IF NOT EXISTS receipts_waiting ON receipts (channel, due, id) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS receipts_message ON receipts (message_id);
CREATE TABLE IF NOT EXISTS senders (
    dxp_id TEXT PRIMARY KEY, channel TEXT NOT NULL, last_message INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""
_TABLES = ("messages", "bodies", "documents", "receipts", "senders", "counters", "settings")


class StoreBusy(Exception):
    """Another simulator uses the same data directory."""


class Store:
    """The opened books. Writing is serialised by `transaction`; `reader` gives snapshots for questions."""

    def __init__(self, directory: Path) -> None:
        """Create or open. Raises StoreBusy."""
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock_descriptor = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock_descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock_descriptor)
            raise StoreBusy(
                f"{directory} 正被另一个模拟海关使用 / {directory} is used by another simulator"
            ) from error
        self._path = directory / "simulator.sqlite"
        self._write = self.connect()
        self._lock = threading.Lock()
        self._write.executescript(_SCHEMA)
        row = self._write.execute("SELECT max(received_at) FROM messages").fetchone()
        self._last_millis = int(row[0] or 0)

    def connect(self) -> sqlite3.Connection:
        """A connection of the caller's own, for reading."""
        connection = sqlite3.connect(
            self._path, isolation_level=None, check_same_thread=False, timeout=30, cached_statements=256
        )
        # A new file takes this page size; bodies of some hundred KB then need few overflow pages.
        connection.execute("PRAGMA page_size = 16384")
        connection.execute("PRAGMA journal_mode = WAL")
        # Enough for a killed process. Only a power cut could lose the last commits, and this is a simulator.
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    def close(self) -> None:
        """Close the books and let another process have them."""
        with self._lock:
            self._write.close()
            os.close(self._lock_descriptor)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; one writer at a time."""
        with self._lock:
            self._write.execute("BEGIN IMMEDIATE")
            try:
                yield self._write
            except BaseException:
                self._write.execute("ROLLBACK")
                raise
            self._write.execute("COMMIT")

    @contextmanager
    def reader(self) -> Iterator[sqlite3.Connection]:
        """A connection of its own, so that long answers do not hold up the work."""
        connection = self.connect()
        try:
            connection.execute("BEGIN")
            yield connection
        finally:
            connection.close()

    def now(self) -> int:
        """Milliseconds since the epoch, never less than an answer before. Call inside a transaction.

        The clock of customs does not step back when the machine's does, or a later answer would look older.
        """
        self._last_millis = max(int(time.time() * 1000), self._last_millis)
        return self._last_millis

    def reset(self) -> None:
        """Forget everything: messages, receipts, counters, script and faults."""
        with self.transaction() as db:
            for table in _TABLES:
                db.execute(f"DELETE FROM {table}")


def count(db: sqlite3.Connection, name: str, by: int = 1) -> None:
    """Add to a counter, in the transaction of what is counted."""
    if by:
        db.execute(
            "INSERT INTO counters VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
            (name, by),
        )


def counters(db: sqlite3.Connection) -> dict[str, int]:
    """All counters that ever moved."""
    return dict(db.execute("SELECT name, value FROM counters"))


def setting(db: sqlite3.Connection, name: str) -> str | None:
    """A stored setting's JSON text."""
    row = db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def set_setting(db: sqlite3.Connection, name: str, value: str) -> None:
    """Store a setting's JSON text."""
    db.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))
