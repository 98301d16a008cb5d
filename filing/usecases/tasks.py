"""Import tasks (guide 003, 基础数据导入): data brought together under a strategy, made ready as a whole, then pushed.

draft 暂存 → generating → generated 已生成申报数据 | failed 申报数据生成失败; another import makes it a draft again.
Making ready itself: generate.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from documents.push_states import BY_NAME, push_state, states_of
from documents.values import FORBIDDEN
from filing import ids, limits
from filing.context import Filing, check_id
from filing.store import imports as import_store
from filing.store import tasks as store
from filing.strategies import Strategy
from filing.times import SHANGHAI
from filing.usecases import content
from filing.usecases.import_work import task_progress
from filing.usecases.imports import imported
from proto.events.v1 import events_pb2
from runtime import crash, outbox
from runtime.actor import Actor
from runtime.errors import Detail, Problem, not_found
from runtime.outbox import Event

STATES = ("draft", "generating", "generated", "failed")
PAGE_LIMIT = 200
#: characters
_TASK_NO = re.compile(r"[0-9A-Za-z\u4e00-\u9fff][0-9A-Za-z\u4e00-\u9fff._/-]{0,59}")
_CUSTOMER_LENGTH = 60
_CONTROL = re.compile(f"[{FORBIDDEN}]")
#: documents that one event tells of
_TOLD_AT_ONCE = 1000
_IMPORTS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Task:
    """A task's row with what is known of its documents (number by state) and, where asked for, its imports."""

    row: Any
    documents: int
    by_state: dict[str, int]
    imports: Sequence[Any] = ()

    @property
    def by_push_state(self) -> dict[str, int]:
        """Documents by push state."""
        found: dict[str, int] = {}
        for state, count in self.by_state.items():
            name = push_state(state).name
            found[name] = found.get(name, 0) + count
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class New:
    """A task as somebody wants it. task_no: "" = proposed. task_id: the caller's id, so that a repeat is seen."""

    kind: str
    strategy: Strategy
    task_no: str = ""
    customer_no: str = ""
    task_id: str = ""


def create(filing: Filing, actor: Actor, wanted: New) -> str:
    """A new task without documents; returns its id."""
    doctype = filing.doctype(wanted.kind)
    actor.require("document.import", wanted.kind)
    imported(doctype)
    wanted.strategy.require_fit(doctype)
    if wanted.task_no and not _TASK_NO.fullmatch(wanted.task_no):
        zh = "任务编号应为 1 至 60 个汉字、字母、数字或 . _ / -，并以汉字、字母或数字开头。"
        en = "A task number has 1 to 60 letters, digits or . _ / -, and begins with a letter or digit."
        raise Problem("invalid", zh, en, [Detail("/task_no", "task-number", zh, en, wanted.task_no)])
    if len(wanted.customer_no) > _CUSTOMER_LENGTH or _CONTROL.search(wanted.customer_no):
        zh, en = (
            f"客户编号最多 {_CUSTOMER_LENGTH} 个字符。",
            f"A customer number has at most {_CUSTOMER_LENGTH} characters.",
        )
        raise Problem("invalid", zh, en, [Detail("/customer_no", "too-long", zh, en, wanted.customer_no)])
    task_id = check_id(wanted.task_id) if wanted.task_id else ids.ordered_ids(1)[0]
    row = {
        "tenant": actor.tenant_id,
        "id": task_id,
        "kind": wanted.kind,
        "strategy": wanted.strategy.as_dict(),
        "customer_no": wanted.customer_no.strip(),
        "actor": actor.label,
    }
    while True:
        with filing.database.transaction(actor.tenant_id) as connection:
            if wanted.task_id and store.read(connection, task_id) is not None:
                return task_id
            number = wanted.task_no or _proposed(connection, wanted.kind)
            if store.insert(connection, {**row, "task_no": number}):
                crash.point("tasks.create.before-commit")
                return task_id
            if store.read(connection, task_id) is None and wanted.task_no:
                raise _taken(number)
        # somebody took the proposed number, or made this very task, this moment: look again


