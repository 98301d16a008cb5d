"""Documents on paper: what the service that keeps them answers, painted here. What stands where: documents.print."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Response, request

from documents import show
from documents.describe import state_text
from documents.print import form, listing
from documents.print.fonts import Face, face
from documents.print.model import Printing, Stored
from proto.documents.v1 import documents_pb2 as pb
from runtime.errors import Problem, not_found, unavailable
from services.gateway.http import auth, calls, catalogue, context, documents, exports, parse, words
from services.gateway.http.answers import PDF, Blueprint, attachment

blueprint = Blueprint(
    "prints", __name__, url_prefix="/api/v1/documents/<kind>", description="Documents on paper"
)
_FILE = {"type": "string", "format": "binary"}
#: one at a time per process: painting takes a core for up to a second
_PAINTING = threading.BoundedSemaphore(1)
_WAIT = 15.0  # seconds
_PAGE = 200


@blueprint.route("/<document_id>/print.pdf", methods=["GET"])
@blueprint.response(200, _FILE, content_type=PDF)
def one(kind: str, document_id: str) -> Response:
    """The printed form of one document."""
    known = _allowed(kind)
    canonical = parse.uuid_or_none(document_id)
    if canonical is None:
        raise not_found()
    found = calls.documents(known.owner, "Read", pb.DocumentRef(kind=kind, id=canonical))
    context.trail("print", object_=kind, detail={"ids": [found.id]})
    body = json.loads(found.body_json)
    stored = _stored(found, body["head"], body["lines"])
    content = _painted(lambda font: form.document(font, known.type, stored, _printing()))
    title = words.pick(known.type.title.zh, known.type.title.en)
    return attachment(content, f"{title}-{found.number or found.id}.pdf", PDF)


@blueprint.route("/print.pdf", methods=["GET"])
@blueprint.response(200, _FILE, content_type=PDF)
@blueprint.doc(**exports.ASKING)
def table(kind: str) -> Response:
    """The query's rows as a table, 500 at most; what is left out is said. Without a choice its default columns."""
    known = _allowed(kind)
    sent, columns = exports.query_without_page(known)
    message = documents.query_message(known, sent)
    context.trail("print", object_=kind, detail={"query": dict(request.args)})
    rows, more = _rows(known, message)
    asked = _in_words(known, sent, message)
    content = _painted(
        lambda font: listing.listing(
            font, known.type, rows, _printing(), conditions=asked, more=more, chosen=columns
        )
    )
    title = words.pick(known.type.title.zh, known.type.title.en)
    return attachment(content, f"{title}-{context.now().astimezone(show.SHANGHAI):%Y%m%d-%H%M%S}.pdf", PDF)


def _allowed(kind: str) -> catalogue.Kind:
    known = documents.allowed(kind, "document.export")
    auth.require("document.read", kind)
    return known


def _rows(known: catalogue.Kind, message: pb.QueryRequest) -> tuple[list[Stored], bool]:
    """The first rows of a query, and whether there are more."""
    rows: list[Stored] = []
    while True:
        message.page_size = min(_PAGE, listing.LIMIT - len(rows))
        reply = calls.documents(known.owner, "Query", message)
        rows += [_stored(item, item.columns, ()) for item in reply.items]
        message.cursor = reply.next_cursor
        if not message.cursor or len(rows) >= listing.LIMIT:
            return rows, bool(message.cursor)


def _stored(item: pb.Document, head: Any, lines: Any) -> Stored:
    return Stored(
        number=item.number,
        state=item.state,
        stored_at=datetime.fromisoformat(item.stored_at),
        updated_at=datetime.fromisoformat(item.updated_at),
        customs_status=item.customs_status,
        return_info=item.return_info,
        batch_no=item.batch_no,
        created_by=item.created_by,
        revision=item.revision or 1,
        head=dict(head),
        lines=lines,
    )


def _printing() -> Printing:
    return Printing(at=context.now(), by=context.actor().label, language=words.language())


def _painted(paint: Callable[[Face], bytes]) -> bytes:
    path = context.parts().config.font
    if path is None:
        raise Problem(
            "unavailable",
            "未配置打印字体，无法打印：请管理员在 FONT_FILE 中设置含中文的 TrueType 字体文件。",
            "There is no font to print with: let the administrator set FONT_FILE to a TrueType font with Chinese.",
        )
    if not _PAINTING.acquire(timeout=_WAIT):
        raise unavailable("打印", "Printing")
    try:
        return paint(face(path))
    finally:
        _PAINTING.release()


def _in_words(known: catalogue.Kind, sent: dict[str, str], message: pb.QueryRequest) -> list[str]:
    """What was asked for, as it stands above the table."""
    language = words.language()
    said: dict[str, str] = {}
    if message.stored_from or message.stored_to:
        ends = [
            show.moment(datetime.fromisoformat(end)) if end else "…"
            for end in (message.stored_from, message.stored_to)
        ]
        said[words.pick("入库时间", "Stored")] = " – ".join(ends)
    if "page" in sent:
        titles = {page.id: page.title for page in known.type.pages}
        said[words.pick("页面", "Page")] = words.pick(titles[sent["page"]].zh, titles[sent["page"]].en)
    elif message.states:
        names = [state_text(known.type, state, language) for state in message.states]
        said[words.pick("状态", "State")] = words.pick("、", ", ").join(names)
    if message.settled:
        said[words.pick("是否办结", "Settled")] = {
            "true": words.pick("是", "yes"),
            "false": words.pick("否", "no"),
        }[message.settled]
    labels = {item["name"]: item["label"][language] for item in known.description["conditions"]}
    heads = {field.name: field for field in known.type.head}
    for name, value in message.conditions.items():
        shown = show.shower(heads[name], language)(value) if name in heads else value
        said[labels.get(name, name)] = shown
    return [f"{label}{words.pick('：', ': ')}{value}" for label, value in said.items()]
