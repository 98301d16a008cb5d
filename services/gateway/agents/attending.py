"""gRPC: agents' connections, each passed on to signer.cards as the actor that its certificate stands for.

Must never pass a frame for an agent that is revoked: who it is, is looked up when it connects, and again whenever
something about agents changes.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from proto.agent.v1 import agent_pb2 as pb
from proto.signer.v1 import cards_pb2_grpc
from runtime import log
from runtime.actor import Actor, ActorSigner
from runtime.db import Database
from runtime.errors import Problem, unavailable
from runtime.grpc_client import Client
from runtime.grpc_server import ACTOR_KEY
from runtime.wake import Listener
from services.gateway.agents import authority, store
from services.gateway.agents.authority import Authority
from services.gateway.agents.store import EdgeAgent
from services.gateway.tenants import store as tenants

_LOG = log.get("agents")
_STUB: Any = cards_pb2_grpc.CardsStub
#: seconds between looks at who may stay, when nothing was notified
IDLE = 5.0
#: the one thing an agent may do
PERMISSION = "card.attend"


@dataclass(slots=True)
class _Line:
    """An open connection; ended: why it was ended from here."""

    fingerprint: str
    call: Any
    ended: bool = False


class Attending:
    """proto/agent/v1/agent.proto, service Agents."""

    def __init__(self, database: Database, issuer: Authority, signer: ActorSigner, cards: Client) -> None:
        self._database = database
        self._authority = issuer
        self._signer = signer
        self._cards = cards
        self._open: dict[int, _Line] = {}
        self._lock = threading.Lock()

    def watch(self, stop: threading.Event) -> None:
        """End the connections of agents that may not stay, until stopped."""
        listener = Listener(self._database.url, store.CHANNEL)
        while not stop.is_set():
            listener.wait(IDLE)
            with self._lock:
                lines = list(self._open.values())
            for line in lines:
                try:
                    self._known(line.fingerprint)
                except Problem as problem:
                    if problem.kind == "unauthenticated":
                        line.ended = True
                        line.call.cancel()
        listener.close()

    def Attend(self, frames: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
        fingerprint = _fingerprint(context)
        try:
            token = self._signer.token(self._actor(self._known(fingerprint)))
        except Problem as problem:
            if problem.kind != "unauthenticated":
                raise
            yield _revoked()
            return
        call = self._cards.stub(_STUB).Attend(_until_cut(frames), metadata=((ACTOR_KEY, token),))
        line = _Line(fingerprint, call)
        with self._lock:
            self._open[id(line)] = line
        context.add_callback(call.cancel)
        try:
            yield from call
        except grpc.RpcError as exc:
            if not line.ended:
                _LOG.warning("agents.cut", reason=str(exc.code()))
                raise unavailable("签名服务", "The signing service") from exc
        finally:
            call.cancel()
            with self._lock:
                del self._open[id(line)]
        if line.ended:
            yield _revoked()

    def Renew(self, request: Any, context: grpc.ServicerContext) -> Any:
        fingerprint = _fingerprint(context)
        agent = self._known(fingerprint)
        leaf = self._authority.issue(bytes(request.csr), agent.id, authority.now())
        issued = store.Issued(
            leaf.key,
            leaf.fingerprint,
            leaf.serial,
            leaf.not_after,
            agent.version,
            agent.platform,
            agent.host_name,
        )
        with self._database.transaction(agent.tenant_id) as connection:
            if not store.renew(connection, agent.id, fingerprint, issued):
                raise _unknown()
            enterprise = tenants.enterprise(connection, agent.tenant_id)
        return pb.EnrolReply(
            agent_id=agent.id,
            certificate=leaf.der,
            not_after=leaf.not_after.isoformat(),
            enterprise_name=enterprise.name if enterprise else "",
        )

    def _known(self, fingerprint: str) -> EdgeAgent:
        with self._database.transaction(None) as connection:
            agent = store.by_fingerprint(connection, fingerprint)
        if agent is None or agent.state(authority.now()) != "enrolled":
            raise _unknown()
        return agent

    def _actor(self, agent: EdgeAgent) -> Actor:
        with self._database.transaction(agent.tenant_id) as connection:
            enterprise = tenants.enterprise(connection, agent.tenant_id)
        if enterprise is None:
            raise _unknown()
        return Actor(
            tenant_id=agent.tenant_id,
            enterprise_code=enterprise.code,
            user_id=agent.id,
            user_name=agent.name,
            permissions=(PERMISSION,),
            request_id=f"agent-{agent.id}",
            enterprise_name=enterprise.name,
        )


def _until_cut(frames: Iterator[Any]) -> Iterator[Any]:
    """The agent's frames; a cut is their end, and no error of the call that passes them on."""
    try:
        yield from frames
    except grpc.RpcError:
        return


def _fingerprint(context: grpc.ServicerContext) -> str:
    found: Any = context.auth_context()["x509_pem_cert"]
    (certificate,) = found
    der = x509.load_pem_x509_certificate(certificate).public_bytes(serialization.Encoding.DER)
    return hashlib.sha256(der).hexdigest()


def _unknown() -> Problem:
    return Problem(
        "unauthenticated",
        "此签名代理已被撤销或证书已更换，请重新登记。",
        "This agent was revoked, or its certificate replaced; enrol it again.",
    )


def _revoked() -> Any:
    problem = _unknown()
    return pb.ToAgent(goodbye=pb.Goodbye(code="revoked", zh=problem.zh, en=problem.en))
