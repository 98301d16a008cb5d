"""proto/tasks/v1 over the use cases: import tasks and column mappings. No decisions here."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from documents.push_states import push_state
from filing import limits, wire
from filing.context import Filing, check_id
from filing.imports_rpc import cursor_of, strategy_of
from filing.sheet_process import SheetReader
from filing.store.tasks import Wanted
from filing.times import SHANGHAI
from filing.usecases import mappings, tasks
from filing.usecases.mappings import Given
from filing.usecases.tasks import New, Task
from proto.tasks.v1 import tasks_pb2 as pb
from proto.tasks.v1 import tasks_pb2_grpc as pb_grpc
from runtime.actor import Actor
from runtime.errors import Detail, Problem
from runtime.grpc_server import current_actor, current_token


class TasksServicer(pb_grpc.TasksServicer):
    """Implements proto/tasks/v1 over a Filing."""

    def __init__(self, filing: Filing, reader: SheetReader) -> None:
        self._filing = filing
        self._reader = reader

    def CreateTask(self, request: pb.CreateTaskRequest, context: Any) -> pb.Task:
        actor = current_actor()
        wanted = New(
            kind=request.kind,
            strategy=strategy_of(request.strategy),
            task_no=request.task_no,
            customer_no=request.customer_no,
            task_id=request.task_id,
        )
        return self._read(actor, tasks.create(self._filing, actor, wanted))

    def ReadTask(self, request: pb.TaskRef, context: Any) -> pb.Task:
        return self._read(current_actor(), request.id)

    def ListTasks(self, request: pb.ListTasksRequest, context: Any) -> pb.ListTasksReply:
        size = _size(request.page_size)
        wanted = Wanted(
            kinds=[request.kind] if request.kind else [],
            limit=size + 1,
            states=list(request.states),
            task_no=request.task_no,
            exact_task_no=request.exact_task_no,
            number=request.number,
            strategy_name=request.strategy_name,
            customer_no=request.customer_no,
            modified_from=_moment("modified_from", request.modified_from),
            modified_to=_moment("modified_to", request.modified_to),
            after=cursor_of(request.cursor),
        )
        found = tasks.page(self._filing, current_actor(), wanted)
        more, found = len(found) > size, found[:size]
        cursor = f"{found[-1].row.created_at.isoformat()}|{found[-1].row.id}" if more else ""
        return pb.ListTasksReply(items=[_task(item) for item in found], next_cursor=cursor)

    def TaskDocuments(self, request: pb.TaskDocumentsRequest, context: Any) -> pb.TaskDocumentsReply:
        actor, size = current_actor(), _size(request.page_size)
        wanted = Wanted(
            kinds=[request.kind],
            limit=size + 1,
            task_id=check_id(request.task_id) if request.task_id else "",
            task_no=request.task_no,
            number=request.number,
            strategy_name=request.strategy_name,
            customer_no=request.customer_no,
            modified_from=_moment("modified_from", request.modified_from),
            modified_to=_moment("modified_to", request.modified_to),
            after=cursor_of(request.cursor),
        )
        rows = tasks.documents(self._filing, actor, wanted, list(request.push_states))
        more, rows = len(rows) > size, rows[:size]
        cursor = f"{rows[-1].stored_at.isoformat()}|{rows[-1].id}" if more else ""
        return pb.TaskDocumentsReply(items=self._documents(actor, rows), next_cursor=cursor)

    def GenerateTask(self, request: pb.GenerateTaskRequest, context: Any) -> pb.Task:
        actor = current_actor()
        tasks.generate(self._filing, actor, current_token(), request.id, strategy_of(request.strategy))
        return self._read(actor, request.id)

    def GiveUpTask(self, request: pb.TaskRef, context: Any) -> pb.Task:
        actor = current_actor()
        tasks.give_up(self._filing, actor, current_token(), request.id)
        return self._read(actor, request.id)

    def DeleteTask(self, request: pb.TaskRef, context: Any) -> pb.Task:
        row = tasks.delete(self._filing, current_actor(), current_token(), request.id)
        return pb.Task(id=str(row.id), task_no=row.task_no, kind=row.kind, state="deleted")

    def SaveMapping(self, request: pb.SaveMappingRequest, context: Any) -> pb.Mapping:
        actor = current_actor()
        given = Given(
            kind=request.kind,
            name=request.name,
            columns=dict(request.columns),
            constants=dict(request.constants),
            new_id=request.new_id,
        )
        mapping_id = request.id
        if mapping_id:
            mappings.replace(self._filing, actor, mapping_id, request.expected_version, given)
        else:
            mapping_id = mappings.save(self._filing, actor, given)
        return _mapping(mappings.read(self._filing, actor, mapping_id))

    def ReadMapping(self, request: pb.MappingRef, context: Any) -> pb.Mapping:
        return _mapping(mappings.read(self._filing, current_actor(), request.id))

    def ListMappings(self, request: pb.ListMappingsRequest, context: Any) -> pb.ListMappingsReply:
        rows = mappings.of_kind(self._filing, current_actor(), request.kind)
        return pb.ListMappingsReply(items=[_mapping(row) for row in rows])

    def DeleteMapping(self, request: pb.MappingRef, context: Any) -> pb.Mapping:
        return _mapping(mappings.delete(self._filing, current_actor(), request.id, request.expected_version))

    def ProposeMapping(self, request: pb.ProposeMappingRequest, context: Any) -> pb.MappingProposal:
        found = mappings.propose(self._filing, current_actor(), self._reader, request.kind, request.file)
        reply = pb.MappingProposal(sheet=found.sheet, row=found.row, missing=found.missing)
        for item in found.headers:
            reply.columns.add(letter=item.letter, header=item.header, place=item.place, by=item.by)
        return reply

    def _read(self, actor: Actor, task_id: str) -> pb.Task:
        return _task(tasks.read(self._filing, actor, task_id))

    def _documents(self, actor: Actor, rows: Iterable[Any]) -> list[pb.TaskDocument]:
        return [
            pb.TaskDocument(
                document=wire.listed(self._filing.doctype(row.kind), actor, row),
                push_state=push_state(row.state).name,
                task_no=row.task_no,
                strategy_name=row.strategy["name"],
                trade_mode=row.strategy.get("trade_mode", ""),
                customer_no=row.customer_no,
                modified_by=row.modified_by or row.created_by,
            )
            for row in rows
        ]


def _task(item: Task) -> pb.Task:
    row = item.row
    reply = pb.Task(
        id=str(row.id),
        task_no=row.task_no,
        kind=row.kind,
        state=row.state,
        strategy_id=row.strategy["id"],
        strategy_name=row.strategy["name"],
        trade_mode=row.strategy.get("trade_mode", ""),
        customer_no=row.customer_no,
        documents=item.documents,
        by_push_state=item.by_push_state,
        created_at=row.created_at.isoformat(),
        created_by=row.created_by,
        updated_at=row.updated_at.isoformat(),
        updated_by=row.updated_by,
        imports=[wire.import_task(one, brief=True) for one in item.imports],
    )
    if row.failure:
        failure = row.failure
        reply.failure.code, reply.failure.zh, reply.failure.en = failure["code"], failure["zh"], failure["en"]
        reply.reasons_total = failure["total"]
        for one in failure["reasons"]:
            reason = reply.reasons.add(
                document_id=one["document_id"], number=one["number"], label_zh=one["label_zh"],
                label_en=one["label_en"],
            )  # fmt: skip
            reason.problem.MergeFrom(
                wire.detail(Detail(one["pointer"], one["code"], one["zh"], one["en"], one["value"]))
            )
    overdue = limits.overdue(limits.TASK, row.state, row.updated_at)
    if overdue is not None:
        reply.overdue.MergeFrom(wire.detail(overdue))
    return reply


def _mapping(row: Any) -> pb.Mapping:
    return pb.Mapping(
        id=str(row.id),
        kind=row.kind,
        name=row.name,
        columns=row.columns["columns"],
        constants=row.columns["constants"],
        version=row.version,
        created_by=row.created_by,
        updated_at=row.updated_at.isoformat(),
    )


def _size(given: int) -> int:
    return min(max(given, 1), tasks.PAGE_LIMIT) if given else 50


def _moment(name: str, value: str) -> str:
    if not value:
        return ""
    try:
        moment = datetime.fromisoformat(value)
        if not 2000 <= moment.year < 2100:
            raise ValueError(value)
    except ValueError:
        zh, en = (
            "时间无效，例如 2026-11-01T00:00:00+08:00。",
            "It is no time; write it like 2026-11-01T00:00:00+08:00.",
        )
        raise Problem("invalid", zh, en, [Detail(f"/{name}", "not-a-time", zh, en, value)]) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)).isoformat()
