"""Documents of every kind: query, save, read, replace, delete, act. A translation to the owning service's RPCs.

What a document may contain and which state allows what is decided there, never here.
"""

from __future__ import annotations

import re
from typing import Any

from flask import Response, request
from marshmallow import fields

from documents import push_states
from proto.documents.v1 import documents_pb2 as pb
from runtime import crash
from runtime.errors import Detail, Problem, not_found
from services.gateway.http import auth, calls, catalogue, context, parse, periods, problems, replay, wire
from services.gateway.http.answers import Blueprint, answer, no_content
from services.gateway.http.catalogue import Kind
from services.gateway.http.document_schemas import ReceiptsAnswer, TimelineAnswer
from services.gateway.http.schemas import (
    ActAnswer,
    ActResult,
    DocumentAnswer,
    DocumentPage,
)

blueprint = Blueprint(
    "documents", __name__, url_prefix="/api/v1/documents/<kind>", description="Documents of every kind"
)
PAGE_SIZE = 50
PAGE_LIMIT = 200
IDS_LIMIT = 1000
_ETAG = re.compile(r'(?:W/)?"(?P<version>[^"]*)"')


class ActBody(parse.Schema):
    """The documents an action is for, all in the tenant one acts for."""

    ids = parse.Ids(IDS_LIMIT, required=True)
    documents_per_message = parse.Whole(1, 100)


class DocumentBody(parse.Schema):
    """A document: head fields and lines under the customs message's own names, texts only. See /api/v1/kinds."""

    head = fields.Dict(keys=fields.String(), values=fields.String())
    lines = fields.List(fields.Dict(keys=fields.String(), values=fields.String()))


def allowed(name: str, permission: str) -> Kind:
    """The kind, if it exists and the caller has this permission for it."""
    kind = catalogue.kind(name)
    auth.require(permission, name)
    return kind


@blueprint.route("", methods=["GET"])
@blueprint.response(200, DocumentPage)
@blueprint.doc(
    parameters=[
        {"in": "query", "name": name, "schema": {"type": "string"}}
        for name in (*catalogue.PAGING, *catalogue.BUILT_IN)
    ],
    description="Every condition the kind declares is a parameter too; unknown ones are refused by name.",
)
def query(kind: str) -> Response:
    """Query by declared conditions; the storage time spans one calendar month at most."""
    known = allowed(kind, "document.read")
    message = query_message(known, parse.single(request, ("state",)))
    reply = calls.documents(known.owner, "Query", message)
    return answer(
        {
            "items": [wire.document_row(item, known.type) for item in reply.items],
            "next_cursor": reply.next_cursor or None,
            "total_estimate": reply.total_estimate,
        }
    )


def query_message(kind: Kind, sent: dict[str, str]) -> pb.QueryRequest:
    """The query as the service takes it; 422 naming every parameter that is wrong."""
    details: list[Detail] = []
    conditions: dict[str, str] = {}
    number_field = kind.description["number_field"]
    if "number" in sent and number_field in sent:
        details.append(problems.wrong("/number", "repeated", sent["number"]))
    ranges = {f"{name}_{end}": name for name in kind.periods for end in ("from", "to")}
    for name, value in sent.items():
        if name in kind.conditions:
            if value:
                conditions[number_field if name == "number" else name] = value
        elif name not in catalogue.PAGING and name not in ranges:
            details.append(problems.wrong(f"/{name}", "unknown", value))
    stored_from, stored_to, wrong_period = periods.check(
        sent.get("stored_from", ""), sent.get("stored_to", "")
    )
    details += wrong_period
    for name in kind.periods:
        start, end, wrong = periods.check(sent.get(f"{name}_from", ""), sent.get(f"{name}_to", ""), name)
        details += wrong
        conditions |= {f"{name}_{at}": text for at, text in (("from", start), ("to", end)) if text}
    if sent.get("overdue", "") not in ("", "true") and "overdue" in kind.conditions:
        details.append(problems.wrong("/overdue", "choice:true", sent["overdue"]))
    states = _states(kind, sent, details)
    task = sent.get("task", "")
    if task and parse.uuid_or_none(task) is None:
        details.append(problems.wrong("/task", "not-uuid", task))
    settled = sent.get("settled", "")
    if settled not in ("", "true", "false"):
        details.append(problems.wrong("/settled", "choice:true, false", settled))
    # by number: the number itself comes before those that only begin with it
    sort = sent.get("sort", "number" if sent.get("number") else "")
    if sort and sort.removeprefix("-") not in kind.sortable:
        details.append(problems.wrong("/sort", "sort:" + ", ".join(kind.sortable), sort))
    size = page_size(sent.get("page_size"), details)
    if details:
        raise problems.invalid(details)
    return pb.QueryRequest(
        kind=kind.type.kind,
        stored_from=stored_from,
        stored_to=stored_to,
        states=states,
        settled=settled,
        conditions=conditions,
        sort=sort,
        page_size=size,
        cursor=sent.get("cursor", ""),
        task_id=task,
    )


