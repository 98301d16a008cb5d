"""Imports: a workbook is taken in, read, and stored as a whole, in part, or not at all, as its owner decides.

waiting → reading → done | checked (wrong cells; nothing stored) | failed (whole file); checked → storing → done, or
discarded. Each step can be repeated: its input is stored, and its effect is one transaction.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Any

from sqlalchemy import Connection

from documents import body as bodies
from documents.sheet.look import look
from documents.sheet.model import CellWrong, SheetProblem, SheetResult, existing
from documents.spec import DocumentType
from documents.values import FORBIDDEN
from filing import batch_no as batch
from filing import ids
from filing.context import Filing, check_id
from filing.sheet_process import SheetReader
from filing.store import documents as store
from filing.store import imports as tasks
from filing.usecases.submit import SHANGHAI
from proto.events.v1 import events_pb2
from runtime import crash, outbox
from runtime.actor import Actor
from runtime.errors import Detail, Problem, not_found
from runtime.outbox import Event

#: what has no place in a name that is shown: control characters, and those that turn the direction of text
_NOT_SHOWN = re.compile(rf"[{FORBIDDEN}\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Strategy:
    """业务策略 as the gateway hands it over: what it fills in, and the short codes for batch numbers."""

    id: str
    name: str
    logistics_code: str
    enterprise_code: str
    defaults: Mapping[str, str]


def propose_batch(filing: Filing, actor: Actor, logistics: str, enterprise: str) -> str:
    """The next free batch number of today (Asia/Shanghai)."""
    actor.require("document.import")
    today = datetime.now(SHANGHAI).date()
    with filing.database.transaction(actor.tenant_id) as connection:
        used = tasks.batches(connection, batch.prefix(logistics, enterprise, today))
    return batch.propose(logistics, enterprise, today, used)


def start(
    filing: Filing,
    actor: Actor,
    token: str,
    kind: str,
    file_name: str,
    content: bytes,
    batch_no: str,
    strategy: Strategy,
) -> str:
    """Take a workbook in; returns the import's id. Reading happens in the imports process.

    What is no workbook at all, or too large for one, is refused at once: too_large, wrong_type or invalid.
    """
    doctype = filing.doctype(kind)
    actor.require("document.import", kind)
    _fits(doctype, strategy)
    if batch_no:
        batch.check(batch_no, strategy.logistics_code, strategy.enterprise_code)
    else:
        batch_no = propose_batch(filing, actor, strategy.logistics_code, strategy.enterprise_code)
    try:
        look(content)
    except SheetProblem as exc:
        detail = Detail("/file", exc.code, exc.words.zh, exc.words.en)
        raise Problem(exc.kind, exc.words.zh, exc.words.en, [detail]) from exc
    import_id = ids.ordered_ids(1)[0]
    row = {
        "tenant": actor.tenant_id,
        "id": import_id,
        "kind": kind,
        "file_name": _NOT_SHOWN.sub("_", file_name)[:200],
        "file": content,
        "batch_no": batch_no,
        "strategy": {"id": strategy.id, "name": strategy.name, "defaults": dict(strategy.defaults)},
        "created_by": actor.label,
    }
    with filing.database.transaction(actor.tenant_id) as connection:
        tasks.insert(connection, row)
        outbox.add(connection, actor.tenant_id, token, [_requested(kind, import_id, "read")])
    return import_id


def _fits(doctype: DocumentType, strategy: Strategy) -> None:
    if doctype.discriminator is None:
        return
    name, allowed = doctype.discriminator
    if strategy.defaults.get(name) not in allowed:
        raise Problem(
            "invalid",
            f"业务策略“{strategy.name}”的贸易方式不适用于{doctype.title.zh}，请选择其他策略。",
            f"Strategy “{strategy.name}” is not for {doctype.title.en.lower()}; choose another.",
        )


def resolve(filing: Filing, actor: Actor, token: str, import_id: str, resolution: str) -> None:
    """Keep the valid documents of a checked import, or discard one that is not stored yet, read or not."""
    import_id = check_id(import_id)
    with filing.database.transaction(actor.tenant_id) as connection:
        task = tasks.lock(connection, import_id)
        if task is None:
            raise not_found()
        actor.require("document.import", task.kind)
        if resolution == "discard" and task.state in ("waiting", "reading", "checked", "failed", "discarded"):
            tasks.set_state(connection, import_id, "discarded")
            outbox.add(connection, actor.tenant_id, token, [_progress(task, "discarded")])
        elif resolution == "keep-valid" and task.state == "checked" and task.accepted > 0:
            tasks.set_state(connection, import_id, "storing")
            events = [_requested(task.kind, import_id, "keep-valid"), _progress(task, "storing")]
            outbox.add(connection, actor.tenant_id, token, events)
        elif not (resolution == "keep-valid" and task.state in ("storing", "done")):
            raise Problem(
                "conflict",
                f"该导入当前为“{task.state}”，其中可保留 {task.accepted} 单，不能执行此操作。",
                f"This import is “{task.state}” with {task.accepted} documents to keep; this is not possible now.",
            )


def read(filing: Filing, actor: Actor, import_id: str) -> Any:
    """An import's row, without its file."""
    with filing.database.transaction(actor.tenant_id) as connection:
        task = tasks.read(connection, check_id(import_id))
    if task is None:
        raise not_found()
    actor.require("document.read", task.kind)
    return task


