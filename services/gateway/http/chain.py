"""How a document hangs together with others: its chain, the comparison of four documents, its versions, summaries.

Reads from every service that keeps documents, always as the caller and only what the caller may read. What belongs
together and what is missing is said by documents.chain and documents.compare, never here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from flask import Response
from marshmallow import fields

from documents import chain, compare, describe, registry
from documents.chain import Node
from documents.compare import GONE, Comparison, Difference, Other
from documents.spec import DocumentType
from proto.documents.v1 import documents_pb2 as pb
from runtime.errors import not_found
from services.gateway.http import calls, catalogue, context, parse, problems, wire, words
from services.gateway.http.answers import Blueprint, answer
from services.gateway.http.document_schemas import (
    BuiltAnswer,
    ComparisonAnswer,
    LinksAnswer,
    VersionsAnswer,
)
from services.gateway.http.documents import allowed, ref

blueprint = Blueprint(
    "chain", __name__, url_prefix="/api/v1/documents", description="How documents hang together"
)
#: how far from document to document, how many documents and how many links of one step are looked at
ROUNDS = 4
DOCUMENTS = 200
REFS = 1000
#: seconds; a period may hold 20,000 lists
BUILDING_SECONDS = 60.0
IDS_LIMIT = 1000
APPLICATION = "summary-application"


@blueprint.route("/<kind>/<document_id>/links", methods=["GET"])
@blueprint.response(200, LinksAnswer)
def links(kind: str, document_id: str) -> Response:
    """The documents this one belongs together with, near and far, and what is missing for the next step."""
    start = calls.documents(allowed(kind, "document.read").owner, "Read", ref(kind, document_id))
    found = Gathered(start)
    found.gather()
    mine = context.actor().enterprise_kinds
    verdict = chain.decide(node(start), [node for _, node, _ in found.reached], mine, readable())
    items = sorted(found.reached, key=lambda item: (chain.place(item[1].kind), item[0].stored_at, item[1].id))
    return answer(
        {
            "items": [_linked(document, name, start.kind) for document, _, name in items],
            "missing": [
                {
                    "kind": one.kind,
                    "kind_title": _title(one.kind),
                    "text": words.pick(one.words.zh, one.words.en),
                    "page": one.page,
                    "action": one.action or None,
                    "numbers": list(one.numbers),
                }
                for one in verdict.missing
            ],
            "next": words.pick(verdict.next.zh, verdict.next.en),
            "done": verdict.done,
            "more": found.more,
        }
    )


class Gathered:
    """What is found around a document, breadth first: (document, its node, the name it was reached by)."""

    def __init__(self, start: pb.Document) -> None:
        self.more = len(start.refs) >= REFS
        self.reached: list[tuple[pb.Document, Node, str]] = []
        self._readable = readable()
        self._ids = {start.id}
        self._asked: set[tuple[str, str]] = set()
        first = node(start)
        self._border = [(first, first.refs)]

    def gather(self) -> None:
        """Until nothing new is found, or the limits are reached (`more`)."""
        for _ in range(ROUNDS):
            wanted = sorted({one for _, leads in self._border for one in leads} - self._asked)
            if not wanted:
                return
            self.more |= len(wanted) > REFS
            self._asked.update(wanted)
            self._step(wanted[:REFS])
        self.more |= any(leads - self._asked for _, leads in self._border)

    def _step(self, wanted: Sequence[tuple[str, str]]) -> None:
        border: list[tuple[Node, frozenset[tuple[str, str]]]] = []
        for owner in context.parts().owners:
            room = DOCUMENTS - len(self.reached)
            if room <= 0:
                self.more = True
                break
            # documents that are known already come again: ask for as many more
            reply = linked(owner, wanted, min(room + len(self._ids), 500))
            self.more |= reply.more
            for document in reply.items:
                self._take(document, border)
        self._border = border

    def _take(self, document: pb.Document, border: list[tuple[Node, frozenset[tuple[str, str]]]]) -> None:
        if document.id in self._ids or document.kind not in self._readable:
            return
        new = node(document)
        names = [
            name for source, leads in self._border if leads & new.refs for name in chain.via(source, new)
        ]
        if not names:
            return
        if len(self.reached) == DOCUMENTS:
            self.more = True
            return
        self._ids.add(document.id)
        self.reached.append((document, new, names[0]))
        border.append((new, chain.onward(new)))


def linked(
    owner: str, refs: Iterable[tuple[str, str]], limit: int, *, with_body: bool = False
) -> pb.LinkedReply:
    """What one service keeps that has any of these links."""
    message = pb.LinkedRequest(
        refs=[pb.Ref(name=name, value=value) for name, value in refs], with_body=with_body, limit=limit
    )
    reply: pb.LinkedReply = calls.documents(owner, "Linked", message)
    return reply


def readable() -> frozenset[str]:
    """The kinds the caller may read."""
    actor = context.actor()
    return frozenset(name for name in catalogue.kinds() if actor.may("document.read", name))


def node(document: pb.Document) -> Node:
    """A document as the chain sees it."""
    return Node(
        id=document.id,
        kind=document.kind,
        number=document.number,
        state=document.state,
        refs=frozenset((one.name, one.value) for one in document.refs),
        head=dict(document.columns),
        revision=document.revision or 1,
    )


def _linked(document: pb.Document, name: str, start: str) -> dict[str, Any]:
    return {
        "id": document.id,
        "kind": document.kind,
        "kind_title": _title(document.kind),
        "number": document.number,
        "state": document.state,
        "state_text": describe.state_text(_type(document.kind), document.state, words.language()),
        "settled": document.settled,
        "via": name,
        "direction": chain.direction(start, document.kind),
    }


@blueprint.route("/<kind>/<document_id>/comparison", methods=["GET"])
@blueprint.response(200, ComparisonAnswer)
def comparison(kind: str, document_id: str) -> Response:
    """四单比对 of a list with its order, waybill and payment; 404 for kinds that are compared with nothing."""
    known = allowed(kind, "document.read")
    if not known.type.companions:
        raise not_found()
    found = compared(known.type, calls.documents(known.owner, "Read", ref(kind, document_id)))
    return answer({"complete": found.complete, "legs": [_leg(leg) for leg in found.legs]})


def compared(doctype: DocumentType, document: pb.Document) -> Comparison:
    """A document with a body against its companions."""
    names = {item.ref for item in doctype.companions}
    kinds = {item.kind for item in doctype.companions} & readable()
    refs = [(one.name, one.value) for one in document.refs if one.name in names]
    others: list[Other] = []
    for owner in dict.fromkeys(_type(kind).owner for kind in sorted(kinds)) if refs else ():
        found = linked(owner, refs, DOCUMENTS, with_body=True).items
        others += [_other(item) for item in found if item.kind in kinds]
    return compare.compare(json.loads(document.body_json), others, readable())


def _other(item: pb.Document) -> Other:
    return Other(item.kind, item.id, item.number, item.state, json.loads(item.body_json), item.revision or 1)


def _leg(leg: compare.Leg) -> dict[str, Any]:
    other = leg.other
    state = describe.state_text(_type(other.kind), other.state, words.language()) if other else None
    return {
        "kind": leg.kind,
        "title": _title(leg.kind),
        "id": other.id if other else None,
        "number": other.number if other else None,
        "state": other.state if other else None,
        "state_text": state,
        "status": leg.status,
        "differences": [_difference(item) for item in leg.differences],
    }


def _difference(item: Difference) -> dict[str, str]:
    return {
        "field": item.field,
        "label": words.pick(item.label.zh, item.label.en),
        "list_value": item.list_value,
        "other_value": item.other_value,
        "pointer": item.pointer,
    }


@blueprint.route("/<kind>/<document_id>/versions", methods=["GET"])
@blueprint.response(200, VersionsAnswer)
def versions(kind: str, document_id: str) -> Response:
    """All versions of a document, the first one first, each with what differs from the one before."""
    known = allowed(kind, "document.read")
    reply = calls.documents(known.owner, "Versions", ref(kind, document_id))
    held = known.type.lifecycle.held
    current = max(
        (item.document for item in reply.items),
        key=lambda item: (item.state not in GONE, item.state in held, item.revision),
    )
    return answer(
        {
            "items": [
                {
                    "id": item.document.id,
                    "revision": item.document.revision,
                    "app_type": item.document.app_type,
                    "state": item.document.state,
                    "state_text": describe.state_text(known.type, item.document.state, words.language()),
                    "stored_at": wire.moment(item.document.stored_at),
                    "created_by": item.document.created_by or None,
                    "current": item.document.id == current.id,
                    "changes": [
                        {"pointer": one.pointer, "label": words.pick(one.zh, one.en), "old": one.old, "new": one.new}
                        for one in item.changes
                    ],
                }
                for item in reply.items
            ]
        }
    )  # fmt: skip


class BuildBody(parse.Schema):
    """Which closed lists to sum up: by id, or all that an enterprise's lists closed in a period."""

    ids = parse.Ids(IDS_LIMIT)
    ebc_code = parse.Text(1, 18)
    since = parse.Text(1, 40, data_key="from")
    to = parse.Text(1, 40)
    statistics_flag = parse.Text(0, 1)
    customs_code = parse.Text(0, 4)
    head = fields.Dict(
        keys=fields.String(), values=parse.Text(0, 1000), error_messages={"invalid": "not-object", "null": "null"}
    )  # fmt: skip


