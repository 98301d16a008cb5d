"""Imports: a workbook is taken in, and its owner decides what becomes of what was found in it. Reading: import_work.

waiting → reading → done | checked (wrong cells; nothing stored) | failed (whole file); checked → storing → done, or
discarded. Each step can be repeated: its input is stored, and its effect is one transaction.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Any

from sqlalchemy import Connection

from documents import strategy as strategies
from documents.sheet.look import look
from documents.sheet.mapping import ColumnMapping
from documents.sheet.model import SheetProblem
from documents.spec import DocumentType, Sheet
from documents.values import FORBIDDEN, FieldCheck
from documents.words import Words
from filing import batch_no as batch
from filing import ids, limits
from filing.context import Filing, check_id
from filing.sheet_process import SheetReader
from filing.store import imports as store
from filing.store import mappings as mapping_store
from filing.store import tasks as task_store
from filing.strategies import NONE, Strategy
from filing.times import SHANGHAI
from filing.usecases.import_work import progress, requested
from runtime import outbox
from runtime.actor import Actor
from runtime.errors import Detail, Problem, not_found

#: what has no place in a name that is shown: control characters, and those that turn the direction of text
_NOT_SHOWN = re.compile(rf"[{FORBIDDEN}\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A workbook and how to read it. export_date: yyyyMMdd. import_id: the caller's id, so that a repeat is seen.

    batch_no: "" = propose one. task_id: the documents become basic data of this task, under the task's strategy.
    """

    kind: str
    file_name: str
    content: bytes
    batch_no: str = ""
    strategy: Strategy | None = None
    export_date: str = ""
    mapping_id: str = ""
    task_id: str = ""
    import_id: str = ""


def propose_batch(filing: Filing, actor: Actor, logistics: str, enterprise: str) -> str:
    """The next free batch number of today (Asia/Shanghai)."""
    actor.require("document.import")
    today = datetime.now(SHANGHAI).date()
    with filing.database.transaction(actor.tenant_id) as connection:
        used = store.batches(connection, batch.prefix(logistics, enterprise, today))
    return batch.propose(logistics, enterprise, today, used)


def start(filing: Filing, actor: Actor, token: str, upload: Upload) -> str:
    """Take a workbook in; returns the import's id. Reading happens in the imports process.

    What is no workbook at all, or too large for one, is refused at once: too_large, wrong_type or invalid. A repeat
    with the same import_id answers the first one's id and starts nothing.
    """
    doctype = filing.doctype(upload.kind)
    actor.require("document.import", upload.kind)
    sheet = imported(doctype)
    import_id = check_id(upload.import_id) if upload.import_id else ids.ordered_ids(1)[0]
    with filing.database.transaction(actor.tenant_id) as connection:
        if upload.import_id and store.read(connection, import_id) is not None:
            return import_id
        mapping = _mapping(connection, doctype, upload.mapping_id)
        strategy = upload.strategy
        if upload.task_id:
            strategy = Strategy.from_dict(_task(connection, upload).strategy)
    if strategy is not None:
        strategy.require_fit(doctype)
    _enough(doctype, mapping, strategy)
    _export_date(doctype, sheet, mapping, upload.export_date)
    batch_no = _batch_no(filing, actor, sheet, strategy, upload.batch_no)
    _look(upload.content)
    row = {
        "tenant": actor.tenant_id,
        "id": import_id,
        "kind": upload.kind,
        "file_name": _NOT_SHOWN.sub("_", upload.file_name)[:200],
        "file": upload.content,
        "batch_no": batch_no,
        "strategy": strategy.as_dict() if strategy else NONE,
        "mapping": mapping,
        "export_date": upload.export_date,
        "task": check_id(upload.task_id) if upload.task_id else None,
        "created_by": actor.label,
    }
    with filing.database.transaction(actor.tenant_id) as connection:
        if upload.task_id:
            _task(connection, upload)
        if store.insert(connection, row):
            outbox.add(connection, actor.tenant_id, token, [requested(upload.kind, import_id, "read")])
    return import_id