@dataclass(frozen=True, slots=True)
class Marked:
    """The uploaded workbook with its wrong cells marked."""

    file_name: str
    content: bytes


def marked(filing: Filing, actor: Actor, reader: SheetReader, import_id: str, *, english: bool) -> Marked:
    """The marked workbook of an import with wrong cells."""
    with filing.database.transaction(actor.tenant_id) as connection:
        task = tasks.read_file(connection, check_id(import_id))
    if task is None:
        raise not_found()
    actor.require("document.read", task.kind)
    if not task.errors:
        raise Problem("conflict", "该导入没有错误单元格。", "This import has no wrong cells.")
    # a name of its own: saved beside the original it must not take its place
    name = f"{PurePath(task.file_name).stem}-{'marked' if english else '标注'}.xlsx"
    return Marked(name, reader.mark(bytes(task.file), task.errors, english=english))


def page(filing: Filing, actor: Actor, kind: str, after: tuple[str, str] | None, limit: int) -> Sequence[Any]:
    """Imports of a kind, newest first."""
    filing.doctype(kind)
    actor.require("document.read", kind)
    with filing.database.transaction(actor.tenant_id) as connection:
        return tasks.page(connection, kind, after, limit)


class Work:
    """What the imports process does with a requested import."""

    def __init__(self, filing: Filing, reader: SheetReader) -> None:
        self._filing = filing
        self._reader = reader

    def run(self, actor: Actor, token: str, import_id: str, keep_valid: bool) -> None:
        """Read the workbook and store what may be stored. Nothing is stored twice, whatever dies in between."""
        expected = "storing" if keep_valid else "reading"
        with self._filing.database.transaction(actor.tenant_id) as connection:
            task = tasks.lock(connection, import_id)
            if task is None or task.state not in ("waiting", expected):
                return  # done already by an earlier delivery, or discarded meanwhile
            if not keep_valid:
                tasks.set_state(connection, import_id, "reading")
                outbox.add(connection, actor.tenant_id, token, [_progress(task, "reading")])
        crash.point("order.import.reading")
        doctype = self._filing.doctype(task.kind)
        try:
            found = self._reader.read(task.kind, bytes(task.file), task.strategy["defaults"])
        except SheetProblem as exc:
            outcome = {"state": "failed", **_failure(exc)}
            with self._filing.database.transaction(actor.tenant_id) as connection:
                if tasks.lock_state(connection, import_id) == expected:
                    self._record(connection, actor, token, task, outcome, SheetResult())
            return
        self._store(actor, token, task, doctype, found, keep_valid)

    def give_up(self, actor: Actor, token: str, import_id: str, trace: str) -> None:
        """Something of ours broke: the import says so, with the number under which the log has the rest."""
        with self._filing.database.transaction(actor.tenant_id) as connection:
            task = tasks.lock(connection, import_id)
            if task is not None and task.state not in ("done", "discarded"):
                words = (
                    f"系统处理该文件时出错，未导入任何数据，请重试；如仍出现请提供追踪号 {trace}。",
                    f"Our side failed on this file and nothing was imported; try again, or quote trace {trace}.",
                )
                failure = {"kind": "internal", "code": "internal", "zh": words[0], "en": words[1]}
                self._record(
                    connection, actor, token, task, {"state": "failed", "failure": failure}, SheetResult()
                )

    def _store(
        self, actor: Actor, token: str, task: Any, doctype: DocumentType, found: SheetResult, keep_valid: bool
    ) -> None:
        while True:
            with self._filing.database.transaction(actor.tenant_id) as connection:
                if tasks.lock_state(connection, str(task.id)) != ("storing" if keep_valid else "reading"):
                    return  # the same request was delivered twice, and the other one was faster
                _drop_existing(connection, doctype, found)
                whole = not found.wrong or keep_valid
                if whole and found.documents and not self._insert(connection, actor, task, doctype, found):
                    connection.rollback()
                    continue  # a number was taken between look and insert: look again
                state = "done" if whole else "checked"
                self._record(connection, actor, token, task, {"state": state, "failure": None}, found)
                crash.point("order.import.before-commit")
            crash.point("order.import.committed")
            return

    def _insert(
        self, connection: Connection, actor: Actor, task: Any, doctype: DocumentType, found: SheetResult
    ) -> bool:
        new_ids = ids.ordered_ids(len(found.documents))
        rows, keys = [], []
        for document_id, (content, _) in zip(new_ids, found.documents, strict=True):
            key = bodies.natural_key(doctype, content["head"])
            rows.append(
                (document_id, bodies.number(doctype, content), key, json.dumps(content, ensure_ascii=False))
            )
            keys += [(name, value, document_id) for name, value in bodies.keys(doctype, content)]
        state = doctype.lifecycle.by_name["checked"]
        detail = {"import_id": str(task.id), "file_name": task.file_name, "batch_no": task.batch_no}
        common = {
            "kind": doctype.kind,
            "state": state.name,
            "rank": state.rank,
            "batch_no": task.batch_no,
            "mandate": actor.mandate_id,
            "created_by": actor.label,
            "what": "imported",
            "detail": json.dumps(detail, ensure_ascii=False),
        }
        return store.insert_many(connection, rows, keys, common) == len(rows)

    def _record(
        self,
        connection: Connection,
        actor: Actor,
        token: str,
        task: Any,
        outcome: dict[str, Any],
        found: SheetResult,
    ) -> None:
        result = {
            **outcome,
            "rows": found.rows,
            "documents": len(found.documents) + found.rejected,
            "accepted": len(found.documents),
            "rejected": found.rejected,
            "errors": [cell.as_dict() for cell in found.wrong],
            "repairs": [cell.as_dict() for cell in found.repairs],
        }
        tasks.set_result(connection, str(task.id), result)
        outbox.add(connection, actor.tenant_id, token, [_progress(task, outcome["state"], result)])


