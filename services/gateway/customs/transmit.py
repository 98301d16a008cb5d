"""The process gateway.transmit: signed messages from the bus out to customs.

message.ready.# -> Intake: envelope frozen and "due" announced in one commit -> one queue per channel -> Lane:
sent, confirmed, recorded, announced.

Why a queue per channel, and not a list of retries in memory or a sweep of the table: a full or forbidden spool
must not hold up AMQP, and unacknowledged messages of a dead channel would soon fill the one consumer's prefetch.
A sweep would have to see waiting rows of all tenants, which no policy allows and none should. So what is not sent
stays unacknowledged in the queue of its own channel, the broker rebuilds the list after a restart, and the rows
say "waiting" with the reason only for people to read.
"""

from __future__ import annotations

import threading

from kombu import Queue, binding

from runtime import ops, process
from runtime.actor import ActorVerifier
from runtime.bus import (
    EXCHANGE,
    PARKED_EXCHANGE,
    BusConsumer,
    Handler,
    event_queue,
)
from runtime.db import Database
from services.gateway.customs import config
from services.gateway.customs.channels.amqp import AmqpChannel
from services.gateway.customs.channels.base import Channel
from services.gateway.customs.channels.spool import SpoolChannel
from services.gateway.customs.intake import DUE, Intake
from services.gateway.customs.lane import Lane
from services.gateway.customs.loops import together

#: messages in memory and in one transaction; 64 of the largest real ones (100 documents) are some 30 MB
BATCH = 64
#: an outage of customs is not the message's fault: generous, only a message that kills the process over and over
#: again is parked
LANE_DELIVERIES = 1000


def lane_queue(channel: str) -> Queue:
    """What is due on one channel."""
    return Queue(
        f"gateway.send.{channel}",
        bindings=[binding(EXCHANGE, routing_key=f"{DUE}.{channel}")],
        durable=True,
        queue_arguments={
            "x-queue-type": "quorum",
            "x-delivery-limit": LANE_DELIVERIES,
            "x-dead-letter-exchange": PARKED_EXCHANGE.name,
        },
    )


class Transmitter:
    """Wires intake and lanes. One thread and one broker connection each."""

    def __init__(self, settings: config.Transmit) -> None:
        customs = settings.customs
        self._bus_url = customs.bus_url
        self._database = Database(customs.database_url, pool_size=4)
        verifier = ActorVerifier(settings.actor_public_key)
        self._intake = Intake(self._database, verifier, settings.receiver)
        channels: tuple[Channel, ...] = (
            AmqpChannel(customs.customs_url, settings.in_queue),
            SpoolChannel(customs.spool),
        )
        self._lanes = {one.name: Lane(one, self._database, verifier) for one in channels}
        self._consumers: list[BusConsumer] = []

    @property
    def checks(self) -> dict[str, ops.Check]:
        """What has to answer for this process to be ready."""
        return {
            "database": self._database.ping,
            "bus": self._subscribed,
            **{f"channel.{name}": lane.check for name, lane in self._lanes.items()},
        }

    def run(self, stop: threading.Event) -> None:
        """Until stopped."""
        consumers = {
            "intake": self._consumer(
                event_queue("gateway.ready", ["message.ready.#"]), self._intake.handle, stop
            )
        }
        for name, lane in self._lanes.items():
            consumers[f"lane.{name}"] = self._consumer(lane_queue(name), lane.handle, stop)
        self._consumers = list(consumers.values())
        try:
            together({name: one.run for name, one in consumers.items()}, stop)
        finally:
            for lane in self._lanes.values():
                lane.close()
            self._database.close()

    def _consumer(self, queue: Queue, handle: Handler, stop: threading.Event) -> BusConsumer:
        return BusConsumer(self._bus_url, queue, handle, stop, prefetch=BATCH, batch=BATCH)

    def _subscribed(self) -> None:
        if not self._consumers or not all(one.connected.is_set() for one in self._consumers):
            raise ConnectionError("not subscribed to all queues of the bus")


def main() -> None:
    """`python -m services.gateway transmit`."""
    settings = config.transmit()
    transmitter = Transmitter(settings)
    customs = settings.customs
    process.run(
        "gateway.transmit", customs.ops_listen, customs.log_level, transmitter.run, transmitter.checks
    )
