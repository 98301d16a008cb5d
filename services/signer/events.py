"""Bus to use case: message.submitted.# becomes submissions that are known to come from whom they say.

A delivery that cannot be trusted (no valid actor, another tenant in the header, not our payload) has nobody to answer
to: it is raised, logged and parked by the consumer. Must never take a tenant from anything but the actor token.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from google.protobuf.message import DecodeError
from kombu import Exchange

from proto.events.v1 import events_pb2
from runtime.actor import ActorVerifier
from runtime.bus import Bus, Delivery, Message, PublishFailed
from runtime.errors import Problem, unavailable
from services.signer.domain import Submission, is_kind, is_uuid
from services.signer.signing import Deferred, Signing, sign_messages

QUEUE = "signer.submitted"
BINDINGS = ("message.submitted.#",)
_DIRECT = Exchange("")

Handle = Callable[[list[Delivery]], None]


def waiting_queue(device: str) -> str:
    """The queue of messages whose device is down; whoever is in it holds up nobody else."""
    return f"signer.waiting.{device}"


def handler(signing: Signing, verifier: ActorVerifier, bus: Bus) -> Handle:
    """What the consumer calls with each batch; returns when all is committed or stands in a waiting queue."""

    def handle(deliveries: Sequence[Delivery]) -> None:
        deferred = sign_messages(signing, [submission(delivery, verifier) for delivery in deliveries])
        if deferred:
            _put_aside(bus, deliveries, deferred)

    return handle


def waiting_handler(signing: Signing, verifier: ActorVerifier) -> Handle:
    """For a waiting queue: the batch stays in hand until its device is back."""

    def handle(deliveries: Sequence[Delivery]) -> None:
        deferred = sign_messages(signing, [submission(delivery, verifier) for delivery in deliveries])
        if deferred:
            raise unavailable("签名设备", "The signing device")

    return handle


def _put_aside(bus: Bus, deliveries: Sequence[Delivery], deferred: Sequence[Deferred]) -> None:
    """The same deliveries, headers and all, into the queue of their device; their ids still tell repeats apart."""
    device = {item.submission.event_id: item.device for item in deferred}
    try:
        bus.publish_many(
            [
                Message(waiting_queue(device[delivery.id]), delivery.headers, delivery.body)
                for delivery in deliveries
                if delivery.id in device
            ],
            _DIRECT,
        )
    except PublishFailed as exc:
        raise unavailable("消息总线", "The bus") from exc


def submission(delivery: Delivery, verifier: ActorVerifier) -> Submission:
    """One delivery as a submission. Raises Problem unauthenticated, forbidden or malformed."""
    actor = verifier.verify(delivery.headers.get("actor", ""), event=True)
    if delivery.headers.get("tenant") != actor.tenant_id:
        raise Problem(
            "forbidden",
            "事件头中的租户与操作人所属租户不一致。",
            "The event's tenant header differs from the tenant in its actor token.",
        )
    try:
        event = events_pb2.MessageSubmitted.FromString(delivery.body)
    except DecodeError as exc:
        raise _malformed("body") from exc
    if not is_uuid(delivery.headers.get("id", "")):
        raise _malformed("id")
    if not is_uuid(event.message_id):
        raise _malformed("message_id")
    if not is_kind(event.kind):
        raise _malformed("kind")
    return Submission(
        event_id=delivery.id,
        actor=actor,
        actor_token=delivery.actor,
        message_id=event.message_id,
        kind=event.kind,
        message_type=event.message_type,
        enterprise_code=event.enterprise_code,
        dxp_id=event.dxp_id,
        documents=len(event.document_ids),
        xml=event.xml,
    )


def _malformed(what: str) -> Problem:
    return Problem("malformed", f"事件的 {what} 不正确。", f"The event's {what} is not usable.")