def _states(kind: Kind, sent: dict[str, str], details: list[Detail]) -> list[str]:
    """The states that are asked for: of a page, or those named, which must be on the page if both are given."""
    page = sent.get("page", "")
    if page and page not in kind.pages:
        details.append(problems.wrong("/page", "choice:" + ", ".join(kind.pages), page))
    of_page = kind.pages.get(page, ())
    push = sent.get("push_state", "")
    if push and push not in push_states.BY_NAME:
        details.append(problems.wrong("/push_state", "choice:" + ", ".join(push_states.BY_NAME), push))
    elif push:
        of_page = push_states.states_of(kind.type, push)
    known = list(of_page) or [item["name"] for item in kind.description["states"]]
    states = [item for item in sent.get("state", "").split(",") if item]
    details += [
        problems.wrong("/state", "choice:" + ", ".join(known), item) for item in states if item not in known
    ]
    return states or list(of_page)


def page_size(text: str | None, details: list[Detail]) -> int:
    """1 to PAGE_LIMIT; a wrong one is added to the details."""
    if text is None or text == "":
        return PAGE_SIZE
    if re.fullmatch(r"[0-9]{1,9}", text) and 1 <= int(text) <= PAGE_LIMIT:
        return int(text)
    details.append(problems.wrong("/page_size", f"range:1–{PAGE_LIMIT}", text))
    return PAGE_SIZE


@blueprint.route("", methods=["POST"])
@blueprint.doc(requestBody={"content": {"application/json": {"schema": DocumentBody}}})
@blueprint.response(201, DocumentAnswer)
def create(kind: str) -> Response:
    """Save a new document; what is not yet fit to be filed comes back as warnings."""
    known = allowed(kind, "document.write")
    raw, body = parse.json_body(request)
    _check_shape(body)
    message = pb.SaveRequest(kind=kind, body_json=raw, new_id=replay.new_id())
    saved = calls.documents(known.owner, "Save", message)
    crash.point("gateway.documents.saved")
    headers = {"Location": f"/api/v1/documents/{kind}/{saved.id}", "ETag": wire.etag(saved.version)}
    return answer(wire.document(saved, known.type), 201, headers)


@blueprint.route("/<document_id>", methods=["GET"])
@blueprint.response(200, DocumentAnswer)
def read(kind: str, document_id: str) -> Response:
    """One document with its body, its ETag and what the caller may do with it now."""
    known = allowed(kind, "document.read")
    found = calls.documents(known.owner, "Read", ref(kind, document_id))
    return answer(wire.document(found, known.type), headers={"ETag": wire.etag(found.version)})


@blueprint.route("/<document_id>", methods=["PUT"])
@blueprint.doc(
    requestBody={"content": {"application/json": {"schema": DocumentBody}}},
    parameters=[{"in": "header", "name": "If-Match", "required": True, "schema": {"type": "string"}}],
)
@blueprint.response(200, DocumentAnswer)
def replace(kind: str, document_id: str) -> Response:
    """Replace a document; If-Match carries the ETag of the version that was read."""
    known = allowed(kind, "document.write")
    raw, body = parse.json_body(request)
    _check_shape(body)
    version = expected_version()
    saved = calls.documents(
        known.owner,
        "Save",
        pb.SaveRequest(kind=kind, id=ref(kind, document_id).id, expected_version=version, body_json=raw),
    )
    return answer(wire.document(saved, known.type), headers={"ETag": wire.etag(saved.version)})


@blueprint.route("/<document_id>", methods=["DELETE"])
@blueprint.response(204)
@blueprint.alt_response(202, schema=ActResult)
def delete(kind: str, document_id: str) -> Response:
    """Delete a document, in the states that allow it: at once (204), or by asking customs that holds it (202)."""
    known = allowed(kind, "document.delete")
    identity = ref(kind, document_id).id
    message = pb.ActRequest(kind=kind, action="delete", ids=[identity], transfer=_transfer_if_any())
    context.trail("delete", object_=kind, detail={"ids": [identity]})
    [result] = calls.documents(known.owner, "Act", message).results
    if not result.ok:
        raise wire.act_problem(result)
    return answer(wire.act_result(result), 202) if result.new_id else no_content()


