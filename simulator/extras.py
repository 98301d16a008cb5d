"""Receipts nobody earned: garbage, a stranger's document, a document nobody sent - ordered on the fault board.

They are made from what is in the books as soon as anything is there. Must never be counted as real answers.
"""

from __future__ import annotations

import json
import sqlite3

from simulator import faults, store, tables
from simulator.courses import REJECTED, STORED, words
from simulator.envelope import seal
from simulator.receipts import SEPARATOR, Answered, creation_time, new_id, quoted_names, receipt, return_time
from simulator.tables import message_of

# Nobody's id, for a wrong addressee when only one enterprise ever sent something.
NOBODY = "DXPENT0000000000"


def board(db: sqlite3.Connection) -> faults.Board:
    """The stored fault board."""
    text = store.setting(db, "faults")
    return faults.from_json(json.loads(text)) if text else faults.Board()


def set_board(db: sqlite3.Connection, value: faults.Board) -> None:
    """Store the fault board."""
    store.set_setting(db, "faults", json.dumps(value.to_json()))


def order(db: sqlite3.Connection, value: faults.Board, books: store.Store, customs_id: str) -> faults.Board:
    """Write receipt rows for the extras on the board; returns the board without them.

    Nothing happens while the books hold no document: there is nobody to send anything to.
    """
    wanted = [(name, getattr(value, name)) for name in ("garbage", "wrong_tenant", "unknown_document")]
    if not any(number for _, number in wanted):
        return value
    recent = db.execute(
        "SELECT d.kind, d.quoted, d.pre_no, d.customs_no, m.sender, m.channel FROM messages m"
        " JOIN documents d ON d.message_id = m.id WHERE m.id = (SELECT max(message_id) FROM documents)"
        " ORDER BY d.seq LIMIT 1"
    ).fetchone()
    if recent is None:
        return value
    kind, quoted, pre_no, customs_no, sender, channel = recent
    stranger = db.execute(
        "SELECT dxp_id, channel FROM senders WHERE dxp_id <> ? ORDER BY last_message DESC LIMIT 1", (sender,)
    ).fetchone() or (NOBODY, channel)
    for name, number in wanted:
        for at in range(number):
            moment = books.now()
            time, cop_msg_id, guid = return_time(moment), new_id(), new_id()
            receiver, way = stranger if name == "wrong_tenant" else (sender, channel)
            told = Answered(quoted, pre_no, customs_no, REJECTED, words(REJECTED))
            if name == "unknown_document":
                told = told._replace(quoted=_invented(kind, quoted), status=STORED, info=words(STORED))
            garbage = faults.GARBAGE_KINDS[at % len(faults.GARBAGE_KINDS)] if name == "garbage" else ""
            spoiled = faults.garbage_business(garbage) if garbage else None
            sealed = seal(
                spoiled or receipt(kind, [told], time, guid, True),
                msg_type=message_of(kind + 1),
                cop_msg_id=cop_msg_id,
                sender=customs_id,
                receiver=receiver,
                created=creation_time(moment),
                prefixed=True,
            )
            body = faults.garbage(garbage, sealed) if garbage and spoiled is None else sealed
            db.execute(
                "INSERT INTO receipts (kind, status, due, cop_msg_id, guid, return_time, prefixed, receiver, channel,"
                " body, state) VALUES (?,?,?,?,?,?,1,?,?,?,'waiting')",
                (kind + 1, f"extra {name}", moment, cop_msg_id, guid, time, receiver, way, body),
            )
        value = value.less(name, number)
    return value


def _invented(kind: int, quoted: str) -> str:
    """The same document under a number and guid that nobody sent."""
    guid = new_id()
    values = dict(zip(quoted_names(kind), quoted.split(SEPARATOR), strict=True))
    values |= {"guid": guid, tables.by_kind()[kind].books.number: f"UNKNOWN-{guid[:8]}"}
    return SEPARATOR.join(values.values())
