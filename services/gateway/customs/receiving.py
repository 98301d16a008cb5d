"""What arrives from customs: kept first, then understood, then told to the owners.

Nothing is ever dropped: what cannot be read or belongs to nobody here is kept with the reason. Reading happens in
memory, keeping and telling in one commit per tenant and batch; only after it the source may forget.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from prometheus_client import Counter
from sqlalchemy import Connection

from documents.registry import REGISTRY
from proto.events.v1 import events_pb2
from runtime import crash, log, outbox
from runtime.actor import UNASSIGNED_TENANT, Actor, ActorSigner
from runtime.db import Database
from runtime.errors import Problem
from services.gateway.customs import ceb, envelope, platform_errors, store
from services.gateway.customs.channels.base import Arrival
from services.gateway.customs.intake import refused_event
from services.gateway.customs.safexml import Unreadable, one_line

_LOG = log.get("customs.receiving")
_ARRIVED = Counter(
    "customs_receipts_total", "Envelopes from customs by what became of them", ["source", "state"]
)

#: the acting "user" of everything customs says
SYSTEM_USER = "00000000-0000-0000-0000-000000000001"
#: bytes of raw receipts in one transaction
BATCH_BYTES = 16 * 1024 * 1024
#: messages whose owner must be there to hear of them: what the services that own documents bind to. Others are told
#: as hints; they are kept all the same, but a type nobody owns must not hold up the relay for everybody.
OWNED = frozenset(REGISTRY.heard())
#: bytes of one event, unless a single item is larger: a document of customs' own may have very many lines
EVENT_BYTES = 1024 * 1024
#: format check failure of a whole message; has no owner, since nobody can say which document it is about
FORMAT_FAILURE = "CEB900Message"
_INTERNAL = store.Refusal(
    "internal",
    "回执处理时发生内部错误，原文已保存，请联系运维人员。",
    "An internal error stopped this receipt; its bytes are kept. Please tell the operators.",
)


@dataclass(frozen=True, slots=True)
class _Read:
    """One arrival, understood as far as possible."""

    receipt: store.RawReceipt
    receivers: tuple[str, ...]
    content: ceb.Receipt | envelope.DxpRep | None


class Receiver:
    """Takes batches from all sources. Safe for several threads: its parts are."""

    def __init__(
        self,
        database: Database,
        signer: ActorSigner,
        known: ceb.Reader | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._signer = signer
        self._known = known or ceb.reader()
        self._clock = clock

    def take(self, arrivals: Sequence[Arrival]) -> None:
        """Commit all of them. Raises Problem "unavailable" or "conflict" if the database is away: call again."""
        now = self._clock()
        for batch in _by_size([_read(arrival, now, self._known) for arrival in arrivals]):
            self._take(batch)
        crash.point("receipts.committed")

    def hand_over(self, parked: store.RawReceipt) -> bool:
        """Give a parked receipt to its receiver if there is one now; False if there still is none."""
        read = _read(Arrival(parked.source, parked.name, parked.raw), parked.received_at, self._known)
        if not any(self.tenants_of(dxp_id) for dxp_id in read.receivers):
            return False
        self._take([replace(read, receipt=replace(read.receipt, times=parked.times))])
        return True

    def _take(self, batch: Sequence[_Read]) -> None:
        found = {
            dxp_id: self.tenants_of(dxp_id) for dxp_id in {one for read in batch for one in read.receivers}
        }
        tenants: dict[tuple[str, str], list[_Read]] = {}
        for read in batch:
            owners = {owner for dxp_id in read.receivers for owner in found[dxp_id]}
            if not owners:
                tenants.setdefault((UNASSIGNED_TENANT, ""), []).append(_unassigned(read))
            for owner in owners:
                # an envelope may name several receivers: each gets a copy of its own
                copy = replace(read.receipt, id=str(uuid.uuid4())) if len(owners) > 1 else read.receipt
                tenants.setdefault(owner, []).append(replace(read, receipt=copy))
        for (tenant, code), reads in tenants.items():
            self._commit(tenant, code, reads)

    def tenants_of(self, dxp_id: str) -> list[tuple[str, str]]:
        """(tenant, enterprise code) of the one enterprise with this id; empty if there is none, or more than one."""
        with self._database.transaction(None) as connection:
            owners = store.receivers(connection, dxp_id)
        if len({tenant for tenant, _ in owners}) > 1:
            # one id is one enterprise; whose it is must be cleared up by a person
            _LOG.error("receiver.ambiguous", dxp_id=dxp_id, tenants=sorted(tenant for tenant, _ in owners))
            return []
        return owners[:1]

    def _commit(self, tenant: str, code: str, reads: Sequence[_Read]) -> None:
        try:
            self._keep_and_tell(tenant, code, reads)
        except Problem:
            raise
        except Exception:  # noqa: BLE001 - a receipt that breaks us must neither be lost nor stop the others
            _LOG.exception("receipts.batch_failed", size=len(reads))
            if len(reads) > 1:
                for read in reads:
                    self._commit(tenant, code, [read])
            else:
                self._keep_bare(tenant, reads[0])

    def _keep_and_tell(self, tenant: str, code: str, reads: Sequence[_Read]) -> None:
        with self._database.transaction(tenant) as connection:
            new = store.keep(connection, tenant, [read.receipt for read in reads])
            events: list[outbox.Event] = []
            for read in reads:
                if read.receipt.id in new:
                    events.extend(self._tell(connection, tenant, read))
            if events:
                outbox.add(connection, tenant, self._signer.token(_actor(tenant, code)), events)
            crash.point("receipts.stored.before-commit")
        for read in reads:
            state = read.receipt.state if read.receipt.id in new else "double"
            _ARRIVED.labels(read.receipt.source, state).inc()

    def _tell(self, connection: Connection, tenant: str, read: _Read) -> Iterable[outbox.Event]:
        if isinstance(read.content, ceb.Receipt):
            told = _arrived(read.receipt, read.content)
            return told + self._stop(connection, tenant, read.receipt, _format_failures(read.content))
        if isinstance(read.content, envelope.DxpRep):
            return self._stop(connection, tenant, read.receipt, _platform_refusals(read.content))
        return []

    def _stop(
        self,
        connection: Connection,
        tenant: str,
        receipt: store.RawReceipt,
        answers: Sequence[tuple[str, store.Refusal | None]],
    ) -> list[outbox.Event]:
        """Whole messages of ours were not taken (CopMsgId, reason): they stop here until somebody acts."""
        events: list[outbox.Event] = []
        unknown: list[str] = []
        for cop_msg_id, reason in answers:
            message_id = _uuid(cop_msg_id)
            if message_id is None or not store.known(connection, tenant, message_id):
                unknown.append(cop_msg_id)
            elif reason is not None:
                outcome = store.refuse(connection, tenant, message_id, reason)
                if outcome is not None:
                    events.append(
                        refused_event(outcome.message_id, outcome.kind, reason, receipt.received_at)
                    )
        if unknown:
            names = one_line("、".join(unknown))
            reason = store.Refusal(
                "no-such-message",
                f"没有编号为 {names} 的已发送报文。",
                f"Nothing was sent from here under {names}.",
            )
            store.set_state(connection, tenant, receipt.id, "unmatched", reason)
        return events

    def _keep_bare(self, tenant: str, read: _Read) -> None:
        """The last resort: only the bytes. If not even that works it is for the source to wait and try again."""
        bare = replace(
            read.receipt, state="unreadable", reason=_INTERNAL, name="", message_type="", receiver=""
        )
        try:
            with self._database.transaction(tenant) as connection:
                store.keep(connection, tenant, [bare])
        except Problem:
            raise
        except Exception as exc:  # never acknowledged, so never lost
            _LOG.exception("receipts.not_kept")
            raise Problem("unavailable", "回执暂时无法保存。", "The receipt cannot be kept for now.") from exc


def _read(arrival: Arrival, now: datetime, known: ceb.Reader) -> _Read:
    receipt = store.RawReceipt(
        id=str(uuid.uuid4()),
        raw=arrival.raw,
        source=arrival.source,
        name=arrival.name,
        message_type="",
        receiver="",
        state="parsed",
        reason=None,
        received_at=now,
    )
    try:
        return _understand(receipt, known)
    except Exception:  # noqa: BLE001 - whatever hostile bytes do to us, they are kept
        _LOG.exception("receipts.reading_failed", name=arrival.name)
        return _Read(replace(receipt, state="unreadable", reason=_INTERNAL), (), None)


def _understand(receipt: store.RawReceipt, known: ceb.Reader) -> _Read:
    try:
        opened = envelope.read(receipt.raw)
    except Unreadable as exc:
        return _Read(_unreadable(receipt, exc), (), None)
    if isinstance(opened, envelope.DxpRep):
        receipt = replace(receipt, message_type="DxpRep", receiver=opened.receiver)
        return _Read(receipt, (opened.receiver,), opened)
    receivers = opened.head.receivers
    receipt = replace(receipt, message_type=opened.head.message_type, receiver=" ".join(receivers))
    try:
        content = ceb.read(opened.data, known)
    except Unreadable as exc:
        return _Read(_unreadable(receipt, exc), receivers, None)
    # the root says what it is; the envelope only claims
    kept = replace(receipt, message_type=content.message_type, reason=_note(content))
    return _Read(kept, receivers, content)


def _note(content: ceb.Receipt) -> store.Refusal | None:
    """What is worth knowing of a receipt that was understood all the same."""
    if not content.written_as:
        return None
    return store.Refusal(
        "root-spelling",
        f"根节点写作 {content.written_as}，按 {content.message_type} 处理。",
        f"The root is written {content.written_as}; it was read as {content.message_type}.",
    )


def _unreadable(receipt: store.RawReceipt, exc: Unreadable) -> store.RawReceipt:
    return replace(receipt, state="unreadable", reason=store.Refusal(exc.code, exc.zh, exc.en))


def _unassigned(read: _Read) -> _Read:
    """For nobody here. What could be read waits for its receiver to be set up; the rest keeps its own reason."""
    if not read.receivers:
        return read
    named = "、".join(read.receivers)
    reason = store.Refusal(
        "unknown-receiver",
        f"没有企业使用传输编号 {named}；登记该企业后将自动交付。",
        f"No enterprise here has transmission ID {named}; it will be delivered once one is set up.",
    )
    return replace(read, receipt=replace(read.receipt, state="unassigned", reason=reason), content=None)


def _arrived(receipt: store.RawReceipt, content: ceb.Receipt) -> list[outbox.Event]:
    return [
        outbox.Event(
            f"receipt.arrived.{content.message_type}",
            "ReceiptArrived",
            events_pb2.ReceiptArrived(
                raw_id=receipt.id,
                message_type=content.message_type,
                received_at=receipt.received_at.isoformat(),
                items=items,
            ).SerializeToString(),
            content.message_type in OWNED,
        )
        for items in _portions([_told(item) for item in content.items])
    ]


def _told(item: ceb.Item) -> events_pb2.ReceiptItem:
    return events_pb2.ReceiptItem(
        guid=item.guid,
        status=item.status,
        return_time=item.return_time,
        info=item.info,
        fields=item.fields,
        lines=[events_pb2.Line(fields=line) for line in item.lines],
    )


def _portions(items: Sequence[events_pb2.ReceiptItem]) -> Iterable[list[events_pb2.ReceiptItem]]:
    """What travels in one event: up to MAX_ITEMS items and EVENT_BYTES."""
    portion: list[events_pb2.ReceiptItem] = []
    size = 0
    for item in items:
        if portion and (len(portion) == ceb.MAX_ITEMS or size + item.ByteSize() > EVENT_BYTES):
            yield portion
            portion, size = [], 0
        portion.append(item)
        size += item.ByteSize()
    if portion:
        yield portion


def _platform_refusals(answer: envelope.DxpRep) -> list[tuple[str, store.Refusal | None]]:
    return [(one.original.cop_msg_id, _platform_refusal(one)) for one in answer.responses]


def _format_failures(content: ceb.Receipt) -> list[tuple[str, store.Refusal | None]]:
    if content.message_type != FORMAT_FAILURE:
        return []
    return [(item.fields.get("oriCopMsgId", ""), _format_failure(item)) for item in content.items]


def _format_failure(item: ceb.Item) -> store.Refusal | None:
    if not item.status.startswith("-"):
        return None  # only a negative status is a failure
    words = one_line(item.info, 1000)
    return store.Refusal(
        f"format{item.status}"[:40],
        f"海关退回整份报文，格式校验未通过（{item.status}）：{words or '未说明原因'}。请更正后重新申报。",
        f"Customs refused the whole message in its format check ({item.status}): {words or 'no reason given'}. "
        "Correct it and declare again.",
    )


def _platform_refusal(response: envelope.Response) -> store.Refusal | None:
    if not platform_errors.is_error(response.code):
        return None
    zh, en = platform_errors.meaning(response.code)
    words = one_line(response.info, 1000)
    return store.Refusal(
        f"platform-{response.code}",
        f"数据交换平台退回报文（{response.code} {zh}）：{words or '平台未说明原因'}。请更正后重新申报。",
        f"The exchange platform refused the message ({response.code} {en}): {words or 'no reason given'}. "
        "Correct it and declare again.",
    )


def _actor(tenant: str, code: str) -> Actor:
    return Actor(
        tenant_id=tenant,
        enterprise_code=code,
        user_id=SYSTEM_USER,
        user_name="海关回执",
        roles=("system",),
        permissions=("receipt.apply",),
    )


def _uuid(text: str) -> str | None:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return None


def _by_size(reads: Sequence[_Read]) -> Iterable[list[_Read]]:
    batch: list[_Read] = []
    size = 0
    for read in reads:
        if batch and size + len(read.receipt.raw) > BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(read)
        size += len(read.receipt.raw)
    if batch:
        yield batch
