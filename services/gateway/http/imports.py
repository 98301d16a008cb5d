"""Importing workbooks: hand the file to the owning service, show how far it is, keep or discard.

The file is not opened here: what reads hostile workbooks is a process of its own with limits.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import PurePosixPath
from typing import Any

from flask import Response
from marshmallow import fields

from proto.documents.v1 import documents_pb2 as pb
from runtime import crash
from runtime.errors import not_found, unavailable
from services.gateway.http import (
    auth,
    calls,
    catalogue,
    context,
    parse,
    problems,
    replay,
    strategies,
    wire,
    words,
)
from services.gateway.http.answers import Blueprint, answer, attachment, no_content
from services.gateway.http.documents import page_size
from services.gateway.http.schemas import BatchNumberAnswer, ImportAnswer, ImportPage, StartedAnswer
from services.gateway.tenants.store import Strategy

blueprint = Blueprint("imports", __name__, url_prefix="/api/v1", description="Importing workbooks")
_NAME_LENGTH = 120  # characters of a file name that are kept
#: files held in memory at once in this process, each up to three times (read, message, wire)
_UPLOADS = threading.BoundedSemaphore(4)
_WAIT = 10.0  # seconds
#: marking a workbook of 100,000 rows was measured at half a minute; the child that does it has one minute
MARKING_SECONDS = 70.0


class ImportForm(parse.Schema):
    """multipart/form-data: the workbook and how to read it.

    strategy: may be left out where the kind needs none or only one fits. export_date: yyyy-mm-dd. mapping: a saved
    column mapping. task: the documents become basic data of this import task, under the task's strategy.
    """

    kind = parse.Text(1, 50, required=True)
    batch_no = parse.Text(0, 100)
    strategy = parse.Text(0, 50)
    export_date = parse.Text(0, 50)
    mapping = parse.Text(0, 50)
    task = parse.Text(0, 50)
    file = fields.Raw(required=True, metadata={"type": "string", "format": "binary"},
                      error_messages={"required": "required", "null": "null"})  # fmt: skip


@blueprint.route("/imports", methods=["POST"])
@blueprint.arguments(ImportForm, location="form", content_type="multipart/form-data")
@blueprint.response(202, StartedAnswer)
def start(form: dict[str, Any]) -> Response:
    """Hand in a workbook; it is read and checked in the background."""
    kind = importable_kind(form["kind"])
    upload = uploaded(form)
    message = pb.StartImportRequest(
        kind=kind.type.kind,
        file_name=safe_name(upload.filename or ""),
        batch_no=form.get("batch_no", ""),
        export_date=_day(form.get("export_date", "")),
        mapping_id=_reference("mapping", form),
        task_id=_reference("task", form),
        import_id=replay.new_id(),
    )
    strategy = _strategy(kind, form)
    if strategy is not None:
        message.strategy.CopyFrom(strategies.message(strategy))
    with held():
        message.file = content_of(upload)
        detail = {"file": message.file_name, "bytes": len(message.file)}
        context.trail("import", object_=kind.type.kind, detail=detail)
        crash.point("gateway.imports.before-start")
        task = calls.documents(kind.owner, "StartImport", message)
    return answer({"id": task.id, "state": task.state}, 202, {"Location": f"/api/v1/imports/{task.id}"})


def importable_kind(name: str) -> catalogue.Kind:
    """The kind, if it exists, is imported at all and may be imported by the caller; 422 otherwise, or 403."""
    if name not in catalogue.kinds():
        raise problems.invalid(
            [problems.wrong("/kind", "kind-unknown:" + ", ".join(catalogue.kinds()), name)]
        )
    kind = catalogue.kind(name)
    auth.require("document.import", name)
    if kind.type.sheet is None:
        raise problems.invalid([problems.wrong("/kind", "not-imported", name)])
    return kind


def uploaded(form: dict[str, Any]) -> Any:
    """The file of a form."""
    upload = form["file"]
    if not hasattr(upload, "read"):
        raise problems.invalid([problems.wrong("/file", "required")])
    return upload


@contextmanager
def held() -> Iterator[None]:
    """A place among the files that are in memory at once."""
    if not _UPLOADS.acquire(timeout=_WAIT):
        raise unavailable("导入", "Importing")
    try:
        yield
    finally:
        _UPLOADS.release()


def content_of(upload: Any) -> bytes:
    """What was uploaded, within the limit."""
    limit = context.parts().config.upload_limit
    content: bytes = upload.read(limit + 1)
    if len(content) > limit:
        raise parse.too_large(limit)
    if not content:
        raise problems.invalid([problems.wrong("/file", "file-empty", upload.filename or "")])
    return content


def _strategy(kind: catalogue.Kind, form: dict[str, Any]) -> Strategy | None:
    """The strategy that is meant; a task has its own, and a mapping may leave nothing for one to do."""
    given = form.get("strategy", "")
    if form.get("task"):
        if given:
            raise problems.invalid([problems.wrong("/strategy", "strategy-of-task", given)])
        return None
    if given:
        return strategies.named(given, kind.type)
    if not strategies.needed(kind.type):
        return None
    # a mapping may have a column for everything: the service knows, and asks for a strategy if not
    return strategies.only(kind.type, required=not form.get("mapping"))


def _day(given: str) -> str:
    """yyyy-mm-dd as the messages have it, yyyyMMdd; 422 for anything else."""
    if not given:
        return ""
    try:
        day = date.fromisoformat(given)
    except ValueError:
        day = None
    if day is None or day.isoformat() != given:
        raise problems.invalid([problems.wrong("/export_date", "day", given)])
    return given.replace("-", "")


def _reference(name: str, form: dict[str, Any]) -> str:
    """An id in a form; what is no id is answered like an id nobody has."""
    given = form.get(name, "")
    if given and parse.uuid_or_none(given) is None:
        raise not_found()
    return str(given)


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
    kind = importable_kind(sent["kind"])
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


@blueprint.route("/imports/<import_id>/retry", methods=["POST"])
@blueprint.response(200, ImportAnswer)
def retry(import_id: str) -> Response:
    """Another try for an import that takes too long, or that failed through no fault of its file."""
    known = _known(import_id)
    context.trail("import-retry", object_=known.kind, detail={"import": known.id})
    return answer(wire.import_task(calls.first_owner("RetryImport", pb.ImportRef(id=known.id))))


@blueprint.route("/imports/<import_id>", methods=["DELETE"])
@blueprint.response(204)
def discard(import_id: str) -> Response:
    """Give up an import of which nothing is stored yet."""
    _resolve(import_id, "discard")
    return no_content()


@blueprint.route("/batch-numbers/proposal", methods=["GET"])
@blueprint.response(200, BatchNumberAnswer)
@blueprint.doc(
    parameters=[
        {"in": "query", "name": "strategy", "required": True, "schema": {"type": "string"}},
        {"in": "query", "name": "kind", "schema": {"type": "string"}},
    ]
)
def propose_batch() -> Response:
    """The next free batch number under a strategy: logistics code, date, enterprise code, serial.

    kind: of what is imported; the strategy's main kind if it is left out.
    """
    sent = parse.current_query("strategy", "kind")
    if not sent.get("strategy"):
        raise problems.invalid([problems.wrong("/strategy", "required")])
    kind = importable_kind(sent["kind"]) if sent.get("kind") else None
    strategy = strategies.named(sent["strategy"], kind.type if kind else None)
    kind = kind or importable_kind(strategy.kind)
    message = pb.ProposeBatchRequest(
        logistics_code=strategy.logistics_code, enterprise_code=strategy.enterprise_short_code
    )
    reply = calls.documents(kind.owner, "ProposeBatch", message)
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


def _id(import_id: str) -> str:
    canonical = parse.uuid_or_none(import_id)
    if canonical is None:
        raise not_found()
    return canonical


def _known(import_id: str) -> pb.Import:
    known: pb.Import = calls.first_owner("ReadImport", pb.ImportRef(id=_id(import_id)))
    auth.require("document.import", known.kind)
    return known


def _resolve(import_id: str, resolution: str) -> pb.Import:
    known = _known(import_id)
    context.trail(f"import-{resolution}", object_=known.kind, detail={"import": known.id})
    found: pb.Import = calls.first_owner(
        "ResolveImport", pb.ResolveImportRequest(id=known.id, resolution=resolution)
    )
    return found
