"""The operations port of a process: /healthz (alive), /readyz (parts answer), /metrics (Prometheus).

Bound to its own address, never to the one customers reach.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from runtime import log

_LOG = log.get("ops")
Check = Callable[[], None]


def parse_address(address: str) -> tuple[str, int]:
    """Split host:port as in 127.0.0.1:8080."""
    host, _, port = address.rpartition(":")
    return host, int(port)


def serve(address: str, checks: Mapping[str, Check]) -> ThreadingHTTPServer:
    """Start in a thread. A check raises if its part does not answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/healthz":
                self._answer(200, b'{"alive": true}')
            elif self.path == "/readyz":
                failures = _failures(checks)
                body = json.dumps({"ready": not failures, "failures": failures}).encode()
                self._answer(503 if failures else 200, body)
            elif self.path == "/metrics":
                self._answer(200, generate_latest(), CONTENT_TYPE_LATEST)
            else:
                self._answer(404, b"{}")

        def _answer(self, status: int, body: bytes, content_type: str = "application/json") -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Probes come every second: not worth a line each."""

    server = ThreadingHTTPServer(parse_address(address), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="ops", daemon=True).start()
    return server


def _failures(checks: Mapping[str, Check]) -> dict[str, str]:
    failures: dict[str, str] = {}
    for name, check in checks.items():
        try:
            check()
        except Exception as exc:  # noqa: BLE001 - a probe must report whatever went wrong, never fail itself
            failures[name] = str(exc) or type(exc).__name__
    return failures
