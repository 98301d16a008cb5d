"""How documents leave: who may send them, whether they are fit, and the messages they ride in.

Called inside the transaction of whoever files: canonical bytes, the state signing and the event that asks for a
signature are one commit.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from documents import body as bodies
from documents import xml
from documents.check import checker
from documents.parties import ENTERPRISE_KINDS
from documents.spec import DocumentType
from documents.words import Wrong
from filing import changes, ids
from filing.context import Filing
from filing.store import messages
from filing.times import SHANGHAI
from filing.usecases.content import Result, details, refusal
from proto.events.v1 import events_pb2
from runtime import outbox
from runtime.actor import Actor
from runtime.errors import Problem, not_found
from runtime.outbox import Event

#: characters; a hundred documents of a hundred lines of long texts would exceed what signer and bus take at once
MESSAGE_TEXT = 2_000_000
#: documents of one act up to which somebody is taken to wait for it at a page
INTERACTIVE_DOCUMENTS = 10


def may_send(actor: Actor, doctype: DocumentType) -> None:
    """Raise `forbidden` unless the enterprise is of a kind that may file such documents."""
    if set(doctype.senders).isdisjoint(actor.enterprise_kinds):
        wanted = [ENTERPRISE_KINDS[name] for name in doctype.senders]
        zh, en = "、".join(words.zh for words in wanted), ", ".join(words.en for words in wanted)
        raise Problem(
            "forbidden",
            f"{doctype.title.zh}须由{zh}申报，本企业未备案相应类型；请在企业资料中核对企业类型。",
            f"{doctype.title.en} is filed by {en}; this enterprise is none of them. Check its kinds in its record.",
        )


def per_message_of(filing: Filing, doctype: DocumentType, asked: int) -> int:
    """How many documents ride in one message: as asked, or the service's setting; never more than the message takes."""
    limit = doctype.message.max_documents
    if not asked:
        return min(filing.documents_per_message, limit)
    if not 1 <= asked <= limit:
        raise Problem(
            "invalid", f"每个报文的单据数须为 1 至 {limit}。", f"Documents per message must be 1 to {limit}."
        )
    return asked


def judge(doctype: DocumentType, document_id: str, row: Any, action: str) -> Result:
    """Whether a document may be filed now: it exists, its state allows the action, its content is right."""
    if row is None:
        return Result(document_id, problem=not_found())
    result = Result(document_id, row.number, row.state, refusal(doctype, action, row.state))
    if result.problem is None and row.state == "draft" and row.task_id is not None:
        result.problem = Problem(
            "conflict",
            "该单据是导入任务的基础数据，请先在任务中“生成申报数据”。",
            "This is basic data of an import task; generate the task first.",
        )
    if result.problem is None:
        numbers = bodies.of_customs(doctype, row.body["head"])
        wrongs = checker(doctype).wrongs(bodies.without_customs(row.body, numbers))
        if wrongs:
            result.problem = unfit(wrongs)
    return result


def unfit(wrongs: Sequence[Wrong]) -> Problem:
    """Why a document cannot be filed as it is."""
    return Problem(
        "invalid",
        f"有 {len(wrongs)} 处内容不完整或不正确，请修改后再提交。",
        f"{len(wrongs)} values are missing or wrong; correct them before submitting.",
        details(wrongs),
    )


def file(
    connection: Connection,
    actor: Actor,
    token: str,
    doctype: DocumentType,
    rows: Sequence[Any],
    transfer: xml.Transfer,
    per_message: int,
) -> Sequence[Any]:
    """Documents that were judged fit become messages; returns the changed rows."""
    built = _build(doctype, rows, actor, transfer, per_message)
    state = doctype.lifecycle.by_name["signing"]
    messages.insert(connection, built.rows)
    changed = messages.submit(connection, state.name, state.rank, actor.label, built.riders)
    outbox.add(connection, actor.tenant_id, token, [*built.events, *changes.changed(changed)])
    return changed


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
        sources = {"guid": guid, "app_type": row.app_type, "app_time": app_time, "app_status": "2"}
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
            bulk=len(rows) > INTERACTIVE_DOCUMENTS,
        )
        built.events.append(
            Event(f"message.submitted.{doctype.kind}", "MessageSubmitted", event.SerializeToString())
        )
    return built
