"""What customs issues on its own account becomes documents: each message one, or one for all that share a number.

Issued documents are never edited or filed; they are found, shown, linked and exported like all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from documents import body as bodies
from documents.spec import DocumentType
from filing import ids
from filing.context import Filing
from filing.store import issued as store
from filing.store import links
from filing.usecases import consequences
from proto.events.v1 import events_pb2


def take(
    filing: Filing,
    connection: Connection,
    types: Sequence[DocumentType],
    events: Sequence[events_pb2.ReceiptArrived],
) -> list[Any]:
    """Store what came, once however often it comes; returns the changed documents."""
    heard = [_body(item) for event in events for item in event.items]
    each = [doctype for doctype in types if not doctype.merge]
    changed: list[Any] = []
    for doctype in each:
        changed += _store(filing, connection, doctype, heard)
    for doctype in types:
        if doctype.merge:
            changed += _store(filing, connection, doctype, _folded(connection, doctype, each, heard))
    return changed


def _body(item: events_pb2.ReceiptItem) -> dict[str, Any]:
    head = {**item.fields, "guid": item.guid}
    return {"head": head, "lines": [dict(line.fields) for line in item.lines]}


def _store(
    filing: Filing, connection: Connection, doctype: DocumentType, found: Sequence[dict[str, Any]]
) -> list[Any]:
    rows: dict[str, dict[str, Any]] = {}
    for body in found:
        key = bodies.natural_key(doctype, body["head"])
        settled = bool(doctype.settled_by and body["head"].get(doctype.settled_by))
        state = doctype.lifecycle.by_name["settled" if settled else "received"]
        if key:
            rows[key] = {
                "id": ids.ordered_ids(1)[0],
                "kind": doctype.kind,
                "number": bodies.number(doctype, body),
                "natural_key": key,
                "state": state.name,
                "rank": state.rank,
                "settled": state.settled,
                "created_by": consequences.CUSTOMS,
                "body": body,
            }
    changed = []
    # in the order of their keys, so that two batches never wait for each other in a circle
    for key in sorted(rows):
        row = store.upsert(
            connection, rows[key], bodies.terms(doctype, rows[key]["body"]), renew=doctype.merge
        )
        if row is not None:
            changed.append(row)
    return [*changed, *consequences.caused(filing, connection, changed)]


def _folded(
    connection: Connection,
    doctype: DocumentType,
    each: Sequence[DocumentType],
    heard: Sequence[dict[str, Any]],
) -> list[dict[str, Any]]:
    """One body for all that was ever told under each key: what was told last wins, what was not told again stays."""
    ref = next(ref for ref in doctype.refs if ref.fields == doctype.unique)
    values = {value for body in heard for name, value in bodies.refs(doctype, body) if name == ref.name}
    folded = []
    for value in sorted(values):
        rows = links.linked(connection, [item.kind for item in each], [(ref.name, value)], limit=1000)
        told = sorted((row.body for row in rows), key=lambda body: _when(doctype, body))
        head: dict[str, str] = {}
        lines: dict[tuple[tuple[str, str], ...], dict[str, str]] = {}
        for body in told:
            head |= {name: text for name, text in body["head"].items() if text}
            lines |= {tuple(sorted(line.items())): line for line in body["lines"]}
        folded.append({"head": head, "lines": list(lines.values())})
    return folded


def _when(doctype: DocumentType, body: dict[str, Any]) -> tuple[str, str]:
    return body["head"].get(doctype.told_at, ""), body["head"]["guid"]
