"""The event that tells open pages what changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from proto.events.v1 import events_pb2
from runtime.outbox import Event


def changed(rows: Iterable[Any]) -> list[Event]:
    """One hint per kind for rows with the columns of filing.store.columns.CHANGED."""
    by_kind: dict[str, events_pb2.DocumentChanged] = {}
    for row in rows:
        message = by_kind.setdefault(row.kind, events_pb2.DocumentChanged(kind=row.kind))
        message.changes.add(
            id=str(row.id),
            number=row.number,
            state=row.state,
            customs_status=row.customs_status,
            version=row.version,
            settled=row.settled,
            return_info=row.return_info,
            updated_at=row.updated_at.isoformat(),
        )
    return [
        Event(f"document.changed.{kind}", "DocumentChanged", message.SerializeToString(), mandatory=False)
        for kind, message in by_kind.items()
    ]
