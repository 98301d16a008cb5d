"""The control API: look into the books, write the script, set faults, start anew.

For demo and tests on one machine only: it asks nobody who they are. Must never be reachable from outside.
"""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from simulator import extras, faults, script, store, tables
from simulator.advance import advance
from simulator.config import Rules
from simulator.problems import BadRequest
from simulator.receipts import SEPARATOR, SHANGHAI, quoted_names, rfc3339
from simulator.turn import Turn

_MAX_LIMIT = 1000
# A page of messages stops growing here; the caller goes on with since=<last id>.
_MAX_RAW_BYTES = 32 * 1024 * 1024
_COUNTED = (
    "messages",
    "documents",
    "accepted",
    "rejected",
    "refused",
    "unreadable",
    "conflicts",
    "duplicates_received",
    "repeated_documents",
    "lost_messages",
    "receipts_sent",
    "receipts_dropped",
    "answers_sent",
)

Query = Mapping[str, str]


class Control:
    """What the API can do, without HTTP. Values returned are JSON-able."""

    def __init__(
        self,
        books: store.Store,
        rules: Rules,
        wake: Callable[[], None],
        health: Callable[[], dict[str, Any]],
    ) -> None:
        self._books = books
        self._rules = rules
        self._wake = wake
        self._health = health

    def health(self, _query: Query) -> dict[str, Any]:
        """{"status": "ok" | "starting", "channels": {name: bool}}."""
        return self._health()

    def counts(self, _query: Query) -> dict[str, Any]:
        """Counters since the last reset; names in README.md."""
        with self._books.reader() as db:
            moved = store.counters(db)
            waiting = db.execute("SELECT count(*) FROM waits").fetchone()[0]
            states = dict(
                db.execute(
                    "SELECT state, count(*) FROM receipts WHERE state IN ('waiting', 'lost') GROUP BY 1"
                )
            )
        return {
            **{name: moved.get(name, 0) for name in _COUNTED},
            "receipts_waiting": states.get("waiting", 0),
            "receipts_lost": states.get("lost", 0),
            "documents_waiting": waiting,
        }

    def messages(self, query: Query) -> list[dict[str, Any]]:
        """Messages in order of arrival. `since` is an id (exclusive) or an RFC 3339 time (inclusive)."""
        first, moment = 0, 0
        since = query.get("since", "")
        if since.isascii() and since.isdigit():
            first = int(since)
        elif since:
            moment = _millis(since)
        asked = {name: query.get(name) for name in ("type", "sender", "verdict")}
        limit = _integer(query, "limit", 100, 1, _MAX_LIMIT)
        raw_wanted = query.get("raw", "1") not in ("0", "false")
        result: list[dict[str, Any]] = []
        size = 0
        with self._books.reader() as db:
            rows = db.execute(
                "SELECT id, type, sender, cop_msg_id, channel, received_at, verdict, reason, documents FROM messages"
                " WHERE id > :first AND received_at >= :moment AND (:type IS NULL OR type = :type)"
                " AND (:sender IS NULL OR sender = :sender) AND (:verdict IS NULL OR verdict = :verdict)"
                " ORDER BY id LIMIT :limit",
                {"first": first, "moment": moment, "limit": limit, **asked},
            )
            for number, kind, sender, cop_msg_id, channel, received, verdict, reason, documents in rows:
                item = {
                    "id": number,
                    "type": kind,
                    "sender": sender,
                    "cop_msg_id": cop_msg_id,
                    "channel": channel,
                    "received_at": rfc3339(received),
                    "verdict": verdict,
                    "reason": reason,
                    "documents": documents,
                }
                if raw_wanted:
                    body = db.execute("SELECT raw FROM bodies WHERE message_id = ?", (number,)).fetchone()
                    item["raw"] = base64.b64encode(body[0]).decode("ascii")
                    size += len(body[0])
                result.append(item)
                if size > _MAX_RAW_BYTES:
                    break
        return result

    def documents(self, query: Query) -> list[dict[str, Any]]:
        """What the books hold about one document number, oldest first, with the statuses it was given so far."""
        number, message = query.get("number", ""), query.get("type", "")
        if not number:
            raise BadRequest("请给出 number 单证编号", "give the document's number as ?number=")
        if message and message not in tables.known():
            raise BadRequest(f"不认识的报文类型 {message}", f"unknown message type {message}")
        with self._books.reader() as db:
            rows = db.execute(
                "SELECT d.message_id, d.seq, d.kind, m.sender, m.received_at, d.quoted, d.guid, d.app_type, d.verdict,"
                " d.code, d.info, d.repeat, d.pre_no, d.customs_no, d.track"
                " FROM documents d JOIN messages m ON m.id = d.message_id"
                " WHERE d.number = ?1 AND (?2 = 0 OR d.kind = ?2) ORDER BY d.message_id, d.seq LIMIT ?3",
                (number, tables.kind_of(message) if message else 0, _MAX_LIMIT),
            ).fetchall()
            return [_document(db, number, row) for row in rows]

    def receipts(self, query: Query) -> list[dict[str, Any]]:
        """Receipts of one message with their state: waiting, lost, dropped, sent."""
        message = _integer(query, "message", 0, 0, 2**62)
        with self._books.reader() as db:
            rows = db.execute(
                "SELECT id, kind, status, due, return_time, cop_msg_id, receiver, state, sent_at FROM receipts"
                " WHERE message_id = ? ORDER BY due, id LIMIT ?",
                (message, _MAX_LIMIT),
            ).fetchall()
        names = ("id", "type", "status", "due", "return_time", "cop_msg_id", "receiver", "state", "sent_at")
        result = [dict(zip(names, row, strict=True)) for row in rows]
        for item in result:
            item["due"] = rfc3339(item["due"])
            item["type"] = tables.message_of(item["type"])
            item["status"] = item["status"] or "final"
            item["sent_at"] = None if item["sent_at"] is None else rfc3339(item["sent_at"])
        return result

    def read_script(self, _query: Query) -> Any:
        """The script as it was posted."""
        with self._books.reader() as db:
            return json.loads(store.setting(db, "script") or "{}")

    def read_faults(self, _query: Query) -> dict[str, Any]:
        """The fault board with what is left of its counters."""
        with self._books.reader() as db:
            return extras.board(db).to_json()

    def write_script(self, body: Any) -> Any:
        """Replace the script; it holds for messages that arrive from now on."""
        script.from_json(body)
        with self._books.transaction() as db:
            store.set_setting(db, "script", json.dumps(body, ensure_ascii=False))
        return body

    def advance(self, body: Any) -> dict[str, Any]:
        """One more receipt for a document by hand."""
        with self._books.transaction() as db:
            turn = Turn.load(db, self._books, self._rules)
            planned = advance(turn, body)
            turn.save()
        self._wake()
        return planned

    def write_faults(self, body: Any) -> dict[str, Any]:
        """Replace the fault board; extras are made at once if any document is known."""
        board = faults.from_json(body)
        with self._books.transaction() as db:
            board = extras.order(db, board, self._books, self._rules.receiver_id)
            extras.set_board(db, board)
        self._wake()
        return board.to_json()

    def release(self, _body: Any) -> dict[str, Any]:
        """Send what was dropped or held back after all, late."""
        with self._books.transaction() as db:
            released = db.execute(
                "UPDATE receipts SET state = 'waiting' WHERE state IN ('dropped', 'lost')"
            ).rowcount
            db.execute("UPDATE messages SET lost = 0 WHERE lost = 1")
        self._wake()
        return {"released": released}

    def reset(self, _body: Any) -> dict[str, Any]:
        """Forget everything."""
        self._books.reset()
        return {"reset": True}


