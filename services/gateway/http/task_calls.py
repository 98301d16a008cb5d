"""Calls to the services' Tasks interface: by kind, by an id that does not tell its kind, or all of them."""

from __future__ import annotations

from typing import Any

from proto.tasks.v1 import tasks_pb2_grpc
from runtime.errors import Problem, not_found
from runtime.grpc_client import DEADLINE
from services.gateway.http import calls, context, parse

# generated code has no types
_TASKS: Any = tasks_pb2_grpc.TasksStub


def to(owner: str, method: str, message: Any, deadline: float = DEADLINE) -> Any:
    """One RPC to one service."""
    return calls.to_owner(owner, _TASKS, method, message, deadline)


def first(method: str, message: Any) -> tuple[str, Any]:
    """The first service that knows what the message names, and its answer; not found otherwise."""
    for owner in context.parts().owners:
        try:
            return owner, to(owner, method, message)
        except Problem as problem:
            if problem.kind != "not_found":
                raise
    raise not_found()


def every(method: str, message: Any) -> list[Any]:
    """The same question to each service."""
    return [to(owner, method, message) for owner in context.parts().owners]


def known_id(given: str) -> str:
    """A canonical id; what is none is answered like an id nobody has."""
    canonical = parse.uuid_or_none(given)
    if canonical is None:
        raise not_found()
    return canonical