def imported(doctype: DocumentType) -> Sheet:
    """The import template of a kind; `invalid` for one that nobody imports."""
    if doctype.sheet is None:
        zh = f"{doctype.title.zh}不能由文件导入。"
        en = f"{doctype.title.en} cannot be imported from a file."
        raise Problem("invalid", zh, en, [Detail("/kind", "not-imported", zh, en, doctype.kind)])
    return doctype.sheet


def _task(connection: Connection, upload: Upload) -> Any:
    """The task that takes the documents, locked; it must be of this kind and not be generating."""
    row = task_store.lock(connection, check_id(upload.task_id))
    if row is None or row.kind != upload.kind:
        raise not_found()
    if row.state == "generating":
        raise Problem(
            "conflict",
            f"任务 {row.task_no} 正在生成申报数据，请完成后再补充导入。",
            f"Task {row.task_no} is being generated; supplement it afterwards.",
        )
    return row


def _mapping(connection: Connection, doctype: DocumentType, mapping_id: str) -> dict[str, Any] | None:
    """The mapping as it is now, kept with the import: a later change of it must not change what was read."""
    if not mapping_id:
        return None
    row = mapping_store.read(connection, check_id(mapping_id))
    if row is None or row.kind != doctype.kind:
        raise not_found()
    return {"id": str(row.id), "name": row.name, **row.columns}


def mapping_of(kept: dict[str, Any] | None) -> ColumnMapping:
    """The mapping kept with an import; an empty one where the template's columns count."""
    return ColumnMapping(kept["columns"], kept["constants"]) if kept else ColumnMapping({}, {})


def _enough(doctype: DocumentType, mapping: dict[str, Any] | None, strategy: Strategy | None) -> None:
    """Raise `invalid` where only a strategy can fill required fields and there is none."""
    if strategy is not None:
        return
    known = mapping_of(mapping)
    columns = known.sheet_columns or imported(doctype).columns
    fixed = {name for _, name in known.fixed}
    lacking = [item for item in strategies.lacking(doctype, columns) if item.name not in fixed]
    if lacking:
        zh = f"请选择业务策略：{'、'.join(dict.fromkeys(i.zh for i in lacking))}由策略填写。"
        en = f"Choose a strategy: it fills in {', '.join(dict.fromkeys(i.en for i in lacking))}."
        raise Problem("invalid", zh, en, [Detail("/strategy", "strategy-needed", zh, en)])


def _export_date(
    doctype: DocumentType, sheet: Sheet, mapping: dict[str, Any] | None, export_date: str
) -> None:
    if not sheet.export_date:
        if export_date:
            zh, en = (
                f"{doctype.title.zh}导入没有出口日期，请删除。",
                f"{doctype.title.en} is imported without an export date; remove it.",
            )
            raise Problem("invalid", zh, en, [Detail("/export_date", "unknown", zh, en, export_date)])
        return
    item = doctype.head_field(sheet.export_date)
    known = mapping_of(mapping)
    place = f"head.{item.name}"
    if mapping:
        column = place in known.columns or place in known.constants
    else:
        column = any((c.level, c.name) == ("head", item.name) for c in sheet.columns)
    reason: tuple[str, Words] | None = None
    if export_date:
        reason = FieldCheck(item).wrong(export_date)
    elif item.required and not column:
        reason = (
            "required",
            Words(f"{item.zh}必填，请选择日期。", f"{item.en} is required; choose a date."),
        )
    if reason is not None:
        code, words = reason
        raise Problem("invalid", f"{item.zh}：{words.zh}", f"{item.en}: {words.en}",
                      [Detail("/export_date", code, words.zh, words.en, export_date)])  # fmt: skip


