"""The customs desk: takes arrivals, examines them, writes judgement and answers into the books in one go.

An arrival may be acknowledged once `take` has returned, never before. Must never answer directly: answers are
rows that the sender picks up when they are due.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence

from simulator import booking, crash, notices, store, waiting
from simulator.config import Rules
from simulator.examine import UNREADABLE, Arrival, Examined, Examiner
from simulator.notices import Way
from simulator.numbers import list_number
from simulator.problems import Refusal, Unreadable
from simulator.turn import NumberList, Turn
from simulator.verify import Trust

log = logging.getLogger("simulator.desk")


class Desk:
    """Takes batches of arrivals. Thread-safe: the channels share it."""

    def __init__(
        self,
        books: store.Store,
        trust: Trust | None,
        rules: Rules,
        wake: Callable[[], None],
        number_list: NumberList = list_number,
    ) -> None:
        """`wake` is called after a commit, so the sender looks for due receipts at once.

        `number_list` gives lists their numbers.
        """
        self._number_list = number_list
        self._books = books
        self._examiner = Examiner(trust, rules)
        self._rules = rules
        self._wake = wake
        self._turn = threading.Lock()
        # Set when lists begin to wait for their legs, for whoever looks again in time.
        self.lists_wait = threading.Event()

    def take(self, arrivals: Sequence[Arrival]) -> None:
        """Examine, judge and book; returns when the commit is done. Raises sqlite3.Error if it is not."""
        with self._turn:
            examined = [self._examiner.examine(arrival) for arrival in arrivals]
            crash.point("simulator.desk.before-commit")
            with self._books.transaction() as db:
                turn = Turn.load(db, self._books, self._rules, self._number_list)
                for one in examined:
                    self._take_one(turn, one)
                if turn.arrived and waiting.next_due(turn) is not None:
                    waiting.look_again(turn)
                turn.save()
                crash.point("simulator.desk.in-transaction")
            crash.point("simulator.desk.after-commit")
        self._wake()
        if turn.lists_wait:
            self.lists_wait.set()

    def look_again(self) -> float | None:
        """Decide lists whose wait is over; seconds until the next one's is, None = nothing waits."""
        with self._books.reader() as db:
            row = db.execute("SELECT min(until) FROM waits").fetchone()
        if row[0] is None:
            return None
        left = (row[0] - self._books.millis()) / 1000
        if left > 0:
            return float(left)
        with self._turn, self._books.transaction() as db:
            turn = Turn.load(db, self._books, self._rules, self._number_list)
            waiting.look_again(turn)
            turn.save()
            due = waiting.next_due(turn)
        self._wake()
        return None if due is None else max(0.0, (due - self._books.millis()) / 1000)

    # ---- with the books open -------------------------------------------------------------------------------

    def _take_one(self, turn: Turn, one: Examined) -> None:
        try:
            with turn.apart():
                self._book(turn, one)
        except sqlite3.Error:
            raise
        except Exception as error:  # boundary: one odd message must not stop the desk for everybody, for ever
            log.exception("message %s of %s broke the desk", one.cop_msg_id, one.sender)
            one.heads = []
            one.fault = Unreadable(
                UNREADABLE, "模拟海关处理该报文时出错", f"the simulator failed on it: {error}"
            )
            self._book(turn, one)

    def _book(self, turn: Turn, one: Examined) -> None:
        taken = False
        for message_id, digest, identity, verdict, lost in turn.db.execute(
            "SELECT id, digest, arrival, verdict, lost FROM messages WHERE sender = ? AND cop_msg_id = ?",
            (one.sender, one.cop_msg_id),
        ).fetchall():
            if digest == one.digest:
                self._repeated(turn, one, message_id, identity, bool(lost))
                return
            # What could not be read was never taken, so the corrected message may come under the same id.
            taken = taken or verdict not in ("unreadable", "conflict")
        if turn.board.lose_message and not taken:
            turn.board = turn.board.less("lose_message")
            turn.tally["lost_messages"] += 1
            return
        if taken:
            self._insert(
                turn, one, "conflict", "同一 CopMsgId 的报文内容不同 / same CopMsgId, other content", 0, False
            )
            turn.tally["conflicts"] += 1
            return
        self._first_time(turn, one)

    def _repeated(self, turn: Turn, one: Examined, message_id: int, identity: str, lost: bool) -> None:
        arrival = one.arrival
        if arrival.redelivered or (identity and arrival.identity == identity):
            # The broker or the spool giving us again what we did not confirm before dying: not a second sending.
            return
        turn.tally["duplicates_received"] += 1
        if lost:
            turn.db.execute("UPDATE messages SET lost = 0 WHERE id = ?", (message_id,))
            turn.db.execute(
                "UPDATE receipts SET state = 'waiting', channel = ? WHERE message_id = ? AND state = 'lost'",
                (arrival.channel, message_id),
            )

    def _insert(
        self, turn: Turn, one: Examined, verdict: str, reason: str, documents: int, lost: bool
    ) -> int:
        cursor = turn.db.execute(
            "INSERT INTO messages (sender, cop_msg_id, digest, type, channel, arrival, received_at, verdict, reason,"
            " documents, lost) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            (
                one.sender,
                one.cop_msg_id,
                one.digest,
                one.type,
                one.arrival.channel,
                one.arrival.identity,
                turn.now(),
                verdict,
                reason,
                documents,
                int(lost),
            ),
        )
        message_id = int(cursor.lastrowid or 0)
        turn.db.execute("INSERT INTO bodies VALUES (?, ?)", (message_id, one.business))
        return message_id

    def _first_time(self, turn: Turn, one: Examined) -> None:
        lost = turn.board.lose_answer > 0
        if lost:
            turn.board = turn.board.less("lose_answer")
        if one.fault is not None and not one.heads:
            self._unreadable(turn, one, one.fault, lost)
            return
        judged = booking.judge_all(turn, one)
        verdict, reason = booking.sum_up(one, judged)
        message_id = self._insert(turn, one, verdict, reason, len(judged), lost)
        turn.tally["messages"] += 1
        turn.tally["refused"] += verdict == "refused"
        turn.senders[one.sender] = (one.arrival.channel, message_id)
        booking.enter(turn, one, message_id, judged, lost)

    def _unreadable(self, turn: Turn, one: Examined, fault: Refusal, lost: bool) -> None:
        message_id = self._insert(turn, one, "unreadable", str(fault), 0, lost)
        turn.tally["messages"] += 1
        turn.tally["unreadable"] += 1
        if one.sender:
            status = fault.status if fault.status.startswith("-") else UNREADABLE
            body = json.dumps({"status": status, "info": fault.zh, "type": one.type or "Unknown"}).encode()
            back = Way(one.sender, one.arrival.channel, lost)
            notices.insert(turn, 900, message_id, "CEB900", turn.now(), back, prefixed=True, body=body)
