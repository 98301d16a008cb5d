"""gRPC: a one-time code becomes a certificate. Open to whoever has a code, so every failure sounds alike."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import Any

import grpc

from proto.agent.v1 import agent_pb2 as pb
from runtime import log
from runtime.db import Database
from runtime.errors import Problem
from services.gateway.agents import authority, store
from services.gateway.agents.authority import Authority
from services.gateway.tenants import audit
from services.gateway.tenants import store as tenants

_LOG = log.get("enrolment")
#: wrong codes of one address within WINDOW seconds before it has to wait
TRIES = 10
WINDOW = 600.0
_ADDRESSES = 10_000
_TEXT = 200


class Enrolment:
    """proto/agent/v1/agent.proto."""

    def __init__(self, database: Database, issuer: Authority) -> None:
        self._database = database
        self._authority = issuer
        self._wrong: OrderedDict[str, list[float]] = OrderedDict()
        self._lock = threading.Lock()

    def Enrol(self, request: Any, context: grpc.ServicerContext) -> Any:
        address = _address(context)
        self._patience(address)
        now = authority.now()
        hashed = authority.code_hash(request.code)
        with self._database.transaction(None) as connection:
            agent = store.by_code(connection, hashed)
        if agent is None or agent.code_expires_at is None or agent.code_expires_at <= now:
            self._remember(address)
            raise _wrong_code()
        leaf = self._authority.issue(bytes(request.csr), agent.id, now)
        issued = store.Issued(
            leaf.key,
            leaf.fingerprint,
            leaf.serial,
            leaf.not_after,
            request.agent_version[:_TEXT],
            request.platform[:_TEXT],
            request.host_name[:_TEXT],
        )
        with self._database.transaction(agent.tenant_id) as connection:
            if not store.enrol(connection, agent.id, hashed, issued, now):
                raise _wrong_code()
            enterprise = tenants.enterprise(connection, agent.tenant_id)
            audit.write(
                connection,
                agent.tenant_id,
                audit.Entry(
                    what="enrol-agent",
                    outcome="allowed",
                    user_name=agent.name,
                    request_id="",
                    address=address,
                    object=f"edge-agent {agent.id}",
                ),
            )
        _LOG.info("agent.enrolled", tenant=agent.tenant_id, agent=agent.id)
        return pb.EnrolReply(
            agent_id=agent.id,
            certificate=leaf.der,
            not_after=leaf.not_after.isoformat(),
            enterprise_name=enterprise.name if enterprise else "",
        )

    def _patience(self, address: str) -> None:
        with self._lock:
            since = time.monotonic() - WINDOW
            recent = [at for at in self._wrong.get(address, []) if at > since]
            if len(recent) >= TRIES:
                raise Problem(
                    "too_many",
                    "错误的登记码过多，请稍后再试。",
                    "Too many wrong codes; try again later.",
                    retry_after=int(WINDOW),
                )

    def _remember(self, address: str) -> None:
        with self._lock:
            self._wrong.setdefault(address, []).append(time.monotonic())
            self._wrong[address] = self._wrong[address][-TRIES:]
            self._wrong.move_to_end(address)
            while len(self._wrong) > _ADDRESSES:
                self._wrong.popitem(last=False)


def _wrong_code() -> Problem:
    return Problem(
        "unauthenticated",
        "登记码不正确、已使用或已过期，请在“签名代理”页面重新生成。",
        "The code is wrong, used or expired; make a new one on the page of edge agents.",
    )


def _address(context: grpc.ServicerContext) -> str:
    """Without the port, which is another one at every try."""
    return str(context.peer()).rpartition(":")[0]
