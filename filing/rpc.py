"""gRPC to use case and back, for every service that owns documents. No decisions here."""

from __future__ import annotations

import json
from typing import Any

from documents.describe import status_words
from documents.receipts import return_time
from documents.xml import Transfer
from filing import wire
from filing.context import Filing, check_id
from filing.imports_rpc import ImportsRpc
from filing.sheet_process import SheetReader
from filing.usecases import content, derive, look, relations, submit, summary
from proto.documents.v1 import documents_pb2 as pb
from proto.documents.v1 import documents_pb2_grpc as pb_grpc
from runtime.actor import Actor
from runtime.errors import Problem, not_found
from runtime.grpc_server import current_actor, current_token

#: documents one action may name
MAX_IDS = 1000


class DocumentsServicer(ImportsRpc, pb_grpc.DocumentsServicer):
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
            "task_id": request.task_id,
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
            new_id = check_id(request.new_id) if request.new_id else ""
            saved = content.save(self._filing, actor, request.kind, body, new_id)
        document = self._whole(actor, look.read(self._filing, actor, request.kind, saved.id))
        document.warnings.extend(wire.wrong_field(wrong) for wrong in saved.warnings)
        return document

    def Read(self, request: pb.DocumentRef, context: Any) -> pb.Document:
        actor = current_actor()
        return self._whole(actor, look.read(self._filing, actor, request.kind, request.id))

    def Act(self, request: pb.ActRequest, context: Any) -> pb.ActReply:
        actor, token = current_actor(), current_token()
        ids = _ids(request.ids)
        transfer = Transfer(
            request.transfer.enterprise_code, request.transfer.enterprise_name, request.transfer.dxp_id
        )
        if request.action in ("declare", "push"):
            results = submit.declare(
                self._filing, actor, token, request.kind, ids, transfer, request.documents_per_message,
                request.action,
            )  # fmt: skip
        elif request.action == "amend":
            results = submit.amend(self._filing, actor, token, request.kind, ids)
        elif request.action == "delete":
            results = submit.delete(self._filing, actor, token, request.kind, ids, transfer)
        else:
            results = self._derive(actor, request, ids)
        return pb.ActReply(results=[wire.act_result(result) for result in results])

    def _derive(self, actor: Actor, request: pb.ActRequest, ids: list[str]) -> list[content.Result]:
        doctype = self._filing.doctype(request.kind)
        found = [item for item in doctype.derives if item.action == request.action]
        if not found:
            raise not_found()
        return derive.derive(self._filing, actor, request.kind, found[0], ids)

    def Versions(self, request: pb.DocumentRef, context: Any) -> pb.VersionsReply:
        actor = current_actor()
        doctype = self._filing.doctype(request.kind)
        reply = pb.VersionsReply()
        for row, changes in relations.versions(self._filing, actor, request.kind, request.id):
            document = wire.whole(doctype, actor, row, body=False)
            reply.items.add(document=document, changes=[wire.change(item) for item in changes])
        return reply

    def Linked(self, request: pb.LinkedRequest, context: Any) -> pb.LinkedReply:
        actor = current_actor()
        refs = [(ref.name, ref.value) for ref in request.refs]
        found, more = relations.linked(self._filing, actor, refs, request.limit)
        items = [
            wire.whole(
                self._filing.doctype(item.row.kind), actor, item.row, item.refs, body=request.with_body
            )
            for item in found
        ]
        return pb.LinkedReply(items=items, more=more)

    def BuildSummary(self, request: pb.BuildSummaryRequest, context: Any) -> pb.BuildSummaryReply:
        actor = current_actor()
        wanted = summary.Wanted(
            ids=[check_id(value) for value in request.ids],
            ebc_code=request.ebc_code,
            closed_from=request.closed_from,
            closed_to=request.closed_to,
            statistics_flag=request.statistics_flag,
            head=dict(request.head),
        )
        rows = summary.build(self._filing, actor, wanted)
        return pb.BuildSummaryReply(items=[self._whole(actor, row) for row in rows])

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
                raw_id=str(row.raw_id),
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

    def _listed(self, actor: Actor, row: Any) -> pb.Document:
        return wire.listed(self._filing.doctype(row.kind), actor, row)

    def _whole(self, actor: Actor, row: Any) -> pb.Document:
        refs = relations.refs_of(self._filing, actor, str(row.id))
        return wire.whole(self._filing.doctype(row.kind), actor, row, refs)


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