def _integer(query: Query, name: str, default: int, low: int, high: int) -> int:
    text = query.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise BadRequest(
            f"{name} 应为 {low} 到 {high} 的整数", f"{name} must be an integer from {low} to {high}"
        )
    return int(text)


def _millis(text: str) -> int:
    try:
        # A "+" in a query string arrives as a space when the caller did not encode it.
        moment = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    except ValueError as error:
        raise BadRequest(
            "since 应为消息编号或 RFC 3339 时间", "since must be a message id or an RFC 3339 time"
        ) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=SHANGHAI)
    return int(moment.timestamp() * 1000)


def _document(db: sqlite3.Connection, number: str, row: tuple[Any, ...]) -> dict[str, Any]:
    message_id, seq, kind, sender, received, quoted, guid, app_type, verdict, code, info, repeat, *rest = row
    pre_no, customs_no, track = rest
    table = tables.by_kind()[kind]
    values = dict(zip(quoted_names(kind), quoted.split(SEPARATOR), strict=True))
    told = db.execute(
        "SELECT return_time, coalesce(nullif(status, ''), ?4) FROM receipts WHERE message_id = ?1 AND track = ?3"
        " UNION ALL SELECT r.return_time, n.code FROM notices AS n JOIN receipts AS r ON r.id = n.receipt_id"
        " WHERE n.message_id = ?1 AND n.seq = ?2 ORDER BY 1",
        (message_id, seq, track, code),
    ).fetchall()
    return {
        "message_id": message_id,
        "type": table.message,
        "sender": sender,
        "received_at": rfc3339(received),
        "number": number,
        "ebp_code": values.get("ebpCode", ""),
        "ebc_code": values.get("ebcCode", ""),
        "fields": values,
        "guid": guid,
        "app_type": app_type,
        "verdict": verdict,
        "code": code,
        "info": info,
        "repeated": bool(repeat),
        "pre_no": pre_no,
        "customs_no": customs_no,
        "statuses": [status for _, status in told],
    }
