"""RabbitMQ: durable quorum queues, several messages per commit and acknowledgement, confirms in windows.

Waiting for each confirm costs fifteen times the rate. Must never acknowledge before the desk returned.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from urllib.parse import unquote, urlsplit

import amqp
from amqp.exceptions import AMQPError

from simulator import crash
from simulator.channel import AMQP, ChannelDown, Outgoing
from simulator.config import ConfigError
from simulator.examine import Arrival

log = logging.getLogger("simulator.amqp")

QUEUE_ARGUMENTS = {"x-queue-type": "quorum"}
_WINDOW = 100
_CONFIRM_TIMEOUT_S = 30.0
_HEARTBEAT_S = 30
# How long to look for more once something came. Small against the cost of a commit, so it adds no delay to speak of.
_GATHER_S = 0.003
_MAX_BACKOFF_S = 5.0
# Bytes booked in one transaction at most, so that a burst of large messages does not make one huge commit.
_BATCH_BYTES = 16 * 1024 * 1024
_BROKEN = (AMQPError, OSError, amqp.exceptions.RecoverableConnectionError)


def connect(url: str) -> amqp.Connection:
    """Open a connection to amqp://user:password@host:port/vhost. Raises ConfigError, OSError or AMQPError."""
    parts = urlsplit(url)
    if parts.scheme not in ("amqp", "amqps") or not parts.hostname:
        raise ConfigError(
            "CUSTOMS_AMQP_URL 应为 amqp://用户:口令@主机:端口/虚拟主机 / must be an amqp:// URL"
        )
    connection = amqp.Connection(
        host=f"{parts.hostname}:{parts.port or 5672}",
        userid=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        virtual_host=unquote(parts.path[1:]) or "/",
        ssl=parts.scheme == "amqps",
        heartbeat=_HEARTBEAT_S,
        connect_timeout=5,
        read_timeout=_CONFIRM_TIMEOUT_S,
        write_timeout=_CONFIRM_TIMEOUT_S,
    )
    connection.connect()
    return connection


class AmqpIntake:
    """Consumes the incoming queue and hands batches to the desk."""

    def __init__(
        self,
        url: str,
        queue: str,
        prefetch: int,
        take: Callable[[Sequence[Arrival]], None],
        stop: threading.Event,
    ) -> None:
        self._url = url
        self._queue = queue
        self._prefetch = prefetch
        self._take = take
        self._stop = stop
        self._batch: list[tuple[int, Arrival]] = []
        self.connected = threading.Event()

    def run(self) -> None:
        """Until stopped; reconnects with growing pauses."""
        pause = 0.2
        while not self._stop.is_set():
            try:
                self._session()
                pause = 0.2
            except _BROKEN as error:
                if self.connected.is_set():
                    pause = 0.2
                log.warning("incoming queue %s not reachable: %s", self._queue, error)
                self.connected.clear()
                self._stop.wait(pause)
                pause = min(pause * 2, _MAX_BACKOFF_S)
        self.connected.clear()

    def _session(self) -> None:
        connection = connect(self._url)
        try:
            channel = connection.channel()
            # Bytes as they came: a content-encoding header must not turn them into text and back.
            channel.auto_decode = False
            channel.queue_declare(self._queue, durable=True, auto_delete=False, arguments=QUEUE_ARGUMENTS)
            channel.basic_qos(0, self._prefetch, False)
            self._batch = []
            channel.basic_consume(self._queue, callback=self._received)
            self.connected.set()
            beat = time.monotonic()
            while not self._stop.is_set():
                self._gather(connection)
                if self._batch:
                    batch, self._batch = self._batch, []
                    self._take([arrival for _, arrival in batch])
                    crash.point("simulator.amqp.before-ack")
                    channel.basic_ack(batch[-1][0], multiple=True)
                if time.monotonic() - beat > 1:
                    beat = time.monotonic()
                    connection.heartbeat_tick()
        finally:
            with suppress(*_BROKEN):
                connection.close()

    def _received(self, message: amqp.Message) -> None:
        redelivered = bool(message.delivery_info.get("redelivered"))
        self._batch.append((message.delivery_tag, Arrival(bytes(message.body), AMQP, "", redelivered)))

    def _gather(self, connection: amqp.Connection) -> None:
        """Wait up to a second for the first message, then take what is there already."""
        wait = 1.0
        while len(self._batch) < self._prefetch and not self._stop.is_set():
            try:
                connection.drain_events(timeout=wait)
            except TimeoutError:
                return
            if self._batch:
                wait = _GATHER_S
                if sum(len(arrival.raw) for _, arrival in self._batch) > _BATCH_BYTES:
                    return


