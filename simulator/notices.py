"""Receipts that customs sends later than with the first judgement: about single documents, of one message or of many.

They are rows like all others, so they are sent when due and survive the process. Must never send at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from simulator.courses import words
from simulator.receipts import new_id, return_time
from simulator.turn import Turn

RECEIPT_SIZE = 100  # documents in one receipt message, XSD maxOccurs


@dataclass(frozen=True, slots=True)
class Notice:
    """What one document is told. `info` "" = the usual words."""

    message_id: int
    seq: int
    code: str
    info: str = ""


@dataclass(frozen=True, slots=True)
class Way:
    """Where receipts about a message go, and whether they are held back like its first ones."""

    receiver: str
    channel: str
    lost: bool


def way(turn: Turn, message_id: int) -> Way:
    """The way back to whoever sent a message."""
    receiver, channel, lost = turn.db.execute(
        "SELECT sender, channel, lost FROM messages WHERE id = ?", (message_id,)
    ).fetchone()
    return Way(receiver, channel, bool(lost))


def post(turn: Turn, kind: int, notices: Iterable[Notice], at: int, *, prefixed: bool) -> None:
    """Write receipts for documents of one kind, to be sent at `at` (milliseconds) and saying so."""
    messages: dict[int, list[Notice]] = {}
    for notice in notices:
        messages.setdefault(notice.message_id, []).append(notice)
    for message_id, told in messages.items():
        back = way(turn, message_id)
        for begin in range(0, len(told), RECEIPT_SIZE):
            part = told[begin : begin + RECEIPT_SIZE]
            receipt_id = insert(turn, kind + 1, message_id, "", at, back, prefixed=prefixed)
            turn.db.executemany(
                "INSERT INTO notices VALUES (?,?,?,?,?,?)",
                [
                    (receipt_id, position, one.message_id, one.seq, one.code, one.info or words(one.code))
                    for position, one in enumerate(part)
                ],
            )


def insert(
    turn: Turn,
    kind: int,
    message_id: int | None,
    status: str,
    at: int,
    back: Way,
    *,
    prefixed: bool,
    body: bytes | None = None,
) -> int:
    """One receipt row without a track; its id."""
    cursor = turn.db.execute(
        "INSERT INTO receipts (kind, message_id, track, status, due, cop_msg_id, guid, return_time, prefixed, receiver,"
        " channel, body, state) VALUES (?,?,NULL,?,?,?,?,?,?,?,?,?,?)",
        (
            kind,
            message_id,
            status,
            at + turn.board.delay_ms,
            new_id(),
            new_id(),
            return_time(at),
            int(prefixed),
            back.receiver,
            back.channel,
            body,
            "lost" if back.lost else "waiting",
        ),
    )
    return int(cursor.lastrowid or 0)
