"""RabbitMQ through kombu: one topic exchange, durable quorum queues, windowed confirms, acknowledgements per batch.

Publishing without confirms lost more than half of the messages over broker kills when measured, and waiting for
each confirm costs 15 times the rate; hence the window. Must never acknowledge before the handler's commit.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import amqp
from kombu import Connection, Consumer, Exchange, Producer, Queue, binding

from runtime import log
from runtime.errors import Problem

_LOG = log.get("bus")

EXCHANGE = Exchange("tongguan", type="topic", durable=True)
#: what could not be handled goes here, to be looked at and replayed
PARKED_EXCHANGE = Exchange("tongguan.parked", type="fanout", durable=True)
PARKED = Queue("parked", PARKED_EXCHANGE, durable=True, queue_arguments={"x-queue-type": "quorum"})
#: deliveries before the broker parks a message; counts kills of the consumer too, hence generous
DELIVERY_LIMIT = 20
#: unconfirmed messages under way at once
WINDOW = 100
CONFIRM_TIMEOUT = 15.0  # seconds
HEARTBEAT = 60  # seconds
#: how often a message that fails for its own sake is tried in place before it is parked
TRIES = 3

RECOVERABLE: tuple[type[BaseException], ...] = (
    OSError,
    socket.timeout,
    amqp.exceptions.AMQPError,
    amqp.exceptions.ConnectionError,
)


class PublishFailed(Exception):
    """The broker did not take the messages, or did not say so in time."""


class _Interrupted(Exception):
    """Stopped while waiting for something to come back: the batch stays unacknowledged and is delivered again."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is published. mandatory=False only for hints that nobody needs to be there for."""

    routing_key: str
    headers: dict[str, str]
    body: bytes
    mandatory: bool = True
    content_type: str = "application/octet-stream"
    message_id: str | None = None


@dataclass(slots=True)
class Delivery:
    """What arrived. `id`, `tenant`, `actor`, `type` are the headers every event carries."""

    routing_key: str
    headers: dict[str, str]
    body: bytes
    message: Any = field(repr=False)

    @property
    def id(self) -> str:
        return self.headers["id"]

    @property
    def tenant(self) -> str:
        return self.headers["tenant"]

    @property
    def actor(self) -> str:
        return self.headers["actor"]

    def keep_alive(self) -> None:
        """Tell the broker that the handler still works, where it takes longer than HEARTBEAT. A lost connection
        is no concern here: what is done stays done, and the message comes again."""
        with suppress(*RECOVERABLE):
            self.message.channel.connection.send_heartbeat()


Handler = Callable[[list[Delivery]], None]


def quorum_queue(name: str, exchange: Exchange | None = None, routing_key: str = "") -> Queue:
    """A durable quorum queue, on the default exchange unless one is given."""
    arguments = {"x-queue-type": "quorum"}
    if exchange is None:
        return Queue(name, durable=True, queue_arguments=arguments)
    return Queue(name, exchange, routing_key=routing_key, durable=True, queue_arguments=arguments)


