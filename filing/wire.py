"""Rows and results as gRPC messages. Pure translation, no decisions."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from documents.spec import DocumentType
from documents.words import Wrong
from filing import limits
from filing.usecases import content
from filing.usecases.relations import Change
from proto.documents.v1 import documents_pb2 as pb
from runtime.actor import Actor
from runtime.errors import Detail

#: errors an import shows on its page; the marked workbook has all
SHOWN_ERRORS = 1000


def listed(doctype: DocumentType, actor: Actor, row: Any) -> pb.Document:
    """A document as it stands in a list; the row has its head."""
    columns = {item.name: str(row.head.get(item.name, "")) for item in doctype.columns}
    return pb.Document(columns=columns, **_header(doctype, actor, row))


def whole(
    doctype: DocumentType, actor: Actor, row: Any, refs: Iterable[tuple[str, str]] = (), *, body: bool = True
) -> pb.Document:
    """A document alone; the row has its body, which is told or not."""
    head = row.body["head"]
    columns = {item.name: str(head.get(item.name, "")) for item in doctype.columns}
    document = pb.Document(columns=columns, **_header(doctype, actor, row))
    if body:
        document.body_json = json.dumps(row.body, ensure_ascii=False).encode()
    document.refs.extend(pb.Ref(name=name, value=value) for name, value in refs)
    return document


def _header(doctype: DocumentType, actor: Actor, row: Any) -> dict[str, Any]:
    state = doctype.lifecycle.by_name[row.state]
    overdue = row.updated_at + timedelta(minutes=state.limit_minutes) if state.limit_minutes else None
    return {
        "id": str(row.id),
        "kind": row.kind,
        "number": row.number,
        "state": row.state,
        "customs_status": row.customs_status,
        "settled": row.settled,
        "stored_at": row.stored_at.isoformat(),
        "updated_at": row.updated_at.isoformat(),
        "version": row.version,
        "batch_no": row.batch_no,
        "created_by": row.created_by,
        "return_info": row.return_info,
        "revision": row.revision,
        "app_type": row.app_type,
        "replaces": str(row.replaces or ""),
        "replaced_by": str(row.replaced_by or ""),
        "task_id": str(row.task_id or ""),
        "overdue_at": overdue.isoformat() if overdue else "",
        "actions": [
            action.name
            for action in doctype.actions
            if row.state in action.states and actor.may(action.permission, row.kind)
        ],
    }


def change(item: Change) -> pb.Change:
    """One field that differs between two revisions."""
    return pb.Change(pointer=item.pointer, zh=item.words.zh, en=item.words.en, old=item.old, new=item.new)


def act_result(result: content.Result) -> pb.ActResult:
    """What became of one document of an action."""
    reply = pb.ActResult(id=result.id, ok=result.problem is None, state=result.state, number=result.number)
    reply.new_id, reply.new_kind = result.new_id, result.new_kind
    if result.problem is not None:
        reply.problem.code = result.problem.kind
        reply.problem.zh, reply.problem.en = result.problem.zh, result.problem.en
        reply.details.extend(detail(one) for one in result.problem.details)
    return reply


def detail(given: Detail) -> pb.FieldProblem:
    """One wrong field of a Problem."""
    return pb.FieldProblem(
        pointer=given.pointer, code=given.code, zh=given.zh, en=given.en, value=given.value
    )


def wrong_field(wrong: Wrong) -> pb.FieldProblem:
    """One wrong field of a body."""
    return pb.FieldProblem(
        pointer=wrong.pointer, code=wrong.code, zh=wrong.words.zh, en=wrong.words.en, value=wrong.value
    )


def import_task(row: Any, *, brief: bool = False) -> pb.Import:
    """An import with its first errors; brief: without them."""
    reply = pb.Import(
        id=str(row.id),
        kind=row.kind,
        state=row.state,
        file_name=row.file_name,
        batch_no=row.batch_no,
        strategy_name=row.strategy["name"],
        rows=row.rows,
        documents=row.documents,
        accepted=row.accepted,
        rejected=row.rejected,
        created_at=row.created_at.isoformat(),
        created_by=row.created_by,
        errors_total=row.errors_total,
        task_id=str(row.task_id or ""),
        mapping_name=row.mapping["name"] if row.mapping else "",
        export_date=row.export_date,
    )
    overdue = limits.overdue(limits.IMPORT, row.state, row.updated_at)
    if overdue is not None:
        reply.overdue.MergeFrom(detail(overdue))
    if row.failure:
        reply.failure.code, reply.failure.zh, reply.failure.en = (
            row.failure["code"], row.failure["zh"], row.failure["en"],
        )  # fmt: skip
    if not brief:
        reply.errors.extend(pb.CellProblem(**cell) for cell in row.errors[:SHOWN_ERRORS])
        reply.repairs.extend(pb.CellProblem(**cell) for cell in row.repairs[:SHOWN_ERRORS])
    return reply
