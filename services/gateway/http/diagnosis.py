"""GET …/diagnosis: gathers what is known of a document and lets the checks judge it.

What cannot be found out (a service that does not answer, a right that is lacking) is unknown, never an error.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from flask import Response

from documents.compare import Comparison
from documents.words import Words
from proto.documents.v1 import documents_pb2 as documents_pb
from proto.signer.v1 import signer_pb2
from runtime.errors import Problem
from services.gateway.customs import store
from services.gateway.diagnosis import checks
from services.gateway.diagnosis.facts import Facts, Happened, Item, Key, Queue, Receipt, Way
from services.gateway.http import calls, chain, context, words
from services.gateway.http.answers import SHANGHAI, Blueprint, answer
from services.gateway.http.catalogue import Kind
from services.gateway.http.document_schemas import DiagnosisAnswer
from services.gateway.http.documents import allowed, ref
from services.gateway.tenants.domain import Enterprise

blueprint = Blueprint(
    "diagnosis", __name__, url_prefix="/api/v1/documents", description="Why a document is where it is"
)


@blueprint.route("/<kind>/<document_id>/diagnosis", methods=["GET"])
@blueprint.response(200, DiagnosisAnswer)
def read(kind: str, document_id: str) -> Response:
    """The self-diagnosis: each check with its result, what it means, the way out and the page that mends it."""
    found = _facts(allowed(kind, "document.read"), kind, document_id)
    items = checks.run(found)
    return answer(
        {"ok": checks.is_fine(items), "state": found.state, "items": [_item(item) for item in items]}
    )


def _item(item: Item) -> dict[str, Any]:
    page = None
    if item.page is not None:
        page = {"path": item.page.path, "label": words.pick(item.page.label.zh, item.page.label.en)}
    return {
        "check": item.check,
        "label": words.pick(item.label.zh, item.label.en),
        "result": item.result,
        "text": words.pick(item.words.zh, item.words.en),
        "page": page,
    }


def _facts(known: Kind, kind: str, document_id: str) -> Facts:
    named = ref(kind, document_id)
    document = calls.documents(known.owner, "Read", named)
    timeline = [_happened(item) for item in calls.documents(known.owner, "Timeline", named).items]
    receipts = [_receipt(item) for item in calls.documents(known.owner, "Receipts", named).items]
    standing = context.standing()
    way, queue, odd = _on_the_way(standing.enterprise, timeline)
    return Facts(
        now=context.now().astimezone(SHANGHAI),
        doctype=known.type,
        id=document.id,
        state=document.state,
        customs_status=document.customs_status,
        return_info=document.return_info,
        updated_at=_moment(document.updated_at),
        replaced_by=document.replaced_by,
        body=json.loads(document.body_json),
        enterprise=standing.enterprise,
        enterprise_kinds=context.actor().enterprise_kinds,
        mandate=standing.mandate,
        keys=_keys(standing.enterprise),
        timeline=timeline,
        receipts=receipts,
        way=way,
        queue=queue,
        odd_receipts=odd,
        comparison=_comparison(known, document),
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(SHANGHAI)


def _happened(item: documents_pb.TimelineEntry) -> Happened:
    return Happened(item.what, _moment(item.at), dict(item.detail), Words(item.zh, item.en))


def _receipt(item: documents_pb.Receipt) -> Receipt:
    said = Words(item.status_text_zh, item.status_text_en)
    return Receipt(item.status, said, item.info, item.standing, item.return_time)


def _keys(enterprise: Enterprise | None) -> list[Key] | None:
    """The active keys of the enterprise; None if they may not be seen or nobody answers."""
    if enterprise is None or not context.actor().may("key.read"):
        return None
    try:
        found = calls.signer("ListKeys", signer_pb2.ListKeysRequest()).items
    except Problem as problem:
        if problem.kind not in ("unavailable", "forbidden"):
            raise
        return None
    return [
        Key(item.label, item.state, _moment(item.not_before), _moment(item.not_after), item.hardware)
        for item in found
        if item.active and item.enterprise_code == enterprise.code
    ]


def _on_the_way(
    enterprise: Enterprise | None, timeline: list[Happened]
) -> tuple[Way | None, Queue | None, int]:
    """What this part of the product knows itself: the message, the channel, receipts nobody understood."""
    submitted = [item for item in timeline if item.what == "submitted"]
    tenant = context.actor().tenant_id
    way, queue, odd = None, None, 0
    with context.parts().database.transaction(tenant) as connection:
        if enterprise is not None:
            waiting, since, reason = store.queue(connection, tenant, enterprise.channel)
            told = Words(reason.reason_zh, reason.reason_en) if reason is not None else None
            queue = Queue(waiting, since.astimezone(SHANGHAI) if since else None, told)
        if submitted:
            odd = store.odd_receipts(connection, tenant, submitted[-1].at)
            row = store.way(connection, tenant, submitted[-1].detail.get("message_id", ""))
            if row is not None:
                told = Words(row.reason_zh, row.reason_en) if row.code else None
                way = Way(row.state, row.attempts, row.stored_at.astimezone(SHANGHAI), row.code or "", told)
    return way, queue, odd


def _comparison(known: Kind, document: documents_pb.Document) -> Comparison | None:
    if not known.type.companions:
        return None
    try:
        return chain.compared(known.type, document)
    except Problem as problem:
        if problem.kind != "unavailable":
            raise
        return None
