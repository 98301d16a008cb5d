"""What the imports process does with a requested import: read the workbook, store what may be stored.

Nothing is stored twice, whatever dies in between; a file that kills its worker again and again is given up.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from documents import body as bodies
from documents.sheet.mapping import ColumnMapping
from documents.sheet.model import CellWrong, Reading, SheetProblem, SheetResult, existing, repeated
from documents.spec import DocumentType
from filing import ids
from filing.context import Filing
from filing.limits import MAX_ATTEMPTS
from filing.sheet_process import SheetReader
from filing.store import documents as store
from filing.store import imports as import_store
from filing.store import tasks as task_store
from proto.events.v1 import events_pb2
from runtime import crash, outbox
from runtime.actor import Actor
from runtime.outbox import Event

#: documents of one task: they are checked and made ready in one transaction
MAX_TASK_DOCUMENTS = 20_000


class _Refused(Exception):
    """The import cannot be stored at all. failure: as the import says it."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.failure = {"kind": "conflict", "code": code, "zh": zh, "en": en}


class Work:
    """One requested import at a time."""

    def __init__(self, filing: Filing, reader: SheetReader) -> None:
        self.filing = filing
        self._reader = reader

    def run(self, actor: Actor, token: str, import_id: str, keep_valid: bool) -> None:
        """Read the workbook and store what may be stored."""
        expected = "storing" if keep_valid else "reading"
        with self.filing.database.transaction(actor.tenant_id) as connection:
            task = import_store.lock(connection, import_id)
            if task is None or task.state not in (expected, expected if keep_valid else "waiting"):
                return  # done already by an earlier delivery, or discarded meanwhile
            if import_store.take(connection, import_id, expected) > MAX_ATTEMPTS:
                self._record(connection, actor, token, task, _worn_out(), SheetResult())
                return
            if not keep_valid:
                outbox.add(connection, actor.tenant_id, token, [progress(task, "reading")])
        crash.point("order.import.reading")
        doctype = self.filing.doctype(task.kind)
        try:
            found = self._reader.read(task.kind, bytes(task.file), _reading(task))
        except SheetProblem as exc:
            failure = {"kind": exc.kind, "code": exc.code, "zh": exc.words.zh, "en": exc.words.en}
            self._end(actor, token, task, expected, failure)
            return
        try:
            self._store(actor, token, task, doctype, found, keep_valid)
        except _Refused as exc:
            self._end(actor, token, task, expected, exc.failure)

    def give_up(self, actor: Actor, token: str, import_id: str, trace: str) -> None:
        """Something of ours broke: the import says so, with the number under which the log has the rest."""
        with self.filing.database.transaction(actor.tenant_id) as connection:
            task = import_store.lock(connection, import_id)
            if task is not None and task.state not in ("done", "discarded"):
                words = (
                    f"系统处理该文件时出错，未导入任何数据，请重试；如仍出现请提供追踪号 {trace}。",
                    f"Our side failed on this file and nothing was imported; try again, or quote trace {trace}.",
                )
                failure = {"kind": "internal", "code": "internal", "zh": words[0], "en": words[1]}
                self._record(
                    connection, actor, token, task, {"state": "failed", "failure": failure}, SheetResult()
                )

    def _end(self, actor: Actor, token: str, task: Any, expected: str, failure: dict[str, str]) -> None:
        outcome = {"state": "failed", "failure": failure}
        with self.filing.database.transaction(actor.tenant_id) as connection:
            if import_store.lock_state(connection, str(task.id)) == expected:
                self._record(connection, actor, token, task, outcome, SheetResult())

    def _store(
        self, actor: Actor, token: str, task: Any, doctype: DocumentType, found: SheetResult, keep_valid: bool
    ) -> None:
        while True:
            with self.filing.database.transaction(actor.tenant_id) as connection:
                if import_store.lock_state(connection, str(task.id)) != (
                    "storing" if keep_valid else "reading"
                ):
                    return  # the same request was delivered twice, and the other one was faster
                if task.task_id is not None:
                    _lock_task(connection, task, len(found.documents))
                whole = _drop_existing(connection, doctype, found, keep_valid=keep_valid)
                if whole and found.documents and not self._insert(connection, actor, task, doctype, found):
                    connection.rollback()
                    continue  # a number was taken between look and insert: look again
                state = "done" if whole else "checked"
                if task.task_id is not None and whole and found.documents:
                    task_store.set_state(connection, str(task.task_id), "draft", actor.label)
                    outbox.add(
                        connection, actor.tenant_id, token, [task_progress(task.task_id, task.kind, "draft")]
                    )
                self._record(connection, actor, token, task, {"state": state, "failure": None}, found)
                crash.point("order.import.before-commit")
            crash.point("order.import.committed")
            return

    def _insert(
        self, connection: Connection, actor: Actor, task: Any, doctype: DocumentType, found: SheetResult
    ) -> bool:
        new_ids = ids.ordered_ids(len(found.documents))
        rows, keys, refs = [], [], []
        for document_id, (content, _) in zip(new_ids, found.documents, strict=True):
            key = bodies.natural_key(doctype, content["head"])
            rows.append(
                (document_id, bodies.number(doctype, content), key, json.dumps(content, ensure_ascii=False))
            )
            terms = bodies.terms(doctype, content)
            keys += [(name, value, document_id) for name, value in terms.keys]
            refs += [(name, value, document_id) for name, value in terms.refs]
        # basic data of a task is not fit to be filed before it was generated
        state = doctype.lifecycle.by_name["draft" if task.task_id else "checked"]
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
            "task": str(task.task_id) if task.task_id else None,
        }
        return store.insert_many(connection, rows, keys, refs, common) == len(rows)

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
        import_store.set_result(connection, str(task.id), result)
        outbox.add(connection, actor.tenant_id, token, [progress(task, outcome["state"], result)])


