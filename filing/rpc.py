"""gRPC to use case and back, for every service that owns documents. No decisions here."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from documents.describe import status_words
from documents.receipts import return_time
from documents.words import Wrong
from documents.xml import Transfer
from filing.context import Filing, check_id
from filing.sheet_process import SheetReader
from filing.usecases import content, imports, look, submit
from proto.documents.v1 import documents_pb2 as pb
from proto.documents.v1 import documents_pb2_grpc as pb_grpc
from runtime.actor import Actor
from runtime.errors import Detail, Problem, not_found
from runtime.grpc_server import current_actor, current_token

#: errors an import shows on its page; the marked workbook has all
SHOWN_ERRORS = 1000
#: documents one action may name
MAX_IDS = 1000


class DocumentsServicer(pb_grpc.DocumentsServicer):
    """Implements proto/documents/v1 over a Filing."""

    def __init__(self, filing: Filing, reader: SheetReader) -> None:
        self._filing = filing
        self._reader = reader

    def Query(self, request: pb.QueryRequest, context: Any) -> pb.QueryReply:
        wanted = {
            "kind": request.kind,
            "states": list(request.states),
            "settled": request.settled,
            "stored_from": request.stored_from,
            "stored_to": request.stored_to,
            "conditions": dict(request.conditions),
            "sort": request.sort,
            "page_size": request.page_size,
            "cursor": request.cursor,
        }
        actor = current_actor()
        page = look.page(self._filing, actor, wanted)
        items = [self._listed(actor, row) for row in page.rows]
        return pb.QueryReply(items=items, next_cursor=page.next_cursor, total_estimate=page.total)

    def Save(self, request: pb.SaveRequest, context: Any) -> pb.Document:
        actor, token = current_actor(), current_token()
        body = _body(request.body_json)
        if request.id:
            saved = content.replace(
                self._filing, actor, token, request.kind, request.id, request.expected_version, body
            )
        else:
            saved = content.save(self._filing, actor, request.kind, body)
        document = self._whole(actor, look.read(self._filing, actor, request.kind, saved.id))
        document.warnings.extend(_wrong(wrong) for wrong in saved.warnings)
        return document

    def Read(self, request: pb.DocumentRef, context: Any) -> pb.Document:
        actor = current_actor()
        return self._whole(actor, look.read(self._filing, actor, request.kind, request.id))

    def Act(self, request: pb.ActRequest, context: Any) -> pb.ActReply:
        actor, token = current_actor(), current_token()
        ids = _ids(request.ids)
        if request.action == "declare":
            transfer = Transfer(
                request.transfer.enterprise_code, request.transfer.enterprise_name, request.transfer.dxp_id
            )
            results = submit.declare(
                self._filing, actor, token, request.kind, ids, transfer, request.documents_per_message
            )
        elif request.action == "delete":
            results = content.delete(self._filing, actor, request.kind, ids)
        else:
            raise not_found()
        return pb.ActReply(results=[_result(result) for result in results])

    def Receipts(self, request: pb.DocumentRef, context: Any) -> pb.ReceiptsReply:
        doctype = self._filing.doctype(request.kind)
        rows = look.receipts(self._filing, current_actor(), request.kind, request.id)
        reply = pb.ReceiptsReply()
        for row in rows:
            words = status_words(doctype, row.status)
            reply.items.add(
                id=str(row.id),
                message_type=row.message_type,
                status=row.status,
                status_text_zh=words.zh,
                status_text_en=words.en,
                return_time=return_time(row.return_time),
                info=row.info,
                received_at=row.received_at.isoformat(),
                standing=row.standing,
                times=row.times,
            )
        return reply

    def Timeline(self, request: pb.DocumentRef, context: Any) -> pb.TimelineReply:
        entries = look.timeline(self._filing, current_actor(), request.kind, request.id)
        reply = pb.TimelineReply()
        for entry in entries:
            reply.items.add(
                at=entry.at.isoformat(),
                what=entry.what,
                zh=entry.words.zh,
                en=entry.words.en,
                actor=entry.actor,
                detail=entry.detail,
            )
        return reply

    def Search(self, request: pb.SearchRequest, context: Any) -> pb.SearchReply:
        actor = current_actor()
        rows = look.search(self._filing, actor, request.q[:100])
        return pb.SearchReply(items=[self._listed(actor, row) for row in rows])

    def Counts(self, request: pb.CountsRequest, context: Any) -> pb.CountsReply:
        return pb.CountsReply(by_state=look.counts(self._filing, current_actor(), request.kind))

    def ProposeBatch(self, request: pb.ProposeBatchRequest, context: Any) -> pb.ProposeBatchReply:
        number = imports.propose_batch(
            self._filing, current_actor(), request.logistics_code, request.enterprise_code
        )
        return pb.ProposeBatchReply(batch_no=number)

    def StartImport(self, request: pb.StartImportRequest, context: Any) -> pb.Import:
        actor = current_actor()
        given = request.strategy
        strategy = imports.Strategy(
            given.id, given.name, given.logistics_code, given.enterprise_short_code, dict(given.defaults)
        )
        import_id = imports.start(
            self._filing, actor, current_token(), request.kind, request.file_name, request.file, request.batch_no,
            strategy,
        )  # fmt: skip
        return _import(imports.read(self._filing, actor, import_id))

    def ReadImport(self, request: pb.ImportRef, context: Any) -> pb.Import:
        return _import(imports.read(self._filing, current_actor(), request.id))

    def ListImports(self, request: pb.ListImportsRequest, context: Any) -> pb.ListImportsReply:
        size = min(max(request.page_size, 1), 50) if request.page_size else 20
        after = _import_cursor(request.cursor) if request.cursor else None
        rows = imports.page(self._filing, current_actor(), request.kind, after, size + 1)
        more, rows = len(rows) > size, rows[:size]
        cursor = f"{rows[-1].created_at.isoformat()}|{rows[-1].id}" if more else ""
        return pb.ListImportsReply(items=[_import(row, brief=True) for row in rows], next_cursor=cursor)

    def ResolveImport(self, request: pb.ResolveImportRequest, context: Any) -> pb.Import:
        actor = current_actor()
        imports.resolve(self._filing, actor, current_token(), request.id, request.resolution)
        return _import(imports.read(self._filing, actor, request.id))

    def ImportErrorsWorkbook(self, request: pb.ImportRef, context: Any) -> pb.Workbook:
        english = request.language == "en"
        task = imports.marked(self._filing, current_actor(), self._reader, request.id, english=english)
        return pb.Workbook(content=task.content, file_name=task.file_name)

    def _listed(self, actor: Actor, row: Any) -> pb.Document:
        doctype = self._filing.doctype(row.kind)
        columns = {item.name: str(row.head.get(item.name, "")) for item in doctype.columns}
        return pb.Document(columns=columns, **self._header(actor, row))

    def _whole(self, actor: Actor, row: Any) -> pb.Document:
        doctype = self._filing.doctype(row.kind)
        columns = {item.name: str(row.body["head"].get(item.name, "")) for item in doctype.columns}
        body = json.dumps(row.body, ensure_ascii=False).encode()
        return pb.Document(columns=columns, body_json=body, **self._header(actor, row))

    def _header(self, actor: Actor, row: Any) -> dict[str, Any]:
        doctype = self._filing.doctype(row.kind)
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
            "actions": [
                action.name
                for action in doctype.actions
                if row.state in action.states and actor.may(action.permission, row.kind)
            ],
        }


def _import_cursor(cursor: str) -> tuple[str, str]:
    """Creation time and id of the last import seen."""
    at, _, import_id = cursor.partition("|")
    try:
        return datetime.fromisoformat(at).isoformat(), check_id(import_id)
    except (ValueError, Problem):
        raise Problem(
            "invalid",
            "翻页标记无效，请重新查询。",
            "The cursor is not valid; query again.",
            [Detail("/cursor", "cursor", "翻页标记无效。", "The cursor is not valid.")],
        ) from None


def _body(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise Problem("malformed", "内容不是有效的 JSON。", "The content is not valid JSON.") from None


def _ids(given: Any) -> list[str]:
    ids = [check_id(value) for value in given]
    if not 0 < len(ids) <= MAX_IDS or len(set(ids)) != len(ids):
        raise Problem(
            "invalid",
            f"一次须选择 1 至 {MAX_IDS} 个不重复的单据。",
            f"Name 1 to {MAX_IDS} different documents at once.",
        )
    return ids


def _result(result: content.Result) -> pb.ActResult:
    reply = pb.ActResult(id=result.id, ok=result.problem is None, state=result.state, number=result.number)
    if result.problem is not None:
        reply.problem.code = result.problem.kind
        reply.problem.zh, reply.problem.en = result.problem.zh, result.problem.en
        reply.details.extend(_detail(detail) for detail in result.problem.details)
    return reply


def _detail(detail: Detail) -> pb.FieldProblem:
    return pb.FieldProblem(
        pointer=detail.pointer, code=detail.code, zh=detail.zh, en=detail.en, value=detail.value
    )


def _wrong(wrong: Wrong) -> pb.FieldProblem:
    return pb.FieldProblem(
        pointer=wrong.pointer, code=wrong.code, zh=wrong.words.zh, en=wrong.words.en, value=wrong.value
    )


def _import(row: Any, *, brief: bool = False) -> pb.Import:
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
    )
    if row.failure:
        reply.failure.code, reply.failure.zh, reply.failure.en = (
            row.failure["code"], row.failure["zh"], row.failure["en"],
        )  # fmt: skip
    if not brief:
        reply.errors.extend(pb.CellProblem(**cell) for cell in row.errors[:SHOWN_ERRORS])
        reply.repairs.extend(pb.CellProblem(**cell) for cell in row.repairs[:SHOWN_ERRORS])
    return reply
