"""Workbooks of all that a query finds: little at once, much in the background. The services that keep documents
make them; a file is passed on piece by piece and never held here as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Response, request
from marshmallow import fields

from documents import show
from proto.exports.v1 import exports_pb2 as pb
from proto.exports.v1 import exports_pb2_grpc
from runtime.errors import Detail, Problem, not_found
from services.gateway.http import auth, calls, catalogue, context, documents, parse, problems, wire, words
from services.gateway.http.answers import XLSX, Blueprint, answer, attachment, disposition, no_content
from services.gateway.http.schemas import FieldProblem
from services.gateway.http.shapes import Answer

blueprint = Blueprint(
    "exports", __name__, url_prefix="/api/v1", description="Workbooks of all that a query finds"
)
# generated code has no types
_STUB: Any = exports_pb2_grpc.ExportsStub
#: ten thousand documents with their lines were measured at a fraction of this
DIRECT_SECONDS = 60.0
#: of the parameters of the query page these say which page of it; an export has all
_OF_PAGES = ("page_size", "cursor")
_FILE = {"type": "string", "format": "binary"}
#: what may be asked for, for the description
ASKING: dict[str, Any] = {
    "parameters": [
        {"in": "query", "name": name, "schema": {"type": "string"}}
        for name in (*catalogue.PAGING, *catalogue.BUILT_IN, "columns")
        if name not in _OF_PAGES
    ],
    "description": "Takes the parameters of the query page, apart from page_size and cursor: all matches are meant. "
    "columns: names of columns (see GET /kinds/{kind}, and customs_status), joined by commas, in the order wanted; "
    "a workbook of chosen columns has no sheet of lines.",
}


class ExportAnswer(Answer):
    """An export. rows: documents the query finds (0 until it runs), done: written so far; file_url once it is done.

    running_until: when a running one is given up. kept_until: when it is dropped with its file.
    """

    id = fields.String(required=True)
    kind = fields.String(required=True)
    state = fields.String(required=True)
    rows = fields.Integer(required=True)
    done = fields.Integer(required=True)
    file_name = fields.String(required=True)
    file_bytes = fields.Integer(required=True)
    file_url = fields.String(required=True, allow_none=True)
    failure = fields.Nested(FieldProblem, required=True, allow_none=True)
    created_at = fields.String(required=True)
    created_by = fields.String(required=True)
    running_until = fields.String(required=True, allow_none=True)
    kept_until = fields.String(required=True)


@blueprint.route("/documents/<kind>/export.xlsx", methods=["GET"])
@blueprint.response(200, _FILE, content_type=XLSX)
@blueprint.doc(**ASKING)
def direct(kind: str) -> Response:
    """Up to 10,000 documents at once; more are refused with a word about POST …/exports."""
    known, message = _asked(kind)
    context.trail("export", object_=kind, detail={"query": dict(request.args)})
    found = calls.to_owner(known.owner, _STUB, "Direct", message, DIRECT_SECONDS)
    return attachment(found.content, found.file_name)


@blueprint.route("/documents/<kind>/exports", methods=["POST"])
@blueprint.response(202, ExportAnswer)
@blueprint.doc(**ASKING)
def start(kind: str) -> Response:
    """Up to 200,000 documents in the background; up to three at once per user."""
    known, message = _asked(kind)
    context.trail("export", object_=kind, detail={"query": dict(request.args)})
    task = calls.to_owner(known.owner, _STUB, "Start", message)
    return answer(_export(task), 202, {"Location": f"/api/v1/exports/{task.id}"})


@blueprint.route("/exports/<export_id>", methods=["GET"])
@blueprint.response(200, ExportAnswer)
def read(export_id: str) -> Response:
    """How far an export is."""
    return answer(_export(_find(export_id)[1]))


@blueprint.route("/exports/<export_id>/file.xlsx", methods=["GET"])
@blueprint.response(200, _FILE, content_type=XLSX)
def file(export_id: str) -> Response:
    """The workbook of an export that is done."""
    owner, task = _find(export_id)
    context.trail("export-file", object_=task.kind, detail={"export": task.id})
    first = calls.to_owner(owner, _STUB, "File", pb.FileRequest(id=task.id))
    headers = {"Content-Disposition": disposition(first.file_name), "Content-Length": str(first.total)}
    return Response(_pieces(owner, task.id, first), headers=headers, content_type=XLSX)


@blueprint.route("/exports/<export_id>", methods=["DELETE"])
@blueprint.response(204)
def discard(export_id: str) -> Response:
    """Drop an export, or stop it."""
    owner, task = _find(export_id)
    context.trail("export-discard", object_=task.kind, detail={"export": task.id})
    calls.to_owner(owner, _STUB, "Discard", pb.ExportRef(id=task.id))
    return no_content()


def query_without_page(known: catalogue.Kind) -> tuple[dict[str, str], list[str]]:
    """The parameters of this request and the columns it chooses (none = not chosen).

    Parameters that name a page are refused like unknown ones.
    """
    sent = parse.single(request, ("state",))
    columns = [name for name in (sent.pop("columns", "")).split(",") if name]
    wrong = [problems.wrong(f"/{name}", "unknown", sent[name]) for name in _OF_PAGES if name in sent]
    wrong += [
        Detail(item.pointer, item.code, item.words.zh, item.words.en, item.value)
        for item in show.wrong_columns(known.type, columns)
    ]
    if wrong:
        raise problems.invalid(wrong)
    return sent, columns


def _asked(kind: str) -> tuple[catalogue.Kind, pb.ExportRequest]:
    known = documents.allowed(kind, "document.export")
    auth.require("document.read", kind)
    sent, columns = query_without_page(known)
    query = documents.query_message(known, sent)
    return known, pb.ExportRequest(query=query, language=words.language(), columns=columns)


def _find(export_id: str) -> tuple[str, pb.Export]:
    """The service that has it, and how far it is. Ids do not tell their kind."""
    canonical = parse.uuid_or_none(export_id)
    if canonical is None:
        raise not_found()
    for owner in context.parts().owners:
        try:
            return owner, calls.to_owner(owner, _STUB, "Read", pb.ExportRef(id=canonical))
        except Problem as problem:
            if problem.kind != "not_found":
                raise
    raise not_found()


def _pieces(owner: str, export_id: str, first: pb.FilePart) -> Iterator[bytes]:
    """The rest is fetched as the caller takes it; each call with a token of its own, as one lives for a minute."""
    parts, actor = context.parts(), context.actor()
    client = parts.owners[owner]

    def pieces() -> Iterator[bytes]:
        yield first.content
        offset = len(first.content)
        while offset < first.total:
            message = pb.FileRequest(id=export_id, offset=offset)
            part = client.call(_STUB, "File", message, parts.signer.token(actor))
            if not part.content:
                return  # it was dropped meanwhile: the length that was promised shows the caller that it is cut
            yield part.content
            offset += len(part.content)

    return pieces()


def _export(task: pb.Export) -> dict[str, Any]:
    failure = wire.field_problem(task.failure) if task.HasField("failure") else None
    return {
        "id": task.id,
        "kind": task.kind,
        "state": task.state,
        "rows": task.rows,
        "done": task.done,
        "file_name": task.file_name,
        "file_bytes": task.file_bytes,
        "file_url": f"/api/v1/exports/{task.id}/file.xlsx" if task.state == "done" else None,
        "failure": failure,
        "created_at": wire.moment(task.created_at),
        "created_by": task.created_by,
        "running_until": wire.moment(task.running_until) or None,
        "kept_until": wire.moment(task.kept_until),
    }
