"""AMQP: persistent messages on the default exchange into a quorum queue, confirmed in a window.

The broker belongs to the other side: what it delivers is taken as bytes and never decoded by its headers.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from kombu import Exchange

from runtime.bus import RECOVERABLE, Bus, BusConsumer, Delivery, Message, PublishFailed, quorum_queue
from services.gateway.customs.channels.base import Arrival, ChannelFailed, Handler, Parcel
from services.gateway.customs.safexml import one_line

_DEFAULT = Exchange("")
#: what public code shows for this traffic: durable, persistent, UTF-8, text/xml
CONTENT_TYPE = "text/xml"
BATCH = 100
_FAILURES: tuple[type[BaseException], ...] = (PublishFailed, *RECOVERABLE)


class AmqpProbe:
    """Asks the broker whether it answers, on a connection of its own: checks come from other threads."""

    def __init__(self, url: str) -> None:
        self._bus = Bus(url)
        self._lock = threading.Lock()

    def check(self) -> None:
        """Raise PublishFailed if the broker does not answer."""
        with self._lock:
            self._bus.ping()


class AmqpChannel:
    """Out to the customs queue."""

    name = "amqp"

    def __init__(self, url: str, queue: str) -> None:
        self._bus = Bus(url)
        self._probe = AmqpProbe(url)
        self._queue = queue
        self._declared = False

    def send(self, parcels: Sequence[Parcel]) -> None:
        """See Channel. mandatory: without the queue the broker would take the messages and drop them."""
        try:
            if not self._declared:
                quorum_queue(self._queue)(self._bus.connect().channel()).declare()
                self._declared = True
            self._bus.publish_many(
                (
                    Message(
                        self._queue,
                        headers={},
                        body=parcel.body,
                        content_type=CONTENT_TYPE,
                        message_id=parcel.cop_msg_id,
                    )
                    for parcel in parcels
                ),
                _DEFAULT,
            )
        except _FAILURES as exc:
            # perhaps a new broker behind the same address: declare again
            self._declared = False
            self._bus.close()
            raise ChannelFailed(one_line(str(exc) or type(exc).__name__)) from exc

    def check(self) -> None:
        """See Channel."""
        self._probe.check()

    def close(self) -> None:
        """See Channel."""
        self._bus.close()


class AmqpSource:
    """In from the customs queue. One acknowledgement per committed batch."""

    name = "amqp"

    def __init__(self, url: str, queue: str) -> None:
        self._url = url
        self._queue = queue
        self._probe = AmqpProbe(url)

    def run(self, handler: Handler, stop: threading.Event) -> None:
        """See Source."""

        def handle(deliveries: list[Delivery]) -> None:
            handler([_arrival(delivery) for delivery in deliveries])

        queue = quorum_queue(self._queue)
        BusConsumer(self._url, queue, handle, stop, prefetch=BATCH, batch=BATCH).run()

    def check(self) -> None:
        """See Source."""
        self._probe.check()


def _arrival(delivery: Delivery) -> Arrival:
    identity = delivery.message.properties.get("message_id") or ""
    return Arrival("amqp", one_line(str(identity), 255), delivery.body)
