"""Second half of sending: takes what is due on one channel from the database, sends it, records that it was sent.

Must never acknowledge what the channel did not confirm, and never send other bytes than the frozen ones. A lost
answer is no special case: the message is sent again as it is, and known to the other side by its CopMsgId (these
channels offer no query to ask first).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from prometheus_client import Counter

from proto.events.v1 import events_pb2
from runtime import crash, log, outbox
from runtime.actor import ActorVerifier
from runtime.bus import Delivery
from runtime.db import Database
from runtime.errors import Problem
from services.gateway.customs import store
from services.gateway.customs.channels.base import Channel, ChannelFailed, Parcel
from services.gateway.customs.circuit import Circuit
from services.gateway.customs.intake import verified_tenant

_LOG = log.get("customs.lane")
_SENT = Counter("customs_sent_total", "Envelopes confirmed by a channel", ["channel"])
_FAILED = Counter("customs_send_failures_total", "Batches a channel did not confirm", ["channel"])

#: bytes of envelopes in memory at once
BATCH_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Due:
    tenant: str
    token: str
    message_id: str
    size: int


class Lane:
    """Handles transmission.due.<channel>."""

    def __init__(
        self,
        channel: Channel,
        database: Database,
        verifier: ActorVerifier,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._channel = channel
        self._database = database
        self._verifier = verifier
        self._clock = clock
        self.circuit = Circuit()

    def handle(self, deliveries: Sequence[Delivery]) -> None:
        """Send all of the batch that is not sent yet. Raises Problem "unavailable" while the channel is away:
        the consumer then comes back with the same batch, and finds what got through already recorded."""
        for chunk in _chunks(self._due(deliveries)):
            done = 0
            while done < len(chunk):
                admitted = self.circuit.admits(len(chunk) - done)
                if not admitted:
                    raise self._unavailable()
                self._send(chunk[done : done + admitted])
                done += admitted

    def check(self) -> None:
        """Raise if the channel cannot take anything now."""
        if self.circuit.open:
            raise ChannelFailed(self.circuit.reason)
        self._channel.check()

    def close(self) -> None:
        """Let go of the channel."""
        self._channel.close()

    def _due(self, deliveries: Sequence[Delivery]) -> list[_Due]:
        tenants: dict[str, dict[str, str]] = {}
        for delivery in deliveries:
            tenant = verified_tenant(self._verifier, delivery)
            message_id = events_pb2.MessageReady.FromString(delivery.body).message_id
            tenants.setdefault(tenant, {}).setdefault(message_id, delivery.actor)
        due = []
        for tenant, tokens in tenants.items():
            with self._database.transaction(tenant) as connection:
                found = store.sizes(connection, tenant, tokens)
            for message_id, token in tokens.items():
                if message_id not in found:
                    # cannot happen while both live in one database: kept in the parking queue for a person
                    raise Problem(
                        "not_found", f"没有消息 {message_id}。", f"There is no message {message_id}."
                    )
                state, size = found[message_id]
                if state in ("sending", "waiting"):
                    due.append(_Due(tenant, token, message_id, size))
        return due

    def _send(self, chunk: Sequence[_Due]) -> None:
        bodies: dict[str, bytes] = {}
        for tenant, ids in _by_tenant(chunk).items():
            with self._database.transaction(tenant) as connection:
                bodies |= store.envelopes(connection, tenant, ids)
        parcels = [
            Parcel(one.message_id, bodies[one.message_id]) for one in chunk if one.message_id in bodies
        ]
        crash.point("transmit.send.before")
        try:
            self._channel.send(parcels)
        except ChannelFailed as exc:
            self.circuit.failed(str(exc))
            _FAILED.labels(self._channel.name).inc()
            _LOG.warning("lane.failed", channel=self._channel.name, reason=str(exc), open=self.circuit.open)
            self._record_waiting(chunk, str(exc))
            raise self._unavailable() from exc
        self.circuit.succeeded()
        crash.point("transmit.sent")
        self._record_sent(chunk)
        crash.point("transmit.outcome.committed")
        _SENT.labels(self._channel.name).inc(len(parcels))

    def _record_sent(self, chunk: Sequence[_Due]) -> None:
        now = self._clock()
        tokens = {one.message_id: one.token for one in chunk}
        for tenant, ids in _by_tenant(chunk).items():
            with self._database.transaction(tenant) as connection:
                events: dict[str, list[outbox.Event]] = {}
                for outcome in store.sent(connection, tenant, ids, now):
                    event = _sent_event(outcome, self._channel.name, now)
                    events.setdefault(tokens[outcome.message_id], []).append(event)
                for token, told in events.items():
                    outbox.add(connection, tenant, token, told)
                crash.point("transmit.outcome.before-commit")

    def _record_waiting(self, chunk: Sequence[_Due], why: str) -> None:
        reason = store.Refusal(
            "channel-unavailable",
            f"海关通道（{self._channel.name}）暂时不可用：{why}。系统将自动重发，无需处理。",
            f"The channel to customs ({self._channel.name}) is unavailable: {why}. It will be sent automatically.",
        )
        for tenant, ids in _by_tenant(chunk).items():
            with self._database.transaction(tenant) as connection:
                store.waiting(connection, tenant, ids, reason)

    def _unavailable(self) -> Problem:
        reason = self.circuit.reason
        return Problem(
            "unavailable",
            f"海关通道（{self._channel.name}）暂时不可用：{reason}",
            f"channel {self._channel.name} is unavailable: {reason}",
        )


def _chunks(due: Sequence[_Due]) -> Iterator[list[_Due]]:
    chunk: list[_Due] = []
    size = 0
    for one in due:
        if chunk and size + one.size > BATCH_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append(one)
        size += one.size
    if chunk:
        yield chunk


def _by_tenant(chunk: Sequence[_Due]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in chunk:
        found.setdefault(one.tenant, []).append(one.message_id)
    return found


def _sent_event(outcome: store.Outcome, channel: str, at: datetime) -> outbox.Event:
    body = events_pb2.MessageSent(
        message_id=outcome.message_id, kind=outcome.kind, channel=channel, sent_at=at.isoformat()
    )
    return outbox.Event(f"message.sent.{outcome.kind}", "MessageSent", body.SerializeToString())
