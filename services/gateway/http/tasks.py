"""Import tasks (A7, 基础数据导入) and the documents made ready in them (A8, 数据申报管理)."""

from __future__ import annotations

from typing import Any

from flask import Response

from documents import push_states, registry
from proto.tasks.v1 import tasks_pb2 as pb
from runtime import crash
from runtime.errors import Detail, Problem, not_found
from services.gateway.http import (
    auth,
    catalogue,
    context,
    parse,
    problems,
    replay,
    strategies,
    task_calls,
    wire,
    words,
)
from services.gateway.http.answers import Blueprint, answer, no_content
from services.gateway.http.documents import page_size
from services.gateway.http.imports import importable_kind
from services.gateway.http.task_schemas import TaskAnswer, TaskDetail, TaskDocumentPage, TaskPage

blueprint = Blueprint("tasks", __name__, url_prefix="/api/v1/tasks", description="Import tasks")
_STATES = {
    "draft": ("暂存", "Draft"),
    "generating": ("生成中", "Being generated"),
    "generated": ("已生成申报数据", "Generated"),
    "failed": ("申报数据生成失败", "Generating failed"),
}
#: documents that a task shows by itself; the others page by page
_SHOWN = 100
#: query parameter -> field of the request
_FILTERS = {
    "task_no": "task_no", "number": "number", "strategy": "strategy_name", "customer_no": "customer_no",
    "modified_from": "modified_from", "modified_to": "modified_to",
}  # fmt: skip
_TEXT_LIMIT = 100
#: what may be done with a task in a state, and the right it needs
_ACTIONS = (
    ("import", "document.import", ("draft", "generated", "failed")),
    ("generate", "document.import", ("draft", "generated", "failed")),
    ("give-up", "document.import", ("generating",)),
    ("delete", "document.delete", ("draft", "generated", "failed")),
)


class NewTask(parse.Schema):
    """A task. task_no: proposed by the system if it is left out."""

    kind = parse.Text(1, 50, required=True)
    strategy = parse.Text(1, 50, required=True)
    task_no = parse.Text(0, 100)
    customer_no = parse.Text(0, 100)


@blueprint.route("", methods=["GET"])
@blueprint.response(200, TaskPage)
@blueprint.doc(
    parameters=[
        {"in": "query", "name": name, "schema": {"type": "string"}}
        for name in ("kind", "state", *_FILTERS, "page_size", "cursor")
    ]
)
def list_tasks() -> Response:
    """Import tasks, newest first. number: of a document in them; task_no, number, customer_no by their beginning."""
    sent = parse.current_query("kind", "state", *_FILTERS, "page_size", "cursor")
    details: list[Detail] = []
    states = _choices("state", sent, list(_STATES), details)
    message = pb.ListTasksRequest(states=states, cursor=sent.get("cursor", ""))
    message.page_size = _paging(sent, message, details)
    if sent.get("kind"):
        kind = importable_kind(sent["kind"])
        message.kind = kind.type.kind
        replies = [task_calls.to(kind.owner, "ListTasks", message)]
    else:
        replies = task_calls.every("ListTasks", message)
    # every service answers as many as fit on the page: together the newest of all
    found = sorted(
        (item for reply in replies for item in reply.items),
        key=lambda one: (one.created_at, one.id),
        reverse=True,
    )
    shown = found[: message.page_size]
    more = len(found) > len(shown) or any(reply.next_cursor for reply in replies)
    cursor = f"{shown[-1].created_at}|{shown[-1].id}" if more else None
    items = [task_json(item) for item in shown if context.actor().may("document.read", item.kind)]
    return answer({"items": items, "next_cursor": cursor, "total_estimate": None})