def _batch_no(filing: Filing, actor: Actor, sheet: Sheet, strategy: Strategy | None, given: str) -> str:
    if not sheet.batch:
        if given:
            zh, en = "此单证没有商品批次号，请删除。", "This kind has no batch number; remove it."
            raise Problem("invalid", zh, en, [Detail("/batch_no", "unknown", zh, en, given)])
        return ""
    if strategy is None:
        zh = "商品批次号由物流简码和企业简码组成，请选择业务策略。"
        en = "A batch number is made of the strategy's short codes; choose a strategy."
        raise Problem("invalid", zh, en, [Detail("/strategy", "strategy-needed", zh, en)])
    if not given:
        return propose_batch(filing, actor, strategy.logistics_code, strategy.enterprise_code)
    batch.check(given, strategy.logistics_code, strategy.enterprise_code)
    return given


def _look(content: bytes) -> None:
    try:
        look(content)
    except SheetProblem as exc:
        detail = Detail("/file", exc.code, exc.words.zh, exc.words.en)
        raise Problem(exc.kind, exc.words.zh, exc.words.en, [detail]) from exc


def resolve(filing: Filing, actor: Actor, token: str, import_id: str, resolution: str) -> None:
    """Keep the valid documents of a checked import, or discard one of which nothing is stored yet."""
    import_id = check_id(import_id)
    with filing.database.transaction(actor.tenant_id) as connection:
        task = store.lock(connection, import_id)
        if task is None:
            raise not_found()
        actor.require("document.import", task.kind)
        if resolution == "discard" and task.state != "done":
            # what is being stored is one transaction, which looks at this state first
            store.set_state(connection, import_id, "discarded")
            outbox.add(connection, actor.tenant_id, token, [progress(task, "discarded")])
        elif resolution == "keep-valid" and task.state == "checked" and task.accepted > 0:
            _free_task(connection, task)
            store.again(connection, import_id, "storing")
            events = [requested(task.kind, import_id, "keep-valid"), progress(task, "storing")]
            outbox.add(connection, actor.tenant_id, token, events)
        elif not (resolution == "keep-valid" and task.state in ("storing", "done")):
            raise Problem(
                "conflict",
                f"该导入当前为“{task.state}”，其中可保留 {task.accepted} 单，不能执行此操作。",
                f"This import is “{task.state}” with {task.accepted} documents to keep; this is not possible now.",
            )


def retry(filing: Filing, actor: Actor, token: str, import_id: str) -> None:
    """Another try for an import that takes too long or failed through no fault of its file."""
    import_id = check_id(import_id)
    with filing.database.transaction(actor.tenant_id) as connection:
        task = store.lock(connection, import_id)
        if task is None:
            raise not_found()
        actor.require("document.import", task.kind)
        ours = task.state == "failed" and task.failure and task.failure["kind"] == "internal"
        if not ours and limits.overdue(limits.IMPORT, task.state, task.updated_at) is None:
            raise Problem(
                "conflict",
                "该导入仍在处理或已有结果，无需重试。",
                "This import is still being worked on or has its result; there is nothing to retry.",
            )
        _free_task(connection, task)
        storing = task.state == "storing"
        state, step = ("storing", "keep-valid") if storing else ("waiting", "read")
        store.again(connection, import_id, state)
        events = [requested(task.kind, import_id, step), progress(task, state)]
        outbox.add(connection, actor.tenant_id, token, events)


def _free_task(connection: Connection, task: Any) -> None:
    """The task an import belongs to must still take documents."""
    if task.task_id is None:
        return
    row = task_store.lock(connection, str(task.task_id))
    if row is None:
        raise Problem("conflict", "该导入所属的任务已删除。", "The task of this import was deleted.")
    if row.state == "generating":
        raise Problem(
            "conflict",
            f"任务 {row.task_no} 正在生成申报数据，请稍后再试。",
            f"Task {row.task_no} is being generated; try again afterwards.",
        )


def read(filing: Filing, actor: Actor, import_id: str) -> Any:
    """An import's row, without its file."""
    with filing.database.transaction(actor.tenant_id) as connection:
        task = store.read(connection, check_id(import_id))
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
        task = store.read_file(connection, check_id(import_id))
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
        return store.page(connection, kind, after, limit)
