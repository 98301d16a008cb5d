"""The events this service sends, built from values; the other side of events.py."""

from __future__ import annotations

from datetime import UTC, datetime

from proto.events.v1 import events_pb2
from runtime.outbox import Event
from services.signer.domain import Key, Submission
from services.signer.refusals import Refusal


def rfc3339(at: datetime) -> str:
    """UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def signed(submission: Submission, key: Key, final: bytes, at: datetime) -> list[Event]:
    """message.signed for those who show it, then message.ready with the bytes for those who send them."""
    signature = events_pb2.Signature(
        key_id=key.id,
        key_label=key.label,
        device=key.device,
        algorithm=key.algorithm,
        certificate_serial=key.serial,
        signed_at=rfc3339(at),
        hardware=key.hardware,
    )
    small = events_pb2.MessageSigned(
        message_id=submission.message_id, kind=submission.kind, signature=signature
    )
    ready = events_pb2.MessageReady(
        message_id=submission.message_id,
        kind=submission.kind,
        message_type=submission.message_type,
        enterprise_code=submission.enterprise_code,
        dxp_id=submission.dxp_id,
        documents=submission.documents,
        xml=final,
    )
    return [
        Event(f"message.signed.{submission.kind}", "MessageSigned", small.SerializeToString()),
        Event(f"message.ready.{submission.kind}", "MessageReady", ready.SerializeToString()),
    ]


def refused(submission: Submission, refusal: Refusal, at: datetime) -> Event:
    """message.refused: this message cannot go on until somebody acts."""
    body = events_pb2.MessageRefused(
        message_id=submission.message_id,
        kind=submission.kind,
        stage="sign",
        code=refusal.code,
        zh=refusal.zh,
        en=refusal.en,
        at=rfc3339(at),
    )
    return Event(f"message.refused.{submission.kind}", "MessageRefused", body.SerializeToString())
