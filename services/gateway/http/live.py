"""Server-sent events: what changed reaches the open pages of that tenant, and nobody else's.

One consumer thread per worker on a queue of its own. A page that cannot keep up is disconnected and reads again;
events are hints, never the truth.
"""

from __future__ import annotations

import json
import queue
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Response, request
from kombu import Queue, binding

from proto.events.v1 import events_pb2 as pb
from runtime import log
from runtime.actor import ActorVerifier
from runtime.bus import EXCHANGE, BusConsumer, Delivery
from runtime.errors import Problem, unavailable
from services.gateway.config import HttpConfig
from services.gateway.http import auth, context, parse
from services.gateway.http.answers import Blueprint, shown

_LOG = log.get("live")
blueprint = Blueprint("live", __name__, url_prefix="/api/v1/events", description="Live changes")
_HEARTBEAT = 15.0  # seconds
#: how long a stream trusts what it knows of its session before it looks again; also how long an ended one stays
_TRUST = 5.0  # seconds
_WAITING = 200  # events a page may be behind


@dataclass(eq=False, slots=True)
class Stream:
    """One open page. kinds: those it may hear of, None = all."""

    tenant_id: str
    user_id: str
    kinds: tuple[str, ...] | None
    events: queue.Queue[tuple[str, str]] = field(default_factory=lambda: queue.Queue(_WAITING))
    ended: bool = False

    def offer(self, name: str, data: str) -> None:
        """Give the page an event; one that is too far behind is ended, connects again and reads."""
        try:
            self.events.put_nowait((name, data))
        except queue.Full:
            self.ended = True

    def end(self) -> None:
        """Wake the stream so that it ends."""
        self.ended = True
        self.offer("", "")


class Live:
    """The open streams of this worker and the consumer that feeds them."""

    def __init__(self, config: HttpConfig, verifier: ActorVerifier) -> None:
        self._config = config
        self._verifier = verifier
        self._lock = threading.Lock()
        self._streams: dict[str, set[Stream]] = {}
        self._stop = threading.Event()
        # server-named, exclusive, gone with its connection: a reconnect gets a fresh one
        feed = Queue(
            "",
            bindings=[
                binding(EXCHANGE, routing_key=key)
                for key in ("document.changed.#", "import.progress.#", "export.progress.#", "task.progress.#")
            ],
            durable=False,
            exclusive=True,
            auto_delete=True,
        )
        self._consumer = BusConsumer(config.bus_url, feed, self._handle, self._stop)
        self._thread = threading.Thread(target=self._consumer.run, name="live", daemon=True)

    def start(self) -> None:
        """Begin to listen; once per worker, after the fork."""
        self._thread.start()

    def stop(self) -> None:
        """End all streams, so that a stopping worker need not wait for them."""
        self._stop.set()
        with self._lock:
            for streams in self._streams.values():
                for stream in streams:
                    stream.end()

    def ping(self) -> None:
        """Raise if the bus is not connected."""
        if not self._consumer.connected.is_set():
            raise ConnectionError("not subscribed")

    def open(self, stream: Stream) -> None:
        """Add a stream, within the limits per user and per worker."""
        with self._lock:
            everybody = sum(len(item) for item in self._streams.values())
            same_user = sum(
                1 for item in self._streams.get(stream.tenant_id, ()) if item.user_id == stream.user_id
            )
            if same_user >= self._config.streams_per_user:
                raise Problem(
                    "too_many",
                    f"同一用户最多打开 {self._config.streams_per_user} 个实时页面，请关闭其他页面。",
                    f"One user may keep {self._config.streams_per_user} live pages open; please close some.",
                    retry_after=30,
                )
            if everybody >= self._config.streams_per_worker or self._stop.is_set():
                raise unavailable("实时更新", "Live updates")
            self._streams.setdefault(stream.tenant_id, set()).add(stream)

    def close(self, stream: Stream) -> None:
        """Forget a stream."""
        with self._lock:
            streams = self._streams.get(stream.tenant_id, set())
            streams.discard(stream)
            if not streams:
                self._streams.pop(stream.tenant_id, None)

    def _handle(self, batch: list[Delivery]) -> None:
        for delivery in batch:
            try:
                self._fan_out(delivery)
            except (Problem, ValueError, KeyError) as exc:
                # a hint that cannot be read is dropped: pages read the truth when they need it
                _LOG.warning("live.dropped", key=delivery.routing_key, reason=str(exc))

    def _fan_out(self, delivery: Delivery) -> None:
        tenant = delivery.tenant
        with self._lock:
            streams = list(self._streams.get(tenant, ()))
        if not streams:
            return
        if self._verifier.verify(delivery.actor, event=True).tenant_id != tenant:
            raise ValueError("header and actor name different tenants")
        kind, name, data = _event(delivery)
        for stream in streams:
            if stream.kinds is None or kind in stream.kinds:
                stream.offer(name, data)


