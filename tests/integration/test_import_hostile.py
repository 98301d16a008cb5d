"""Hostile and awkward uploads on a real database: refused with words, nothing stored, nobody else held up."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from documents.registry import REGISTRY
from documents.sheet.look import look
from documents.sheet.model import Reading, SheetProblem, SheetResult
from documents.types.order import ORDER
from filing.import_events import ImportHandler
from filing.sheet_process import SheetReader
from filing.usecases import content, imports
from filing.usecases.import_work import Work
from proto.events.v1 import events_pb2
from runtime.actor import ActorVerifier
from runtime.bus import Delivery
from runtime.errors import Problem
from tests.support.filing import DEFAULTS, Office, body, clerk, office
from tests.unit.documents.test_sheet_hostile import FILES
from tests.unit.documents.workbooks import Formula, book, cells, orders, row_of, sheet


@pytest.fixture(scope="module")
def base(servers: Mapping[str, Any]) -> Iterator[Office]:
    made = office(servers)
    yield made
    made.filing.database.close()


@pytest.fixture
def desk(base: Office) -> Office:
    return replace(base, actor=clerk())


def count(desk: Office, table: str) -> int:
    with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608


def numbers(desk: Office) -> list[str]:
    with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
        return list(connection.execute(text("SELECT number FROM document ORDER BY number")).scalars())


def seen_at_the_door(content: bytes) -> bool:
    try:
        look(content)
    except SheetProblem:
        return True
    return False


@pytest.mark.parametrize(("make", "kind", "code"), FILES.values(), ids=list(FILES))
def test_a_hostile_file_fails_with_its_reason_and_stores_nothing(
    desk: Office, make: Callable[[], bytes], kind: str, code: str
) -> None:
    content = make()
    if seen_at_the_door(content):
        with pytest.raises(Problem) as caught:
            desk.upload(content)
        problem = caught.value
        assert (problem.kind, problem.details[0].code, problem.details[0].pointer) == (kind, code, "/file")
        assert problem.zh.endswith("。")
        assert count(desk, "import_task") == count(desk, "outbox") == 0
        return
    import_id = desk.upload(content)
    task = desk.work(import_id)
    assert task.state == "failed"
    assert (task.failure["kind"], task.failure["code"]) == (kind, code)
    assert task.failure["zh"].endswith("。")
    assert (task.rows, task.documents, task.accepted, task.rejected, task.errors) == (0, 0, 0, 0, [])
    assert count(desk, "document") == 0
    imports.resolve(desk.filing, desk.actor, desk.token, import_id, "discard")
    assert imports.read(desk.filing, desk.actor, import_id).state == "discarded"


def test_a_bomb_that_only_the_limits_stop_fails_and_the_next_file_is_read(desk: Office) -> None:
    far = '<row r="1"><c r="A1"><v>1</v></c></row><row r="999999"><c r="ZZ999999"><v>1</v></c></row>'
    task = desk.work(desk.upload(book({"订单": sheet(far)})))
    assert (task.state, task.failure["code"]) == ("failed", "over-limits")
    assert desk.work(desk.upload(orders(row_of()))).state == "done"


def test_nothing_is_stored_while_one_cell_is_wrong_and_the_rest_on_demand(desk: Office) -> None:
    file = orders(
        row_of("T1"), row_of("T2", "a"), row_of("T2", "b", qty=Formula("1", "1")), row_of("T3", qty="１")
    )
    task = desk.work(desk.upload(file))
    assert (task.state, task.documents, task.accepted, task.rejected, task.errors_total) == (
        "checked",
        3,
        1,
        2,
        2,
    )
    assert numbers(desk) == []
    imports.resolve(desk.filing, desk.actor, desk.token, str(task.id), "keep-valid")
    assert desk.work(str(task.id), keep_valid=True).state == "done"
    assert numbers(desk) == ["T1"]


def test_what_was_discarded_cannot_be_kept_and_what_is_done_cannot_be_discarded(desk: Office) -> None:
    wrong = desk.work(desk.upload(orders(row_of("T1"), row_of("T2", qty="x"))))
    imports.resolve(desk.filing, desk.actor, desk.token, str(wrong.id), "discard")
    done = desk.work(desk.upload(orders(row_of("T3"))))
    for import_id, resolution in ((wrong.id, "keep-valid"), (done.id, "discard"), (done.id, "explode")):
        with pytest.raises(Problem) as caught:
            imports.resolve(desk.filing, desk.actor, desk.token, str(import_id), resolution)
        assert caught.value.kind == "conflict"
    desk.work(str(wrong.id), keep_valid=True)
    assert numbers(desk) == ["T3"]


@pytest.mark.parametrize("import_id", ["", "x", str(uuid.uuid4()), "urn:uuid:" + str(uuid.uuid4()), "\x00"])
def test_imports_that_do_not_exist_are_not_found(desk: Office, import_id: str) -> None:
    for ask in (
        lambda: imports.read(desk.filing, desk.actor, import_id),
        lambda: imports.resolve(desk.filing, desk.actor, desk.token, import_id, "discard"),
        lambda: imports.marked(desk.filing, desk.actor, SheetReader(), import_id, english=False),
    ):
        with pytest.raises(Problem) as caught:
            ask()
        assert caught.value.kind == "not_found"


def test_another_tenants_import_is_as_if_it_were_not_there(desk: Office) -> None:
    task = desk.work(desk.upload(orders(row_of("T1"), row_of("T2", qty="x"))))
    other = replace(desk, actor=clerk("乙"))
    with pytest.raises(Problem, match="Not found"):
        imports.read(other.filing, other.actor, str(task.id))
    with pytest.raises(Problem, match="Not found"):
        imports.marked(other.filing, other.actor, SheetReader(), str(task.id), english=False)
    Work(other.filing, SheetReader()).run(other.actor, other.token, str(task.id), keep_valid=True)
    assert imports.page(other.filing, other.actor, "order", None, 10) == []
    assert imports.read(desk.filing, desk.actor, str(task.id)).state == "checked"


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "CON", "订单" * 300, "a\x00b.xlsx", "\u202exslx.exe", "a\r\nb.xlsx", ""]
)
def test_a_file_name_is_only_a_label(desk: Office, name: str) -> None:
    import_id = desk.upload(orders(row_of(name[:3].strip("\x00 ") or "X")), file_name=name)
    shown = desk.work(import_id).file_name
    assert len(shown) <= 200
    assert not any(character < " " or character == "\u202e" for character in shown)


class Waiting(SheetReader):
    """A reader that stops before its answer, as a process does that was frozen (SIGSTOP) and wakes up later."""

    go = threading.Event()
    arrived = threading.Event()

    def read(self, kind: str, content: bytes, reading: Reading) -> SheetResult:
        try:
            return SheetReader().read(kind, content, reading)
        finally:
            self.arrived.set()
            assert self.go.wait(30)


@pytest.mark.parametrize("file", [orders(row_of("T1"), row_of("T2")), orders(row_of("T1"), row_of("T2", qty="x")), orders()],
                         ids=["right", "wrong", "nothing in it"])  # fmt: skip
def test_a_worker_that_wakes_up_late_changes_nothing(desk: Office, file: bytes) -> None:
    import_id = desk.upload(file)
    Waiting.go.clear()
    Waiting.arrived.clear()
    late = threading.Thread(
        target=lambda: Work(desk.filing, Waiting()).run(desk.actor, desk.token, import_id, keep_valid=False)
    )
    late.start()
    assert Waiting.arrived.wait(30)
    before = desk.work(import_id)
    Waiting.go.set()
    late.join(30)
    after = imports.read(desk.filing, desk.actor, import_id)
    assert after == before
    assert numbers(desk) == (["T1", "T2"] if before.state == "done" else [])
    assert count(desk, "document_event") == len(numbers(desk))


def test_the_same_request_at_once_in_several_processes_stores_once(desk: Office) -> None:
    import_id = desk.upload(orders(*(row_of(f"T{n}") for n in range(50))))
    workers = [threading.Thread(target=lambda: desk.work(import_id)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    task = imports.read(desk.filing, desk.actor, import_id)
    assert (task.state, task.accepted, task.rejected, task.errors) == ("done", 50, 0, [])
    assert len(numbers(desk)) == 50


def test_numbers_that_exist_are_named_at_their_cell_wherever_the_column_stands(desk: Office) -> None:
    content.save(desk.filing, desk.actor, "order", body("T2"))
    headers = [column.header for column in ORDER.sheet.columns]
    rows = [
        ["", *row]
        for row in (headers[1:] + headers[:1], [*row_of("T1")[1:], "T1"], [*row_of("T2")[1:], "T2"])
    ]
    task = desk.work(desk.upload(book({"订单": sheet(cells(dict(enumerate(rows, 2))))})))
    assert [(cell["row"], cell["letter"], cell["code"]) for cell in task.errors] == [(4, "H", "exists")]
    assert (task.state, task.accepted, task.rejected) == ("checked", 1, 1)


def test_two_documents_of_one_file_that_claim_one_number_do_not_stop_the_worker(base: Office) -> None:
    """Orders are grouped by number and cannot; a kind whose number is not its whole identity can."""
    twice = replace(ORDER, unique=("ebcCode",))
    registry = type(REGISTRY)([twice])
    desk = replace(base, actor=clerk(), filing=replace(base.filing, registry=registry))
    task = desk.work(desk.upload(orders(row_of("T1"), row_of("T2"))))
    assert (task.state, task.accepted, task.rejected) == ("checked", 1, 1)
    assert [(cell["row"], cell["code"]) for cell in task.errors] == [(3, "repeated")]


def test_a_list_of_imports_does_not_carry_their_cells(desk: Office) -> None:
    desk.work(desk.upload(orders(*(row_of(f"T{n}", qty="x") for n in range(300)))))
    (row,) = imports.page(desk.filing, desk.actor, "order", None, 10)
    assert row.errors_total == 300
    assert not hasattr(row, "errors")


def test_the_marked_workbook_can_be_corrected_and_imported(desk: Office) -> None:
    task = desk.work(desk.upload(orders(row_of("T1"), row_of("T2", qty="x"))))
    made = imports.marked(desk.filing, desk.actor, SheetReader(), str(task.id), english=False)
    again = desk.work(desk.upload(made.content))
    assert (again.state, again.accepted, again.errors) == ("checked", 1, task.errors)


def test_a_strategy_for_another_kind_is_refused_before_anything_is_kept(desk: Office) -> None:
    strategy = replace(desk.strategy, defaults={**DEFAULTS, "orderType": "W"})
    with pytest.raises(Problem, match="is not for"):
        desk.upload(orders(row_of()), strategy=strategy)
    assert count(desk, "import_task") == 0


class Broken(SheetReader):
    """Our own code failing."""

    def read(self, kind: str, content: bytes, reading: Reading) -> SheetResult:
        raise ZeroDivisionError


def test_an_import_that_breaks_on_our_side_ends_with_a_reason(
    desk: Office, servers: Mapping[str, Any]
) -> None:
    import_id = desk.upload(orders(row_of()))
    handler = ImportHandler(
        Work(desk.filing, Broken()), ActorVerifier(Path(servers["actor_public_key_file"]))
    )
    headers = {
        "id": str(uuid.uuid4()),
        "tenant": desk.actor.tenant_id,
        "actor": desk.token,
        "type": "ImportRequested",
    }
    request = events_pb2.ImportRequested(import_id=import_id, step="read")
    handler([Delivery("import.requested.order", headers, request.SerializeToString(), None)])
    task = imports.read(desk.filing, desk.actor, import_id)
    assert (task.state, task.failure["kind"]) == ("failed", "internal")
    assert "追踪号" in task.failure["zh"]
