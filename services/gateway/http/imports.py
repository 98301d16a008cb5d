"""Importing workbooks: hand the file to the owning service, show how far it is, keep or discard.

The file is not opened here: what reads hostile workbooks is a process of its own with limits.
"""

from __future__ import annotations

import threading
import unicodedata
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from flask import Response
from marshmallow import fields

from proto.documents.v1 import documents_pb2 as pb
from runtime import crash
from runtime.errors import not_found, unavailable
from services.gateway.http import auth, calls, catalogue, context, parse, problems, wire, words
from services.gateway.http.answers import Blueprint, answer, attachment, no_content
from services.gateway.http.documents import page_size
from services.gateway.http.schemas import BatchNumberAnswer, ImportAnswer, ImportPage, StartedAnswer
from services.gateway.tenants import store
from services.gateway.tenants.store import Strategy

blueprint = Blueprint("imports", __name__, url_prefix="/api/v1", description="Importing workbooks")
_NAME_LENGTH = 120  # characters of a file name that are kept
#: files held in memory at once in this process, each up to three times (read, message, wire)
_UPLOADS = threading.BoundedSemaphore(4)
_WAIT = 10.0  # seconds
#: marking a workbook of 100,000 rows was measured at half a minute; the child that does it has one minute
MARKING_SECONDS = 70.0


class ImportForm(parse.Schema):
    """multipart/form-data: the workbook and how to read it."""

    kind = parse.Text(1, 50, required=True)
    batch_no = parse.Text(0, 100)
    strategy = parse.Text(0, 50)
    file = fields.Raw(required=True, metadata={"type": "string", "format": "binary"},
                      error_messages={"required": "required", "null": "null"})  # fmt: skip


@blueprint.route("/imports", methods=["POST"])
@blueprint.arguments(ImportForm, location="form", content_type="multipart/form-data")
@blueprint.response(202, StartedAnswer)
def start(form: dict[str, Any]) -> Response:
    """Hand in a workbook; it is read and checked in the background."""
    kind = _known_kind(form["kind"])
    auth.require("document.import", kind.type.kind)
    upload = form["file"]
    if not hasattr(upload, "read"):
        raise problems.invalid([problems.wrong("/file", "required")])
    strategy = (
        _strategy(form["strategy"], kind.type.kind)
        if form.get("strategy")
        else _only_strategy(kind.type.kind)
    )
    if not _UPLOADS.acquire(timeout=_WAIT):
        raise unavailable("导入", "Importing")
    try:
        return _hand_over(kind, strategy, form, upload)
    finally:
        _UPLOADS.release()


def _hand_over(kind: catalogue.Kind, strategy: Strategy, form: dict[str, Any], upload: Any) -> Response:
    limit = context.parts().config.upload_limit
    content = upload.read(limit + 1)
    if len(content) > limit:
        raise parse.too_large(limit)
    if not content:
        raise problems.invalid([problems.wrong("/file", "file-empty", upload.filename or "")])
    message = pb.StartImportRequest(
        kind=kind.type.kind,
        file_name=safe_name(upload.filename or ""),
        file=content,
        batch_no=form.get("batch_no", ""),
        strategy=_strategy_message(strategy),
    )
    context.trail("import", object_=kind.type.kind, detail={"file": message.file_name, "bytes": len(content)})
    crash.point("gateway.imports.before-start")
    task = calls.documents(kind.owner, "StartImport", message)
    return answer({"id": task.id, "state": task.state}, 202, {"Location": f"/api/v1/imports/{task.id}"})


@blueprint.route("/imports", methods=["GET"])
@blueprint.response(200, ImportPage)
@blueprint.doc(
    parameters=[
        {"in": "query", "name": name, "schema": {"type": "string"}}
        for name in ("kind", "page_size", "cursor")
    ]
)
def list_imports() -> Response:
    """Recent imports of a kind, newest first."""
    sent = parse.current_query("kind", "page_size", "cursor")
    if not sent.get("kind"):
        raise problems.invalid([problems.wrong("/kind", "required")])
    kind = _known_kind(sent["kind"])
    auth.require("document.import", kind.type.kind)
    details: list[Any] = []
    size = page_size(sent.get("page_size"), details)
    cursor = sent.get("cursor", "")
    if cursor and not _is_cursor(cursor):
        details.append(problems.wrong("/cursor", "cursor", cursor))
    if details:
        raise problems.invalid(details)
    message = pb.ListImportsRequest(kind=kind.type.kind, page_size=size, cursor=cursor)
    reply = calls.documents(kind.owner, "ListImports", message)
    return answer(
        {
            "items": [wire.import_task(item) for item in reply.items],
            "next_cursor": reply.next_cursor or None,
            "total_estimate": None,
        }
    )


@blueprint.route("/imports/<import_id>", methods=["GET"])
@blueprint.response(200, ImportAnswer)
def read(import_id: str) -> Response:
    """How far an import is, and its first wrong cells."""
    return answer(wire.import_task(calls.first_owner("ReadImport", pb.ImportRef(id=_id(import_id)))))


