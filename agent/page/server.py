"""The page's server: 127.0.0.1 only, for whoever has the token of the state folder's page.json.

Checks the Host header (DNS rebinding), Origin and a header of its own (other sites' forms and scripts), and a cookie
that only the address with the token sets. Must never log a request's path or body: one holds the token, one a PIN.
"""

from __future__ import annotations

import hmac
import http.server
import json
import secrets
import socket
import threading
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from agent import files
from agent.cards.pins import Pin
from agent.config import Config
from agent.errors import AgentError
from agent.log import Log
from agent.page.view import View

_LOG = Log("page")
HOST = "127.0.0.1"
FILE = "page.json"
COOKIE = "tongguan-agent"
#: simple requests of other sites cannot carry it
HEADER = "X-Tongguan-Agent"
_MOST_BYTES = 4096
_STATIC = Path(__file__).parent / "static"
_TYPES = {
    "index.html": "text/html; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "words.js": "text/javascript; charset=utf-8",
}
_SAFE = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class PageServer:
    """Start with `start`. A port that is taken is replaced by a free one: page.json says which."""

    def __init__(self, view: View, config: Config) -> None:
        self.token = secrets.token_urlsafe(32)
        self._state = config.state
        handler = type("_PageHandler", (_Handler,), {"view": view, "token": self.token})
        try:
            self._server = _Server((HOST, config.page_port), handler)
        except OSError:
            _LOG.warning("port is taken", port=config.page_port)
            self._server = _Server((HOST, 0), handler)
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, name="page", daemon=True)

    @property
    def url(self) -> str:
        """Opens the page; whoever knows it can use it."""
        return address(self.port, self.token)

    def start(self) -> None:
        """Serve, and tell the text screen where."""
        content = json.dumps({"port": self.port, "token": self.token}).encode()
        files.write_private(self._state / FILE, content)
        self._thread.start()
        _LOG.info("page", port=self.port)

    def close(self) -> None:
        """Stop serving."""
        (self._state / FILE).unlink(missing_ok=True)
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


def address(port: int, token: str) -> str:
    """See PageServer.url."""
    return f"http://{HOST}:{port}/?token={token}"


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    # on Windows reuse would let another program take the same port
    allow_reuse_address = not hasattr(socket, "SO_EXCLUSIVEADDRUSE")

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that closed its connection is no error of ours."""


class _Handler(http.server.BaseHTTPRequestHandler):
    view: View
    token: str
    protocol_version = "HTTP/1.1"
    server_version = "agent"
    sys_version = ""
    timeout = 30
    # unbuffered: no second copy of a PIN in a read buffer
    rbufsize = 0

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Paths hold the token: nothing is logged."""

    def do_GET(self) -> None:
        """The page, its parts and its state."""
        url = urlsplit(self.path)
        if not self._host_is_ours():
            return
        given = parse_qs(url.query).get("token", [""])[0]
        if url.path == "/" and given:
            self._enter(given)
        elif not self._is_known():
            self._stranger()
        elif url.path == "/":
            self._file("index.html")
        elif url.path.removeprefix("/") in _TYPES:
            self._file(url.path.removeprefix("/"))
        elif url.path == "/api/state" and self._is_script():
            self._json(HTTPStatus.OK, self.view.state())
        else:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"not found")

    def do_POST(self) -> None:
        """What a person does."""
        url = urlsplit(self.path)
        body = self._body()
        if body is None or not self._host_is_ours():
            return
        if not self._is_known() or not self._is_script():
            self._stranger()
            return
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        try:
            match url.path:
                case "/api/pin":
                    low = asked.get("low") == "1"
                    self.view.login(asked.get("card", ""), Pin(body), although_low=low)
                case "/api/logout":
                    self.view.logout(asked.get("card", ""))
                case "/api/confirm":
                    self.view.confirm(asked.get("request", ""), yes=asked.get("yes") == "1")
                case _:
                    self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"not found")
                    return
        except AgentError as exc:
            self._json(HTTPStatus.CONFLICT, {"code": exc.code, "zh": exc.zh, "en": exc.en})
        else:
            self._json(HTTPStatus.OK, {})

    def _host_is_ours(self) -> bool:
        """A name that an attacker's server resolves to 127.0.0.1 is not ours."""
        port = self.server.server_address[1]  # type: ignore[index]
        allowed = {f"{HOST}:{port}", f"localhost:{port}"}
        origin = self.headers.get("Origin")
        if self.headers.get("Host") in allowed and (
            origin is None or origin.removeprefix("http://") in allowed
        ):
            return True
        self._answer(HTTPStatus.MISDIRECTED_REQUEST, "text/plain", b"not here")
        return False

    def _is_known(self) -> bool:
        try:
            cookie = SimpleCookie(self.headers.get("Cookie", "")).get(COOKIE)
        except CookieError:
            return False
        return cookie is not None and hmac.compare_digest(cookie.value.encode(), self.token.encode())

    def _is_script(self) -> bool:
        return self.headers.get(HEADER) == "1"

    def _enter(self, given: str) -> None:
        """The address with the token sets the cookie and leaves the address bar."""
        if not hmac.compare_digest(given.encode(), self.token.encode()):
            self._stranger()
            return
        self.send_response(HTTPStatus.SEE_OTHER)
        self.send_header("Location", "/")
        self.send_header("Set-Cookie", f"{COOKIE}={self.token}; HttpOnly; SameSite=Strict; Path=/")
        self._safe(0)

    def _stranger(self) -> None:
        words = (
            "请用 tongguan-agent page 打开此页（代理重启后旧的地址不再有效）。\n"
            "Open this page with tongguan-agent page (addresses from before a restart are of no use).\n"
        )
        self._answer(HTTPStatus.FORBIDDEN, "text/plain; charset=utf-8", words.encode())

    def _body(self) -> bytearray | None:
        """Read into one buffer, which a Pin takes over."""
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > _MOST_BYTES:
            self.close_connection = True
            self._answer(HTTPStatus.BAD_REQUEST, "text/plain", b"no length, or too long")
            return None
        body = bytearray(int(length))
        view = memoryview(body)
        while view:
            got = self.rfile.readinto(view)
            if not got:
                self.close_connection = True
                return None
            view = view[got:]
        # nobody else may hold on to the buffer that is wiped
        view.release()
        return body

    def _file(self, name: str) -> None:
        self._answer(HTTPStatus.OK, _TYPES[name], (_STATIC / name).read_bytes())

    def _json(self, status: HTTPStatus, value: dict[str, Any]) -> None:
        self._answer(status, "application/json", json.dumps(value, ensure_ascii=False).encode())

    def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self._safe(len(body))
        self.wfile.write(body)

    def _safe(self, length: int) -> None:
        for name, value in _SAFE.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()
