"""四单: filing a list also sends its order, waybill and receipt of payment where they are not yet sent.

Source: guide 002, 3.2. They go under the name of whoever files the list, which is why the kind of enterprise that may
send each of them alone is not asked for here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection

from documents import body as bodies
from documents.spec import DocumentType
from documents.xml import Transfer
from filing.context import Filing
from filing.store import links
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
    for kind, ref in doctype.companions:
        values = sorted(
            {value for row in rows for name, value in bodies.refs(doctype, row.body) if name == ref}
        )
        if not values:
            continue
        if filing.registry.get(kind) is not None:
            _file(filing, connection, actor, token, kind, ref, values, transfer)
            continue
        wanted = events_pb2.CompanionsWanted(
            kind=kind,
            ref=ref,
            values=values,
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
    _file(filing, connection, actor, token, event.kind, event.ref, list(event.values), transfer)


def _file(
    filing: Filing,
    connection: Connection,
    actor: Actor,
    token: str,
    kind: str,
    ref: str,
    values: Sequence[str],
    transfer: Transfer,
) -> None:
    doctype = filing.doctype(kind)
    if not actor.may("document.declare", kind):
        return  # a mandate for lists alone: the comparison of the four documents shows what is not sent
    rows = links.lock_linked(connection, kind, ref, values, ("checked",))
    ready = [row for row in rows if sending.judge(doctype, str(row.id), row, "declare").problem is None]
    if ready:
        sending.file(
            connection, actor, token, doctype, ready, transfer, sending.per_message_of(filing, doctype, 0)
        )
