"""The control API: look into the books, write the script, set faults, start anew.

For demo and tests on one machine only: it asks nobody who they are. Must never be reachable from outside.
"""

from __future__ import annotations

import base64
import json
import logging
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from simulator import extras, faults, script, store
from simulator.problems import BadRequest
from simulator.receipts import SHANGHAI, rfc3339

log = logging.getLogger("simulator.control")

_MAX_BODY = 1024 * 1024
_MAX_DISCARDED = 16 * _MAX_BODY
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
        customs_id: str,
        wake: Callable[[], None],
        health: Callable[[], dict[str, Any]],
    ) -> None:
        self._books = books
        self._customs_id = customs_id
        self._wake = wake
        self._health = health

    def health(self, _query: Query) -> dict[str, Any]:
        """{"status": "ok" | "starting", "channels": {name: bool}}."""
        return self._health()

    def counts(self, _query: Query) -> dict[str, Any]:
        """Counters since the last reset; names in README.md."""
        with self._books.reader() as db:
            moved = store.counters(db)
            states = dict(
                db.execute(
                    "SELECT state, count(*) FROM receipts WHERE state IN ('waiting', 'lost') GROUP BY 1"
                )
            )
        return {
            **{name: moved.get(name, 0) for name in _COUNTED},
            "receipts_waiting": states.get("waiting", 0),
            "receipts_lost": states.get("lost", 0),
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
        """What the books hold about one document number, oldest first."""
        number = query.get("number", "")
        if not number:
            raise BadRequest("请给出 number 单证编号", "give the document's number as ?number=")
        with self._books.reader() as db:
            rows = db.execute(
                "SELECT d.message_id, m.sender, m.received_at, d.order_no, d.ebp_code, d.ebc_code, d.guid, d.app_type,"
                " d.verdict, d.code, d.info, d.repeat FROM documents d JOIN messages m ON m.id = d.message_id"
                " WHERE d.order_no = ? ORDER BY d.message_id, d.seq LIMIT ?",
                (number, _MAX_LIMIT),
            ).fetchall()
        names = (
            "message_id",
            "sender",
            "received_at",
            "number",
            "ebp_code",
            "ebc_code",
            "guid",
            "app_type",
            "verdict",
            "code",
            "info",
            "repeated",
        )
        result = [dict(zip(names, row, strict=True)) for row in rows]
        for item in result:
            item["received_at"] = rfc3339(item["received_at"])
            item["repeated"] = bool(item["repeated"])
        return result

    def receipts(self, query: Query) -> list[dict[str, Any]]:
        """Receipts of one message with their state: waiting, lost, dropped, sent."""
        message = _integer(query, "message", 0, 0, 2**62)
        with self._books.reader() as db:
            rows = db.execute(
                "SELECT id, status, due, return_time, cop_msg_id, receiver, state, sent_at FROM receipts"
                " WHERE message_id = ? ORDER BY due, id LIMIT ?",
                (message, _MAX_LIMIT),
            ).fetchall()
        names = ("id", "status", "due", "return_time", "cop_msg_id", "receiver", "state", "sent_at")
        result = [dict(zip(names, row, strict=True)) for row in rows]
        for item in result:
            item["due"] = rfc3339(item["due"])
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

    def write_faults(self, body: Any) -> dict[str, Any]:
        """Replace the fault board; extras are made at once if any document is known."""
        board = faults.from_json(body)
        with self._books.transaction() as db:
            board = extras.order(db, board, self._books, self._customs_id)
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


class Server(ThreadingHTTPServer):
    """Serves one Control. Threads per request: questions are few and short."""

    daemon_threads = True
    # Requests that come while a stopped process' connections linger must not keep the port from being taken again.
    allow_reuse_address = True

    def __init__(self, listen: tuple[str, int], control: Control) -> None:
        super().__init__(listen, _Handler)
        self.reads: dict[str, Callable[[Query], Any]] = {
            "/control/health": control.health,
            "/control/counts": control.counts,
            "/control/messages": control.messages,
            "/control/documents": control.documents,
            "/control/receipts": control.receipts,
            "/control/script": control.read_script,
            "/control/faults": control.read_faults,
        }
        self.writes: dict[str, Callable[[Any], Any]] = {
            "/control/script": control.write_script,
            "/control/faults": control.write_faults,
            "/control/release": control.release,
            "/control/reset": control.reset,
        }


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "tongguan-simulator"
    sys_version = ""
    timeout = 30

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        handler = self.server.reads.get(parts.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        self._serve(parts.path, None if handler is None else partial(handler, query))

    def do_POST(self) -> None:
        path = urlsplit(self.path).path
        handler = self.server.writes.get(path)
        try:
            body = self._body()
        except BadRequest as error:
            self._answer(error.status, {"zh": error.zh, "en": error.en})
            return
        self._serve(path, None if handler is None else partial(handler, body))

    def _body(self) -> Any:
        length = self.headers.get("Content-Length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > _MAX_BODY:
            self.close_connection = True
            self._discard(int(length) if length.isascii() and length.isdigit() else 0)
            raise BadRequest(f"请求体最多 {_MAX_BODY} 字节", f"a body may have {_MAX_BODY} bytes", 413)
        raw = self.rfile.read(int(length))
        if not raw.strip():
            return {}
        try:
            return json.loads(raw)
        except ValueError as error:
            raise BadRequest(f"请求体不是 JSON:{error}", f"the body is not JSON: {error}", 400) from error

    def _discard(self, length: int) -> None:
        """Read away what will not be used: a caller still sending would see a reset instead of the answer."""
        left = min(length, _MAX_DISCARDED)
        while left > 0 and (piece := self.rfile.read(min(left, 65536))):
            left -= len(piece)

    def _serve(self, path: str, act: Callable[[], Any] | None) -> None:
        if act is None:
            self._answer(404, {"zh": f"没有 {path}", "en": f"there is no {self.command} {path}"})
            return
        try:
            result = act()
        except BadRequest as error:
            self._answer(error.status, {"zh": error.zh, "en": error.en})
            return
        except sqlite3.Error as error:
            log.exception("%s failed", path)
            self._answer(500, {"zh": "账本出错", "en": f"the books failed: {error}"})
            return
        status = 503 if path == "/control/health" and result.get("status") != "ok" else 200
        self._answer(status, result)

    def _answer(self, status: int, value: Any) -> None:
        body = json.dumps(value, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """One debug line per request instead of the usual line on stderr."""
        log.debug(format, *args)
