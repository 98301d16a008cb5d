"""What this agent was asked to sign and what came of it: one SQLite file, written through to the disk.

The intent stands before the card is used, the signature before anybody hears of it. Must never hold a PIN, nor the
data that was signed (only its hash).
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from agent import times
from agent.wish import Summary, Wish

FILE = "journal.sqlite"
#: states of an entry: intended (the card may have signed, nobody has it), signed (the service has not confirmed it),
#: accepted, rejected (by the service), refused (by a person), failed
INTENDED, SIGNED, ACCEPTED, REJECTED = "intended", "signed", "accepted", "rejected"
REFUSED, FAILED = "refused", "failed"
_ANSWERED = (SIGNED, ACCEPTED, REJECTED)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (
    request_id TEXT PRIMARY KEY,
    data_sha256 TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    mechanism TEXT NOT NULL,
    purpose TEXT NOT NULL,
    nonce BLOB NOT NULL,
    kind TEXT NOT NULL,
    message_type TEXT NOT NULL,
    documents INTEGER NOT NULL,
    title_zh TEXT NOT NULL,
    title_en TEXT NOT NULL,
    actor TEXT NOT NULL,
    state TEXT NOT NULL,
    code TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    signature BLOB NOT NULL DEFAULT x'',
    seconds REAL NOT NULL DEFAULT 0,
    uses INTEGER NOT NULL DEFAULT 0,
    first_at TEXT NOT NULL,
    last_at TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS entry_last ON entry (last_at);
CREATE INDEX IF NOT EXISTS entry_state ON entry (state, last_at);
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """uses: how often the card was asked. seconds: that the card worked. Times RFC 3339 UTC."""

    request_id: str
    data_sha256: str
    fingerprint: str
    mechanism: str
    purpose: str
    nonce: bytes
    summary: Summary
    state: str
    code: str
    reason: str
    signature: bytes
    seconds: float
    uses: int
    first_at: str
    last_at: str

    @property
    def answered(self) -> bool:
        """There is a signature, which any repeat of the request is given."""
        return self.state in _ANSWERED


class Journal:
    """Any thread may call it."""

    def __init__(self, folder: Path) -> None:
        path = folder / FILE
        path.touch(mode=0o600)
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._lock = threading.Lock()
        with self._lock:
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Nothing is lost without it."""
        with self._lock:
            self._connection.close()

    def find(self, request_id: str) -> Entry | None:
        """The entry of a request."""
        found = self._read("SELECT * FROM entry WHERE request_id = ?", (request_id,))
        return found[0] if found else None

    def lease(self, request_id: str, nonce: bytes) -> None:
        """The request was repeated: its answer goes out with the newest nonce."""
        with self._writing() as connection:
            connection.execute("UPDATE entry SET nonce = ? WHERE request_id = ?", (nonce, request_id))

    def intend(self, wish: Wish) -> None:
        """The card is about to be used. Raises KeyError if the id is another wish's, or has its signature already."""
        with self._writing() as connection:
            self._put(connection, wish, INTENDED, "", "")
            connection.execute("UPDATE entry SET uses = uses + 1 WHERE request_id = ?", (wish.request_id,))

    def signed(self, wish: Wish, signature: bytes, seconds: float) -> None:
        """The card signed and the signature holds."""
        with self._writing() as connection:
            connection.execute(
                "UPDATE entry SET state = ?, signature = ?, seconds = ?, nonce = ?, last_at = ?"
                " WHERE request_id = ? AND state = ?",
                (SIGNED, signature, seconds, wish.nonce, _now(), wish.request_id, INTENDED),
            )

    def failed(self, wish: Wish, state: str, code: str, reason: str) -> None:
        """There is no signature: state FAILED, which a repeat may mend, or REFUSED, which it may not."""
        with self._writing() as connection:
            self._put(connection, wish, state, code, reason)

    def outcome(self, request_id: str, *, accepted: bool, reason: str) -> None:
        """What the service did with the signature."""
        with self._writing() as connection:
            connection.execute(
                "UPDATE entry SET state = ?, reason = ?, last_at = ? WHERE request_id = ? AND state IN (?, ?)",
                (ACCEPTED if accepted else REJECTED, reason, _now(), request_id, SIGNED, REJECTED),
            )

    def unconfirmed(self) -> list[Entry]:
        """Signatures of which the service has not said that it has them, oldest first."""
        return self._read("SELECT * FROM entry WHERE state = ? ORDER BY last_at", (SIGNED,))

    def latest(self, limit: int) -> list[Entry]:
        """Newest first."""
        return self._read("SELECT * FROM entry ORDER BY last_at DESC, request_id LIMIT ?", (limit,))

    def clean(self, days: int) -> int:
        """Remove what the service has had for so many days; nothing else ever. Returns how many."""
        limit = times.text(times.now() - timedelta(days=days))
        with self._writing() as connection:
            return connection.execute(
                "DELETE FROM entry WHERE state = ? AND last_at < ?", (ACCEPTED, limit)
            ).rowcount

    @staticmethod
    def _put(connection: sqlite3.Connection, wish: Wish, state: str, code: str, reason: str) -> None:
        now, about = _now(), wish.summary
        done = connection.execute(
            "INSERT INTO entry (request_id, data_sha256, fingerprint, mechanism, purpose, nonce, kind,"
            " message_type, documents, title_zh, title_en, actor, state, code, reason, first_at, last_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (request_id) DO UPDATE SET nonce = excluded.nonce, state = excluded.state,"
            " code = excluded.code, reason = excluded.reason, last_at = excluded.last_at"
            " WHERE entry.signature = x'' AND entry.data_sha256 = excluded.data_sha256"
            " AND entry.fingerprint = excluded.fingerprint AND entry.mechanism = excluded.mechanism",
            (
                wish.request_id, wish.digest, wish.fingerprint, wish.mechanism, wish.purpose, wish.nonce,
                about.kind, about.message_type, about.documents, about.title_zh, about.title_en, about.actor,
                state, code, reason, now, now,
            ),
        )  # fmt: skip
        if done.rowcount != 1:
            raise KeyError(wish.request_id)

    def _read(self, statement: str, values: Iterable[Any]) -> list[Entry]:
        with self._lock:
            return [_entry(row) for row in self._connection.execute(statement, tuple(values))]

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


def _entry(row: sqlite3.Row) -> Entry:
    about = Summary(*(row[name] for name in Summary.__slots__))
    names = [name for name in Entry.__slots__ if name != "summary"]
    return Entry(summary=about, **{name: row[name] for name in names})


def _now() -> str:
    return times.text(times.now())
