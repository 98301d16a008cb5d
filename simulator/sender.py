"""Sends receipts when they are due: a table, not sleeping threads, so waiting survives the process.

A receipt is marked sent only after the channel confirmed it; dying in between sends the same bytes under the same
CopMsgId again. Must never decide what an answer says: that was booked when the message was judged.
"""

from __future__ import annotations

import json
import logging
import random
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from simulator import crash, extras, store
from simulator.channel import ChannelDown, Outgoing, Outlet
from simulator.envelope import seal
from simulator.receipts import STATUS_TEXT, creation_time, format_failure, order_receipt

log = logging.getLogger("simulator.sender")

_WINDOW = 100
_IDLE_S = 1.0
_RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class _Due:
    """A receipt row whose time has come."""

    id: int
    message_id: int | None
    track: int | None
    status: str
    cop_msg_id: str
    guid: str
    return_time: str
    due: int
    prefixed: bool
    receiver: str
    body: bytes | None


class Sender:
    """One per channel. `wake` may be set by anybody who booked something."""

    def __init__(
        self, books: store.Store, channel: str, outlet: Outlet, customs_id: str, stop: threading.Event
    ) -> None:
        self._books = books
        self._channel = channel
        self._outlet = outlet
        self._customs_id = customs_id
        self._stop = stop
        self.wake = threading.Event()

    def run(self) -> None:
        """Until stopped."""
        db = self._books.connect()
        try:
            while not self._stop.is_set():
                self.wake.clear()
                try:
                    sent = self.once(db)
                    if not sent:
                        self._outlet.idle()
                except ChannelDown as error:
                    log.warning("receipts wait, channel down: %s", error)
                    self._stop.wait(_RETRY_S)
                    continue
                if not sent:
                    self.wake.wait(self._pause(db))
        finally:
            self._outlet.close()
            db.close()

    def _pause(self, db: sqlite3.Connection) -> float:
        """Seconds until the next receipt is due, at most one (so that connections are kept alive)."""
        row = db.execute(
            "SELECT min(due) FROM receipts WHERE state = 'waiting' AND channel = ?", (self._channel,)
        ).fetchone()
        if row is None or row[0] is None:
            return _IDLE_S
        return min(_IDLE_S, max(0.001, float(row[0]) / 1000 - time.time()))

    def once(self, db: sqlite3.Connection) -> int:
        """Send one window of due receipts; how many rows were settled. Raises ChannelDown."""
        due = [
            _Due(*row)
            for row in db.execute(
                "SELECT id, message_id, track, status, cop_msg_id, guid, return_time, due, prefixed, receiver, body"
                " FROM receipts WHERE state = 'waiting' AND channel = ? AND due <= ? ORDER BY due, id LIMIT ?",
                (self._channel, int(time.time() * 1000), _WINDOW),
            )
        ]
        if not due:
            return 0
        board = extras.board(db)
        kept = self._drop(due) if board.drop_next or board.drop_rate else due
        items: list[Outgoing] = []
        answers = 0
        for row in kept:
            item, documents = self._build(db, row)
            items += [item] * (1 + board.duplicate)
            answers += documents
        crash.point("simulator.sender.before-publish")
        self._outlet.publish(items)
        crash.point("simulator.sender.after-publish")
        with self._books.transaction() as write:
            now = int(time.time() * 1000)
            # The condition matters after a reset in between: what is gone is not counted.
            done = write.executemany(
                "UPDATE receipts SET state = 'sent', sent_at = ? WHERE id = ? AND state = 'waiting'",
                [(now, row.id) for row in kept],
            ).rowcount
            if done > 0:
                store.count(write, "receipts_sent", done)
                store.count(write, "answers_sent", answers)
        return len(due)

    def _drop(self, due: list[_Due]) -> list[_Due]:
        """Take the receipts that shall never be sent out of the window, durably, before anything is sent."""
        kept: list[_Due] = []
        with self._books.transaction() as write:
            board = extras.board(write)
            for row in due:
                if board.drop_next:
                    board = board.less("drop_next")
                elif random.random() >= board.drop_rate:  # noqa: S311 - a dice, no secret
                    kept.append(row)
                    continue
                write.execute("UPDATE receipts SET state = 'dropped' WHERE id = ?", (row.id,))
                store.count(write, "receipts_dropped")
            extras.set_board(write, board)
        return kept

    def _build(self, db: sqlite3.Connection, row: _Due) -> tuple[Outgoing, int]:
        """The sealed message and how many documents it answers."""
        if row.status.startswith("extra "):
            return Outgoing(row.id, row.cop_msg_id, "CEB304Message", row.body or b""), 0
        if row.status == "CEB900":
            told = json.loads(row.body or b"{}")
            raw = db.execute("SELECT raw FROM bodies WHERE message_id = ?", (row.message_id,)).fetchone()
            quoted = db.execute("SELECT cop_msg_id FROM messages WHERE id = ?", (row.message_id,)).fetchone()
            msg_type, answers = "CEB900Message", 0
            business = format_failure(
                guid=row.guid,
                status=told["status"],
                info=told["info"],
                time=row.return_time,
                cop_msg_id=quoted[0] if quoted else "",
                message_type=told["type"],
                original=raw[0] if raw else b"",
                prefixed=bool(row.prefixed),
            )
        else:
            msg_type = "CEB304Message"
            documents = db.execute(
                "SELECT guid, ebp_code, ebc_code, order_no, code, info FROM documents"
                " WHERE message_id = ? AND track = ? ORDER BY seq",
                (row.message_id, row.track),
            ).fetchall()
            if row.status:
                words = STATUS_TEXT.get(row.status, row.status)
                documents = [(a, b, c, d, row.status, words) for a, b, c, d, _, _ in documents]
            answers = len(documents)
            business = order_receipt(documents, row.return_time, row.guid, bool(row.prefixed))
        body = seal(
            business,
            msg_type=msg_type,
            cop_msg_id=row.cop_msg_id,
            sender=self._customs_id,
            receiver=row.receiver,
            created=creation_time(row.due),
            prefixed=bool(row.prefixed),
        )
        return Outgoing(row.id, row.cop_msg_id, msg_type, body), answers


def waker(senders: list[Sender]) -> Callable[[], None]:
    """Wakes all senders."""

    def wake() -> None:
        for sender in senders:
            sender.wake.set()

    return wake