def _reading(task: Any) -> Reading:
    kept = task.mapping
    mapping = ColumnMapping(kept["columns"], kept["constants"]) if kept else ColumnMapping({}, {})
    return Reading(
        trade_mode=task.strategy.get("trade_mode", ""),
        defaults=task.strategy["defaults"],
        export_date=task.export_date,
        columns=mapping.sheet_columns,
        constants=mapping.fixed,
        basic=task.task_id is not None,
    )


def _worn_out() -> dict[str, Any]:
    zh = (
        f"读取该文件的进程已被中断 {MAX_ATTEMPTS} 次，已停止尝试，未导入任何数据；"
        "请删除多余的行列和格式或拆分后重新导入，也可以稍后“重试”。"
    )
    en = (
        f"The process that read this file was stopped {MAX_ATTEMPTS} times and gave up; nothing was imported. Delete "
        "unused rows, columns and formats, or split the file, and import again; or retry it later."
    )
    return {
        "state": "failed",
        "failure": {"kind": "internal", "code": "stopped-too-often", "zh": zh, "en": en},
    }


def _lock_task(connection: Connection, task: Any, more: int) -> None:
    row = task_store.lock(connection, str(task.task_id))
    if row is None:
        raise _Refused(
            "task-deleted", "所属任务已删除，未导入任何数据。", "The task was deleted; nothing was imported."
        )
    if row.state == "generating":
        raise _Refused(
            "task-generating",
            f"任务 {row.task_no} 正在生成申报数据，未导入任何数据，请完成后重新导入。",
            f"Task {row.task_no} is being generated; nothing was imported. Import again afterwards.",
        )
    if (
        task_store.documents(connection, [str(task.task_id)])[str(task.task_id)][0] + more
        > MAX_TASK_DOCUMENTS
    ):
        raise _Refused(
            "task-full",
            f"一个任务最多 {MAX_TASK_DOCUMENTS} 单，请另建任务导入其余数据；未导入任何数据。",
            f"A task takes at most {MAX_TASK_DOCUMENTS} documents; make another one. Nothing was imported.",
        )


def _drop_existing(
    connection: Connection, doctype: DocumentType, found: SheetResult, *, keep_valid: bool
) -> bool:
    """Documents whose number is in use, or stands twice in the file, become wrong cells; one query for all.

    Returns whether what is left may be stored. Numbers that may be used again are given free only then.
    """
    keys = [bodies.natural_key(doctype, content["head"]) for content, _ in found.documents]
    with connection.begin_nested() as nested:
        if doctype.reuse_months:
            store.release_old_keys(connection, [key for key in keys if key], doctype.reuse_months)
        taken = store.existing_keys(connection, keys)
        kept: list[tuple[dict[str, Any], int]] = []
        doubles: list[CellWrong] = []
        first: dict[str, int] = {}
        for key, (content, row) in zip(keys, found.documents, strict=True):
            if key and key in taken:
                doubles.append(existing(doctype, found, row, content))
            elif key and key in first:
                doubles.append(repeated(doctype, found, row, content, first[key]))
            else:
                kept.append((content, row))
                first[key] = row
        if doubles:
            found.documents = kept
            found.rejected += len(doubles)
            found.wrong = sorted([*found.wrong, *doubles], key=lambda cell: (cell.row, cell.letter))
        whole = not found.wrong or keep_valid
        if not whole:
            nested.rollback()
    return whole


def requested(kind: str, import_id: str, step: str) -> Event:
    """Asks the imports process for a step: read | keep-valid."""
    message = events_pb2.ImportRequested(import_id=import_id, step=step)
    return Event(f"import.requested.{kind}", "ImportRequested", message.SerializeToString())


def task_progress(task_id: Any, kind: str, state: str) -> Event:
    """Tells open pages of an import task."""
    message = events_pb2.TaskProgress(task_id=str(task_id), kind=kind, state=state)
    return Event(f"task.progress.{kind}", "TaskProgress", message.SerializeToString(), mandatory=False)


def progress(task: Any, state: str, result: Mapping[str, Any] | None = None) -> Event:
    """Tells open pages how far an import is."""
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
