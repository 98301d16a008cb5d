"""gRPC messages as the JSON of the API. Pure translation; the words are picked in the caller's language."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from documents import describe, reasons
from documents.reasons import Reason
from documents.spec import DocumentType
from proto.documents.v1 import documents_pb2 as pb
from runtime.errors import KINDS, Detail, Problem
from services.gateway.http import problems, words
from services.gateway.http.answers import SHANGHAI


def moment(text: str) -> str:
    """A service's RFC 3339 time in Asia/Shanghai; empty stays empty."""
    return datetime.fromisoformat(text).astimezone(SHANGHAI).isoformat() if text else ""


def document_row(item: pb.Document, doctype: DocumentType) -> dict[str, Any]:
    """A document as it stands in a list."""
    return {
        "id": item.id,
        "kind": item.kind,
        "number": item.number,
        "state": item.state,
        "state_text": describe.state_text(doctype, item.state, words.language()),
        "customs_status": item.customs_status or None,
        "settled": item.settled,
        "stored_at": moment(item.stored_at),
        "updated_at": moment(item.updated_at),
        "version": item.version,
        "batch_no": item.batch_no or None,
        "columns": dict(item.columns),
        "return_info": item.return_info or None,
        "actions": list(item.actions),
        "revision": item.revision,
        "app_type": item.app_type,
        "replaces": item.replaces or None,
        "replaced_by": item.replaced_by or None,
        "task_id": item.task_id or None,
        "overdue_at": moment(item.overdue_at) or None,
    }


def document(item: pb.Document, doctype: DocumentType) -> dict[str, Any]:
    """A document alone, with its body."""
    return {
        **document_row(item, doctype),
        "body": json.loads(item.body_json) if item.body_json else {"head": {}, "lines": []},
        "etag": etag(item.version),
        "links": [{"via": one.name, "value": one.value} for one in item.refs],
        "created_by": item.created_by or None,
        "warnings": [field_problem(one) for one in item.warnings],
    }


def etag(version: int) -> str:
    """The entity tag of a version."""
    return f'"{version}"'


def detail(item: pb.FieldProblem) -> Detail:
    """A service's field problem as ours."""
    return Detail(item.pointer, item.code, item.zh, item.en, item.value)


def field_problem(item: pb.FieldProblem) -> dict[str, str]:
    """One wrong field."""
    return problems.detail_json(detail(item))


def act_result(item: pb.ActResult) -> dict[str, Any]:
    """What became of one document of a batch."""
    found: dict[str, Any] = {
        "id": item.id,
        "number": item.number or None,
        "ok": item.ok,
        "state": item.state or None,
        "new_id": item.new_id or None,
        "new_kind": item.new_kind or None,
    }
    if not item.ok:
        found["problem"] = problems.as_json(act_problem(item))
    return found


def act_problem(item: pb.ActResult) -> Problem:
    """Why an action was not done to one document. A code that is no kind of problem is a conflict with its state."""
    code = item.problem.code.replace("-", "_")
    kind = code if code in KINDS else "conflict"
    details = [detail(one) for one in item.details] or ([detail(item.problem)] if code not in KINDS else [])
    return Problem(kind, item.problem.zh, item.problem.en, details)


def receipt(item: pb.Receipt) -> dict[str, Any]:
    """One receipt of customs."""
    return {
        "id": item.id,
        "message_type": item.message_type,
        "status": item.status,
        "status_text": words.pick(item.status_text_zh, item.status_text_en),
        "return_time": item.return_time,
        "info": item.info,
        "received_at": moment(item.received_at),
        "standing": item.standing,
        "times": item.times,
        "explanation": explanation(reasons.of_status(item.status)),
    }


def explanation(reason: Reason | None) -> dict[str, Any] | None:
    """What a refusal means and what to do; null where there is nothing to explain."""
    if reason is None:
        return None
    return {
        "code": reason.code,
        "text": words.pick(reason.words.zh, reason.words.en),
        "way_out": words.pick(reason.way_out.zh, reason.way_out.en),
        "certain": reason.certain,
    }


