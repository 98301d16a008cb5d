"""Search over all kinds, and the dashboards' numbers. Own tenant only; the services see to that."""

from __future__ import annotations

from flask import Response

from documents import registry
from proto.documents.v1 import documents_pb2 as pb
from runtime.errors import not_found
from services.gateway.http import auth, calls, catalogue, context, parse, problems, wire
from services.gateway.http.answers import Blueprint, answer
from services.gateway.http.schemas import CountsAnswer, DocumentPage

search_blueprint = Blueprint(
    "search", __name__, url_prefix="/api/v1/search", description="Search by any number"
)
stats_blueprint = Blueprint(
    "stats", __name__, url_prefix="/api/v1/stats", description="Numbers for dashboards"
)


def plural(kind: str) -> str:
    """How many of a kind are called: orders, tallies."""
    return f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}s"


#: name of a statistic -> the kind it counts
_COUNTS = {name: kind for kind in catalogue.kinds() for name in (kind, plural(kind))}


@search_blueprint.route("", methods=["GET"])
@search_blueprint.response(200, DocumentPage)
@search_blueprint.doc(
    parameters=[{"in": "query", "name": "q", "required": True, "schema": {"type": "string"}}]
)
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


@stats_blueprint.route("/<name>", methods=["GET"])
@stats_blueprint.response(200, CountsAnswer)
def read(name: str) -> Response:
    """How many documents of a kind are in each state; name is the kind or its plural, e.g. order or orders."""
    if name not in _COUNTS:
        raise not_found()
    kind = catalogue.kind(_COUNTS[name])
    auth.require("document.read", kind.type.kind)
    reply = calls.documents(kind.owner, "Counts", pb.CountsRequest(kind=kind.type.kind))
    counts = dict(reply.by_state)
    return answer({"kind": kind.type.kind, "by_state": counts, "total": sum(counts.values())})
