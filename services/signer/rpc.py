"""gRPC to use case to gRPC; no decisions. Tenants come from the actor, never from requests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from proto.signer.v1 import signer_pb2, signer_pb2_grpc
from runtime.db import Database
from runtime.grpc_server import current_actor
from services.signer import usecases
from services.signer.chain import Link
from services.signer.emit import rfc3339


class SignerServicer(signer_pb2_grpc.SignerServicer):
    """proto/signer/v1."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    def ListKeys(self, request: Any, context: Any) -> Any:
        states = usecases.list_keys(self._database, current_actor(), self._clock())
        return signer_pb2.ListKeysReply(items=[_key(state) for state in states])

    def ActivateKey(self, request: Any, context: Any) -> Any:
        return _key(usecases.activate_key(self._database, current_actor(), request.id, self._clock()))

    def Throughput(self, request: Any, context: Any) -> Any:
        reply = signer_pb2.ThroughputReply()
        for item in usecases.throughput(self._database, current_actor(), self._clock()):
            reply.items.add(
                key_id=item.key_id,
                taken=item.taken,
                signatures=item.signatures,
                busy_seconds=item.busy_seconds,
                last_at=rfc3339(item.last_at) if item.last_at else "",
            )
        return reply

    def Ledger(self, request: Any, context: Any) -> Any:
        page = usecases.read_ledger(
            self._database, current_actor(), request.page_size, request.cursor, request.message_id
        )
        return signer_pb2.LedgerReply(
            items=[_entry(link) for link in page.links], next_cursor=page.next_cursor, chain_valid=page.valid
        )


def _key(state: usecases.KeyState) -> Any:
    key = state.key
    return signer_pb2.Key(
        id=key.id,
        label=key.label,
        enterprise_code=key.enterprise_code,
        algorithm=key.algorithm,
        device=key.device,
        hardware=key.hardware,
        certificate_serial=key.serial,
        not_before=rfc3339(key.not_before),
        not_after=rfc3339(key.not_after),
        active=key.active,
        state=state.state,
        fingerprint=key.fingerprint,
    )


def _entry(link: Link) -> Any:
    entry = link.entry
    return signer_pb2.LedgerEntry(
        seq=str(link.seq),
        message_id=entry.message_id,
        kind=entry.kind,
        what=entry.what,
        key_id=entry.key_id,
        algorithm=entry.algorithm,
        digest=entry.digest.hex(),
        at=rfc3339(entry.at),
        actor=entry.actor,
        hash=link.hash.hex(),
    )
