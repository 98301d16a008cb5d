"""Putting a receipt together from its rows when it is due.

Everything comes from the books and nothing in them changes what was due before, so a receipt built again after a crash
is the same, byte for byte. Must never write.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass

from simulator.channel import Outgoing
from simulator.config import Rules
from simulator.courses import words
from simulator.envelope import seal
from simulator.receipts import Answered, creation_time, format_failure, receipt
from simulator.tables import message_of


@dataclass(frozen=True, slots=True)
class Due:
    """A receipt row whose time has come."""

    id: int
    kind: int
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


def compose(db: sqlite3.Connection, row: Due, rules: Rules) -> tuple[Outgoing | None, int]:
    """The sealed message and how many documents it answers; None when all of these ended before."""
    msg_type = message_of(row.kind)
    if row.status.startswith("extra "):
        return Outgoing(row.id, row.cop_msg_id, msg_type, row.body or b""), 0
    business, answers = business_of(db, row, rules)
    if not business:
        return None, 0
    body = seal(
        business,
        msg_type=msg_type,
        cop_msg_id=row.cop_msg_id,
        sender=rules.receiver_id,
        receiver=row.receiver,
        created=creation_time(row.due),
        prefixed=bool(row.prefixed),
    )
    return Outgoing(row.id, row.cop_msg_id, msg_type, body), answers


def business_of(db: sqlite3.Connection, row: Due, rules: Rules) -> tuple[bytes, int]:
    """The business message alone, b"" when there is nothing left to say, and how many documents it answers."""
    if row.kind == 900:
        return _failure(db, row), 0
    if row.kind == 792:
        return row.body or b"", 0
    documents = _documents(db, row)
    if not documents:
        return b"", 0
    business = receipt(
        row.kind - 1,
        documents,
        row.return_time,
        row.guid,
        bool(row.prefixed),
        omit=rules.missing_invt_no == "omit",
    )
    return business, len(documents)


def _documents(db: sqlite3.Connection, row: Due) -> list[Answered]:
    if row.track is None:
        return [
            Answered._make(found)
            for found in db.execute(
                "SELECT d.quoted, d.pre_no, d.customs_no, n.code, n.info FROM notices AS n"
                " JOIN documents AS d USING (message_id, seq)"
                " WHERE n.receipt_id = ? AND (d.ended = '' OR d.ended >= ?) ORDER BY n.position",
                (row.id, row.return_time),
            )
        ]
    found_ones = db.execute(
        "SELECT quoted, pre_no, customs_no, code, info FROM documents"
        " WHERE message_id = ? AND track = ? AND (ended = '' OR ended >= ?) ORDER BY seq",
        (row.message_id, row.track, row.return_time),
    )
    if not row.status:
        return [Answered._make(found) for found in found_ones]
    said = words(row.status)
    return [
        Answered(quoted, pre_no, customs_no, row.status, said)
        for quoted, pre_no, customs_no, *_ in found_ones
    ]


def _failure(db: sqlite3.Connection, row: Due) -> bytes:
    told = json.loads(row.body or b"{}")
    raw = db.execute("SELECT raw FROM bodies WHERE message_id = ?", (row.message_id,)).fetchone()
    quoted = db.execute("SELECT cop_msg_id FROM messages WHERE id = ?", (row.message_id,)).fetchone()
    return format_failure(
        guid=row.guid,
        status=told["status"],
        info=told["info"],
        time=row.return_time,
        cop_msg_id=quoted[0] if quoted else "",
        message_type=told["type"],
        original=raw[0] if raw else b"",
        prefixed=bool(row.prefixed),
    )
