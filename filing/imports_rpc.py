"""The part of proto/documents/v1 that is about imports: gRPC to use case and back. No decisions here."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from filing import wire
from filing.context import Filing, check_id
from filing.sheet_process import SheetReader
from filing.strategies import Strategy
from filing.usecases import imports
from proto.documents.v1 import documents_pb2 as pb
from runtime.errors import Detail, Problem
from runtime.grpc_server import current_actor, current_token


class ImportsRpc:
    """Mixed into the servicer of Documents."""

    _filing: Filing
    _reader: SheetReader

    def ProposeBatch(self, request: pb.ProposeBatchRequest, context: Any) -> pb.ProposeBatchReply:
        number = imports.propose_batch(
            self._filing, current_actor(), request.logistics_code, request.enterprise_code
        )
        return pb.ProposeBatchReply(batch_no=number)

    def StartImport(self, request: pb.StartImportRequest, context: Any) -> pb.Import:
        actor = current_actor()
        upload = imports.Upload(
            kind=request.kind,
            file_name=request.file_name,
            content=request.file,
            batch_no=request.batch_no,
            strategy=strategy_of(request.strategy) if request.HasField("strategy") else None,
            export_date=request.export_date,
            mapping_id=request.mapping_id,
            task_id=request.task_id,
            import_id=request.import_id,
        )
        import_id = imports.start(self._filing, actor, current_token(), upload)
        return wire.import_task(imports.read(self._filing, actor, import_id))

    def ReadImport(self, request: pb.ImportRef, context: Any) -> pb.Import:
        return wire.import_task(imports.read(self._filing, current_actor(), request.id))

    def ListImports(self, request: pb.ListImportsRequest, context: Any) -> pb.ListImportsReply:
        size = min(max(request.page_size, 1), 50) if request.page_size else 20
        after = cursor_of(request.cursor)
        rows = imports.page(self._filing, current_actor(), request.kind, after, size + 1)
        more, rows = len(rows) > size, rows[:size]
        cursor = f"{rows[-1].created_at.isoformat()}|{rows[-1].id}" if more else ""
        return pb.ListImportsReply(
            items=[wire.import_task(row, brief=True) for row in rows], next_cursor=cursor
        )

    def ResolveImport(self, request: pb.ResolveImportRequest, context: Any) -> pb.Import:
        actor = current_actor()
        imports.resolve(self._filing, actor, current_token(), request.id, request.resolution)
        return wire.import_task(imports.read(self._filing, actor, request.id))

    def RetryImport(self, request: pb.ImportRef, context: Any) -> pb.Import:
        actor = current_actor()
        imports.retry(self._filing, actor, current_token(), request.id)
        return wire.import_task(imports.read(self._filing, actor, request.id))

    def ImportErrorsWorkbook(self, request: pb.ImportRef, context: Any) -> pb.Workbook:
        english = request.language == "en"
        task = imports.marked(self._filing, current_actor(), self._reader, request.id, english=english)
        return pb.Workbook(content=task.content, file_name=task.file_name)


def strategy_of(given: pb.Strategy) -> Strategy:
    """The strategy as the gateway hands it over."""
    return Strategy(
        given.id,
        given.name,
        given.logistics_code,
        given.enterprise_short_code,
        dict(given.defaults),
        given.trade_mode,
    )


def cursor_of(cursor: str) -> tuple[str, str] | None:
    """Time and id of the last row seen; None for the first page."""
    if not cursor:
        return None
    at, _, row_id = cursor.partition("|")
    try:
        return datetime.fromisoformat(at).isoformat(), check_id(row_id)
    except (ValueError, Problem):
        raise Problem(
            "invalid",
            "翻页标记无效，请重新查询。",
            "The cursor is not valid; query again.",
            [Detail("/cursor", "cursor", "翻页标记无效。", "The cursor is not valid.")],
        ) from None
