"""Calls to the services behind: always as the actor of this request, always with a deadline."""

from __future__ import annotations

from typing import Any

from proto.documents.v1 import documents_pb2_grpc
from proto.signer.v1 import signer_pb2_grpc
from runtime.actor import Actor
from runtime.errors import Problem, not_found
from runtime.grpc_client import DEADLINE
from services.gateway.http import context

# generated code has no types
_DOCUMENTS: Any = documents_pb2_grpc.DocumentsStub
_SIGNER: Any = signer_pb2_grpc.SignerStub


def documents(owner: str, method: str, message: Any, deadline: float = DEADLINE) -> Any:
    """One RPC to the service that keeps a kind of documents. Raises its Problem, or `unavailable`."""
    return to_owner(owner, _DOCUMENTS, method, message, deadline)


def to_owner(owner: str, stub: Any, method: str, message: Any, deadline: float = DEADLINE) -> Any:
    """One RPC to a service that keeps documents, of any of the interfaces it offers (stub: the generated class)."""
    return context.parts().owners[owner].call(stub, method, message, context.token(), deadline)


def every_owner(method: str, message: Any) -> list[Any]:
    """The same question to each service that keeps documents."""
    return [documents(owner, method, message) for owner in context.parts().owners]


def first_owner(method: str, message: Any, deadline: float = DEADLINE) -> Any:
    """For ids that do not tell their kind: the answer of the first service that knows it; not found otherwise."""
    for owner in context.parts().owners:
        try:
            return documents(owner, method, message, deadline)
        except Problem as problem:
            if problem.kind != "not_found":
                raise
    raise not_found()


def signer(method: str, message: Any) -> Any:
    """One RPC to the service that keeps the keys."""
    return context.parts().keys.call(_SIGNER, method, message, context.token())


def signer_as(actor: Actor, method: str, message: Any) -> Any:
    """As `signer`, for an actor who has no session yet."""
    parts = context.parts()
    return parts.keys.call(_SIGNER, method, message, parts.signer.token(actor))