class Bus:
    """A connection to one virtual host. Not for several threads at once: make one per thread."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._connection: Connection | None = None
        self._publisher: Publisher | None = None
        self._used = 0.0

    def connect(self) -> Connection:
        """The open connection; raises an error of RECOVERABLE."""
        idle, self._used = time.monotonic() - self._used, time.monotonic()
        if idle > HEARTBEAT / 2:
            # nobody sends heartbeats between uses, so the broker may have hung up meanwhile
            self.close()
        if self._connection is None:
            connection = Connection(self.url, heartbeat=HEARTBEAT, connect_timeout=5)
            connection.connect()
            self._connection = connection
        return self._connection

    def close(self) -> None:
        """Drop the connection; the next use opens a new one."""
        connection, self._connection, self._publisher = self._connection, None, None
        if connection is not None:
            with suppress(*RECOVERABLE):  # it may be gone already
                connection.release()

    def publish_many(self, messages: Iterable[Message], exchange: Exchange = EXCHANGE) -> None:
        """Publish all and wait for all confirms; raises PublishFailed if any was not taken."""
        try:
            connection = self.connect()
            if self._publisher is None:
                self._publisher = Publisher(connection)
            self._publisher.publish(messages, exchange)
        except RECOVERABLE as exc:
            self.close()
            raise PublishFailed(str(exc) or type(exc).__name__) from exc

    def ping(self) -> None:
        """Raise if the broker does not answer."""
        try:
            # a round trip: an open socket alone says nothing
            self.connect().channel().close()
        except RECOVERABLE as exc:
            self.close()
            raise PublishFailed(str(exc)) from exc


class Publisher:
    """Confirms in a window on one channel of its own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._channel: Any = connection.channel()
        self._channel.confirm_select()
        self._channel.events["basic_ack"].add(self._on_ack)
        self._channel.events["basic_nack"].add(self._on_nack)
        self._channel.events["basic_return"].add(self._on_return)
        self._producer = Producer(self._channel, auto_declare=False)
        self._declared: set[str] = set()
        self._sequence = 0
        self._open: set[int] = set()
        self._failures: list[str] = []

    def publish(self, messages: Iterable[Message], exchange: Exchange) -> None:
        if exchange.name and exchange.name not in self._declared:
            exchange(self._channel).declare()
            self._declared.add(exchange.name)
        self._failures = []
        for message in messages:
            self._sequence += 1
            self._open.add(self._sequence)
            self._producer.publish(
                message.body,
                routing_key=message.routing_key,
                exchange=exchange.name,
                headers=message.headers,
                content_type=message.content_type,
                content_encoding="binary",
                delivery_mode=2,
                mandatory=message.mandatory,
                message_id=message.message_id,
            )
            if len(self._open) >= WINDOW:
                self._drain(WINDOW // 2)
        self._drain(0)
        if self._failures:
            raise PublishFailed("; ".join(self._failures[:3]))

    def _drain(self, down_to: int) -> None:
        deadline = time.monotonic() + CONFIRM_TIMEOUT
        while len(self._open) > down_to:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("no confirm from the broker in time")
            self._connection.drain_events(timeout=left)

    def _on_ack(self, tag: int, multiple: bool) -> None:
        self._settle(tag, multiple)

    def _on_nack(self, tag: int, multiple: bool) -> None:
        self._failures.append("refused by the broker (queue full?)")
        self._settle(tag, multiple)

    def _on_return(self, exc: Any, exchange: str, routing_key: str, _message: Any) -> None:
        self._failures.append(f"no queue for {routing_key}")

    def _settle(self, tag: int, multiple: bool) -> None:
        if multiple:
            self._open = {open_tag for open_tag in self._open if open_tag > tag}
        else:
            self._open.discard(tag)


class BusConsumer:
    """Consumes one queue in batches until stopped; waits for a broker that is away, also at the start.

    handler(list of deliveries) must commit before it returns; then the whole batch is acknowledged at once.
    A Problem of kind `unavailable` or `conflict` is waited out with the batch in hand; any other failure is
    narrowed down to the single message, tried TRIES times and then parked.
    """

    def __init__(
        self,
        url: str,
        queue: Queue,
        handler: Handler,
        stop: threading.Event,
        *,
        prefetch: int = 100,
        batch: int = 50,
        linger: float = 0.005,
        arrived: Callable[[], None] = lambda: None,
    ) -> None:
        """linger: seconds in which more may come into a batch. arrived: called when the first one of a batch came."""
        self._arrived = arrived
        self._bus = Bus(url)
        self._queue = queue
        self._handler = handler
        self._stop = stop
        self._prefetch = prefetch
        self._batch = batch
        self._linger = linger
        self._waiting: list[Delivery] = []
        self.connected = threading.Event()

    def run(self) -> None:
        """Until stopped."""
        delay = 0.2
        while not self._stop.is_set():
            try:
                with self._subscribed() as connection:
                    delay = 0.2
                    self._loop(connection)
            except RECOVERABLE as exc:
                _LOG.warning("bus.reconnect", queue=self._queue.name, reason=str(exc) or type(exc).__name__)
                self._bus.close()
                self._stop.wait(delay)
                delay = min(delay * 2, 5)
        self._bus.close()

    @contextmanager
    def _subscribed(self) -> Iterator[Connection]:
        connection = self._bus.connect()
        channel = connection.channel()
        channel.auto_decode = False
        channel.message_to_python = partial(_untouched, channel)
        channel.basic_qos(0, self._prefetch, False)
        queue: Any = self._queue
        if (queue.queue_arguments or {}).get("x-dead-letter-exchange") == PARKED_EXCHANGE.name:
            # before anything may need it
            PARKED(channel).declare()
        self._waiting = []
        with Consumer(channel, [self._queue], on_message=self._on_message, auto_declare=True):
            self.connected.set()
            try:
                yield connection
            finally:
                self.connected.clear()

    def _on_message(self, message: Any) -> None:
        headers = {str(key): str(value) for key, value in (message.headers or {}).items()}
        body = message.body.encode() if isinstance(message.body, str) else bytes(message.body)
        key = (message.delivery_info or {}).get("routing_key", "")
        if not self._waiting:
            self._arrived()
        self._waiting.append(Delivery(key, headers, body, message))

    def _loop(self, connection: Connection) -> None:
        while not self._stop.is_set():
            timeout = self._linger if self._waiting else 1.0
            try:
                if len(self._waiting) < self._batch:
                    connection.drain_events(timeout=timeout)
                    if len(self._waiting) < self._batch:
                        continue
            except TimeoutError:
                connection.heartbeat_check()
            if self._waiting:
                batch, self._waiting = self._waiting[: self._batch], self._waiting[self._batch :]
                self._handle(batch)

    def _handle(self, batch: list[Delivery]) -> None:
        try:
            self._attempt(batch)
        except _Interrupted:
            return
        except Exception:  # noqa: BLE001 - one bad message must not stop the others: narrowed down, then parked
            _LOG.exception("bus.batch_failed", queue=self._queue.name, size=len(batch))
            for delivery in batch:
                self._single(delivery)
            return
        # one acknowledgement for the batch: everything up to the last tag of this channel is handled
        batch[-1].message.channel.basic_ack(batch[-1].message.delivery_tag, multiple=True)

    def _single(self, delivery: Delivery) -> None:
        for attempt in range(1, TRIES + 1):
            try:
                self._attempt([delivery])
            except _Interrupted:
                return
            except Exception:  # noqa: BLE001 - a poison message: logged with its trace each time, then parked
                _LOG.exception(
                    "bus.message_failed",
                    queue=self._queue.name,
                    id=delivery.headers.get("id"),
                    attempt=attempt,
                )
                self._stop.wait(0.1 * attempt)
            else:
                delivery.message.ack()
                return
        delivery.message.reject(requeue=False)

    def _attempt(self, batch: list[Delivery]) -> None:
        delay = 0.1
        while True:
            try:
                self._handler(batch)
                return
            except Problem as problem:
                if problem.kind not in ("unavailable", "conflict"):
                    raise
                if self._stop.is_set():
                    raise _Interrupted from problem
                _LOG.warning("bus.waiting", queue=self._queue.name, reason=problem.en)
                self._stop.wait(delay)
                delay = min(delay * 2, 5)


def _untouched(channel: Any, raw: Any) -> Any:
    """The message with its body as it arrived: kombu would decompress it if a header of the sender said so."""
    raw.properties.get("application_headers", {}).pop("compression", None)
    return channel.Message(raw, channel=channel)


def event_queue(name: str, routing_keys: Sequence[str]) -> Queue:
    """The durable queue of one consumer, bound to the topic exchange by several keys."""
    return Queue(
        name,
        bindings=[binding(EXCHANGE, routing_key=key) for key in routing_keys],
        durable=True,
        queue_arguments={
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": PARKED_EXCHANGE.name,
        },
    )
