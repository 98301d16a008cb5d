"""Receipts nobody earned: garbage, a stranger's document, a document nobody sent - ordered on the fault board.

They are made from what is in the books as soon as anything is there. Must never be counted as real answers.
"""

from __future__ import annotations

import json
import sqlite3
import uuid

from simulator import faults, store
from simulator.envelope import seal
from simulator.receipts import creation_time, new_id, order_receipt, return_time

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
        "SELECT d.guid, d.ebp_code, d.ebc_code, d.order_no, m.sender, m.channel FROM messages m"
        " JOIN documents d ON d.message_id = m.id WHERE m.id = (SELECT max(message_id) FROM documents)"
        " ORDER BY d.seq LIMIT 1"
    ).fetchone()
    if recent is None:
        return value
    guid, ebp_code, ebc_code, order_no, sender, channel = recent
    stranger = db.execute(
        "SELECT dxp_id, channel FROM senders WHERE dxp_id <> ? ORDER BY last_message DESC LIMIT 1", (sender,)
    ).fetchone() or (NOBODY, channel)
    for name, number in wanted:
        for at in range(number):
            moment = books.now()
            time, cop_msg_id = return_time(moment), new_id()
            receiver, way = stranger if name == "wrong_tenant" else (sender, channel)
            document = (guid, ebp_code, ebc_code, order_no, "100", "海关退单")
            if name == "unknown_document":
                invented = str(uuid.uuid4()).upper()
                document = (invented, ebp_code, ebc_code, f"UNKNOWN-{invented[:8]}", "120", "海关入库")
            kind = faults.GARBAGE_KINDS[at % len(faults.GARBAGE_KINDS)] if name == "garbage" else ""
            spoiled = faults.garbage_business(kind) if kind else None
            sealed = seal(
                spoiled or order_receipt([document], time, new_id(), True),
                msg_type="CEB304Message",
                cop_msg_id=cop_msg_id,
                sender=customs_id,
                receiver=receiver,
                created=creation_time(moment),
                prefixed=True,
            )
            body = faults.garbage(kind, sealed) if kind and spoiled is None else sealed
            db.execute(
                "INSERT INTO receipts (status, due, cop_msg_id, guid, return_time, prefixed, receiver, channel, body,"
                " state) VALUES (?,?,?,?,?,1,?,?,?,'waiting')",
                (f"extra {name}", moment, cop_msg_id, guid, time, receiver, way, body),
            )
        value = value.less(name, number)
    return value
