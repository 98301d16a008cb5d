"""The books: messages, documents, lists, receipts still to be sent, counters, script and faults, in SQLite.

One transaction per batch of arrivals and one per window of sent receipts, so kill -9 at any moment loses nothing
and counts nothing twice. Must never be opened by two simulators at once (a lock file sees to that).
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger("simulator.store")

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
    kind INTEGER NOT NULL,       -- 303 = CEB303Message
    number TEXT NOT NULL,
    scope TEXT NOT NULL,         -- what makes the number unique
    guid TEXT NOT NULL,
    app_type TEXT NOT NULL,
    app_time TEXT NOT NULL,
    verdict TEXT NOT NULL,
    code TEXT NOT NULL,          -- the last status planned when it was judged
    info TEXT NOT NULL,
    track INTEGER NOT NULL,
    repeat INTEGER NOT NULL,
    quoted TEXT NOT NULL,        -- what its receipts repeat
    facts TEXT NOT NULL,         -- what later judgements need, JSON
    pre_no TEXT NOT NULL,
    customs_no TEXT NOT NULL,
    ended TEXT NOT NULL,         -- receipts of a later returnTime are not sent any more
    PRIMARY KEY (message_id, seq)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS documents_number ON documents (number, kind, scope);
CREATE TABLE IF NOT EXISTS receipts (
    id INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    message_id INTEGER,
    track INTEGER,               -- the message's documents of this track; NULL: those in notices, or none
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
CREATE TABLE IF NOT EXISTS notices (
    receipt_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    code TEXT NOT NULL,
    info TEXT NOT NULL,
    PRIMARY KEY (receipt_id, position)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS notices_document ON notices (message_id, seq);
CREATE TABLE IF NOT EXISTS lists (
    id INTEGER PRIMARY KEY,
    message_id INTEGER NOT NULL, -- the version that counts
    seq INTEGER NOT NULL,
    agent_code TEXT NOT NULL,
    cop_no TEXT NOT NULL,
    ebc_code TEXT NOT NULL,
    ebp_code TEXT NOT NULL,
    order_no TEXT NOT NULL,
    logistics_code TEXT NOT NULL,
    logistics_no TEXT NOT NULL,
    invt_no TEXT NOT NULL,
    statistics_flag TEXT NOT NULL,
    course TEXT NOT NULL,        -- JSON [[from when, status], ...]
    last_time INTEGER NOT NULL,  -- of its last receipt planned
    released_at INTEGER,
    closed_at INTEGER,
    ended_at INTEGER,            -- cancelled, deleted or rejected after all
    sum_no TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS lists_number ON lists (invt_no);
CREATE INDEX IF NOT EXISTS lists_document ON lists (message_id, seq);
CREATE INDEX IF NOT EXISTS lists_own ON lists (cop_no, agent_code);
CREATE INDEX IF NOT EXISTS lists_order ON lists (order_no, ebp_code);
CREATE INDEX IF NOT EXISTS lists_waybill ON lists (logistics_no, logistics_code);
CREATE INDEX IF NOT EXISTS lists_closed ON lists (ebc_code, closed_at);
CREATE INDEX IF NOT EXISTS lists_summary ON lists (sum_no) WHERE sum_no <> '';
CREATE TABLE IF NOT EXISTS departed (
    logistics_no TEXT NOT NULL,
    logistics_code TEXT NOT NULL,
    at INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (logistics_no, logistics_code, message_id, seq)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS departed_document ON departed (message_id, seq);
CREATE TABLE IF NOT EXISTS waits (
    message_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    until INTEGER NOT NULL,
    order_no TEXT NOT NULL,
    logistics_no TEXT NOT NULL,
    outcome TEXT NOT NULL,       -- JSON, by the script that held when the list came
    PRIMARY KEY (message_id, seq)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS waits_order ON waits (order_no);
CREATE INDEX IF NOT EXISTS waits_waybill ON waits (logistics_no);
CREATE INDEX IF NOT EXISTS waits_until ON waits (until);
CREATE TABLE IF NOT EXISTS summaries (
    agent_code TEXT NOT NULL,
    cop_no TEXT NOT NULL,
    part INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    sum_no TEXT NOT NULL,
    message_id INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    done INTEGER NOT NULL,
    PRIMARY KEY (agent_code, cop_no, part)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS senders (
    dxp_id TEXT PRIMARY KEY, channel TEXT NOT NULL, last_message INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS numbers (name TEXT PRIMARY KEY, last INTEGER NOT NULL) WITHOUT ROWID;
"""
# Not numbers: what customs once gave out is never given out again.
_TABLES = (
    *("messages", "bodies", "documents", "receipts", "notices", "lists", "departed", "waits", "summaries"),
    *("senders", "counters", "settings"),
)
# Raised with every change of the schema: books of another version are put aside, not read.
_VERSION = 2


class StoreBusy(Exception):
    """Another simulator uses the same data directory."""


class Store:
    """The opened books. Writing is serialised by `transaction`; `reader` gives snapshots for questions."""

    def __init__(self, directory: Path | None, clock: Callable[[], float] | None = None) -> None:
        """Create or open; None = in memory, for one process and one use. `clock`: seconds since the epoch.

        Raises StoreBusy.
        """
        self._clock = clock
        self._lock_descriptor: int | None = None
        if directory is None:
            self._path, self._uri = f"file:tongguan-{uuid.uuid4().hex}?mode=memory&cache=shared", True
        else:
            self._take(directory)
            self._path, self._uri = str(directory / "simulator.sqlite"), False
            _put_aside(directory / "simulator.sqlite")
        self._write = self.connect()
        self._lock = threading.Lock()
        self._write.executescript(_SCHEMA)
        self._write.execute(f"PRAGMA user_version = {_VERSION}")
        row = self._write.execute("SELECT max(received_at) FROM messages").fetchone()
        self._last_millis = int(row[0] or 0)

    def _take(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock_descriptor = os.open(directory / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock_descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock_descriptor)
            raise StoreBusy(
                f"{directory} 正被另一个模拟海关使用 / {directory} is used by another simulator"
            ) from error

    def connect(self) -> sqlite3.Connection:
        """A connection of the caller's own, for reading."""
        connection = sqlite3.connect(
            self._path,
            isolation_level=None,
            check_same_thread=False,
            timeout=30,
            cached_statements=256,
            uri=self._uri,
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
            if self._lock_descriptor is not None:
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
        self._last_millis = max(self.millis(), self._last_millis)
        return self._last_millis

    def millis(self) -> int:
        """Milliseconds since the epoch by the machine's clock, for telling what is due."""
        return int((self._clock or time.time)() * 1000)

    def reset(self) -> None:
        """Forget everything: messages, receipts, counters, script and faults."""
        with self.transaction() as db:
            for table in _TABLES:
                db.execute(f"DELETE FROM {table}")


def _put_aside(path: Path) -> None:
    """Books written with another schema are kept under another name, so nothing is misread and nothing destroyed."""
    if not path.exists():
        return
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        strange = version != _VERSION and tables > 0
        if strange:
            # Brings everything into the one file, so that there is one to rename.
            connection.execute("PRAGMA journal_mode = DELETE")
    finally:
        connection.close()
    if strange:
        path.rename(path.with_name(f"simulator.v{version}-{time.time_ns()}.sqlite"))
        log.warning("books of another version put aside, starting with empty ones")


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
