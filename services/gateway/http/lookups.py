"""Search over all kinds. Own tenant only; the services see to that."""

from __future__ import annotations

from flask import Response

from documents import registry
from proto.documents.v1 import documents_pb2 as pb
from services.gateway.http import calls, context, parse, problems, wire
from services.gateway.http.answers import Blueprint, answer
from services.gateway.http.schemas import DocumentPage

blueprint = Blueprint("search", __name__, url_prefix="/api/v1/search", description="Search by any number")


@blueprint.route("", methods=["GET"])
@blueprint.response(200, DocumentPage)
@blueprint.doc(parameters=[{"in": "query", "name": "q", "required": True, "schema": {"type": "string"}}])
def search() -> Response:
    """Documents of any kind by any of their numbers."""
    q = parse.current_query("q").get("q", "").strip()
    if not q:
        raise problems.invalid([problems.wrong("/q", "required")])
    if len(q) > 100:
        raise problems.invalid([problems.wrong("/q", "too-long:100", q)])
    items = []
    for reply in calls.every_owner("Search", pb.SearchRequest(q=q)):
        for item in reply.items:
            doctype = registry.by_kind(item.kind)
            if doctype is not None and context.actor().may("document.read", item.kind):
                items.append(wire.document_row(item, doctype))
    return answer({"items": items, "next_cursor": None, "total_estimate": len(items)})