class AmqpOutlet:
    """Publishes receipts with confirms, a window at a time. Used by one thread."""

    def __init__(self, url: str, queue: str) -> None:
        self._url = url
        self._queue = queue
        self._connection: amqp.Connection | None = None
        self._channel: amqp.Channel | None = None
        self._tag = 0
        self._unconfirmed: set[int] = set()
        self._refused: list[str] = []
        self.connected = threading.Event()

    def publish(self, items: Sequence[Outgoing]) -> None:
        """Send all, in order; return when the broker has confirmed all. Raises ChannelDown."""
        try:
            channel = self._open()
            for item in items:
                message = amqp.Message(
                    item.body,
                    content_type="text/xml",
                    content_encoding="utf-8",
                    delivery_mode=2,
                    message_id=item.name,
                    type=item.msg_type,
                )
                self._tag += 1
                self._unconfirmed.add(self._tag)
                channel.basic_publish(message, exchange="", routing_key=self._queue, mandatory=True)
                if len(self._unconfirmed) >= _WINDOW:
                    self._settle(_WINDOW // 2)
            self._settle(0)
        except _BROKEN as error:
            self.close()
            raise ChannelDown(f"{self._queue}: {error}") from error
        if self._refused:
            reasons = ", ".join(sorted(set(self._refused)))
            self.close()
            raise ChannelDown(f"{self._queue}: {reasons}")

    def _open(self) -> amqp.Channel:
        if self._channel is None or self._connection is None or not self._connection.connected:
            self.close()
            self._connection = connect(self._url)
            self._channel = self._connection.channel()
            self._channel.queue_declare(
                self._queue, durable=True, auto_delete=False, arguments=QUEUE_ARGUMENTS
            )
            self._channel.confirm_select()
            self._channel.events["basic_ack"].add(self._confirmed)
            self._channel.events["basic_nack"].add(self._not_confirmed)
            self._channel.events["basic_return"].add(self._returned)
            self._tag = 0
            self._unconfirmed = set()
            self._refused = []
            self.connected.set()
        return self._channel

    def idle(self) -> None:
        """Connect if need be and keep the connection alive. Raises ChannelDown."""
        try:
            self._open()
            assert self._connection is not None
            with suppress(TimeoutError):
                self._connection.drain_events(timeout=0.001)
            self._connection.heartbeat_tick()
        except _BROKEN as error:
            self.close()
            raise ChannelDown(f"{self._queue}: {error}") from error

    def _settle(self, until: int) -> None:
        assert self._connection is not None
        deadline = time.monotonic() + _CONFIRM_TIMEOUT_S
        while len(self._unconfirmed) > until:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("no confirm from the broker in time")
            self._connection.drain_events(timeout=left)

    def _confirmed(self, tag: int, multiple: bool) -> None:
        if multiple:
            self._unconfirmed = {other for other in self._unconfirmed if other > tag}
        else:
            self._unconfirmed.discard(tag)

    def _not_confirmed(self, tag: int, multiple: bool) -> None:
        self._confirmed(tag, multiple)
        self._refused.append("nack")

    def _returned(self, _error: Exception, _exchange: str, _key: str, _message: amqp.Message) -> None:
        self._refused.append("unroutable")

    def close(self) -> None:
        """Drop the connection; the next publish opens a new one."""
        self.connected.clear()
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            with suppress(*_BROKEN):
                connection.close()