@blueprint.route("", methods=["POST"])
@blueprint.arguments(NewTask)
@blueprint.response(201, TaskAnswer)
def create(body: dict[str, Any]) -> Response:
    """A new task under a strategy, without documents."""
    kind = importable_kind(body["kind"])
    strategy = strategies.named(body["strategy"], kind.type)
    task_no = body.get("task_no", "")
    message = pb.CreateTaskRequest(
        kind=kind.type.kind,
        task_no=task_no,
        strategy=strategies.message(strategy),
        customer_no=body.get("customer_no", ""),
        task_id=replay.new_id(),
    )
    if task_no:
        _not_elsewhere(kind, task_no)
    context.trail("task-create", object_=kind.type.kind, detail={"task_no": task_no})
    crash.point("gateway.tasks.before-create")
    made = task_calls.to(kind.owner, "CreateTask", message)
    return answer(task_json(made), 201, {"Location": f"/api/v1/tasks/{made.id}"})


def _not_elsewhere(kind: catalogue.Kind, task_no: str) -> None:
    """A number is unique in the tenant; the services that keep other kinds are asked, this one sees to it itself."""
    for owner in context.parts().owners:
        if owner == kind.owner:
            continue
        reply = task_calls.to(owner, "ListTasks", pb.ListTasksRequest(exact_task_no=task_no, page_size=1))
        if reply.items:
            detail = problems.wrong("/task_no", "task-no-elsewhere", task_no)
            raise Problem(
                "conflict", f"任务编号“{task_no}”{detail.zh}", f"Task number {task_no} {detail.en}", [detail]
            )


@blueprint.route("/documents", methods=["GET"])
@blueprint.response(200, TaskDocumentPage)
@blueprint.doc(
    parameters=[
        {"in": "query", "name": name, "schema": {"type": "string"}}
        for name in ("kind", "task", "push_state", *_FILTERS, "page_size", "cursor")
    ]
)
def documents() -> Response:
    """Documents of import tasks of one kind, newest first. push_state: basic, pending, declaring, success, failure."""
    sent = parse.current_query("kind", "task", "push_state", *_FILTERS, "page_size", "cursor")
    if not sent.get("kind"):
        raise problems.invalid([problems.wrong("/kind", "required")])
    kind = importable_kind(sent["kind"])
    details: list[Detail] = []
    wanted = _choices("push_state", sent, list(push_states.BY_NAME), details)
    message = pb.TaskDocumentsRequest(kind=kind.type.kind, push_states=wanted, cursor=sent.get("cursor", ""))
    message.page_size = _paging(sent, message, details)
    if sent.get("task"):
        message.task_id = task_calls.known_id(sent["task"])
    reply = task_calls.to(kind.owner, "TaskDocuments", message)
    items = [task_document(item) for item in reply.items]
    return answer({"items": items, "next_cursor": reply.next_cursor or None, "total_estimate": None})


@blueprint.route("/<task_id>", methods=["GET"])
@blueprint.response(200, TaskDetail)
def read(task_id: str) -> Response:
    """A task with its newest imports and the first hundred of its documents."""
    owner, task = task_calls.first("ReadTask", pb.TaskRef(id=task_calls.known_id(task_id)))
    wanted = pb.TaskDocumentsRequest(kind=task.kind, task_id=task.id, page_size=_SHOWN)
    found = task_calls.to(owner, "TaskDocuments", wanted)
    return answer(
        {
            **task_json(task),
            "imports": [wire.import_task(item) for item in task.imports],
            "items": [task_document(item) for item in found.items],
            "documents_url": f"/api/v1/tasks/documents?kind={task.kind}&task={task.id}",
        }
    )


@blueprint.route("/<task_id>/generate", methods=["POST"])
@blueprint.response(202, TaskAnswer)
def generate(task_id: str) -> Response:
    """生成申报数据: check every document again under the strategy as it is now; all are made ready, or none."""
    owner, task = _known(task_id, "document.import")
    strategy = strategies.find(task.strategy_id)
    if strategy is None:
        raise Problem(
            "conflict",
            f"任务的业务策略“{task.strategy_name}”已停用或删除，请启用后再生成申报数据。",
            f"The task's strategy “{task.strategy_name}” is disabled or gone; enable it before generating.",
        )
    context.trail("task-generate", object_=task.kind, detail={"task": task.id, "task_no": task.task_no})
    crash.point("gateway.tasks.before-generate")
    message = pb.GenerateTaskRequest(id=task.id, strategy=strategies.message(strategy))
    return answer(task_json(task_calls.to(owner, "GenerateTask", message)), 202)


