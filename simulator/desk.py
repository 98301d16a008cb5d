"""The customs desk: takes arrivals, examines them, writes judgement and answers into the books in one go.

An arrival may be acknowledged once `take` has returned, never before. Must never answer directly: answers are
rows that the sender picks up when they are due.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from simulator import crash, extras, faults, script, store
from simulator.config import Rules
from simulator.examine import UNREADABLE, Arrival, Examined, Examiner
from simulator.judge import Earlier, Judgement, judge, refused
from simulator.problems import Refusal
from simulator.receipts import new_id, return_time
from simulator.structure import StructureFault
from simulator.verify import Trust

_HELD = frozenset({"accepted", "inspect", "silent"})  # verdicts by which customs holds the document
_RECEIPT_SIZE = 100  # OrderReturn nodes in one CEB304Message, XSD maxOccurs


@dataclass(frozen=True, slots=True)
class _Answer:
    """A receipt to be: `track` names the documents it is about, status "" = each document's own final code."""

    track: int | None
    status: str
    due: int
    return_time: str
    prefixed: bool
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class _Judged:
    """A document with its judgement; documents of one track share receipt messages."""

    head: dict[str, str]
    judgement: Judgement
    track: int
    repeat: bool

    def row(self) -> tuple[object, ...]:
        """Its columns in the books, after message_id and seq."""
        head, judgement = self.head, self.judgement
        return (
            head["orderNo"],
            head["ebpCode"],
            head["ebcCode"],
            head["guid"],
            head["appType"],
            head["appTime"],
            judgement.verdict,
            judgement.code,
            judgement.info,
            self.track,
            int(self.repeat),
        )


