"""First half of sending: a signed message becomes a frozen envelope in the database, and a place in a lane.

The envelope is made once and kept, so that every later attempt sends the same bytes under the same CopMsgId and
the other side recognises it. Must never look into the business bytes.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from google.protobuf.message import DecodeError
from sqlalchemy import Connection

from proto.events.v1 import events_pb2
from runtime import crash, log, outbox
from runtime.actor import ActorVerifier
from runtime.bus import Delivery
from runtime.db import Database
from runtime.errors import Problem
from services.gateway.customs import envelope, store

_LOG = log.get("customs.intake")

#: the lanes: one queue and one thread per channel
DUE = "transmission.due"


class Intake:
    """Handles message.ready.#."""

    def __init__(
        self,
        database: Database,
        verifier: ActorVerifier,
        receiver: str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._verifier = verifier
        self._receiver = receiver
        self._clock = clock

    def handle(self, deliveries: Sequence[Delivery]) -> None:
        """Commit the intent of every message of the batch. Raises Problem: "unavailable" to be called again,
        anything else for a message that can never be right."""
        tenants: dict[str, list[tuple[str, events_pb2.MessageReady]]] = {}
        for delivery in deliveries:
            tenant = verified_tenant(self._verifier, delivery)
            tenants.setdefault(tenant, []).append((delivery.actor, _parse(delivery)))
        for tenant, messages in tenants.items():
            crash.point("transmit.intent.before-commit")
            with self._database.transaction(tenant) as connection:
                self._freeze(connection, tenant, messages)
        # whoever dies here gets the batch again and finds it frozen
        crash.point("transmit.intent.committed")

    def _freeze(
        self, connection: Connection, tenant: str, messages: Sequence[tuple[str, events_pb2.MessageReady]]
    ) -> None:
        now = self._clock()
        enterprises = store.enterprises(connection, tenant, (ready.enterprise_code for _, ready in messages))
        intents = {
            ready.message_id: self._intent(ready, enterprises.get(ready.enterprise_code), now)
            for _, ready in messages
        }
        new = store.freeze(connection, tenant, list(intents.values()), now)
        _same_bytes(connection, tenant, [one for key, one in intents.items() if key not in new])
        events: dict[str, list[outbox.Event]] = {}
        for token, ready in messages:
            if ready.message_id in new:
                new.discard(ready.message_id)  # the same message twice in one batch tells once
                events.setdefault(token, []).append(_next_step(ready, intents[ready.message_id], now))
        for token, told in events.items():
            outbox.add(connection, tenant, token, told)

    def _intent(
        self, ready: events_pb2.MessageReady, enterprise: store.Enterprise | None, now: datetime
    ) -> store.Intent:
        refusal = _refusal(ready, enterprise)
        body: bytes | None = None
        if refusal is None:
            head = envelope.TransInfo(
                cop_msg_id=ready.message_id,
                sender=ready.dxp_id,
                receivers=(self._receiver,),
                created=envelope.created_text(now),
                message_type=ready.message_type,
            )
            try:
                body = envelope.write(
                    head, ready.xml, envelope.file_name(ready.message_type, ready.message_id)
                )
            except ValueError as exc:
                refusal = store.Refusal(
                    "envelope",
                    f"无法生成传输信封：{exc}。请核对企业资料中的传输编号。",
                    f"The envelope cannot be made: {exc}. Check the transmission ID of the enterprise.",
                )
        return store.Intent(
            message_id=ready.message_id,
            kind=ready.kind,
            message_type=ready.message_type,
            enterprise_code=ready.enterprise_code,
            dxp_id=ready.dxp_id,
            documents=ready.documents,
            signed_sha256=hashlib.sha256(ready.xml).digest(),
            channel=enterprise.channel if enterprise else None,
            envelope=body,
            refusal=refusal,
        )


def verified_tenant(verifier: ActorVerifier, delivery: Delivery) -> str:
    """The tenant of the signed actor, which must be the one the header names. Raises Problem."""
    actor = verifier.verify(delivery.headers.get("actor", ""), event=True)
    if actor.tenant_id != delivery.headers.get("tenant"):
        raise Problem(
            "forbidden",
            "消息的租户与操作者不一致。",
            "The tenant of the message is not the tenant of its actor.",
        )
    return actor.tenant_id


def _parse(delivery: Delivery) -> events_pb2.MessageReady:
    try:
        ready = events_pb2.MessageReady.FromString(delivery.body)
        # becomes a file name and a key: only the canonical form of a UUID
        if str(uuid.UUID(ready.message_id)) != ready.message_id or not ready.xml:
            raise ValueError(ready.message_id)
    except (DecodeError, ValueError) as exc:
        raise Problem(
            "malformed", f"待发送消息无法读取：{exc}", f"The message to be sent cannot be read: {exc}"
        ) from exc
    return ready


def _refusal(ready: events_pb2.MessageReady, enterprise: store.Enterprise | None) -> store.Refusal | None:
    code = ready.enterprise_code
    if enterprise is None:
        return store.Refusal(
            "enterprise-missing",
            f"企业 {code} 没有登记海关传输通道，报文未发送。请在企业资料维护中登记传输编号和通道后重新申报。",
            f"Enterprise {code} has no channel to customs on record, so nothing was sent. "
            "Enter its transmission ID and channel, then declare again.",
        )
    if not enterprise.enabled:
        return store.Refusal(
            "enterprise-disabled",
            f"企业 {code} 已停用，报文未发送。请启用企业后重新申报。",
            f"Enterprise {code} is disabled, so nothing was sent. Enable it, then declare again.",
        )
    if enterprise.dxp_id != ready.dxp_id:
        return store.Refusal(
            "dxp-id-changed",
            f"报文中的传输编号 {ready.dxp_id} 与企业资料中的 {enterprise.dxp_id} 不一致，报文未发送。请重新申报。",
            f"The message was signed with transmission ID {ready.dxp_id}, the enterprise now has "
            f"{enterprise.dxp_id}; nothing was sent. Declare again.",
        )
    return None


def _same_bytes(connection: Connection, tenant: str, repeated: Iterable[store.Intent]) -> None:
    """One id is one message for ever: the other side would take the second one for a repetition."""
    again = {one.message_id: one.signed_sha256 for one in repeated}
    if not again:
        return
    for message_id, digest in store.digests(connection, tenant, again).items():
        if digest != again[message_id]:
            raise Problem(
                "invalid",
                f"消息 {message_id} 已用其他内容发送过，不能再次使用该编号。",
                f"Message {message_id} was sent with other bytes before; its id cannot be used again.",
            )
    _LOG.info("intake.repeated", count=len(again))


def _next_step(ready: events_pb2.MessageReady, intent: store.Intent, now: datetime) -> outbox.Event:
    if intent.refusal is not None:
        return refused_event(ready.message_id, ready.kind, intent.refusal, now)
    due = events_pb2.MessageReady()
    due.CopyFrom(ready)
    due.ClearField("xml")  # the bytes are in the database
    return outbox.Event(f"{DUE}.{intent.channel}", "TransmissionDue", due.SerializeToString())


def refused_event(message_id: str, kind: str, reason: store.Refusal, at: datetime) -> outbox.Event:
    """message.refused.<kind> of stage "send"."""
    body = events_pb2.MessageRefused(
        message_id=message_id,
        kind=kind,
        stage="send",
        code=reason.code,
        zh=reason.zh,
        en=reason.en,
        at=at.isoformat(),
    )
    return outbox.Event(f"message.refused.{kind}", "MessageRefused", body.SerializeToString())
