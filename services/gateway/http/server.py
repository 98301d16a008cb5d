"""gunicorn around the application: threads, no preload, a graceful stop that does not wait for open streams.

Everything that talks to another process is made after the fork, in the worker.
"""

from __future__ import annotations

import json
import socket
import threading
import uuid
from http.server import ThreadingHTTPServer
from typing import Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from gunicorn.http import errors  # type: ignore[import-untyped]
from gunicorn.http.errors import ConfigurationProblem, ParseException  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from runtime import log, ops
from services.gateway import app as wiring
from services.gateway.config import HttpConfig, http_config
from services.gateway.http.context import Parts

_LOG = log.get("server")
_GRACE = 25  # seconds that running requests get at a stop
_BAD_REQUEST = (400, "Bad Request")
#: what gunicorn cannot read -> status and reason
_NO_HTTP = {
    errors.LimitRequestLine: (414, "URI Too Long"),
    errors.LimitRequestHeaders: (431, "Request Header Fields Too Large"),
    errors.ExpectationFailed: (417, "Expectation Failed"),
}


class Worker(ThreadWorker):  # type: ignore[misc]
    """A worker whose open event streams end when it is asked to stop."""

    parts: Parts | None = None
    operations: Operations | None = None

    def handle_exit(self, sig: int, frame: Any) -> None:
        if self.parts is not None:
            # in a thread of its own: a signal handler must not wait for a lock its own thread may hold
            threading.Thread(target=self.parts.live.stop, name="stop", daemon=True).start()
        super().handle_exit(sig, frame)

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """What is no HTTP never reaches the application; it is refused here, as a problem like any other."""
        if not isinstance(exc, ParseException) or isinstance(exc, ConfigurationProblem):
            super().handle_error(req, client, addr, exc)
            return
        status, title = next(
            (found for kind, found in _NO_HTTP.items() if isinstance(exc, kind)), _BAD_REQUEST
        )
        _LOG.warning("http.unreadable", status=status, reason=type(exc).__name__)
        body = json.dumps(
            {
                "type": "urn:tongguan:problem:malformed",
                "title": title,
                "status": status,
                "detail": "不是有效的 HTTP 请求。 Not a valid HTTP request.",
                "instance": f"urn:trace:{uuid.uuid4().hex}",
            }
        )
        head = (
            f"HTTP/1.1 {status} {title}\r\nConnection: close\r\nX-Content-Type-Options: nosniff\r\n"
            f"Content-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        try:
            client.sendall((head + body).encode("ascii"))
        except OSError:
            _LOG.debug("http.gone")  # nobody waits for the answer


class Operations:
    """The operations port of this process group: served by whichever worker gets it, taken over if that one dies."""

    def __init__(self, address: str, parts: Parts) -> None:
        self._address = address
        self._checks = wiring.checks(parts)
        self._stop = threading.Event()
        self._server: ThreadingHTTPServer | None = None
        threading.Thread(target=self._hold, name="operations", daemon=True).start()

    def _hold(self) -> None:
        while not self._stop.is_set():
            try:
                self._server = ops.serve(self._address, self._checks)
                return
            except OSError:
                self._stop.wait(1)  # another worker has it

    def close(self) -> None:
        """Give the port up."""
        self._stop.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


class JsonLogger(Logger):  # type: ignore[misc]
    """gunicorn's own words in our log."""

    def setup(self, cfg: Any) -> None:
        """Nothing to set up: runtime.log is."""

    def _say(self, level: str, message: str, args: tuple[Any, ...]) -> None:
        getattr(_LOG, level)("gunicorn", message=message % args if args else message)

    def critical(self, msg: str, *args: Any, **_kwargs: Any) -> None:
        self._say("error", msg, args)

    def error(self, msg: str, *args: Any, **_kwargs: Any) -> None:
        self._say("error", msg, args)

    def warning(self, msg: str, *args: Any, **_kwargs: Any) -> None:
        self._say("warning", msg, args)

    def info(self, msg: str, *args: Any, **_kwargs: Any) -> None:
        self._say("info", msg, args)

    def debug(self, msg: str, *args: Any, **_kwargs: Any) -> None:
        self._say("debug", msg, args)

    def exception(self, msg: str, *args: Any, **_kwargs: Any) -> None:
        _LOG.exception("gunicorn", message=msg % args if args else msg)

    def log(self, lvl: Any, msg: str, *args: Any, **_kwargs: Any) -> None:
        self._say("info", msg, args)

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """The application writes its own line."""

    def reopen_files(self) -> None:
        """Standard output only."""

    def close_on_exec(self) -> None:
        """Standard output only."""


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, config: HttpConfig) -> None:
        self._config = config
        self._parts: Parts | None = None
        super().__init__()

    def load_config(self) -> None:
        config = self._config
        settings = {
            "bind": [config.listen],
            "workers": config.workers,
            "threads": config.threads,
            "worker_class": f"{__name__}.Worker",
            "logger_class": JsonLogger,
            "preload_app": False,
            "graceful_timeout": _GRACE,
            "timeout": 60,
            "keepalive": 15,
            "worker_connections": 2000,
            "limit_request_line": 8190,
            "limit_request_fields": 60,
            "post_worker_init": _started,
            "worker_exit": _stopped,
            # one log line and no control socket: what runs is decided by the supervisor
            "control_socket_disable": True,
        }
        for name, value in settings.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        self._parts = wiring.make_parts(self._config)
        return wiring.make_app(self._parts)

    @property
    def parts(self) -> Parts:
        """The parts of this worker."""
        assert self._parts is not None  # load() ran before post_worker_init
        return self._parts


def _started(worker: Worker) -> None:
    parts: Parts = worker.app.parts
    worker.parts = parts
    parts.live.start()
    worker.operations = Operations(parts.config.ops_listen, parts)
    log.get("process").info("process.started")


def _stopped(_arbiter: Any, worker: Worker) -> None:
    if worker.operations is not None:
        worker.operations.close()
    if worker.parts is not None:
        worker.parts.live.stop()
        worker.parts.database.close()
    log.get("process").info("process.stopped")


def main() -> None:
    """Serve until stopped."""
    config = http_config()
    log.configure("gateway.http", config.log_level)
    _Server(config).run()
