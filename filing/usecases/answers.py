"""What customs answers: every receipt is kept, documents move forward, numbers are filled in, others follow.

Set-based over a batch of events. The end state depends on what arrived, never on the order of arrival.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from documents.body import natural_key
from documents.groups import is_clearance
from documents.receipts import effect, is_time
from documents.refusals import of_receipt
from documents.spec import DocumentType
from documents.values import FORBIDDEN
from filing import changes, ids
from filing.context import Filing
from filing.store import receipts as store
from filing.times import SHANGHAI
from filing.usecases import consequences, issued
from proto.events.v1 import events_pb2
from runtime.outbox import Event

_CONTROL = re.compile(f"[{FORBIDDEN}]")


def arrived(
    filing: Filing, connection: Connection, events: Sequence[events_pb2.ReceiptArrived]
) -> list[Event]:
    """Messages of customs came: receipts move documents, a document takes the greatest (rank, returnTime) it has
    heard; what customs issues on its own becomes documents."""
    moved: list[Any] = []
    for root in dict.fromkeys(event.message_type for event in events):
        of_root = [event for event in events if event.message_type == root]
        types = filing.registry.answered_by(root)
        if types:
            moved += _Batch(filing, types, of_root).apply(connection, root)
        received = filing.registry.received_as(root)
        if received:
            moved += issued.take(filing, connection, received, of_root)
    return changes.changed(moved)


class _Batch:
    """The receipts of one message type in one transaction."""

    def __init__(
        self, filing: Filing, types: Sequence[DocumentType], events: Sequence[events_pb2.ReceiptArrived]
    ) -> None:
        self._filing = filing
        self._types = {doctype.kind: doctype for doctype in types}
        self._holding = {doctype.kind: doctype.lifecycle.held for doctype in types}
        self._by_others = {doctype.kind: doctype.lifecycle.by_others for doctype in types}
        self._items = [(event, item) for event in events for item in event.items]
        self._best: dict[str, dict[str, Any]] = {}
        self._told: dict[str, tuple[tuple[int, str], dict[str, Any]]] = {}
        self._held: set[str] = set()
        self._kept: dict[tuple[str, str, str, str], dict[str, Any]] = {}
        self._fills: dict[str, dict[str, str]] = {}

    def apply(self, connection: Connection, root: str) -> list[Any]:
        """Keep all, move and fill what they speak of; returns the changed documents."""
        form = next(iter(self._types.values()))
        heads = any(doctype.receipt and doctype.receipt.fills for doctype in self._types.values())
        keys = [natural_key(form, item.fields) for _, item in self._items]
        guids = [item.guid.upper() for _, item in self._items]
        known = list(store.match(connection, list(self._types), keys, guids, heads=heads))
        by_key = _last_by_key(known)
        by_guid = {row.guid: row for row in known if row.guid}
        lost = {
            item.fields.get(form.number, "")
            for (_, item), key, guid in zip(self._items, keys, guids, strict=True)
            if guid not in by_guid and key not in by_key
        } - {""}
        if lost:
            freed = store.match_freed(connection, list(self._types), sorted(lost))
            by_key |= _last_by_key(freed, self._types)
            known += freed
        ranks = {str(row.id): (row.state_rank, row.state_time) for row in known}
        for (event, item), key, guid in zip(self._items, keys, guids, strict=True):
            # a guid of ours names the document for certain, even a deleted one whose number is in use again;
            # whether a receipt repeats the guid is not stated (reference), so the business keys come second
            found = by_guid.get(guid) or by_key.get(key)
            standing = self._judge(event, found, item, guid, ranks)
            self._keep(event, item, key, found, standing)
        if self._kept:
            store.insert(connection, root, list(self._kept.values()))
        rows = {str(row.id): row for row in known}
        moved = store.apply(connection, list(self._best.values())) if self._best else []
        told = store.tell(connection, [move for _, move in self._told.values()]) if self._told else []
        # first all states and numbers, then what follows from them
        changed = [*moved, *told, *consequences.filled(self._filing, connection, rows, self._fills)]
        return [*changed, *consequences.moved(self._filing, connection, rows, moved, self._held)]

    def _judge(
        self,
        event: events_pb2.ReceiptArrived,
        row: Any,
        item: events_pb2.ReceiptItem,
        guid: str,
        ranks: dict[str, tuple[int, str]],
    ) -> str:
        """Where a receipt stands, noting the move it makes: applied, late, unknown_status or unknown_document."""
        if row is None or row.attempt == 0:
            return "unknown_document"
        if row.deleted_at is not None or row.message_id is None:
            return "late"  # deleted or edited since it was answered: that attempt is over
        doctype = self._types[row.kind]
        move = effect(doctype, item.status)
        # what is no time ranks below every time, so that nothing is stuck behind it; the code tells apart what
        # customs said at the same moment, so that the order of arrival still does not matter
        moment = item.return_time if is_time(item.return_time) else ""
        if self._of_an_earlier_attempt(row, guid, moment):
            return "late"
        self._note_numbers(doctype, row, item)
        if move.state is None:
            return "unknown_status"
        document_id = str(row.id)
        place = (move.rank, f"{moment} {item.status}")
        found = {
            "id": document_id,
            "state": move.state,
            "rank": move.rank,
            "time": place[1],
            "settled": move.settled,
            "status": item.status,
            "info": item.info,
            "cleared": event.received_at if is_clearance(doctype, move.state) else "",
        }
        if move.state in self._holding[row.kind]:
            self._held.add(document_id)
        if place <= ranks[document_id]:
            self._note_told(doctype, row, place, found)
            return "late"
        ranks[document_id] = place
        if found["cleared"] and document_id in self._best:
            found["cleared"] = self._best[document_id]["cleared"] or found["cleared"]
        self._best[document_id] = found
        return "applied"

    def _note_told(
        self, doctype: DocumentType, row: Any, place: tuple[int, str], found: dict[str, Any]
    ) -> None:
        """A document that another one moved is where customs' receipts cannot lead it; the last they say of it is
        shown all the same, whether it came before that move or after it."""
        if row.state not in self._by_others[row.kind]:
            return
        last = effect(doctype, row.customs_status).rank, row.state_time
        if place > self._told.get(found["id"], (last,))[0]:
            self._told[found["id"]] = place, found

    def _note_numbers(self, doctype: DocumentType, row: Any, item: events_pb2.ReceiptItem) -> None:
        """Numbers the receipt brings that the document does not have yet; what fits no field is only kept.

        Customs' number is customs' word: its shape is not judged, only whether a field can hold it.
        """
        if doctype.receipt is None:
            return
        for name in doctype.receipt.fills:
            value = item.fields.get(name, "").strip()
            fits = len(value) <= doctype.head_field(name).length and not _CONTROL.search(value)
            if value and fits and not row.head.get(name):
                self._fills.setdefault(str(row.id), {})[name] = value

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
            "refusal": "" if row is None else of_receipt(self._types[row.kind], item.status, item.info),
        }


def _last_by_key(rows: Sequence[Any], types: Mapping[str, DocumentType] | None = None) -> dict[str, Any]:
    """Of several revisions a receipt without a guid of ours speaks of the last one that was sent.

    types: of rows whose number was freed; their key follows from their heads.
    """
    found: dict[str, Any] = {}
    for row in rows:
        key = natural_key(types[row.kind], row.head) if types else row.natural_key
        last = found.get(key)
        if key and row.deleted_at is None and (last is None or _sent(row) > _sent(last)):
            found[key] = row
    return found


def _sent(row: Any) -> tuple[bool, int, Any]:
    return row.attempt > 0, row.revision, row.submitted_at


def _compact(moment: datetime) -> str:
    """As customs writes times: yyyyMMddHHmmssSSS."""
    return moment.strftime("%Y%m%d%H%M%S") + f"{moment.microsecond // 1000:03d}"