def _proposed(connection: Connection, kind: str) -> str:
    """Kind, date and the next serial of the day."""
    prefix = f"{kind.upper()}-{datetime.now(SHANGHAI):%Y%m%d}-"
    serials = [int(number[len(prefix) :]) for number in store.numbers(connection, prefix)
               if re.fullmatch("[0-9]{1,6}", number[len(prefix) :])]  # fmt: skip
    return f"{prefix}{max(serials, default=0) + 1:03d}"


def _taken(number: str) -> Problem:
    zh, en = f"任务编号“{number}”已存在，请更换。", f"Task number “{number}” is in use; choose another."
    return Problem("conflict", zh, en, [Detail("/task_no", "exists", zh, en, number)])


def read(filing: Filing, actor: Actor, task_id: str) -> Task:
    """One task with the newest of its imports."""
    with filing.database.transaction(actor.tenant_id) as connection:
        row = _known(filing, connection, actor, task_id, "document.read")
        total, states = store.documents(connection, [str(row.id)])[str(row.id)]
        return Task(row, total, states, import_store.of_task(connection, str(row.id), _IMPORTS_SHOWN))


def page(filing: Filing, actor: Actor, wanted: store.Wanted) -> list[Task]:
    """Tasks of the kinds that the caller may import, newest first; no kind means all of this service."""
    kinds = _kinds(filing, actor, wanted)
    _in(wanted.states, STATES, "state")
    _searchable(wanted)
    with filing.database.transaction(actor.tenant_id) as connection:
        rows = store.page(connection, replace(wanted, kinds=kinds))
        found = store.documents(connection, [str(row.id) for row in rows])
    return [Task(row, *found[str(row.id)]) for row in rows]


def documents(
    filing: Filing, actor: Actor, wanted: store.Wanted, push_states: Sequence[str]
) -> Sequence[Any]:
    """数据申报管理: documents of tasks of one kind by push state, with what their task says."""
    (kind,) = wanted.kinds
    doctype = filing.doctype(kind)
    actor.require("document.read", kind)
    _in(push_states, tuple(BY_NAME), "push_state")
    _searchable(wanted)
    states = [state for name in push_states for state in states_of(doctype, name)]
    with filing.database.transaction(actor.tenant_id) as connection:
        return store.task_documents(connection, replace(wanted, states=states))


def generate(filing: Filing, actor: Actor, token: str, task_id: str, strategy: Strategy) -> None:
    """生成申报数据: ask for every document of the task to be checked again and made ready. The worker does it.

    Asked again while it is under way, it is tried once more if it takes too long. strategy: as it is now.
    """
    with filing.database.transaction(actor.tenant_id) as connection:
        row = _known(filing, connection, actor, task_id, "document.import", lock=True)
        if row.state == "generating" and limits.overdue(limits.TASK, row.state, row.updated_at) is None:
            return
        doctype = filing.doctype(row.kind)
        strategy.require_fit(doctype)
        if strategy.id != row.strategy["id"]:
            raise Problem("conflict", "任务的业务策略不能更换。", "A task keeps its strategy.")
        _ready_to_generate(connection, row)
        # the strategy the documents were filled by stays until the new one took its place in them
        store.set_strategy(connection, str(row.id), {**row.strategy, "present": strategy.as_dict()})
        store.set_state(connection, str(row.id), "generating", actor.label)
        outbox.add(
            connection,
            actor.tenant_id,
            token,
            [_requested(row), task_progress(row.id, row.kind, "generating")],
        )
        crash.point("tasks.generate.before-request")


def _ready_to_generate(connection: Connection, row: Any) -> None:
    running = import_store.open_of_task(connection, str(row.id))
    if running:
        raise Problem(
            "conflict",
            f"任务 {row.task_no} 有 {running} 个导入尚未完成，请完成或放弃后再生成申报数据。",
            f"{running} imports into task {row.task_no} are under way; finish or give them up first.",
        )
    _, states = store.documents(connection, [str(row.id)])[str(row.id)]
    if not states.get("draft") and not states.get("checked"):
        raise Problem(
            "conflict",
            f"任务 {row.task_no} 没有可生成的基础数据，请先导入。",
            f"Task {row.task_no} has no basic data to generate from; import some first.",
        )


