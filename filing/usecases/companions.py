"""四单: filing a list also sends its order, waybill and receipt of payment where they are not yet sent.

Source: guide 002, 3.2. They go under the name of whoever files the list, which is why the kind of enterprise that may
send each of them alone is not asked for here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from documents import body as bodies
from documents.spec import DocumentType
from documents.xml import Transfer
from filing.context import Filing
from filing.store import documents as store
from filing.store import links, receipts
from filing.usecases import sending
from proto.events.v1 import events_pb2
from runtime import outbox
from runtime.actor import Actor
from runtime.outbox import Event


def file(
    filing: Filing,
    connection: Connection,
    actor: Actor,
    token: str,
    doctype: DocumentType,
    rows: Sequence[Any],
    transfer: Transfer,
) -> None:
    """File what goes along with these documents: here what this service keeps, by an event what another one does."""
    events: list[Event] = []
    for item in doctype.companions:
        heads = {
            value: row.body["head"]
            for row in rows
            for name, value in bodies.refs(doctype, row.body)
            if name == item.ref
        }
        if not heads:
            continue
        kind = item.kind
        if filing.registry.get(kind) is not None:
            names = {
                value: {name: head.get(name, "") for name in item.names} for value, head in heads.items()
            }
            _file(filing, connection, actor, token, kind, item.ref, names, transfer)
            continue
        wanted = events_pb2.CompanionsWanted(
            kind=kind,
            ref=item.ref,
            values=sorted(heads),
            enterprise_code=transfer.cop_code,
            enterprise_name=transfer.cop_name,
            dxp_id=transfer.dxp_id,
        )
        events.append(Event(f"companions.wanted.{kind}", "CompanionsWanted", wanted.SerializeToString()))
    outbox.add(connection, actor.tenant_id, token, events)


def wanted(
    filing: Filing,
    connection: Connection,
    actor: Actor,
    token: str,
    event: events_pb2.CompanionsWanted,
) -> None:
    """Another service filed documents that ours go along with."""
    transfer = Transfer(event.enterprise_code, event.enterprise_name, event.dxp_id)
    names: dict[str, dict[str, str]] = {value: {} for value in event.values}
    _file(filing, connection, actor, token, event.kind, event.ref, names, transfer)


def _file(
    filing: Filing,
    connection: Connection,
    actor: Actor,
    token: str,
    kind: str,
    ref: str,
    names: Mapping[str, Mapping[str, str]],
    transfer: Transfer,
) -> None:
    """names: by the value that links it, what a document takes over where it leaves it empty."""
    doctype = filing.doctype(kind)
    if not actor.may("document.declare", kind):
        return  # a mandate for lists alone: the comparison of the four documents shows what is not sent
    rows = links.lock_linked(connection, kind, ref, sorted(names), ("checked",))
    rows = _named(connection, actor, doctype, ref, names, rows)
    ready = [row for row in rows if sending.judge(doctype, str(row.id), row, "declare").problem is None]
    if ready:
        sending.file(
            connection, actor, token, doctype, ready, transfer, sending.per_message_of(filing, doctype, 0)
        )


def _named(
    connection: Connection,
    actor: Actor,
    doctype: DocumentType,
    ref: str,
    names: Mapping[str, Mapping[str, str]],
    rows: Sequence[Any],
) -> Sequence[Any]:
    """The documents, saying who files them; those that did not are completed, which their timeline tells."""
    patches: dict[str, dict[str, str]] = {}
    for row in rows:
        values = [value for name, value in bodies.refs(doctype, row.body) if name == ref and value in names]
        wanted = names[values[0]] if values else {}
        lacking = {name: text for name, text in wanted.items() if text and not row.body["head"].get(name)}
        if lacking:
            patches[str(row.id)] = lacking
    if not patches:
        return rows
    receipts.fill(connection, patches)
    for document_id, patch in patches.items():
        store.add_events(connection, [document_id], "completed", actor.label, patch)
    found = store.lock(connection, doctype.kind, [str(row.id) for row in rows])
    return list(found.values())
