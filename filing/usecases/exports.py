"""Exports: everything that a query finds as a workbook, at once if it is little, otherwise in the background.

waiting → running → done | failed. A run that dies is begun again from the start: its only effect is the last
statement, which keeps the file. Discarding deletes the task; a run notices and stops.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from documents import show
from documents.sheet.export import SHEET_ROWS, SheetFull, Workbook
from documents.spec import DocumentType
from filing import ids, scratch
from filing.context import Filing, check_id
from filing.store import exports as store
from filing.store import query
from filing.times import SHANGHAI
from filing.usecases import look
from filing.usecases.content import details
from proto.events.v1 import events_pb2
from runtime import crash, outbox
from runtime.actor import Actor
from runtime.errors import Problem, not_found, unavailable
from runtime.outbox import Event

#: documents of one export in the background, and of one that is answered at once
LIMIT = 200_000
DIRECT_LIMIT = 10_000
#: goods lines of one that is answered at once, bytes of a file that is kept, and of a part that is sent at a time
DIRECT_LINES = 50_000
FILE_LIMIT = 64 * 1024 * 1024
PART = 2 * 1024 * 1024
#: exports that wait or run, per tenant and user
PER_USER = 3
KEPT_DAYS = 7
#: seconds: how long one may run, and how long one may wait (the bus may be away) before it counts as lost
RUNNING_S = 15 * 60
WAITING_S = 24 * 3600
#: seconds between two reports of progress
_REPORT_S = 1.0

#: exports that are answered at once, per process: each keeps a core busy
_DIRECT = threading.BoundedSemaphore(2)
_DIRECT_WAIT = 2.0


class _Discarded(Exception):
    """Nobody wants the file any more."""


@dataclass(frozen=True, slots=True)
class File:
    """A workbook, or a piece of one, with the size of the whole."""

    content: bytes
    total: int
    name: str


def direct(filing: Filing, actor: Actor, wanted: Mapping[str, Any], language: str) -> File:
    """Up to DIRECT_LIMIT documents as a workbook. wanted: as for look.page, with the columns (none = all)."""
    doctype, found, columns = _asked(filing, actor, wanted)
    if not _DIRECT.acquire(timeout=_DIRECT_WAIT):
        raise unavailable("导出", "Exporting")
    try:
        with scratch.folder() as folder, filing.database.transaction(actor.tenant_id) as connection:
            if store.count(connection, found, DIRECT_LIMIT) > DIRECT_LIMIT:
                raise _too_many_for_direct(f"{DIRECT_LIMIT} 单", f"{DIRECT_LIMIT} documents")
            with Workbook(doctype, folder / "export.xlsx", language, chosen=columns) as book:
                for row in store.rows(connection, found):
                    book.add(row)
                    if book.line_rows > DIRECT_LINES:
                        raise _too_many_for_direct(f"{DIRECT_LINES} 行明细", f"{DIRECT_LINES} lines")
            content = (folder / "export.xlsx").read_bytes()
    finally:
        _DIRECT.release()
    return File(content, len(content), _file_name(doctype, language))


def start(filing: Filing, actor: Actor, token: str, wanted: Mapping[str, Any], language: str) -> str:
    """Ask for an export in the background; returns its id. What is too old is dropped on this occasion."""
    doctype, _, columns = _asked(filing, actor, wanted)
    export_id = ids.new_id()
    row = {
        "tenant": actor.tenant_id,
        "id": export_id,
        "kind": doctype.kind,
        "wanted": {
            **wanted,
            "states": list(wanted["states"]),
            "conditions": dict(wanted["conditions"]),
            "columns": list(columns),
        },
        "language": language,
        "file_name": _file_name(doctype, language),
        "user": actor.user_id,
        "created_by": actor.label,
    }
    with filing.database.transaction(actor.tenant_id) as connection:
        store.one_at_a_time(connection, f"exports of {actor.tenant_id} {actor.user_id}")
        store.delete_old(connection, KEPT_DAYS)
        _fail_abandoned(connection)
        if store.under_way(connection, actor.user_id) >= PER_USER:
            raise Problem(
                "too_many",
                f"同时进行的导出最多 {PER_USER} 个，请等待其中一个完成或删除后再试。",
                f"At most {PER_USER} exports may run at once; wait for one to end or delete it.",
                retry_after=30,
            )
        store.insert(connection, row)
        message = events_pb2.ExportRequested(export_id=export_id)
        event = Event(f"export.requested.{doctype.kind}", "ExportRequested", message.SerializeToString())
        outbox.add(connection, actor.tenant_id, token, [event])
    return export_id


def read(filing: Filing, actor: Actor, export_id: str) -> Any:
    """A task, without its file. What nobody works on any more has failed, and says so."""
    with filing.database.transaction(actor.tenant_id) as connection:
        _fail_abandoned(connection)
        task = store.read(connection, check_id(export_id))
    if task is None:
        raise not_found()
    actor.require("document.export", task.kind)
    return task


def file(filing: Filing, actor: Actor, export_id: str, offset: int) -> File:
    """A piece of a finished file, from `offset` on; empty at its end."""
    task = read(filing, actor, export_id)
    if task.state != "done":
        raise Problem(
            "conflict",
            f"该导出当前为“{_STATES[task.state][0]}”，尚无文件。",
            f"This export is {_STATES[task.state][1]}; there is no file.",
        )
    with filing.database.transaction(actor.tenant_id) as connection:
        content = store.part(connection, str(task.id), max(0, offset), PART)
    if content is None:
        raise not_found()
    return File(content, task.file_bytes, task.file_name)


def discard(filing: Filing, actor: Actor, export_id: str) -> None:
    """Drop an export, whatever its state."""
    with filing.database.transaction(actor.tenant_id) as connection:
        task = store.lock(connection, check_id(export_id))
        if task is None:
            raise not_found()
        actor.require("document.export", task.kind)
        store.delete(connection, str(task.id))


_STATES = {
    "waiting": ("等待中", "waiting"),
    "running": ("导出中", "running"),
    "failed": ("导出失败", "failed"),
}
_TOO_LONG = (
    f"导出超过 {RUNNING_S // 60} 分钟仍未完成，已停止；请缩小查询范围后重新导出。",
    f"The export did not end within {RUNNING_S // 60} minutes and was given up; narrow the query and try again.",
)


def _fail_abandoned(connection: Connection) -> None:
    store.fail_abandoned(connection, RUNNING_S, WAITING_S, _failure("abandoned", *_TOO_LONG))


def running_until(task: Any) -> datetime | None:
    """When a running task is given up."""
    return task.started_at + timedelta(seconds=RUNNING_S) if task.state == "running" else None


def kept_until(task: Any) -> datetime:
    """When a task may be dropped with its file."""
    kept: datetime = task.created_at + timedelta(days=KEPT_DAYS)
    return kept


class Work:
    """What the imports process does with a requested export. report_s: seconds between reports of progress."""

    def __init__(self, filing: Filing, report_s: float = _REPORT_S) -> None:
        self._filing = filing
        self._report_s = report_s

    def run(self, actor: Actor, token: str, export_id: str, alive: Callable[[], None]) -> None:
        """Write the workbook and keep it. alive: called now and then while it takes its time."""
        with self._filing.database.transaction(actor.tenant_id) as reading:
            if not store.only_one(reading, f"export {export_id}"):
                # delivered again while the first one still works: come back when that has ended
                raise unavailable("该导出", "This export")
            task = store.read(reading, export_id)
            if task is None or task.state not in ("waiting", "running"):
                return  # done already by an earlier delivery, or discarded meanwhile
            with scratch.folder() as folder:
                job = _Job(self._filing, actor, token, task, self._report_s, alive)
                try:
                    job.write(reading, folder / "export.xlsx")
                except Problem as problem:
                    if problem.kind in ("unavailable", "conflict"):
                        raise  # the database is away: the bus waits and tries again
                    job.fail(_failure(problem.kind, problem.zh, problem.en))
                except _Discarded:
                    return

    def give_up(self, actor: Actor, token: str, export_id: str, trace: str) -> None:
        """Something of ours broke: the export says so, with the number under which the log has the rest."""
        with self._filing.database.transaction(actor.tenant_id) as connection:
            task = store.lock(connection, export_id)
            failure = _failure(
                "internal",
                f"系统导出时出错，请重试；如仍出现请提供追踪号 {trace}。",
                f"Our side failed on this export; try again, or quote trace {trace}.",
            )
            if task is not None and store.fail(connection, export_id, failure):
                outbox.add(
                    connection, actor.tenant_id, token, [_progress(task, "failed", task.rows, task.done)]
                )


class _Job:
    """One run of one export."""

    def __init__(
        self, filing: Filing, actor: Actor, token: str, task: Any, report_s: float, alive: Callable[[], None]
    ) -> None:
        self._filing = filing
        self._actor = actor
        self._token = token
        self._task = task
        self._id = str(task.id)
        self._report_s = report_s
        self._alive = alive
        self._rows = 0

    def write(self, reading: Connection, path: Path) -> None:
        """The whole of it; `reading` is the transaction in which the documents are read."""
        doctype, found, columns = _asked(self._filing, self._actor, self._task.wanted)
        self._rows = store.count(reading, found, LIMIT)
        if self._rows > LIMIT:
            raise _too_many(f"超过 {LIMIT} 单", f"more than {LIMIT} documents")
        self._step("running", 0, partial(store.run, export_id=self._id, rows=self._rows))
        crash.point("export.running")
        with Workbook(doctype, path, self._task.language, chosen=columns) as book:
            self._fill(book, reading, found)
        if path.stat().st_size > FILE_LIMIT:
            raise _too_many(f"文件超过 {FILE_LIMIT >> 20} MB", f"a file of more than {FILE_LIMIT >> 20} MB")
        self._rows = book.rows
        content = path.read_bytes()
        crash.point("export.before-commit")
        change = partial(store.finish, export_id=self._id, rows=book.rows, file=content)
        self._step("done", book.rows, change)
        crash.point("export.committed")

    def _fill(self, book: Workbook, reading: Connection, found: query.Filter) -> None:
        begun = reported = time.monotonic()
        try:
            for row in store.rows(reading, found):
                book.add(row)
                now = time.monotonic()
                if now - reported >= self._report_s:
                    reported = now
                    crash.point("export.writing")
                    self._alive()
                    change = partial(store.progress, export_id=self._id, done=book.rows)
                    self._step("running", book.rows, change)
                    if now - begun > RUNNING_S:
                        raise Problem("invalid", *_TOO_LONG)
        except SheetFull:
            raise _too_many(f"明细超过 {SHEET_ROWS} 行", f"more than {SHEET_ROWS} lines") from None

    def fail(self, failure: Mapping[str, Any]) -> None:
        """End with a reason."""
        self._step("failed", 0, partial(store.fail, export_id=self._id, failure=failure))

    def _step(self, state: str, done: int, change: Callable[[Connection], bool]) -> None:
        """One change of the task with the event that tells of it. Raises _Discarded if there is no such task."""
        with self._filing.database.transaction(self._actor.tenant_id) as connection:
            if not change(connection):
                raise _Discarded
            event = _progress(self._task, state, max(self._rows, done), done)
            outbox.add(connection, self._actor.tenant_id, self._token, [event])


def _asked(
    filing: Filing, actor: Actor, wanted: Mapping[str, Any]
) -> tuple[DocumentType, query.Filter, Sequence[str]]:
    """The kind, which documents, and which columns of them (none = all)."""
    doctype = filing.doctype(wanted["kind"])
    actor.require("document.read", doctype.kind)
    actor.require("document.export", doctype.kind)
    # what was asked for before there was a choice has none
    columns: Sequence[str] = wanted.get("columns", ())
    wrong = show.wrong_columns(doctype, columns)
    if wrong:
        raise Problem("invalid", wrong[0].words.zh, wrong[0].words.en, details(wrong))
    return doctype, look.wanted_filter(doctype, {**wanted, "page_size": 0, "cursor": ""}), columns


def _file_name(doctype: DocumentType, language: str) -> str:
    title = doctype.title.en if language == "en" else doctype.title.zh
    return f"{title}-{datetime.now(UTC).astimezone(SHANGHAI):%Y%m%d-%H%M%S}.xlsx"


def _too_many_for_direct(zh: str, en: str) -> Problem:
    return Problem(
        "invalid",
        f"查询结果超过 {zh}，不能直接下载，请改用后台导出（POST …/exports）。",
        f"The query finds more than {en}, too many for an answer at once; start an export in the background "
        "(POST …/exports).",
    )


def _too_many(zh: str, en: str) -> Problem:
    return Problem(
        "too_large",
        f"查询结果{zh}，一次最多导出 {LIMIT} 单、{SHEET_ROWS} 行明细，请缩小入库时间范围或增加条件后分次导出。",
        f"The query finds {en}; one export takes {LIMIT} documents and {SHEET_ROWS} lines. Narrow the range of "
        "storage time or add conditions and export in parts.",
    )


def _failure(kind: str, zh: str, en: str) -> dict[str, str]:
    return {"code": kind.replace("_", "-"), "zh": zh, "en": en}


def _progress(task: Any, state: str, rows: int, done: int) -> Event:
    message = events_pb2.ExportProgress(
        export_id=str(task.id), kind=task.kind, state=state, rows=rows, done=done
    )
    return Event(
        f"export.progress.{task.kind}", "ExportProgress", message.SerializeToString(), mandatory=False
    )
