"""Bus to use case: a table of event types. Each batch is one transaction per tenant; no decisions here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection

from documents.registry import Registry
from filing.context import Filing
from filing.usecases import answers, companions, progress
from proto.events.v1 import events_pb2
from runtime import crash, inbox, log, outbox
from runtime.actor import ActorVerifier
from runtime.bus import Delivery
from runtime.outbox import Event

_LOG = log.get("filing.events")

Apply = Callable[[Filing, Connection, Sequence[Any]], list[Event]]
#: type header -> (payload, use case): what happened to documents
TABLE: dict[str, tuple[type[Any], Apply]] = {
    "MessageSigned": (events_pb2.MessageSigned, progress.signed),
    "MessageSent": (events_pb2.MessageSent, progress.sent),
    "MessageRefused": (events_pb2.MessageRefused, progress.refused),
    "ReceiptArrived": (events_pb2.ReceiptArrived, answers.arrived),
}
#: what somebody wants done: only with the rights of the actor who wanted it
WANTED = "CompanionsWanted"


def routing_keys(registry: Registry) -> list[str]:
    """What a service with these types listens to."""
    keys = []
    for doctype in registry.types:
        if doctype.message.direction == "out":
            keys += [f"message.{what}.{doctype.kind}" for what in ("signed", "sent", "refused")]
            keys.append(f"companions.wanted.{doctype.kind}")
    return keys + [f"receipt.arrived.{root}" for root in registry.heard()]


class Handler:
    """Handles batches of deliveries for one consumer name."""

    def __init__(self, filing: Filing, verifier: ActorVerifier, consumer: str) -> None:
        self._filing = filing
        self._verifier = verifier
        self._consumer = consumer

    def __call__(self, batch: list[Delivery]) -> None:
        by_tenant: dict[str, list[Delivery]] = {}
        for delivery in batch:
            actor = self._verifier.verify(delivery.actor, event=True)
            if delivery.headers.get("type") not in (*TABLE, WANTED):
                raise ValueError(f"event {delivery.id}: unknown type {delivery.headers.get('type')}")
            if actor.tenant_id != delivery.tenant:
                raise ValueError(f"event {delivery.id}: tenant of header and actor differ")
            by_tenant.setdefault(delivery.tenant, []).append(delivery)
        for tenant, deliveries in by_tenant.items():
            self._handle(tenant, deliveries)

    def _handle(self, tenant: str, deliveries: list[Delivery]) -> None:
        with self._filing.database.transaction(tenant) as connection:
            # one of each: the same event may stand twice in one batch
            once = {delivery.id: delivery for delivery in deliveries}
            fresh = inbox.claim(connection, tenant, self._consumer, sorted(once))
            new = [delivery for key, delivery in once.items() if key in fresh]
            for name, (payload, apply) in TABLE.items():
                group = [d for d in new if d.headers.get("type") == name]
                if group:
                    events = [payload.FromString(d.body) for d in group]
                    outbox.add(connection, tenant, group[0].actor, apply(self._filing, connection, events))
            for delivery in new:
                if delivery.headers.get("type") == WANTED:
                    self._file(connection, delivery)
            crash.point(f"{self._consumer}.before-commit")
        crash.point(f"{self._consumer}.committed")
        _LOG.info("events.handled", tenant=tenant, new=len(new), again=len(deliveries) - len(new))

    def _file(self, connection: Connection, delivery: Delivery) -> None:
        actor = self._verifier.verify(delivery.actor, event=True)
        wanted = events_pb2.CompanionsWanted.FromString(delivery.body)
        companions.wanted(self._filing, connection, actor, delivery.actor, wanted)
