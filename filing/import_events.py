"""Bus to use case for the imports process: one requested import at a time."""

from __future__ import annotations

import uuid

from filing.usecases.imports import Work
from proto.events.v1 import events_pb2
from runtime import log
from runtime.actor import ActorVerifier
from runtime.bus import Delivery
from runtime.errors import Problem

_LOG = log.get("filing.imports")


class ImportHandler:
    """No inbox: the import's own state tells a repeated request from a new one."""

    def __init__(self, work: Work, verifier: ActorVerifier) -> None:
        self._work = work
        self._verifier = verifier

    def __call__(self, batch: list[Delivery]) -> None:
        for delivery in batch:
            actor = self._verifier.verify(delivery.actor, event=True)
            if actor.tenant_id != delivery.tenant:
                raise ValueError(f"event {delivery.id}: tenant of header and actor differ")
            request = events_pb2.ImportRequested.FromString(delivery.body)
            try:
                self._work.run(actor, delivery.actor, request.import_id, request.step == "keep-valid")
            except Exception as exc:  # an import must never hang: it ends with a reason and a trace number
                if isinstance(exc, Problem) and exc.kind in ("unavailable", "conflict"):
                    raise  # the database is away: the bus waits and tries again
                trace = uuid.uuid4().hex[:12]
                _LOG.exception(
                    "import.failed", tenant=delivery.tenant, import_id=request.import_id, trace=trace
                )
                self._work.give_up(actor, delivery.actor, request.import_id, trace)
