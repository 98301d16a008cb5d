"""Bus to use case for the imports process: one requested import at a time."""

from __future__ import annotations

from filing.usecases.imports import Work
from proto.events.v1 import events_pb2
from runtime.actor import ActorVerifier
from runtime.bus import Delivery


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
            self._work.run(actor, delivery.actor, request.import_id, request.step == "keep-valid")