class Desk:
    """Takes batches of arrivals. Thread-safe: the channels share it."""

    def __init__(self, books: store.Store, trust: Trust, rules: Rules, wake: Callable[[], None]) -> None:
        """`wake` is called after a commit, so the sender looks for due receipts at once."""
        self._books = books
        self._examiner = Examiner(trust, rules)
        self._rules = rules
        self._wake = wake
        self._turn = threading.Lock()

    def take(self, arrivals: Sequence[Arrival]) -> None:
        """Examine, judge and book; returns when the commit is done. Raises sqlite3.Error if it is not."""
        with self._turn:
            examined = [self._examiner.examine(arrival) for arrival in arrivals]
            crash.point("simulator.desk.before-commit")
            with self._books.transaction() as db:
                settings = _Settings.load(db)
                for one in examined:
                    self._book(db, one, settings)
                settings.save(db)
                # Last, since the extras are made from what the books now hold.
                board = extras.order(db, settings.board, self._books, self._rules.receiver_id)
                if board != settings.loaded:
                    extras.set_board(db, board)
                crash.point("simulator.desk.in-transaction")
            crash.point("simulator.desk.after-commit")
        self._wake()

    # ---- with the books open -------------------------------------------------------------------------------

    def _book(self, db: sqlite3.Connection, one: Examined, settings: _Settings) -> None:
        taken = False
        for message_id, digest, identity, verdict, lost in db.execute(
            "SELECT id, digest, arrival, verdict, lost FROM messages WHERE sender = ? AND cop_msg_id = ?",
            (one.sender, one.cop_msg_id),
        ).fetchall():
            if digest == one.digest:
                self._repeated(db, one, settings, message_id, identity, bool(lost))
                return
            # What could not be read was never taken, so the corrected message may come under the same id.
            taken = taken or verdict not in ("unreadable", "conflict")
        if settings.board.lose_message and not taken:
            settings.board = settings.board.less("lose_message")
            settings.tally["lost_messages"] += 1
            return
        if taken:
            self._insert(
                db, one, "conflict", "同一 CopMsgId 的报文内容不同 / same CopMsgId, other content", 0, False
            )
            settings.tally["conflicts"] += 1
            return
        self._first_time(db, one, settings)

    def _repeated(
        self,
        db: sqlite3.Connection,
        one: Examined,
        settings: _Settings,
        message_id: int,
        identity: str,
        lost: bool,
    ) -> None:
        arrival = one.arrival
        if arrival.redelivered or (identity and arrival.identity == identity):
            # The broker or the spool giving us again what we did not confirm before dying: not a second sending.
            return
        settings.tally["duplicates_received"] += 1
        if lost:
            db.execute("UPDATE messages SET lost = 0 WHERE id = ?", (message_id,))
            db.execute(
                "UPDATE receipts SET state = 'waiting', channel = ? WHERE message_id = ? AND state = 'lost'",
                (arrival.channel, message_id),
            )

    def _insert(
        self, db: sqlite3.Connection, one: Examined, verdict: str, reason: str, documents: int, lost: bool
    ) -> int:
        cursor = db.execute(
            "INSERT INTO messages (sender, cop_msg_id, digest, type, channel, arrival, received_at, verdict, reason,"
            " documents, lost) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            (
                one.sender,
                one.cop_msg_id,
                one.digest,
                one.type,
                one.arrival.channel,
                one.arrival.identity,
                self._books.now(),
                verdict,
                reason,
                documents,
                int(lost),
            ),
        )
        message_id = int(cursor.lastrowid or 0)
        db.execute("INSERT INTO bodies VALUES (?, ?)", (message_id, one.business))
        return message_id

    def _first_time(self, db: sqlite3.Connection, one: Examined, settings: _Settings) -> None:
        lost = settings.board.lose_answer > 0
        if lost:
            settings.board = settings.board.less("lose_answer")
        if one.fault is not None and not one.heads:
            self._unreadable(db, one, settings, one.fault, lost)
            return
        judged = self._judge(db, one, settings)
        verdict, reason = _sum_up(one, judged)
        message_id = self._insert(db, one, verdict, reason, len(judged), lost)
        db.executemany(
            "INSERT INTO documents VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
            [(message_id, seq, *document.row()) for seq, document in enumerate(judged)],
        )
        self._receipts(db, one, message_id, self._plan(judged, settings.board), lost)
        settings.tally["messages"] += 1
        settings.tally["refused"] += verdict == "refused"
        for document in judged:
            settings.tally["accepted" if document.judgement.verdict in _HELD else "rejected"] += 1
            settings.tally["repeated_documents" if document.repeat else "documents"] += 1
        settings.senders[one.sender] = (one.arrival.channel, message_id)

    def _judge(self, db: sqlite3.Connection, one: Examined, settings: _Settings) -> list[_Judged]:
        result: list[_Judged] = []
        tracks: dict[tuple[tuple[str, ...], bool, int, bool, int], int] = {}
        sizes: Counter[tuple[tuple[str, ...], bool, int, bool]] = Counter()
        here: dict[tuple[str, str], list[Earlier]] = {}
        for seq, head in enumerate(one.heads):
            key = (head["orderNo"], head["ebpCode"])
            earlier = here.get(key)
            if earlier is None:
                earlier = here[key] = _earlier(db, key)
            if one.fault is not None:
                prefixed = settings.script.outcome_for(head["orderNo"]).prefixed
                judgement = refused(_for_document(one.fault, seq), prefixed)
            else:
                assert one.contents is not None
                judgement = judge(one.contents.documents[seq], earlier, self._rules, settings.script)
            guid, app_type = head["guid"], head["appType"]
            repeat = any(row.guid == guid and row.app_type == app_type for row in earlier)
            earlier.append(Earlier(guid, app_type, head["appTime"], judgement.verdict in _HELD))
            # Documents that get the same statuses at the same time share receipt messages, 100 at most in each.
            kind = (judgement.steps, bool(judgement.code), judgement.delay_ms, judgement.prefixed)
            part = sizes[kind] // _RECEIPT_SIZE
            sizes[kind] += 1
            track = tracks.setdefault((*kind, part), len(tracks))
            result.append(_Judged(head, judgement, track, repeat))
        return result

    def _plan(self, judged: Sequence[_Judged], board: faults.Board) -> list[_Answer]:
        """Answers per track and status. Texts stay with the documents; the sender puts them together."""
        answers: list[_Answer] = []
        first = self._books.now()
        for track, judgement in {document.track: document.judgement for document in judged}.items():
            if not judgement.code:
                continue
            statuses = [*judgement.steps, ""]  # "" = the document's own final code
            times = [first + at for at in range(len(statuses))]
            times[-1] += judgement.delay_ms
            dues = [time + board.delay_ms for time in times]
            if board.reorder:
                # The times customs wrote stay true, only the order of arrival is turned round.
                statuses.reverse()
                times.reverse()
            answers += [
                _Answer(track, status, due, return_time(time), judgement.prefixed)
                for status, time, due in zip(statuses, times, dues, strict=True)
            ]
        return answers

    def _unreadable(
        self, db: sqlite3.Connection, one: Examined, settings: _Settings, fault: Refusal, lost: bool
    ) -> None:
        message_id = self._insert(db, one, "unreadable", str(fault), 0, lost)
        settings.tally["messages"] += 1
        settings.tally["unreadable"] += 1
        if one.sender:
            moment = self._books.now()
            status = fault.status if fault.status.startswith("-") else UNREADABLE
            body = json.dumps({"status": status, "info": fault.zh, "type": one.type or "Unknown"}).encode()
            answer = _Answer(None, "CEB900", moment, return_time(moment), True, body)
            self._receipts(db, one, message_id, [answer], lost)

    def _receipts(
        self, db: sqlite3.Connection, one: Examined, message_id: int, answers: Sequence[_Answer], lost: bool
    ) -> None:
        db.executemany(
            "INSERT INTO receipts (message_id, track, status, due, cop_msg_id, guid, return_time, prefixed,"
            " receiver, channel, body, state) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
            [
                (
                    message_id,
                    answer.track,
                    answer.status,
                    answer.due,
                    new_id(),
                    new_id(),
                    answer.return_time,
                    int(answer.prefixed),
                    one.sender,
                    one.arrival.channel,
                    answer.body,
                    "lost" if lost else "waiting",
                )
                for answer in answers
            ],
        )


