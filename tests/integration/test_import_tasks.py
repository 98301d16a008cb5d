"""Import tasks on a real database: supplemented, generated as a whole or not at all, pushed, given up, deleted."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from documents.push_states import PUSH_STATES, push_state, states_of
from documents.registry import ALL
from documents.types.payment import PAYMENT
from filing import limits
from filing.import_events import ImportHandler
from filing.limits import MAX_ATTEMPTS
from filing.sheet_process import SheetReader
from filing.store.tasks import Wanted
from filing.strategies import Strategy
from filing.usecases import content, generate, imports, look, submit, tasks
from filing.usecases.import_work import Work
from proto.events.v1 import events_pb2
from runtime.actor import ActorVerifier
from runtime.bus import Delivery
from runtime.errors import Problem
from tests.support.filing import DEFAULTS, TRANSFER, Office, body, clerk, office
from tests.unit.documents.filled import example_of, reading_of, rows, workbook
from tests.unit.documents.workbooks import orders, row_of


@pytest.fixture(scope="module")
def base(servers: Mapping[str, Any]) -> Iterator[Office]:
    made = office(servers)
    yield made
    made.filing.database.close()


@pytest.fixture
def desk(base: Office) -> Office:
    actor = replace(clerk(), enterprise_kinds=("ecommerce",))
    return replace(base, actor=actor)


def task_of(desk: Office, task_no: str = "", kind: str = "order", **more: Any) -> str:
    new = tasks.New(kind=kind, strategy=desk.strategy, task_no=task_no, **more)
    return tasks.create(desk.filing, desk.actor, new)


def brought(desk: Office, task_id: str, *found: list[Any], **more: Any) -> Any:
    return desk.work(desk.upload(orders(*found), task_id=task_id, strategy=None, **more))


def ask(desk: Office, task_id: str, strategy: Strategy | None = None) -> None:
    tasks.generate(desk.filing, desk.actor, desk.token, task_id, strategy or desk.strategy)


def made_ready(desk: Office, task_id: str, strategy: Strategy | None = None) -> tasks.Task:
    ask(desk, task_id, strategy)
    generate.run(desk.filing, desk.actor, desk.token, task_id)
    return tasks.read(desk.filing, desk.actor, task_id)


def documents(desk: Office, task_id: str) -> dict[str, Any]:
    with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
        found = connection.execute(
            text(
                "SELECT id, number, state, body, natural_key, version FROM document WHERE task_id = :t AND deleted_at IS NULL"
            ),
            {"t": task_id},
        ).all()
    return {row.number: row for row in found}


def age(desk: Office, table: str, object_id: str, minutes: int) -> None:
    """As if it had rested that long."""
    with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
        connection.execute(
            text(f"UPDATE {table} SET updated_at = now() - make_interval(mins => :m) WHERE id = :id"),  # noqa: S608
            {"m": minutes, "id": object_id},
        )


def refused(kind: str, act: Callable[[], Any], words: str = "") -> Problem:
    with pytest.raises(Problem) as caught:
        act()
    assert caught.value.kind == kind, caught.value.zh
    assert words in caught.value.zh
    return caught.value


# -- the way through ---------------------------------------------------------------------------------------------------


def test_a_task_is_filled_supplemented_generated_and_pushed(desk: Office) -> None:
    task_id = task_of(desk, "测试20260101", customer_no="K-1")
    first = brought(desk, task_id, row_of("T1"), row_of("T2"))
    assert (first.state, first.accepted, str(first.task_id)) == ("done", 2, task_id)
    assert {row.state for row in documents(desk, task_id).values()} == {"draft"}
    second = brought(desk, task_id, row_of("T2"), row_of("T3"))
    assert [(cell["row"], cell["code"]) for cell in second.errors] == [(2, "exists")]
    imports.resolve(desk.filing, desk.actor, desk.token, str(second.id), "keep-valid")
    desk.work(str(second.id), keep_valid=True)
    before = tasks.read(desk.filing, desk.actor, task_id)
    assert (before.row.state, before.documents, before.by_push_state) == ("draft", 3, {"basic": 3})
    assert [str(row.id) for row in before.imports] == [str(second.id), str(first.id)]
    early = submit.declare(
        desk.filing, desk.actor, desk.token, "order", [str(documents(desk, task_id)["T1"].id)], TRANSFER
    )
    assert early[0].problem is not None
    assert "生成申报数据" in early[0].problem.zh

    after = made_ready(desk, task_id)
    assert (after.row.state, after.row.failure, after.by_push_state) == ("generated", None, {"pending": 3})
    found = documents(desk, task_id)
    told = [entry.what for entry in look.timeline(desk.filing, desk.actor, "order", str(found["T1"].id))]
    assert told == ["imported", "generated"]

    results = submit.declare(
        desk.filing, desk.actor, desk.token, "order", [str(found["T1"].id)], TRANSFER, action="push"
    )
    assert [result.state for result in results] == ["signing"]
    shown = tasks.documents(
        desk.filing, desk.actor, Wanted(kinds=["order"], limit=10, task_id=task_id), ["declaring"]
    )
    assert [(row.number, row.task_no, row.customer_no) for row in shown] == [("T1", "测试20260101", "K-1")]
    refused("conflict", lambda: tasks.delete(desk.filing, desk.actor, desk.token, task_id), "已推送")

    # what comes later makes it a draft again; what was pushed is left alone
    brought(desk, task_id, row_of("T4"))
    assert tasks.read(desk.filing, desk.actor, task_id).row.state == "draft"
    assert made_ready(desk, task_id).by_push_state == {"declaring": 1, "pending": 3}
    assert documents(desk, task_id)["T1"].state == "signing"


def test_generating_takes_the_strategy_as_it_is_now_and_leaves_what_people_entered(desk: Office) -> None:
    task_id = task_of(desk)
    brought(desk, task_id, row_of("T1"), row_of("T2"))
    own = documents(desk, task_id)["T2"]
    body_ = {**own.body, "head": {**own.body["head"], "ebpName": "自己写的平台"}}
    content.replace(desk.filing, desk.actor, desk.token, "order", str(own.id), own.version, body_)
    now = replace(
        desk.strategy, defaults={**DEFAULTS, "ebpName": "新平台", "currency": "142", "freight": "7"}
    )
    after = made_ready(desk, task_id, now)
    assert after.row.state == "generated"
    heads = {number: row.body["head"] for number, row in documents(desk, task_id).items()}
    assert {
        number: (head["ebpName"], head["currency"], head["freight"]) for number, head in heads.items()
    } == {
        "T1": ("新平台", "142", "7"),
        "T2": ("自己写的平台", "142", "7"),
    }
    assert documents(desk, task_id)["T1"].body["lines"][0]["currency"] == "142"
    # found by its present values
    page = look.page(desk.filing, desk.actor, {"kind": "order", "states": [], "settled": "", "stored_from": "",
                                               "stored_to": "", "conditions": {"currency": "142"}, "sort": "",
                                               "page_size": 50, "cursor": ""})  # fmt: skip
    assert {row.number for row in page.rows} == {"T1", "T2"}
    assert after.row.strategy["defaults"]["currency"] == "142"


def test_what_is_not_fit_is_told_by_document_and_field_and_nothing_is_changed(desk: Office) -> None:
    lacking = replace(
        desk.strategy, defaults={k: v for k, v in DEFAULTS.items() if k not in ("ebcCode", "currency")}
    )
    desk = replace(desk, strategy=lacking)
    task_id = task_of(desk)
    task = brought(desk, task_id, row_of("T1"), row_of("T2"))
    assert (task.state, task.errors) == ("done", [])
    before = {number: tuple(row) for number, row in documents(desk, task_id).items()}
    after = made_ready(desk, task_id)
    assert after.row.state == "failed"
    failure = after.row.failure
    assert failure["total"] == 6
    assert {(reason["number"], reason["pointer"], reason["code"]) for reason in failure["reasons"]} == {
        (number, pointer, "required")
        for number in ("T1", "T2")
        for pointer in ("/head/ebcCode", "/head/currency", "/lines/0/currency")
    }
    assert {reason["label_zh"] for reason in failure["reasons"]} == {"电商企业代码", "币制"}
    assert {number: tuple(row) for number, row in documents(desk, task_id).items()} == before
    # mended in the strategy, generated again
    whole = replace(lacking, defaults=DEFAULTS)
    assert made_ready(desk, task_id, whole).by_push_state == {"pending": 2}


def test_a_number_taken_meanwhile_stands_in_the_way_of_all(desk: Office) -> None:
    # without the platform's code the number is not known to be in use when the data comes in
    lacking = replace(desk.strategy, defaults={k: v for k, v in DEFAULTS.items() if k != "ebpCode"})
    desk = replace(desk, strategy=lacking)
    task_id = task_of(desk)
    content.save(desk.filing, desk.actor, "order", body("T1"))
    assert brought(desk, task_id, row_of("T1"), row_of("T2")).state == "done"
    brought(desk, task_id, row_of("T2"))
    after = made_ready(desk, task_id, replace(lacking, defaults=DEFAULTS))
    assert after.row.state == "failed"
    assert [(r["number"], r["pointer"], r["code"]) for r in after.row.failure["reasons"]] == [
        ("T1", "/head/orderNo", "exists"),
        ("T2", "/head/orderNo", "exists"),
    ]
    assert {row.state for row in documents(desk, task_id).values()} == {"draft"}


def test_wrong_cells_keep_basic_data_out_as_any_other(desk: Office) -> None:
    task_id = task_of(desk)
    task = brought(desk, task_id, row_of("T1"), row_of("T2", qty="x"))
    assert (task.state, task.accepted, task.rejected) == ("checked", 1, 1)
    assert documents(desk, task_id) == {}
    refused("conflict", lambda: ask(desk, task_id), "没有可生成")


def test_kinds_without_lines_have_tasks_too(desk: Office) -> None:
    example = example_of(PAYMENT)
    reading = reading_of(PAYMENT, example)
    strategy = Strategy(str(uuid.uuid4()), "收款", "SF", "JIA", {**DEFAULTS, **reading.defaults}, "9610")
    task_id = tasks.create(desk.filing, desk.actor, tasks.New(kind="payment", strategy=strategy))
    found = rows(PAYMENT) * 2
    import_id = desk.upload(workbook(PAYMENT, *found), "payment", task_id=task_id, strategy=None)
    task = desk.work(import_id)
    assert [(cell["row"], cell["code"]) for cell in task.errors] == [(3, "repeated")]
    assert "第 2 行" in task.errors[0]["zh"]
    imports.resolve(desk.filing, desk.actor, desk.token, import_id, "keep-valid")
    desk.work(import_id, keep_valid=True)
    ask(desk, task_id, strategy)
    generate.run(desk.filing, desk.actor, desk.token, task_id)
    assert tasks.read(desk.filing, desk.actor, task_id).by_push_state == {"pending": 1}


# -- what must not be --------------------------------------------------------------------------------------------------


def test_numbers_of_tasks_are_proposed_and_used_once(desk: Office) -> None:
    proposed = [tasks.read(desk.filing, desk.actor, task_of(desk)).row.task_no for _ in range(3)]
    assert [number[-3:] for number in proposed] == ["001", "002", "003"]
    assert all(number.startswith("ORDER-20") for number in proposed)
    problem = refused("conflict", lambda: task_of(desk, proposed[0]), "已存在")
    assert problem.details[0].pointer == "/task_no"
    tasks.delete(desk.filing, desk.actor, desk.token, task_of(desk, "X1"))
    assert task_of(desk, "X1")
    other = replace(desk, actor=clerk("乙"))
    assert task_of(other, proposed[0])


@pytest.mark.parametrize("number", [" ", "a b", "-a", "x" * 61, "a\x00", "a\u202eb", "'; --", "任务\n一"])
def test_numbers_of_tasks_have_a_shape(desk: Office, number: str) -> None:
    assert refused("invalid", lambda: task_of(desk, number)).details[0].code == "task-number"


def test_a_repeat_with_the_caller_s_id_makes_one_task(desk: Office) -> None:
    task_id = str(uuid.uuid4())
    assert task_of(desk, task_id=task_id) == task_of(desk, "另一个", task_id=task_id) == task_id
    assert len(tasks.page(desk.filing, desk.actor, Wanted(kinds=[], limit=10))) == 1


def test_a_strategy_of_another_kind_makes_no_task(desk: Office) -> None:
    problem = refused("invalid", lambda: task_of(desk, kind="booking"))
    assert problem.details[0].code == "strategy-kind"
    other = replace(desk.strategy, id=str(uuid.uuid4()))
    task_id = task_of(desk)
    brought(desk, task_id, row_of("T1"))
    refused("conflict", lambda: ask(desk, task_id, other))


def test_imports_and_generating_wait_for_each_other(desk: Office) -> None:
    task_id = task_of(desk)
    brought(desk, task_id, row_of("T1"))
    waiting = desk.upload(orders(row_of("T2")), task_id=task_id, strategy=None)
    refused("conflict", lambda: ask(desk, task_id), "导入尚未完成")
    wrong = desk.work(
        desk.upload(orders(row_of("T8"), row_of("T9", qty="x")), task_id=task_id, strategy=None)
    )
    desk.work(waiting)
    ask(desk, task_id)
    refused("conflict", lambda: desk.upload(orders(row_of("T3")), task_id=task_id, strategy=None), "正在生成")
    keep = lambda: imports.resolve(desk.filing, desk.actor, desk.token, str(wrong.id), "keep-valid")  # noqa: E731
    refused("conflict", keep, "正在生成")
    refused("conflict", lambda: tasks.delete(desk.filing, desk.actor, desk.token, task_id), "放弃生成")
    ask(desk, task_id)  # asked twice is asked once
    generate.run(desk.filing, desk.actor, desk.token, task_id)
    keep()
    desk.work(str(wrong.id), keep_valid=True)
    assert tasks.read(desk.filing, desk.actor, task_id).by_state == {"checked": 2, "draft": 1}


def test_a_deleted_task_takes_its_documents_along_and_later_imports_say_why(desk: Office) -> None:
    task_id = task_of(desk, "DEL")
    brought(desk, task_id, row_of("T1"), row_of("T2"))
    ids = [str(row.id) for row in documents(desk, task_id).values()]
    open_import = desk.upload(orders(row_of("T3")), task_id=task_id, strategy=None)
    tasks.delete(desk.filing, desk.actor, desk.token, task_id)
    assert documents(desk, task_id) == {}
    refused("not_found", lambda: tasks.read(desk.filing, desk.actor, task_id))
    with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
        events = connection.execute(
            text("SELECT document_id::text, what FROM document_event ORDER BY seq")
        ).all()
    assert [event.what for event in events if event.document_id in ids] == ["imported"] * 2 + ["deleted"] * 2
    late = desk.work(open_import)
    assert (late.state, late.failure["code"]) == ("failed", "task-deleted")
    # the numbers are free again
    assert brought(desk, task_of(desk), row_of("T1")).state == "done"


def test_another_tenants_task_is_as_if_it_were_not_there(desk: Office) -> None:
    task_id = task_of(desk)
    brought(desk, task_id, row_of("T1"))
    other = replace(desk, actor=replace(clerk("乙"), enterprise_kinds=("ecommerce",)))
    for act in (
        lambda: tasks.read(other.filing, other.actor, task_id),
        lambda: ask(other, task_id),
        lambda: tasks.give_up(other.filing, other.actor, other.token, task_id),
        lambda: tasks.delete(other.filing, other.actor, other.token, task_id),
        lambda: other.upload(orders(row_of("T2")), task_id=task_id, strategy=None),
    ):
        refused("not_found", act)
    generate.run(other.filing, other.actor, other.token, task_id)
    assert tasks.page(other.filing, other.actor, Wanted(kinds=[], limit=10)) == []
    wanted = Wanted(kinds=["order"], limit=10, task_id=task_id)
    assert tasks.documents(other.filing, other.actor, wanted, []) == []


def test_tasks_are_found_by_what_they_are(desk: Office) -> None:
    first = task_of(desk, "甲-1", customer_no="K1")
    second = task_of(desk, "乙-1", customer_no="K2")
    brought(desk, first, row_of("T100"))

    def numbers(**wanted: Any) -> list[str]:
        asked = Wanted(**{"kinds": [], "limit": 10} | wanted)
        return [task.row.task_no for task in tasks.page(desk.filing, desk.actor, asked)]

    assert numbers() == ["乙-1", "甲-1"]
    assert numbers(task_no="甲") == numbers(number="T10") == numbers(customer_no="K1") == ["甲-1"]
    assert numbers(number="100") == numbers(strategy_name="9810") == []
    assert numbers(strategy_name="971") == ["乙-1", "甲-1"]
    assert numbers(states=["generated"]) == []
    assert numbers(modified_from="2099-01-01T00:00:00+08:00") == []
    assert numbers(limit=1) == ["乙-1"]
    newest = tasks.page(desk.filing, desk.actor, Wanted(kinds=["order"], limit=1))[0].row
    assert numbers(after=(newest.created_at.isoformat(), str(newest.id))) == ["甲-1"]
    refused("invalid", lambda: numbers(states=["nothing"]))
    refused("invalid", lambda: numbers(number="\x00"))
    assert second


@pytest.mark.parametrize("doctype", [item for item in ALL if item.sheet], ids=lambda item: item.kind)
def test_every_state_is_in_one_push_state(doctype: Any) -> None:
    states = [state for item in PUSH_STATES for state in states_of(doctype, item.name)]
    assert sorted(states) == sorted(doctype.lifecycle.by_name)
    assert push_state("accepted").name == push_state("closed").name == "success"


# -- when something goes wrong -----------------------------------------------------------------------------------------


def test_a_task_that_takes_too_long_says_so_and_can_be_asked_again_or_given_up(desk: Office) -> None:
    task_id = task_of(desk)
    brought(desk, task_id, row_of("T1"))
    ask(desk, task_id)
    row = tasks.read(desk.filing, desk.actor, task_id).row
    assert limits.overdue(limits.TASK, row.state, row.updated_at) is None
    age(desk, "filing_task", task_id, 60)
    row = tasks.read(desk.filing, desk.actor, task_id).row
    overdue = limits.overdue(limits.TASK, row.state, row.updated_at)
    assert overdue is not None
    assert "放弃生成" in overdue.zh
    ask(desk, task_id)
    assert requests(desk) == ["TaskRequested"] * 2
    tasks.give_up(desk.filing, desk.actor, desk.token, task_id)
    generate.run(desk.filing, desk.actor, desk.token, task_id)
    assert tasks.read(desk.filing, desk.actor, task_id).by_push_state == {"basic": 1}
    refused("conflict", lambda: tasks.give_up(desk.filing, desk.actor, desk.token, task_id))


def requests(desk: Office) -> list[str]:
    """What the imports process was asked for tasks."""
    with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
        found = connection.execute(text("SELECT type FROM outbox WHERE type = 'TaskRequested'")).scalars()
        return list(found)


def test_a_task_whose_worker_is_killed_again_and_again_is_given_up(desk: Office) -> None:
    task_id = task_of(desk)
    brought(desk, task_id, row_of("T1"))
    ask(desk, task_id)
    with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
        connection.execute(
            text("UPDATE filing_task SET attempts = :n WHERE id = :id"), {"n": MAX_ATTEMPTS, "id": task_id}
        )
    generate.run(desk.filing, desk.actor, desk.token, task_id)
    task = tasks.read(desk.filing, desk.actor, task_id)
    assert (task.row.state, task.row.failure["code"]) == ("failed", "stopped-too-often")
    assert made_ready(desk, task_id).row.state == "generated"


def test_an_import_whose_worker_is_killed_again_and_again_is_given_up_and_can_be_retried(
    desk: Office,
) -> None:
    import_id = desk.upload(orders(row_of("T1")))
    with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
        connection.execute(
            text("UPDATE import_task SET state = 'reading', attempts = :n WHERE id = :id"),
            {"n": MAX_ATTEMPTS, "id": import_id},
        )
    task = desk.work(import_id)
    assert (task.state, task.failure["code"]) == ("failed", "stopped-too-often")
    imports.retry(desk.filing, desk.actor, desk.token, import_id)
    assert imports.read(desk.filing, desk.actor, import_id).state == "waiting"
    assert desk.work(import_id).state == "done"


@pytest.mark.parametrize(
    ("state", "again"), [("waiting", "waiting"), ("reading", "waiting"), ("storing", "storing")]
)
def test_an_import_that_takes_too_long_can_be_retried_or_given_up(
    desk: Office, state: str, again: str
) -> None:
    import_id = desk.upload(orders(row_of("T1"), row_of("T2", qty="x")))
    if state == "storing":
        desk.work(import_id)
        imports.resolve(desk.filing, desk.actor, desk.token, import_id, "keep-valid")
    with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
        connection.execute(
            text("UPDATE import_task SET state = :s WHERE id = :id"), {"s": state, "id": import_id}
        )
    refused("conflict", lambda: imports.retry(desk.filing, desk.actor, desk.token, import_id), "无需重试")
    age(desk, "import_task", import_id, 60)
    imports.retry(desk.filing, desk.actor, desk.token, import_id)
    assert imports.read(desk.filing, desk.actor, import_id).state == again
    imports.resolve(desk.filing, desk.actor, desk.token, import_id, "discard")
    assert desk.work(import_id, keep_valid=state == "storing").state == "discarded"
    refused("conflict", lambda: imports.retry(desk.filing, desk.actor, desk.token, import_id))


def test_a_fault_of_ours_ends_a_task_with_a_trace_number(desk: Office, servers: Mapping[str, Any]) -> None:
    task_id = task_of(desk)
    brought(desk, task_id, row_of("T1"))
    ask(desk, task_id)

    handler = ImportHandler(
        Work(desk.filing, SheetReader()), ActorVerifier(Path(servers["actor_public_key_file"]))
    )
    headers = {
        "id": str(uuid.uuid4()),
        "tenant": desk.actor.tenant_id,
        "actor": desk.token,
        "type": "TaskRequested",
    }
    request = events_pb2.TaskRequested(task_id=task_id).SerializeToString()
    with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
        # a row that our code cannot have written
        connection.execute(
            text("UPDATE filing_task SET strategy = strategy - 'present' WHERE id = :id"), {"id": task_id}
        )
    handler([Delivery("import.requested.order", headers, request, None)])
    task = tasks.read(desk.filing, desk.actor, task_id)
    assert (task.row.state, task.row.failure["code"]) == ("failed", "internal")
    assert "追踪号" in task.row.failure["zh"]
    ask(desk, task_id)
    handler([Delivery("import.requested.order", headers, request, None)])
    assert tasks.read(desk.filing, desk.actor, task_id).row.state == "generated"
