"""The raw messages of one document, for those who may: the signed XML as it went out, each receipt as it came in.

Whether a message belongs to a document is what the service that keeps the document says; the bytes are the gateway's
own. A message is of one kind and one enterprise. A receipt may speak of several kinds (order and booking share one):
it is shown only to those who may read all of them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Response

from documents.registry import REGISTRY
from proto.documents.v1 import documents_pb2 as pb
from runtime.errors import not_found
from services.gateway.customs import store
from services.gateway.http import auth, calls, context, parse
from services.gateway.http.answers import Blueprint, answer, attachment, shown
from services.gateway.http.catalogue import Kind
from services.gateway.http.document_schemas import MessagesAnswer
from services.gateway.http.documents import allowed, ref

blueprint = Blueprint(
    "messages", __name__, url_prefix="/api/v1/documents", description="Raw messages of a document"
)
PERMISSION = "message.read"
_XML = "application/xml"
#: what came from outside is data, wherever it is opened
_DATA = "default-src 'none'; sandbox; frame-ancestors 'none'"


@blueprint.route("/<kind>/<document_id>/messages", methods=["GET"])
@blueprint.response(200, MessagesAnswer)
def list_messages(kind: str, document_id: str) -> Response:
    """Every message this document rode in and every receipt for it, oldest first. `size`: bytes with the envelope."""
    known = _allowed(kind)
    found = ref(kind, document_id)
    sent, came = _sent(known, found), _came(known, found)
    tenant = context.actor().tenant_id
    with context.parts().database.transaction(tenant) as connection:
        outgoing = store.outgoing(connection, tenant, kind, sent)
        incoming = store.incoming(connection, tenant, came)
    items = [_item(row, "out") for row in outgoing]
    items += [_item(row, "in") for row in incoming if _may_see(row.message_type)]
    return answer({"items": sorted(items, key=lambda item: str(item["at"]))})


@blueprint.route("/<kind>/<document_id>/messages/<message_id>.xml", methods=["GET"])
@blueprint.response(200, {"type": "string", "format": "binary"}, content_type=_XML)
def read(kind: str, document_id: str, message_id: str) -> Response:
    """One of them, exactly those bytes that were signed, or that customs sent. Each reading is recorded."""
    known = _allowed(kind)
    found = ref(kind, document_id)
    canonical = parse.uuid_or_none(message_id)
    if canonical is None:
        raise not_found()
    context.trail("message.read", object_=kind, detail={"ids": [found.id], "message": canonical})
    tenant = context.actor().tenant_id
    content: bytes | None = None
    message_type = ""
    if canonical in _sent(known, found):
        with context.parts().database.transaction(tenant) as connection:
            rows = store.outgoing(connection, tenant, kind, [canonical])
            if rows:
                message_type, content = (
                    rows[0].message_type,
                    store.signed_bytes(connection, tenant, canonical),
                )
    elif canonical in _came(known, found):
        with context.parts().database.transaction(tenant) as connection:
            rows = store.incoming(connection, tenant, [canonical])
            if rows and _may_see(rows[0].message_type):
                message_type, content = (
                    rows[0].message_type,
                    store.received_bytes(connection, tenant, canonical),
                )
    if content is None:
        raise not_found()
    response = attachment(content, f"{message_type}_{canonical.upper()}.xml", _XML)
    response.headers["Content-Security-Policy"] = _DATA
    return response


def _allowed(kind: str) -> Kind:
    known = allowed(kind, "document.read")
    auth.require(PERMISSION, kind)
    return known


def _sent(known: Kind, found: pb.DocumentRef) -> list[str]:
    """The messages this document rode in."""
    entries = calls.documents(known.owner, "Timeline", found).items
    ids = [item.detail.get("message_id", "") for item in entries if item.what == "submitted"]
    return list(dict.fromkeys(one for one in ids if parse.uuid_or_none(one)))


def _came(known: Kind, found: pb.DocumentRef) -> list[str]:
    """The receipts for this document, as they are kept here."""
    return list(dict.fromkeys(item.raw_id for item in calls.documents(known.owner, "Receipts", found).items))


def _may_see(message_type: str) -> bool:
    """Every kind that such a receipt may speak of lies within what the caller may read."""
    kinds = [item.kind for item in REGISTRY.answered_by(message_type)]
    return bool(kinds) and all(context.actor().may(PERMISSION, kind) for kind in kinds)


def _item(row: Any, direction: str) -> dict[str, Any]:
    at: datetime = row.at
    return {
        "id": str(row.id),
        "direction": direction,
        "message_type": row.message_type,
        "at": shown(at),
        "size": row.size,
        "documents": row.documents,
    }
