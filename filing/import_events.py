"""Bus to use case for the imports process: one requested import, or one task to be generated, at a time."""

from __future__ import annotations

import uuid

from documents.registry import Registry
from filing.usecases import generate
from filing.usecases.import_work import Work
from proto.events.v1 import events_pb2
from runtime import log
from runtime.actor import Actor, ActorVerifier
from runtime.bus import Delivery
from runtime.errors import Problem

_LOG = log.get("filing.imports")


def routing_keys(registry: Registry) -> list[str]:
    """What the imports process of a service with these types listens to."""
    return [f"import.requested.{doctype.kind}" for doctype in registry.types]


class ImportHandler:
    """No inbox: the state of import and task tells a repeated request from a new one."""

    def __init__(self, work: Work, verifier: ActorVerifier) -> None:
        self._work = work
        self._verifier = verifier

    def __call__(self, batch: list[Delivery]) -> None:
        for delivery in batch:
            actor = self._verifier.verify(delivery.actor, event=True)
            if actor.tenant_id != delivery.tenant:
                raise ValueError(f"event {delivery.id}: tenant of header and actor differ")
            if delivery.headers.get("type") == "TaskRequested":
                self._task(delivery, actor)
            else:
                self._import(delivery, actor)

    def _import(self, delivery: Delivery, actor: Actor) -> None:
        request = events_pb2.ImportRequested.FromString(delivery.body)
        try:
            self._work.run(actor, delivery.actor, request.import_id, request.step == "keep-valid")
        except Exception as exc:  # an import must never hang: it ends with a reason and a trace number
            if _waits(exc):
                raise
            trace = _told("import.failed", delivery.tenant, request.import_id)
            self._work.give_up(actor, delivery.actor, request.import_id, trace)

    def _task(self, delivery: Delivery, actor: Actor) -> None:
        request = events_pb2.TaskRequested.FromString(delivery.body)
        try:
            generate.run(self._work.filing, actor, delivery.actor, request.task_id)
        except Exception as exc:  # a task must never hang: it ends with a reason and a trace number
            if _waits(exc):
                raise
            trace = _told("task.failed", delivery.tenant, request.task_id)
            generate.give_up(self._work.filing, actor, delivery.actor, request.task_id, trace)


def _waits(exc: Exception) -> bool:
    """Whether the database is away: then the bus waits and tries again."""
    return isinstance(exc, Problem) and exc.kind in ("unavailable", "conflict")


def _told(event: str, tenant: str, object_id: str) -> str:
    trace = uuid.uuid4().hex[:12]
    _LOG.exception(event, tenant=tenant, object_id=object_id, trace=trace)
    return trace
