"""One more receipt for a document by hand, with everything that follows from the status.

For demo and tests. Must never invent a document: only what customs knows can be told something.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulator import booking, effects, ledger, notices, register, tables
from simulator.courses import HELD, PORT, REJECTED, words
from simulator.notices import Notice
from simulator.problems import BadRequest
from simulator.receipts import millis, return_time
from simulator.script import status as read_status
from simulator.turn import Turn

_AT_ONCE_MS = 100


def advance(turn: Turn, body: object) -> dict[str, Any]:
    """{"number", "status", "type"?, "reason"?} -> what was planned. Raises BadRequest (404, 409, 422)."""
    if not isinstance(body, Mapping) or set(body) - {"number", "type", "status", "reason"}:
        raise BadRequest(
            "应为对象，可用：number、type、status、reason",
            "must be an object with number, status and optionally type and reason",
        )
    number, message, reason = body.get("number"), body.get("type"), body.get("reason", "")
    status = read_status(body.get("status"), "status")
    if not isinstance(number, str) or not isinstance(reason, str) or len(reason) > 1000:
        raise BadRequest(
            "number 应为文字，reason 最多 1000 个字符", "number must be text, reason at most 1000 characters"
        )
    if message is not None and message not in tables.known():
        raise BadRequest(f"不认识的报文类型 {message}", f"unknown message type {message}")
    one = _find(turn, number, message)
    told = max(turn.now(), _last_told(turn, one) + 1)
    notices.post(turn, one.kind, [Notice(one.message_id, one.seq, status, reason)], told, prefixed=True)
    if one.held(turn.now_text()):
        _follow(turn, one, status, told)
    return {
        "number": number,
        "type": tables.message_of(one.kind),
        "status": status,
        "info": reason or words(status),
    }


@dataclass(frozen=True, slots=True)
class _Found:
    """A version of the document that was named."""

    kind: int
    message_id: int
    seq: int
    verdict: str
    customs_no: str
    track: int
    ended: str

    def held(self, now: str) -> bool:
        """Whether customs holds it by `now`, a returnTime."""
        return self.verdict in HELD and not (self.ended and self.ended <= now)


def _find(turn: Turn, number: str, message: str | None) -> _Found:
    rows = turn.db.execute(
        "SELECT kind, message_id, seq, verdict, customs_no, track, ended FROM documents WHERE number = ?1"
        " AND (?2 IS NULL OR kind = ?2) ORDER BY message_id DESC, seq DESC",
        (number, None if message is None else tables.kind_of(message)),
    ).fetchall()
    found = [_Found(*row) for row in rows]
    if not found:
        raise BadRequest(f"没有单证 {number}", f"there is no document {number}", 404)
    if len({one.kind for one in found}) > 1:
        kinds = sorted({tables.message_of(one.kind) for one in found})
        raise BadRequest(
            f"{number} 有多种单证，请给出 type：{'、'.join(kinds)}",
            f"{number} is the number of several documents, name the type: {', '.join(kinds)}",
        )
    # What customs holds counts, else what it last heard of.
    now = turn.now_text()
    chosen = next((one for one in found if one.held(now)), found[0])
    if chosen.verdict == "waiting":
        raise BadRequest(
            f"清单 {number} 正在等待四单比对", f"list {number} still waits for the comparison", 409
        )
    if chosen.ended:
        raise BadRequest(
            f"{number} 已撤销、删除或被变更", f"{number} was cancelled, deleted or replaced", 409
        )
    return chosen


def _last_told(turn: Turn, one: _Found) -> int:
    """When it was last told something, or will be at once. What is planned for later may still be overtaken."""
    row = turn.db.execute(
        "SELECT max(return_time) FROM (SELECT return_time FROM receipts WHERE message_id = ?1 AND track = ?3"
        " UNION ALL SELECT r.return_time FROM notices AS n JOIN receipts AS r ON r.id = n.receipt_id"
        " WHERE n.message_id = ?1 AND n.seq = ?2) WHERE return_time <= ?4",
        (one.message_id, one.seq, one.track, return_time(turn.now() + _AT_ONCE_MS)),
    ).fetchone()
    return millis(row[0]) if row[0] else 0


def _follow(turn: Turn, found: _Found, status: str, told: int) -> None:
    now = turn.now()
    table, key = tables.by_kind()[found.kind], (found.message_id, found.seq)
    refused = status == REJECTED or status.startswith("-")
    if refused:
        # Refused after all: it may be declared anew, and nothing planned for it is sent any more.
        turn.db.execute(
            "UPDATE documents SET verdict = ?, ended = ? WHERE message_id = ? AND seq = ?",
            ("rejected" if status == REJECTED else "error", return_time(told), *key),
        )
    if found.kind == effects.LIST:
        one = register.by_document(turn.db, *key)
        if one is None or status in PORT:
            return
        one.reach(status, now, told)
        if refused:
            one.ended_at = now
        register.save(turn.db, [one])
        if not refused:
            effects.released(turn, [one])
    elif not refused:
        document = ledger.whole(turn.db, table, *key, turn.rules.max_lines)
        booking.reached(turn, table, key, document, found.customs_no, [(status, now, told)])
