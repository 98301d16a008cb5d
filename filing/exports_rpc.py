"""gRPC to use case and back, for exports. No decisions here."""

from __future__ import annotations

from typing import Any

from filing.context import Filing
from filing.usecases import exports
from proto.exports.v1 import exports_pb2 as pb
from proto.exports.v1 import exports_pb2_grpc as pb_grpc
from runtime.grpc_server import current_actor, current_token


class ExportsServicer(pb_grpc.ExportsServicer):
    """Implements proto/exports/v1 over a Filing."""

    def __init__(self, filing: Filing) -> None:
        self._filing = filing

    def Direct(self, request: pb.ExportRequest, context: Any) -> pb.FilePart:
        found = exports.direct(self._filing, current_actor(), _wanted(request), _language(request))
        return pb.FilePart(content=found.content, total=found.total, file_name=found.name)

    def Start(self, request: pb.ExportRequest, context: Any) -> pb.Export:
        actor = current_actor()
        export_id = exports.start(self._filing, actor, current_token(), _wanted(request), _language(request))
        return _export(exports.read(self._filing, actor, export_id))

    def Read(self, request: pb.ExportRef, context: Any) -> pb.Export:
        return _export(exports.read(self._filing, current_actor(), request.id))

    def File(self, request: pb.FileRequest, context: Any) -> pb.FilePart:
        found = exports.file(self._filing, current_actor(), request.id, request.offset)
        return pb.FilePart(content=found.content, total=found.total, file_name=found.name)

    def Discard(self, request: pb.ExportRef, context: Any) -> pb.Discarded:
        exports.discard(self._filing, current_actor(), request.id)
        return pb.Discarded()


def _wanted(request: pb.ExportRequest) -> dict[str, Any]:
    """A query as look.page takes it, without a page, and the columns wanted of it."""
    query = request.query
    return {
        "kind": query.kind,
        "states": list(query.states),
        "settled": query.settled,
        "stored_from": query.stored_from,
        "stored_to": query.stored_to,
        "conditions": dict(query.conditions),
        "task_id": query.task_id,
        "sort": query.sort,
        "columns": list(request.columns),
    }


def _language(request: pb.ExportRequest) -> str:
    return "en" if request.language == "en" else "zh"


def _export(task: Any) -> pb.Export:
    until = exports.running_until(task)
    reply = pb.Export(
        id=str(task.id),
        kind=task.kind,
        state=task.state,
        rows=task.rows,
        done=task.done,
        file_name=task.file_name,
        file_bytes=task.file_bytes,
        created_at=task.created_at.isoformat(),
        created_by=task.created_by,
        running_until=until.isoformat() if until else "",
        kept_until=exports.kept_until(task).isoformat(),
    )
    if task.failure:
        reply.failure.code = task.failure["code"]
        reply.failure.zh, reply.failure.en = task.failure["zh"], task.failure["en"]
    return reply