def _drop_existing(connection: Connection, doctype: DocumentType, found: SheetResult) -> None:
    """Documents whose number is in use, or stands twice in the file, become wrong cells; one query for all."""
    keys = [bodies.natural_key(doctype, content["head"]) for content, _ in found.documents]
    taken = store.existing_keys(connection, keys)
    kept: list[tuple[dict[str, Any], int]] = []
    doubles: list[CellWrong] = []
    for key, (content, row) in zip(keys, found.documents, strict=True):
        if key in taken:
            doubles.append(existing(doctype, found, row, content))
        else:
            kept.append((content, row))
            taken.add(key)
    if not doubles:
        return
    found.documents = kept
    found.rejected += len(doubles)
    found.wrong = sorted([*found.wrong, *doubles], key=lambda cell: (cell.row, cell.letter))


def _failure(exc: SheetProblem) -> dict[str, Any]:
    return {"failure": {"kind": exc.kind, "code": exc.code, "zh": exc.words.zh, "en": exc.words.en}}


def _requested(kind: str, import_id: str, step: str) -> Event:
    message = events_pb2.ImportRequested(import_id=import_id, step=step)
    return Event(f"import.requested.{kind}", "ImportRequested", message.SerializeToString())


def _progress(task: Any, state: str, result: Mapping[str, Any] | None = None) -> Event:
    numbers = result or {"rows": task.rows, "documents": task.documents, "accepted": task.accepted,
                         "rejected": task.rejected}  # fmt: skip
    message = events_pb2.ImportProgress(
        import_id=str(task.id),
        kind=task.kind,
        state=state,
        rows=numbers["rows"],
        documents=numbers["documents"],
        accepted=numbers["accepted"],
        rejected=numbers["rejected"],
    )
    return Event(
        f"import.progress.{task.kind}", "ImportProgress", message.SerializeToString(), mandatory=False
    )