def _event(delivery: Delivery) -> tuple[str, str, str]:
    """(kind, event name, data) of a message."""
    if delivery.routing_key.startswith("document.changed."):
        changed = pb.DocumentChanged.FromString(delivery.body)
        changes = [
            {
                "id": item.id,
                "number": item.number,
                "state": item.state,
                "customs_status": item.customs_status or None,
                "version": item.version,
                "settled": item.settled,
                "return_info": item.return_info or None,
                "updated_at": shown(datetime.fromisoformat(item.updated_at)) if item.updated_at else None,
            }
            for item in changed.changes
        ]
        return changed.kind, "document.state", _dump({"kind": changed.kind, "changes": changes})
    if delivery.routing_key.startswith("export.progress."):
        export = pb.ExportProgress.FromString(delivery.body)
        names = ("kind", "state", "rows", "done")
        found = {"id": export.export_id, **{name: getattr(export, name) for name in names}}
        return export.kind, "export.progress", _dump(found)
    if delivery.routing_key.startswith("task.progress."):
        told = pb.TaskProgress.FromString(delivery.body)
        return told.kind, "task.progress", _dump({"id": told.task_id, "kind": told.kind, "state": told.state})
    task = pb.ImportProgress.FromString(delivery.body)
    data = {
        "id": task.import_id,
        "kind": task.kind,
        "state": task.state,
        "rows": task.rows,
        "documents": task.documents,
        "accepted": task.accepted,
        "rejected": task.rejected,
    }
    return task.kind, "import.progress", _dump(data)


def _dump(data: dict[str, Any]) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


@blueprint.route("", methods=["GET"])
@blueprint.response(200, {"type": "string"}, content_type="text/event-stream")
def events() -> Response:
    """Events `document.state`, `import.progress`, `export.progress`, `task.progress` of the tenant one acts for.

    Ends with the session.
    """
    parse.current_query()
    parts, actor = context.parts(), context.actor()
    stream = Stream(actor.tenant_id, actor.user_id, actor.kinds)
    parts.live.open(stream)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    check = _Check(request.cookies.get(auth.COOKIE, ""), stream)
    line: socket.socket | None = request.environ.get("gunicorn.socket")
    response = Response(
        _lines(parts.live, stream, check, line), headers=headers, content_type="text/event-stream"
    )
    # close() runs even if the client is gone before the first line, when the generator never starts
    response.call_on_close(lambda: parts.live.close(stream))
    return response


class _Check:
    """Whether the stream's session, user and mandate still stand, looked up at most every few seconds."""

    def __init__(self, cookie: str, stream: Stream) -> None:
        self._parts = context.parts()
        self._cookie = cookie
        self._stream = stream
        self._checked = time.monotonic()

    def holds(self) -> bool:
        if time.monotonic() - self._checked < _TRUST:
            return True
        self._checked = time.monotonic()
        try:
            standing = auth.standing_of(self._parts, self._cookie)
        except Problem as problem:
            # sign-in or database away: nothing is shown to whom we cannot know; the page connects again
            _LOG.info("live.ended", reason=problem.en)
            return False
        return (
            standing is not None
            and standing.tenant_id == self._stream.tenant_id
            and "document.read" in standing.permissions
            and (standing.mandate.kinds if standing.mandate else None) == self._stream.kinds
        )


def _gone(line: socket.socket | None) -> bool:
    """Whether the page has closed its end; a write would show that only after the second heartbeat."""
    if line is None:
        return False
    try:
        return line.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def _lines(live: Live, stream: Stream, check: _Check, line: socket.socket | None) -> Iterator[str]:
    try:
        yield "retry: 3000\n: connected\n\n"
        spoken = time.monotonic()
        while not stream.ended:
            words = ""
            try:
                name, data = stream.events.get(timeout=_TRUST)
                words = f"event: {name}\ndata: {data}\n\n"
            except queue.Empty:
                if time.monotonic() - spoken >= _HEARTBEAT:
                    words = ": heartbeat\n\n"
            if stream.ended or _gone(line) or not check.holds():
                return
            if words:
                spoken = time.monotonic()
                yield words
    finally:
        live.close(stream)