@blueprint.route("/imports/<import_id>/errors.xlsx", methods=["GET"])
@blueprint.response(200, {"type": "string", "format": "binary"}, content_type="application/octet-stream")
def errors_workbook(import_id: str) -> Response:
    """The same workbook with the wrong cells marked."""
    wanted = pb.ImportRef(id=_id(import_id), language=words.language())
    found = calls.first_owner("ImportErrorsWorkbook", wanted, MARKING_SECONDS)
    return attachment(found.content, found.file_name)


@blueprint.route("/imports/<import_id>/keep-valid", methods=["POST"])
@blueprint.response(200, ImportAnswer)
def keep_valid(import_id: str) -> Response:
    """Store the documents that have no wrong row; the others are left out."""
    return answer(wire.import_task(_resolve(import_id, "keep-valid")))


@blueprint.route("/imports/<import_id>", methods=["DELETE"])
@blueprint.response(204)
def discard(import_id: str) -> Response:
    """Give up a checked import; nothing of it is stored."""
    _resolve(import_id, "discard")
    return no_content()


@blueprint.route("/batch-numbers/proposal", methods=["GET"])
@blueprint.response(200, BatchNumberAnswer)
@blueprint.doc(
    parameters=[{"in": "query", "name": "strategy", "required": True, "schema": {"type": "string"}}]
)
def propose_batch() -> Response:
    """The next free batch number under a strategy: logistics code, date, enterprise code, serial."""
    sent = parse.current_query("strategy")
    if not sent.get("strategy"):
        raise problems.invalid([problems.wrong("/strategy", "required")])
    strategy = _strategy(sent["strategy"], None)
    auth.require("document.import", strategy.kind)
    message = pb.ProposeBatchRequest(
        logistics_code=strategy.logistics_code, enterprise_code=strategy.enterprise_short_code
    )
    reply = calls.documents(catalogue.kind(strategy.kind).owner, "ProposeBatch", message)
    return answer({"batch_no": reply.batch_no})


def safe_name(name: str) -> str:
    """A file name to be shown and given back: the last part only, visible characters only, not too long."""
    last = PurePosixPath(name.replace("\\", "/")).name
    kept = "".join(
        item for item in unicodedata.normalize("NFC", last) if unicodedata.category(item)[0] != "C"
    ).strip()
    if len(kept) > _NAME_LENGTH:
        stem, dot, suffix = kept.rpartition(".")
        kept = (
            stem[: _NAME_LENGTH - len(suffix) - 1] + dot + suffix
            if dot and len(suffix) < 10
            else kept[:_NAME_LENGTH]
        )
    return kept if kept.strip(". ") else "import.xlsx"


def _is_cursor(text: str) -> bool:
    """Whether it can be one that the service gave: time and id of the last import seen."""
    at, _, last = text.partition("|")
    try:
        datetime.fromisoformat(at)
    except ValueError:
        return False
    return parse.uuid_or_none(last) is not None


def _known_kind(name: str) -> catalogue.Kind:
    if name not in catalogue.kinds():
        raise problems.invalid(
            [problems.wrong("/kind", "kind-unknown:" + ", ".join(catalogue.kinds()), name)]
        )
    return catalogue.kind(name)


def _only_strategy(kind: str) -> Strategy:
    """Where the tenant has one strategy for the kind, it need not be named."""
    tenant = context.actor().tenant_id
    with context.parts().database.transaction(tenant) as connection:
        fitting = [
            item for item in store.strategies(connection, tenant) if item.enabled and item.kind == kind
        ]
    if len(fitting) != 1:
        names = ", ".join(f"{item.name} ({item.id})" for item in fitting)
        raise problems.invalid([problems.wrong("/strategy", f"strategy-needed:{names}")])
    return fitting[0]


def _strategy(strategy_id: str, kind: str | None) -> Strategy:
    tenant = context.actor().tenant_id
    canonical = parse.uuid_or_none(strategy_id)
    found = None
    if canonical is not None:
        with context.parts().database.transaction(tenant) as connection:
            found = store.strategy(connection, tenant, canonical)
    if found is None or not found.enabled:
        raise problems.invalid([problems.wrong("/strategy", "strategy-unknown", strategy_id)])
    if kind is not None and found.kind != kind:
        raise problems.invalid([problems.wrong("/strategy", f"strategy-kind:{found.kind}", strategy_id)])
    return found


def _strategy_message(strategy: Strategy) -> pb.Strategy:
    return pb.Strategy(
        id=strategy.id,
        name=strategy.name,
        trade_mode=strategy.trade_mode,
        logistics_code=strategy.logistics_code,
        enterprise_short_code=strategy.enterprise_short_code,
        defaults=dict(strategy.defaults),
    )


def _id(import_id: str) -> str:
    canonical = parse.uuid_or_none(import_id)
    if canonical is None:
        raise not_found()
    return canonical


def _resolve(import_id: str, resolution: str) -> pb.Import:
    known = calls.first_owner("ReadImport", pb.ImportRef(id=_id(import_id)))
    auth.require("document.import", known.kind)
    context.trail(f"import-{resolution}", object_=known.kind, detail={"import": known.id})
    found: pb.Import = calls.first_owner(
        "ResolveImport", pb.ResolveImportRequest(id=known.id, resolution=resolution)
    )
    return found