def timeline_entry(item: pb.TimelineEntry) -> dict[str, Any]:
    """One thing that happened to a document."""
    return {
        "at": moment(item.at),
        "what": item.what,
        "text": words.pick(item.zh, item.en),
        "actor": item.actor or None,
        "detail": dict(item.detail),
        "explanation": explanation(reason_of(item)),
    }


def reason_of(item: pb.TimelineEntry) -> Reason | None:
    """Why an entry of a timeline is bad news; None if it is not."""
    if item.what == "receipt":
        return reasons.of_status(item.detail.get("status", ""))
    return reasons.of_refusal(item.detail.get("code", "")) if item.what == "refused" else None


def cell_problem(item: pb.CellProblem) -> dict[str, Any]:
    """One wrong or repaired cell of a workbook."""
    return {
        "sheet": item.sheet,
        "row": item.row,
        "column": item.column,
        "letter": item.letter,
        "value": item.value,
        "code": item.code,
        "message": words.pick(item.zh, item.en),
    }


def import_task(item: pb.Import) -> dict[str, Any]:
    """An import with its first errors."""
    failure = item.failure if item.HasField("failure") else None
    return {
        "id": item.id,
        "kind": item.kind,
        "state": item.state,
        "file_name": item.file_name,
        "batch_no": item.batch_no,
        "strategy_name": item.strategy_name or None,
        "rows": item.rows,
        "documents": item.documents,
        "accepted": item.accepted,
        "rejected": item.rejected,
        "errors": [cell_problem(one) for one in item.errors],
        "errors_total": item.errors_total,
        "repairs": [cell_problem(one) for one in item.repairs],
        "failure": field_problem(failure) if failure else None,
        "document_ids_url": _documents_of(item),
        "task": item.task_id or None,
        "mapping_name": item.mapping_name or None,
        "export_date": f"{item.export_date[:4]}-{item.export_date[4:6]}-{item.export_date[6:]}"
        if item.export_date
        else None,
        "overdue": overdue(item),
        "created_at": moment(item.created_at),
        "created_by": item.created_by or None,
    }


def _documents_of(item: pb.Import) -> str:
    wanted = (
        f"?batch_no={item.batch_no}" if item.batch_no else f"?task={item.task_id}" if item.task_id else ""
    )
    return f"/api/v1/documents/{item.kind}{wanted}"


def overdue(item: Any) -> dict[str, str] | None:
    """Why an import or a task takes too long, and since when it does; None while it does not."""
    if not item.HasField("overdue"):
        return None
    return {"since": moment(item.overdue.value), "message": words.pick(item.overdue.zh, item.overdue.en)}


def key(item: Any) -> dict[str, Any]:
    """A signing key. `hardware` false: a software token, and the pages say so."""
    return {
        "id": item.id,
        "label": item.label,
        "enterprise_code": item.enterprise_code,
        "algorithm": item.algorithm,
        "device": item.device,
        "hardware": item.hardware,
        "certificate_serial": item.certificate_serial,
        "not_before": moment(item.not_before),
        "not_after": moment(item.not_after),
        "active": item.active,
        "state": item.state,
        "fingerprint": item.fingerprint,
        "purpose": item.purpose,
        "confirmed_at": moment(item.confirmed_at) if item.confirmed_at else None,
        "confirmed_by": item.confirmed_by,
        "device_kind": item.device_kind,
        "agent_id": item.agent_id or None,
        "expires_in_days": item.expires_in_days,
        "warning": item.warning,
        "messages": item.messages,
        "documents": item.documents,
        "reason": item.reason,
    }


def card(item: Any) -> dict[str, Any]:
    """A card that an edge agent showed."""
    return {
        "fingerprint": item.fingerprint,
        "agent_id": item.agent_id,
        "serial": item.serial,
        "subject": item.subject,
        "not_before": moment(item.not_before),
        "not_after": moment(item.not_after),
        "token": item.token,
        "state": item.state,
        "reason": item.reason,
        "mechanisms": list(item.mechanisms),
        "seconds": item.seconds or None,
        "at": moment(item.at),
        "key_id": item.key_id or None,
        "kind": item.kind,
    }


def challenge(item: Any) -> dict[str, Any]:
    """What a key was asked to sign to prove that it is there."""
    return {
        "id": item.id,
        "state": item.state,
        "reason": item.reason,
        "expires_at": moment(item.expires_at),
    }