def give_up(filing: Filing, actor: Actor, token: str, task_id: str) -> None:
    """放弃生成: a task that is being generated becomes a draft again; its documents are as they were."""
    with filing.database.transaction(actor.tenant_id) as connection:
        row = _known(filing, connection, actor, task_id, "document.import", lock=True)
        if row.state != "generating":
            raise Problem("conflict", "该任务没有正在进行的生成。", "This task is not being generated.")
        store.set_state(connection, str(row.id), "draft", actor.label)
        outbox.add(connection, actor.tenant_id, token, [task_progress(row.id, row.kind, "draft")])


def delete(filing: Filing, actor: Actor, token: str, task_id: str) -> Any:
    """Soft deletion with all documents, while none of them was pushed. Returns what the task was."""
    with filing.database.transaction(actor.tenant_id) as connection:
        row = _known(filing, connection, actor, task_id, "document.import", lock=True)
        actor.require("document.delete", row.kind)
        if row.state == "generating":
            raise Problem(
                "conflict",
                f"任务 {row.task_no} 正在生成申报数据，请先放弃生成。",
                f"Task {row.task_no} is being generated; give that up first.",
            )
        found = store.lock_documents(connection, str(row.id))
        pushed = [item.number for item in found if item.state not in ("draft", "checked")]
        if pushed:
            raise Problem(
                "conflict",
                f"任务 {row.task_no} 中有 {len(pushed)} 单已推送（如 {pushed[0]}），不能删除任务；可逐单删除未推送的数据。",
                f"{len(pushed)} documents of task {row.task_no} were pushed ({pushed[0]} …); the task cannot be deleted. "
                "Delete the others one by one.",
            )
        for first in range(0, len(found), _TOLD_AT_ONCE):
            content.remove(connection, actor, token, found[first : first + _TOLD_AT_ONCE])
        store.delete(connection, str(row.id), actor.label)
        outbox.add(connection, actor.tenant_id, token, [task_progress(row.id, row.kind, "deleted")])
        crash.point("tasks.delete.before-commit")
        return row


def _known(
    filing: Filing, connection: Connection, actor: Actor, task_id: str, permission: str, *, lock: bool = False
) -> Any:
    find = store.lock if lock else store.read
    row = find(connection, check_id(task_id))
    if row is None or filing.registry.get(row.kind) is None:
        raise not_found()
    actor.require(permission, row.kind)
    return row


def _kinds(filing: Filing, actor: Actor, wanted: store.Wanted) -> list[str]:
    if wanted.kinds:
        for kind in wanted.kinds:
            filing.doctype(kind)
            actor.require("document.read", kind)
        return list(wanted.kinds)
    return [item.kind for item in filing.registry.types if actor.may("document.read", item.kind)]


def _in(given: Sequence[str], known: Sequence[str], name: str) -> None:
    for value in given:
        if value not in known:
            zh, en = f"{name} 只能为：{'、'.join(known)}。", f"{name} must be one of {', '.join(known)}."
            raise Problem("invalid", zh, en, [Detail(f"/{name}", "choice", zh, en, value)])


def _searchable(wanted: store.Wanted) -> None:
    for name in ("task_no", "number", "strategy_name", "customer_no"):
        if _CONTROL.search(getattr(wanted, name)):
            zh, en = "含有无法查询的控制字符，请删除。", "It contains a control character; delete it."
            raise Problem("invalid", zh, en, [Detail(f"/{name}", "control-character", zh, en)])


def _requested(row: Any) -> Event:
    message = events_pb2.TaskRequested(task_id=str(row.id))
    return Event(f"import.requested.{row.kind}", "TaskRequested", message.SerializeToString())
