"""Sends receipts when they are due: a table, not sleeping threads, so waiting survives the process.

A receipt is marked sent only after the channel confirmed it; dying in between sends the same bytes under the same
CopMsgId again. Must never decide what an answer says: that was booked when the message was judged.
"""

from __future__ import annotations

import logging
import random
import sqlite3
import threading
from collections.abc import Callable

from simulator import crash, extras, store
from simulator.channel import ChannelDown, Outgoing, Outlet
from simulator.compose import Due, compose
from simulator.config import Rules

log = logging.getLogger("simulator.sender")

_WINDOW = 100
_IDLE_S = 1.0
_RETRY_S = 1.0


class Sender:
    """One per channel. `wake` may be set by anybody who booked something."""

    def __init__(
        self, books: store.Store, channel: str, outlet: Outlet, rules: Rules, stop: threading.Event
    ) -> None:
        self._books = books
        self._channel = channel
        self._outlet = outlet
        self._rules = rules
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
        return min(_IDLE_S, max(0.001, (int(row[0]) - self._books.millis()) / 1000))

    def once(self, db: sqlite3.Connection) -> int:
        """Send one window of due receipts; how many rows were settled. Raises ChannelDown."""
        due = [
            Due(*row)
            for row in db.execute(
                "SELECT id, kind, message_id, track, status, cop_msg_id, guid, return_time, due, prefixed, receiver, body"
                " FROM receipts WHERE state = 'waiting' AND channel = ? AND due <= ? ORDER BY due, id LIMIT ?",
                (self._channel, self._books.millis(), _WINDOW),
            )
        ]
        if not due:
            return 0
        board = extras.board(db)
        kept = self._drop(due) if board.drop_next or board.drop_rate else due
        items: list[Outgoing] = []
        said: list[int] = []
        answers = 0
        for row in kept:
            item, documents = compose(db, row, self._rules)
            if item is not None:
                items += [item] * (1 + board.duplicate)
                said.append(row.id)
            answers += documents
        unsaid = {row.id for row in kept} - set(said)
        crash.point("simulator.sender.before-publish")
        self._outlet.publish(items)
        crash.point("simulator.sender.after-publish")
        with self._books.transaction() as write:
            now = self._books.millis()
            # The condition matters after a reset in between: what is gone is not counted.
            done = write.executemany(
                "UPDATE receipts SET state = 'sent', sent_at = ? WHERE id = ? AND state = 'waiting'",
                [(now, row) for row in said],
            ).rowcount
            if done > 0:
                store.count(write, "receipts_sent", done)
                store.count(write, "answers_sent", answers)
            # All documents it was about ended before its time.
            write.executemany(
                "UPDATE receipts SET state = 'withdrawn' WHERE id = ? AND state = 'waiting'",
                [(row,) for row in unsaid],
            )
        return len(due)

    def _drop(self, due: list[Due]) -> list[Due]:
        """Take the receipts that shall never be sent out of the window, durably, before anything is sent."""
        kept: list[Due] = []
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


def waker(senders: list[Sender]) -> Callable[[], None]:
    """Wakes all senders."""

    def wake() -> None:
        for sender in senders:
            sender.wake.set()

    return wake
