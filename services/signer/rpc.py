"""gRPC to use case to gRPC; no decisions. Tenants come from the actor, never from requests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from proto.signer.v1 import signer_pb2, signer_pb2_grpc
from runtime.actor import ActorVerifier
from runtime.db import Database
from runtime.grpc_server import current_actor, current_token
from services.signer import card_usecases, queue_usecases, usecases
from services.signer.chain import Link
from services.signer.devices import PoolClient
from services.signer.domain import BULK
from services.signer.emit import rfc3339
from services.signer.store.cards import Challenge
from services.signer.store.jobs import Waiting


class SignerServicer(signer_pb2_grpc.SignerServicer):
    """proto/signer/v1."""

    def __init__(
        self, database: Database, verifier: ActorVerifier, pool: PoolClient, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._verifier = verifier
        self._pool = pool
        self._clock = clock

    def ListKeys(self, request: Any, context: Any) -> Any:
        states = usecases.list_keys(self._database, current_actor(), self._clock())
        return signer_pb2.ListKeysReply(items=[_key(state) for state in states])

    def ActivateKey(self, request: Any, context: Any) -> Any:
        return _key(usecases.activate_key(self._database, current_actor(), request.id, self._clock()))

    def Pool(self, request: Any, context: Any) -> Any:
        current_actor().require("key.read")
        return signer_pb2.PoolReply(devices=self._pool.describe().devices)

    def Queue(self, request: Any, context: Any) -> Any:
        page = queue_usecases.read_queue(
            self._database, current_actor(), request.key_id, request.page_size, request.cursor
        )
        return signer_pb2.QueueReply(
            items=[_waiting(item) for item in page.items], next_cursor=page.next_cursor
        )

    def Withdraw(self, request: Any, context: Any) -> Any:
        withdrawn, taken = queue_usecases.withdraw(
            self._database,
            self._verifier,
            current_actor(),
            current_token(),
            list(request.message_ids),
            self._clock(),
        )
        return signer_pb2.WithdrawReply(withdrawn=withdrawn, taken=sorted(taken))

    def ListCards(self, request: Any, context: Any) -> Any:
        shown, seated = card_usecases.list_cards(self._database, current_actor(), self._clock())
        return signer_pb2.ListCardsReply(
            items=[_card(item) for item in shown],
            agents=[
                signer_pb2.Seated(agent_id=agent_id, heard_at=rfc3339(at)) for agent_id, at in seated.items()
            ],
        )

    def RegisterCard(self, request: Any, context: Any) -> Any:
        actor, now = current_actor(), self._clock()
        key_id = card_usecases.register_card(
            self._database, actor, request.fingerprint, request.label, request.algorithm, now
        )
        return _key(usecases.key_state(self._database, actor, key_id, now))

    def ConfirmKey(self, request: Any, context: Any) -> Any:
        return _challenge(
            card_usecases.confirm_key(
                self._database,
                current_actor(),
                current_token(),
                request.key_id,
                request.origin,
                self._pool.sign_one,
                self._clock(),
            )
        )

    def ReadChallenge(self, request: Any, context: Any) -> Any:
        return _challenge(
            card_usecases.read_challenge(self._database, current_actor(), request.id, self._clock())
        )

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

    def ChallengeCard(self, request: Any, context: Any) -> Any:
        return _challenge(
            card_usecases.challenge_card(
                self._database,
                current_actor(),
                request.fingerprint,
                request.origin,
                request.code,
                self._clock(),
            )
        )

    def TakeChallenge(self, request: Any, context: Any) -> Any:
        return _challenge(
            card_usecases.take_challenge(self._database, current_actor(), request.id, self._clock())
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
        purpose=key.purpose,
        confirmed_at=rfc3339(key.confirmed_at) if key.confirmed_at else "",
        confirmed_by=key.confirmed_by,
        device_kind=key.device_kind,
        agent_id=key.agent_id or "",
        expires_in_days=state.days_left,
        warning=state.warning,
        messages=state.messages,
        documents=state.documents,
        reason=state.reason,
    )


def _waiting(item: Waiting) -> Any:
    return signer_pb2.Waiting(
        message_id=item.message_id,
        key_id=item.key_id,
        kind=item.kind,
        message_type=item.message_type,
        enterprise_code=item.enterprise_code,
        documents=item.documents,
        bulk=item.lane == BULK,
        taken=item.taken,
        reason=item.reason,
        queued_at=rfc3339(item.queued_at),
    )


def _card(item: card_usecases.Shown) -> Any:
    card = item.card
    return signer_pb2.Card(
        fingerprint=card.fingerprint,
        agent_id=card.agent_id,
        serial=card.serial,
        subject=card.subject,
        not_before=rfc3339(card.not_before),
        not_after=rfc3339(card.not_after),
        token=card.token,
        state=card.state,
        reason=card.reason,
        mechanisms=card.mechanisms,
        seconds=card.seconds,
        at=rfc3339(card.at),
        key_id=item.key_id,
        kind=item.kind,
    )


def _challenge(challenge: Challenge) -> Any:
    return signer_pb2.Challenge(
        id=challenge.id,
        state=challenge.state,
        reason=challenge.reason,
        expires_at=rfc3339(challenge.expires_at),
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
