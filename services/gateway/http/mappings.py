"""Saved column mappings: an enterprise's own spreadsheets are imported by their own headers."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from marshmallow import fields

from documents.sheet.mapping import field_at, place_of
from documents.spec import DocumentType
from proto.tasks.v1 import tasks_pb2 as pb
from services.gateway.http import auth, context, parse, problems, replay, task_calls, wire, words
from services.gateway.http.answers import Blueprint, answer, no_content
from services.gateway.http.documents import expected_version
from services.gateway.http.imports import content_of, held, importable_kind, uploaded
from services.gateway.http.task_schemas import MappingAnswer, MappingPage, ProposalAnswer

blueprint = Blueprint(
    "mappings", __name__, url_prefix="/api/v1/import-mappings", description="Column mappings for imports"
)
#: a kind has fewer fields
_ENTRIES = 500
_LENGTH = 4000
#: seconds; reading a large workbook happens in a child that has twenty
_READING = 30.0
_IF_MATCH = {"in": "header", "name": "If-Match", "required": True, "schema": {"type": "string"}}


class Texts(fields.Dict):
    """A JSON object of texts."""

    def __init__(self, **more: Any) -> None:
        super().__init__(keys=fields.String(), values=fields.String(), **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, str]:
        if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
            raise self.make_error("invalid")
        if len(value) > _ENTRIES or any(len(part) > _LENGTH for item in value.items() for part in item):
            raise self.make_error("invalid")
        return value

    default_error_messages = {  # noqa: RUF012 - as marshmallow has it
        "required": "required",
        "null": "null",
        "invalid": "not-texts",
    }


class MappingBody(parse.Schema):
    """columns: field ("orderNo", or "head.note" and "line.note" where both have it) -> header text in their own
    spreadsheet. constants: field -> the value of every document.
    """

    kind = parse.Text(0, 50)
    name = parse.Text(1, 100, required=True)
    columns = Texts(required=True)
    constants = Texts()


class ProposalForm(parse.Schema):
    """multipart/form-data: a workbook whose headers are to be recognised."""

    kind = parse.Text(1, 50, required=True)
    file = fields.Raw(required=True, metadata={"type": "string", "format": "binary"},
                      error_messages={"required": "required", "null": "null"})  # fmt: skip


@blueprint.route("", methods=["GET"])
@blueprint.response(200, MappingPage)
@blueprint.doc(parameters=[{"in": "query", "name": "kind", "required": True, "schema": {"type": "string"}}])
def list_mappings() -> Response:
    """The column mappings of a kind, by name."""
    sent = parse.current_query("kind")
    if not sent.get("kind"):
        raise problems.invalid([problems.wrong("/kind", "required")])
    kind = importable_kind(sent["kind"])
    reply = task_calls.to(kind.owner, "ListMappings", pb.ListMappingsRequest(kind=kind.type.kind))
    items = [_json(item) for item in reply.items]
    return answer({"items": items, "next_cursor": None, "total_estimate": len(items)})


@blueprint.route("", methods=["POST"])
@blueprint.arguments(MappingBody)
@blueprint.response(201, MappingAnswer)
def create(body: dict[str, Any]) -> Response:
    """A new mapping; every wrong field is named."""
    if not body.get("kind"):
        raise problems.invalid([problems.wrong("/kind", "required")])
    kind = importable_kind(body["kind"])
    message = _message(body)
    message.new_id = replay.new_id()
    context.trail("mapping-create", object_=kind.type.kind, detail={"name": message.name[:100]})
    made = task_calls.to(kind.owner, "SaveMapping", message)
    headers = {"Location": f"/api/v1/import-mappings/{made.id}", "ETag": wire.etag(made.version)}
    return answer(_json(made), 201, headers)


@blueprint.route("/proposal", methods=["POST"])
@blueprint.arguments(ProposalForm, location="form", content_type="multipart/form-data")
@blueprint.response(200, ProposalAnswer)
def propose(form: dict[str, Any]) -> Response:
    """Look at a workbook's headers and propose the field that each may mean. Nothing is kept."""
    kind = importable_kind(form["kind"])
    upload = uploaded(form)
    with held():
        message = pb.ProposeMappingRequest(kind=kind.type.kind, file=content_of(upload))
        found = task_calls.to(kind.owner, "ProposeMapping", message, _READING)
    columns = [
        {
            "letter": item.letter,
            "header": item.header,
            "field": item.place or None,
            "label": _label(kind.type, item.place) if item.place else None,
            "by": item.by or None,
        }
        for item in found.columns
    ]
    missing = [{"field": place, "label": _label(kind.type, place)} for place in found.missing]
    return answer({"sheet": found.sheet, "row": found.row, "columns": columns, "missing": missing})


@blueprint.route("/<mapping_id>", methods=["GET"])
@blueprint.response(200, MappingAnswer)
def read(mapping_id: str) -> Response:
    """One mapping with its ETag."""
    _, found = _known(mapping_id)
    return answer(_json(found), headers={"ETag": wire.etag(found.version)})


@blueprint.route("/<mapping_id>", methods=["PUT"])
@blueprint.arguments(MappingBody)
@blueprint.doc(parameters=[_IF_MATCH])
@blueprint.response(200, MappingAnswer)
def replace(body: dict[str, Any], mapping_id: str) -> Response:
    """Replace a mapping; If-Match carries the ETag that was read. What was imported by it stays as it is."""
    owner, known = _known(mapping_id)
    message = _message(body)
    message.id, message.expected_version = known.id, expected_version()
    context.trail("mapping-replace", object_=known.kind, detail={"mapping": known.id})
    made = task_calls.to(owner, "SaveMapping", message)
    return answer(_json(made), headers={"ETag": wire.etag(made.version)})


@blueprint.route("/<mapping_id>", methods=["DELETE"])
@blueprint.response(204)
def delete(mapping_id: str) -> Response:
    """Remove a mapping; If-Match, where it is sent, must be of its present version."""
    owner, known = _known(mapping_id)
    version = expected_version() if "If-Match" in request.headers else 0
    context.trail("mapping-delete", object_=known.kind, detail={"mapping": known.id, "name": known.name})
    task_calls.to(owner, "DeleteMapping", pb.MappingRef(id=known.id, expected_version=version))
    return no_content()


def _known(mapping_id: str) -> tuple[str, pb.Mapping]:
    owner, found = task_calls.first("ReadMapping", pb.MappingRef(id=task_calls.known_id(mapping_id)))
    auth.require("document.import", found.kind)
    return owner, found


def _message(body: dict[str, Any]) -> pb.SaveMappingRequest:
    return pb.SaveMappingRequest(
        kind=body.get("kind", ""),
        name=body["name"],
        columns=body["columns"],
        constants=body.get("constants", {}),
    )


def _json(item: pb.Mapping) -> dict[str, Any]:
    return {
        "id": item.id,
        "kind": item.kind,
        "name": item.name,
        "columns": dict(item.columns),
        "constants": dict(item.constants),
        "etag": wire.etag(item.version),
        "created_by": item.created_by,
        "updated_at": wire.moment(item.updated_at),
    }


def _label(doctype: DocumentType, place: str) -> str:
    found = field_at(doctype, place_of(place)).words
    return words.pick(found.zh, found.en)