@blueprint.route(f"/{APPLICATION}/build", methods=["POST"])
@blueprint.arguments(BuildBody)
@blueprint.response(201, BuiltAnswer)
def build_summary(body: dict[str, Any]) -> Response:
    """Build summary applications from closed lists, one per customs office, declarant and consignor; not yet filed.

    head: what the applications say beyond what their lists say, under the message's names.
    """
    known = allowed(APPLICATION, "document.write")
    period = [
        name for name in ("ebc_code", "from", "to") if name in body or (name == "from" and "since" in body)
    ]
    if "ids" in body and period:
        raise problems.invalid([problems.wrong(f"/{name}", "either-ids") for name in period])
    head = dict(body.get("head", {}))
    if body.get("customs_code"):
        head["customsCode"] = body["customs_code"]
    message = pb.BuildSummaryRequest(
        ids=body.get("ids", []),
        ebc_code=body.get("ebc_code", ""),
        closed_from=body.get("since", ""),
        closed_to=body.get("to", ""),
        statistics_flag=body.get("statistics_flag", ""),
        head=head,
    )
    context.trail("build", object_=APPLICATION, detail={"lists": len(body.get("ids", ()))})
    reply = calls.documents(known.owner, "BuildSummary", message, BUILDING_SECONDS)
    return answer({"items": [{"id": item.id, "number": item.number} for item in reply.items]}, 201)


def _type(kind: str) -> DocumentType:
    found = registry.by_kind(kind)
    assert found is not None  # readable() names declared kinds only
    return found


def _title(kind: str) -> str:
    title = _type(kind).title
    return words.pick(title.zh, title.en)
