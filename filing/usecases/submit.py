"""提交海关: documents become customs messages, stored together with the event that asks for their signature."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from documents import xml
from documents.check import checker
from documents.spec import DocumentType
from filing import changes, ids
from filing.context import Filing
from filing.store import documents as store
from filing.store import messages
from filing.usecases.content import Result, details, refusal
from proto.events.v1 import events_pb2
from runtime import crash, outbox
from runtime.actor import Actor
from runtime.errors import Problem, not_found
from runtime.outbox import Event

SHANGHAI = ZoneInfo("Asia/Shanghai")
#: characters; a hundred documents of a hundred lines of long texts would exceed what signer and bus take at once
MESSAGE_TEXT = 2_000_000


def declare(
    filing: Filing,
    actor: Actor,
    token: str,
    kind: str,
    document_ids: Sequence[str],
    transfer: xml.Transfer,
    documents_per_message: int = 0,
) -> list[Result]:
    """File documents of one kind; an answer per document, in the order asked.

    What may be filed becomes messages of up to `documents_per_message` documents: canonical bytes, state signing and
    the outbox row in one commit. Whatever dies afterwards, the message will be signed and sent once.
    """
    doctype = filing.doctype(kind)
    actor.require("document.declare", kind)
    per_message = documents_per_message or filing.documents_per_message
    if not 1 <= per_message <= doctype.message.max_documents:
        limit = doctype.message.max_documents
        raise Problem(
            "invalid", f"每个报文的单据数须为 1 至 {limit}。", f"Documents per message must be 1 to {limit}."
        )
    with filing.database.transaction(actor.tenant_id) as connection:
        known = store.lock(connection, kind, document_ids)
        results = {
            document_id: _judge(doctype, document_id, known.get(document_id)) for document_id in document_ids
        }
        ready = [known[result.id] for result in results.values() if result.problem is None]
        if ready:
            built = _build(doctype, ready, actor, transfer, per_message)
            state = doctype.lifecycle.by_name["signing"]
            messages.insert(connection, built.rows)
            changed = messages.submit(connection, state.name, state.rank, actor.label, built.riders)
            outbox.add(connection, actor.tenant_id, token, [*built.events, *changes.changed(changed)])
            for row in changed:
                results[str(row.id)].state = row.state
            crash.point("order.submit.before-commit")
    crash.point("order.submit.committed")
    return list(results.values())


def _judge(doctype: DocumentType, document_id: str, row: Any) -> Result:
    if row is None:
        return Result(document_id, problem=not_found())
    result = Result(document_id, row.number, row.state, refusal(doctype, "declare", row.state))
    if result.problem is None:
        wrongs = checker(doctype).wrongs(row.body)
        if wrongs:
            result.problem = Problem(
                "invalid",
                f"有 {len(wrongs)} 处内容不完整或不正确，请修改后再提交。",
                f"{len(wrongs)} values are missing or wrong; correct them before submitting.",
                details(wrongs),
            )
    return result


class _Built:
    """Rows for the message table, riders (document, attempt, guid, message) and events, made in one pass."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.riders: list[tuple[str, int, str, str]] = []
        self.events: list[Event] = []


@dataclass(frozen=True, slots=True)
class _Node:
    """One document as it stands in a message."""

    id: str
    attempt: int
    guid: str
    xml: str


def _chunks(nodes: Sequence[_Node], per_message: int) -> Iterator[list[_Node]]:
    """What rides in one message: up to `per_message` documents, and no more text than MESSAGE_TEXT if it can be."""
    chunk: list[_Node] = []
    size = 0
    for node in nodes:
        if chunk and (len(chunk) == per_message or size + len(node.xml) > MESSAGE_TEXT):
            yield chunk
            chunk, size = [], 0
        chunk.append(node)
        size += len(node.xml)
    if chunk:
        yield chunk


def _build(
    doctype: DocumentType, rows: Sequence[Any], actor: Actor, transfer: xml.Transfer, per_message: int
) -> _Built:
    writer = xml.writer(doctype)
    app_time = datetime.now(SHANGHAI).strftime("%Y%m%d%H%M%S")
    nodes = []
    for row in rows:
        attempt = row.attempt + 1
        guid = ids.guid_of(str(row.id), attempt)
        sources = {"guid": guid, "app_type": "1", "app_time": app_time, "app_status": "2"}
        system = {name: sources[source] for name, source in doctype.on_submit}
        nodes.append(_Node(str(row.id), attempt, guid, writer.document(row.body, system)))
    built = _Built()
    for chunk in _chunks(nodes, per_message):
        message_id = ids.new_id()
        built.riders += [(node.id, node.attempt, node.guid, message_id) for node in chunk]
        content = writer.message([node.xml for node in chunk], message_id.upper(), transfer)
        built.rows.append(
            {
                "tenant": actor.tenant_id,
                "id": message_id,
                "kind": doctype.kind,
                "documents": len(chunk),
                "submitted_by": actor.label,
                "xml": content,
            }
        )
        event = events_pb2.MessageSubmitted(
            message_id=message_id,
            kind=doctype.kind,
            message_type=doctype.message.root,
            enterprise_code=transfer.cop_code,
            dxp_id=transfer.dxp_id,
            document_ids=[node.id for node in chunk],
            xml=content,
        )
        built.events.append(
            Event(f"message.submitted.{doctype.kind}", "MessageSubmitted", event.SerializeToString())
        )
    return built
