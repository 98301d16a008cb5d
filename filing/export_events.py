"""Bus to use case for exports: one at a time, in the process that reads imports, on a queue of their own."""

from __future__ import annotations

import uuid

from documents.registry import Registry
from filing.usecases.exports import Work
from proto.events.v1 import events_pb2
from runtime import log
from runtime.actor import ActorVerifier
from runtime.bus import Delivery
from runtime.errors import Problem

_LOG = log.get("filing.exports")


def routing_keys(registry: Registry) -> list[str]:
    """What asks a service with these types for an export."""
    return [f"export.requested.{doctype.kind}" for doctype in registry.types]


class ExportHandler:
    """No inbox: the export's own state tells a repeated request from a new one."""

    def __init__(self, work: Work, verifier: ActorVerifier) -> None:
        self._work = work
        self._verifier = verifier

    def __call__(self, batch: list[Delivery]) -> None:
        for delivery in batch:
            actor = self._verifier.verify(delivery.actor, event=True)
            if actor.tenant_id != delivery.tenant:
                raise ValueError(f"event {delivery.id}: tenant of header and actor differ")
            export_id = events_pb2.ExportRequested.FromString(delivery.body).export_id
            try:
                self._work.run(actor, delivery.actor, export_id, delivery.keep_alive)
            except Exception as exc:  # an export must never hang: it ends with a reason and a trace number
                if isinstance(exc, Problem) and exc.kind in ("unavailable", "conflict"):
                    raise  # the database is away, or an earlier delivery still works on it: the bus tries again
                trace = uuid.uuid4().hex[:12]
                _LOG.exception("export.failed", tenant=delivery.tenant, export_id=export_id, trace=trace)
                self._work.give_up(actor, delivery.actor, export_id, trace)