@blueprint.route("/<task_id>/give-up", methods=["POST"])
@blueprint.response(200, TaskAnswer)
def give_up(task_id: str) -> Response:
    """Give up generating; the task is a draft again, its documents are as they were."""
    owner, task = _known(task_id, "document.import")
    context.trail("task-give-up", object_=task.kind, detail={"task": task.id, "task_no": task.task_no})
    return answer(task_json(task_calls.to(owner, "GiveUpTask", pb.TaskRef(id=task.id))))


@blueprint.route("/<task_id>", methods=["DELETE"])
@blueprint.response(204)
def delete(task_id: str) -> Response:
    """Delete a task with its documents, while none of them was pushed."""
    owner, task = _known(task_id, "document.delete")
    auth.require("document.import", task.kind)
    context.trail("task-delete", object_=task.kind, detail={"task": task.id, "task_no": task.task_no})
    task_calls.to(owner, "DeleteTask", pb.TaskRef(id=task.id))
    return no_content()


def _known(task_id: str, permission: str) -> tuple[str, pb.Task]:
    owner, task = task_calls.first("ReadTask", pb.TaskRef(id=task_calls.known_id(task_id)))
    auth.require(permission, task.kind)
    return owner, task


def _choices(name: str, sent: dict[str, str], known: list[str], details: list[Detail]) -> list[str]:
    wanted = [item for item in sent.get(name, "").split(",") if item]
    details += [
        problems.wrong(f"/{name}", "choice:" + ", ".join(known), item) for item in wanted if item not in known
    ]
    return wanted


def _paging(sent: dict[str, str], message: Any, details: list[Detail]) -> int:
    """Fills the filters in; returns the page's size. Raises 422 with everything that is wrong."""
    size = page_size(sent.get("page_size"), details)
    for name, field in _FILTERS.items():
        value = sent.get(name, "")
        if len(value) > _TEXT_LIMIT:
            details.append(problems.wrong(f"/{name}", f"too-long:{_TEXT_LIMIT}", value))
        setattr(message, field, value)
    if details:
        raise problems.invalid(details)
    return size


def task_json(item: pb.Task) -> dict[str, Any]:
    """A task as the API shows it."""
    actor = context.actor()
    return {
        "id": item.id,
        "task_no": item.task_no,
        "kind": item.kind,
        "state": item.state,
        "state_text": words.pick(*_STATES[item.state]),
        "strategy": {"id": item.strategy_id, "name": item.strategy_name},
        "trade_mode": item.trade_mode,
        "customer_no": item.customer_no or None,
        "documents": item.documents,
        "push": {name: item.by_push_state.get(name, 0) for name in push_states.BY_NAME},
        "failure": wire.field_problem(item.failure) if item.HasField("failure") else None,
        "reasons": [_reason(one) for one in item.reasons],
        "reasons_total": item.reasons_total,
        "overdue": wire.overdue(item),
        "actions": [
            name
            for name, right, states in _ACTIONS
            if item.state in states
            and actor.may("document.import", item.kind)
            and actor.may(right, item.kind)
        ],
        "created_at": wire.moment(item.created_at),
        "created_by": item.created_by,
        "updated_at": wire.moment(item.updated_at),
        "updated_by": item.updated_by,
    }


def _reason(item: pb.Reason) -> dict[str, Any]:
    return {
        "document_id": item.document_id,
        "number": item.number,
        "label": words.pick(item.label_zh, item.label_en),
        **wire.field_problem(item.problem),
    }


def task_document(item: pb.TaskDocument) -> dict[str, Any]:
    """A document of a task as the API shows it."""
    doctype = registry.by_kind(item.document.kind)
    if doctype is None:
        raise not_found()
    state = push_states.BY_NAME[item.push_state]
    return {
        "document": wire.document_row(item.document, doctype),
        "push_state": state.name,
        "push_state_text": words.pick(state.words.zh, state.words.en),
        "task_id": item.document.task_id,
        "task_no": item.task_no,
        "strategy_name": item.strategy_name,
        "trade_mode": item.trade_mode,
        "customer_no": item.customer_no or None,
        "modified_by": item.modified_by,
    }