@blueprint.route("/actions/<action>", methods=["POST"])
@blueprint.arguments(ActBody)
@blueprint.response(200, ActAnswer)
def act(body: dict[str, Any], kind: str, action: str) -> Response:
    """Do something to up to 1,000 documents; the answer says for each what became of it.

    amend: the document stays as it is, new_id is its new version, to be changed and declared. delete: what customs
    holds is deleted there by a message of its own, which is new_id.
    """
    known = catalogue.kind(kind)
    auth.require(known.actions.get(action, "document.read"), kind)
    if action not in known.actions:
        raise not_found()
    message = pb.ActRequest(
        kind=kind, action=action, ids=body["ids"], documents_per_message=body.get("documents_per_message", 0)
    )
    if action in ("declare", "push"):
        message.transfer.CopyFrom(_transfer())
    elif action == "delete":
        message.transfer.CopyFrom(_transfer_if_any())
    context.trail(action, object_=kind, detail={"ids": body["ids"]})
    crash.point("gateway.documents.before-act")
    reply = calls.documents(known.owner, "Act", message)
    crash.point("gateway.documents.acted")
    return answer({"results": [wire.act_result(item) for item in reply.results]})


@blueprint.route("/<document_id>/receipts", methods=["GET"])
@blueprint.response(200, ReceiptsAnswer)
def receipts(kind: str, document_id: str) -> Response:
    """Every receipt of customs, newest last; `explanation` says what a refusal means and what to do."""
    reply = calls.documents(allowed(kind, "document.read").owner, "Receipts", ref(kind, document_id))
    return answer({"items": [wire.receipt(item) for item in reply.items]})


@blueprint.route("/<document_id>/timeline", methods=["GET"])
@blueprint.response(200, TimelineAnswer)
def timeline(kind: str, document_id: str) -> Response:
    """What happened to the document: saved, submitted, signed (key, device), sent, receipts; who did what."""
    reply = calls.documents(allowed(kind, "document.read").owner, "Timeline", ref(kind, document_id))
    return answer({"items": [wire.timeline_entry(item) for item in reply.items]})


def ref(kind: str, document_id: str) -> pb.DocumentRef:
    """What is no id at all is answered like an id nobody has."""
    canonical = parse.uuid_or_none(document_id)
    if canonical is None:
        raise not_found()
    return pb.DocumentRef(kind=kind, id=canonical)


def _check_shape(body: dict[str, Any]) -> None:
    details = [problems.wrong(f"/{name}", "unknown") for name in body if name not in ("head", "lines")]
    if not isinstance(body.get("head", {}), dict):
        details.append(problems.wrong("/head", "not-object"))
    if not isinstance(body.get("lines", []), list):
        details.append(problems.wrong("/lines", "not-list"))
    if details:
        raise problems.invalid(details)


def expected_version() -> int:
    """The version that If-Match names; 422 without it, 412 for what is no ETag of ours."""
    sent = request.headers.get("If-Match")
    if sent is None or sent.strip() == "*":
        # "any version" would be the lost update that the header is there to prevent
        raise problems.invalid([problems.wrong("/If-Match", "if-match-required")])
    match = _ETAG.fullmatch(sent.strip())
    version = match["version"] if match else ""
    if not re.fullmatch(r"[1-9][0-9]{0,8}", version):
        raise Problem(
            "stale",
            "单据已被修改，或 If-Match 不是此单据的 ETag，请重新读取后再改。",
            "The document was changed, or If-Match is no ETag of it; read it again before changing it.",
        )
    return int(version)


def _transfer_if_any() -> pb.Transfer:
    return _transfer() if context.standing().enterprise else pb.Transfer()


def _transfer() -> pb.Transfer:
    enterprise = context.standing().enterprise
    if enterprise is None:
        raise Problem(
            "conflict",
            "企业资料未维护，无法申报，请联系企业管理员。",
            "This tenant has no enterprise on record, so nothing can be filed; ask your enterprise admin.",
        )
    return pb.Transfer(
        enterprise_code=enterprise.code, enterprise_name=enterprise.name, dxp_id=enterprise.dxp_id
    )