@dataclass(slots=True)
class _Settings:
    """Script and faults as they are when a batch is booked, and what the batch adds to the counters."""

    script: script.Script
    board: faults.Board
    loaded: faults.Board
    tally: Counter[str] = field(default_factory=Counter)
    senders: dict[str, tuple[str, int]] = field(default_factory=dict)

    @staticmethod
    def load(db: sqlite3.Connection) -> _Settings:
        board = extras.board(db)
        text = store.setting(db, "script")
        return _Settings(script.from_json(json.loads(text)) if text else script.Script(), board, board)

    def save(self, db: sqlite3.Connection) -> None:
        """Write counters and who was heard of last."""
        for name, value in self.tally.items():
            store.count(db, name, value)
        db.executemany(
            "INSERT OR REPLACE INTO senders VALUES (?, ?, ?)",
            [(dxp_id, channel, message_id) for dxp_id, (channel, message_id) in self.senders.items()],
        )


def _sum_up(one: Examined, judged: Sequence[_Judged]) -> tuple[str, str]:
    """Verdict and reason for the message as a whole."""
    if one.fault is not None:
        return "refused", str(one.fault)
    refusals = [document.judgement for document in judged if document.judgement.verdict not in _HELD]
    if not refusals:
        return "accepted", ""
    return "rejected" if len(refusals) == len(judged) else "mixed", refusals[0].info


def _earlier(db: sqlite3.Connection, key: tuple[str, str]) -> list[Earlier]:
    return [
        Earlier(guid, app_type, app_time, verdict in _HELD)
        for guid, app_type, app_time, verdict in db.execute(
            "SELECT guid, app_type, app_time, verdict FROM documents WHERE order_no = ? AND ebp_code = ?"
            " ORDER BY message_id, seq",
            key,
        )
    ]


def _for_document(fault: Refusal, seq: int) -> Refusal:
    """The same refusal in the words of one document: the others only hear that the message was not taken."""
    index = fault.index if isinstance(fault, StructureFault) else None
    if index is None or index == seq:
        return fault
    return Refusal(
        fault.status,
        f"同一报文的第 {index + 1} 份单证有误，整个报文未受理，请改正后重新申报",
        f"document {index + 1} of the same message is wrong, the whole message was not taken",
    )
