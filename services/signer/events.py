"""Bus to use case: message.submitted.# becomes submissions that are known to come from whom they say.

A delivery that cannot be trusted (no valid actor, another tenant in the header, not our payload) has nobody to answer
to: it is raised, logged and parked by the consumer. Must never take a tenant from anything but the actor token.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext

from google.protobuf.message import DecodeError

from proto.events.v1 import events_pb2
from runtime.actor import ActorVerifier
from runtime.bus import Delivery
from runtime.errors import Problem
from services.signer.domain import BULK, INTERACTIVE, Submission, is_kind, is_uuid
from services.signer.intake import Intake, take_in
from services.signer.room import WAY, Room

QUEUE = "signer.submitted"
BINDINGS = ("message.submitted.#",)

Handle = Callable[[list[Delivery]], None]


def handler(intake: Intake, verifier: ActorVerifier, room: Room) -> Handle:
    """What the consumer calls with each batch; returns when all is queued or refused."""

    def handle(deliveries: Sequence[Delivery]) -> None:
        submissions = [submission(delivery, verifier) for delivery in deliveries]
        awaited = any(one.lane == INTERACTIVE for one in submissions)
        with room.claimed(WAY) if awaited else nullcontext():
            take_in(intake, submissions)

    return handle


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
        lane=BULK if event.bulk else INTERACTIVE,
    )


def _malformed(what: str) -> Problem:
    return Problem("malformed", f"事件的 {what} 不正确。", f"The event's {what} is not usable.")
