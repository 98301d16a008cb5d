"""The control API over HTTP: paths, bodies and error answers; what it can do is in control.py.

For demo and tests on one machine only: it asks nobody who they are. Must never be reachable from outside.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from simulator.control import Control, Query
from simulator.problems import BadRequest

log = logging.getLogger("simulator.control")

_MAX_BODY = 1024 * 1024
_MAX_DISCARDED = 16 * _MAX_BODY


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
            "/control/advance": control.advance,
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
