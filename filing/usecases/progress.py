"""What happens to filed documents: signed, sent, refused, answered. Set-based over a batch of events; forward only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from documents.body import natural_key
from documents.receipts import effect, is_time
from documents.spec import CUSTOMS_RANK, DocumentType
from filing import changes, ids
from filing.context import Filing
from filing.store import messages
from filing.store import receipts as store
from filing.usecases.submit import SHANGHAI
from proto.events.v1 import events_pb2
from runtime.outbox import Event


def signed(filing: Filing, connection: Connection, events: Sequence[events_pb2.MessageSigned]) -> list[Event]:
    """Signatures were made: recorded, the documents move on."""
    rows = []
    for event in events:
        s = event.signature
        rows.append(
            (
                event.message_id,
                {
                    "key_id": s.key_id,
                    "key_label": s.key_label,
                    "device": s.device,
                    "algorithm": s.algorithm,
                    "certificate_serial": s.certificate_serial,
                    "signed_at": s.signed_at,
                    "hardware": s.hardware,
                },
            )
        )
    messages.signed(connection, rows)
    return _advance(filing, connection, events, "signed")


def sent(filing: Filing, connection: Connection, events: Sequence[events_pb2.MessageSent]) -> list[Event]:
    """Messages left for customs."""
    messages.sent(connection, [(event.message_id, event.channel, event.sent_at) for event in events])
    return _advance(filing, connection, events, "sent")


def _advance(filing: Filing, connection: Connection, events: Sequence[Any], state: str) -> list[Event]:
    moved: list[Any] = []
    for kind in {event.kind for event in events}:
        rank = filing.doctype(kind).lifecycle.by_name[state].rank
        ids_of_kind = [event.message_id for event in events if event.kind == kind]
        moved += messages.advance(connection, ids_of_kind, state, rank)
    return changes.changed(moved)


def refused(
    filing: Filing, connection: Connection, events: Sequence[events_pb2.MessageRefused]
) -> list[Event]:
    """A message cannot go on: its documents go back to people, with the reason."""
    moved: list[Any] = []
    for event in events:
        refusal = {"stage": event.stage, "code": event.code, "zh": event.zh, "en": event.en, "at": event.at}
        messages.refused(connection, event.message_id, refusal)
        life = filing.doctype(event.kind).lifecycle
        state = life.by_name["checked" if event.stage == "sign" else "send_failed"]
        moved += messages.send_back(
            connection, event.message_id, state.name, state.rank, event.zh[:1000], CUSTOMS_RANK
        )
    return changes.changed(moved)


def arrived(
    filing: Filing, connection: Connection, events: Sequence[events_pb2.ReceiptArrived]
) -> list[Event]:
    """Receipts came: every one is kept; a document takes the greatest (rank, returnTime) it has heard."""
    moved: list[Any] = []
    for root in dict.fromkeys(event.message_type for event in events):
        types = filing.registry.answered_by(root)
        if types:
            batch = _Batch(filing, types, [event for event in events if event.message_type == root])
            moved += batch.apply(connection, root)
    return changes.changed(moved)


class _Batch:
    """The receipts of one message type in one transaction."""

    def __init__(
        self, filing: Filing, types: Sequence[DocumentType], events: Sequence[events_pb2.ReceiptArrived]
    ) -> None:
        self._filing = filing
        self._types = {doctype.kind: doctype for doctype in types}
        self._items = [(event, item) for event in events for item in event.items]
        self._best: dict[str, dict[str, Any]] = {}
        self._kept: dict[tuple[str, str, str, str], dict[str, Any]] = {}

    def apply(self, connection: Connection, root: str) -> Sequence[Any]:
        form = next(iter(self._types.values()))
        keys = [natural_key(form, item.fields) for _, item in self._items]
        guids = [item.guid.upper() for _, item in self._items]
        known = store.match(connection, list(self._types), keys, guids)
        by_key = {row.natural_key: row for row in known if row.deleted_at is None}
        by_guid = {row.guid: row for row in known if row.guid}
        ranks = {str(row.id): (row.state_rank, row.state_time) for row in known}
        for (event, item), key, guid in zip(self._items, keys, guids, strict=True):
            # a guid of ours names the document for certain, even a deleted one whose number is in use again;
            # whether a receipt repeats the guid is not stated (reference), so the business keys come second
            row = by_guid.get(guid) or by_key.get(key)
            standing = self._judge(row, item, guid, ranks)
            self._keep(event, item, key, row, standing)
        if self._kept:
            store.insert(connection, root, list(self._kept.values()))
        return store.apply(connection, list(self._best.values())) if self._best else []

    def _judge(
        self, row: Any, item: events_pb2.ReceiptItem, guid: str, ranks: dict[str, tuple[int, str]]
    ) -> str:
        """Where a receipt stands, noting the move it makes: applied, late, unknown_status or unknown_document."""
        if row is None or row.attempt == 0:
            return "unknown_document"
        if row.deleted_at is not None or row.message_id is None:
            return "late"  # deleted or edited since it was answered: that attempt is over
        move = effect(self._types[row.kind], item.status)
        if move.state is None:
            return "unknown_status"
        document_id = str(row.id)
        # what is no time ranks below every time, so that nothing is stuck behind it; the code tells apart what
        # customs said at the same moment, so that the order of arrival still does not matter
        moment = item.return_time if is_time(item.return_time) else ""
        place = (move.rank, f"{moment} {item.status}")
        if self._of_an_earlier_attempt(row, guid, moment) or place <= ranks[document_id]:
            return "late"
        ranks[document_id] = place
        self._best[document_id] = {
            "id": document_id,
            "state": move.state,
            "rank": move.rank,
            "time": place[1],
            "settled": move.settled,
            "status": item.status,
            "info": item.info,
        }
        return "applied"

    def _of_an_earlier_attempt(self, row: Any, guid: str, return_time: str) -> bool:
        if guid == row.guid:
            return False
        if guid in {ids.guid_of(str(row.id), attempt) for attempt in range(1, row.attempt)}:
            return True
        # a guid of customs' own making: only the time tells. The tolerance for unequal clocks is assumed.
        earliest = row.submitted_at.astimezone(SHANGHAI) - timedelta(seconds=self._filing.clock_tolerance_s)
        return return_time < _compact(earliest)

    def _keep(
        self,
        event: events_pb2.ReceiptArrived,
        item: events_pb2.ReceiptItem,
        key: str,
        row: Any,
        standing: str,
    ) -> None:
        # cut to what an index can hold: one monstrous item must not stop the others of its message
        same = (key[:300], item.guid[:60], item.status[:20], item.return_time[:30])
        if same in self._kept:
            self._kept[same]["times"] += 1
            return
        self._kept[same] = {
            "id": ids.new_id(),
            "document": str(row.id) if row is not None else None,
            **dict(zip(("natural_key", "guid", "status", "return_time"), same, strict=True)),
            "info": item.info,
            "fields": dict(item.fields),
            "raw": event.raw_id,
            "received": event.received_at,
            "standing": standing,
            "times": 1,
        }


def _compact(moment: datetime) -> str:
    """As customs writes times: yyyyMMddHHmmssSSS."""
    return moment.strftime("%Y%m%d%H%M%S") + f"{moment.microsecond // 1000:03d}"
