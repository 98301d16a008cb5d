"""Exports of what a query finds, on a real PostgreSQL under row-level security: whole, bounded, repeatable."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import text

from documents import body as bodies
from documents.registry import REGISTRY
from documents.sheet.model import Reading
from documents.sheet.read import read as read_sheet
from filing import ids, scratch
from filing.store import documents as store
from filing.usecases import content, exports
from proto.events.v1 import events_pb2
from runtime.errors import Problem
from tests.support.eventually import eventually
from tests.support.filing import DEFAULTS, Office, body, clerk, office

HOSTILE = (
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "＝1+1",
    "<script>alert(1)</script>",
    "_x0041_",
    "😀𠮷㐀",
    "'x",
    '"x"',
)


@pytest.fixture(scope="module")
def base(servers: Mapping[str, Any]) -> Iterator[Office]:
    made = office(servers)
    yield made
    made.filing.database.close()


@pytest.fixture
def desk(base: Office) -> Office:
    """A clerk of a tenant of their own."""
    return replace(base, actor=clerk())


def asked(kind: str = "order", **wanted: Any) -> dict[str, Any]:
    return {"kind": kind, "states": [], "settled": "", "stored_from": "", "stored_to": "", "conditions": {},
            "task_id": "", "sort": "", **wanted}  # fmt: skip


def fill(desk: Office, count: int, lines: int = 1) -> None:
    """Many orders at once, as an import stores them."""
    doctype = desk.filing.doctype("order")
    rows, keys, refs = [], [], []
    for number, document_id in enumerate(ids.ordered_ids(count)):
        whole = body(f"EX{number:06}", lines)
        key = bodies.natural_key(doctype, whole["head"])
        rows.append((document_id, f"EX{number:06}", key, json.dumps(whole, ensure_ascii=False)))
        keys += [(*pair, document_id) for pair in bodies.keys(doctype, whole)]
        refs += [(*pair, document_id) for pair in bodies.refs(doctype, whole)]
    common = {"kind": "order", "state": "checked", "rank": 1, "batch_no": "B1", "mandate": None, "task": None,
              "created_by": "x", "what": "imported", "detail": "{}"}  # fmt: skip
    with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
        assert store.insert_many(connection, rows, keys, refs, common) == count


def start(desk: Office, **wanted: Any) -> str:
    return exports.start(desk.filing, desk.actor, desk.token, asked(**wanted), "zh")


def work(desk: Office, export_id: str, report_s: float = 0.0, alive: Any = lambda: None) -> Any:
    exports.Work(desk.filing, report_s).run(desk.actor, desk.token, export_id, alive)
    return exports.read(desk.filing, desk.actor, export_id)


def whole_file(desk: Office, export_id: str) -> bytes:
    parts, offset = [], 0
    while True:
        part = exports.file(desk.filing, desk.actor, export_id, offset)
        if not part.content:
            assert offset == part.total
            return b"".join(parts)
        parts.append(part.content)
        offset += len(part.content)


def progress(desk: Office) -> list[events_pb2.ExportProgress]:
    with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
        found = connection.execute(text("SELECT body FROM outbox WHERE type = 'ExportProgress' ORDER BY seq"))
        return [events_pb2.ExportProgress.FromString(bytes(row.body)) for row in found]


def cells(content: bytes, sheet: int = 0) -> list[list[Any]]:
    book = load_workbook(io.BytesIO(content), read_only=True)
    return [list(row) for row in book.worksheets[sheet].iter_rows(values_only=True)]


def test_all_that_a_query_finds_comes_out_with_progress(desk: Office) -> None:
    fill(desk, 3000, 2)
    export_id = start(desk, states=["checked"], sort="number")
    task = work(desk, export_id)
    assert (task.state, task.rows, task.done, task.failure) == ("done", 3000, 3000, None)
    content = whole_file(desk, export_id)
    assert len(content) == task.file_bytes
    rows = cells(content)
    assert [row[0] for row in rows[1:]] == [f"EX{number:06}" for number in range(3000)]
    assert rows[0][:2] == ["订单编号", "状态"]
    assert rows[1][1] == "待提交"
    assert rows[1][rows[0].index("币制")] == "美元[502]"
    assert len(cells(content, 1)) == 6001
    seen = progress(desk)
    assert {item.state for item in seen[:-1]} == {"running"}
    assert (seen[-1].state, seen[-1].rows, seen[-1].done) == ("done", 3000, 3000)
    assert [item.done for item in seen] == sorted(item.done for item in seen)
    # delivered again: nothing is done again
    work(desk, export_id)
    assert len(progress(desk)) == len(seen)


def test_the_export_is_the_query(desk: Office) -> None:
    fill(desk, 20)
    content.save(desk.filing, desk.actor, "order", body("OTHER"))
    found = exports.direct(desk.filing, desk.actor, asked(conditions={"orderNo": "OTH"}), "zh")
    assert [row[0] for row in cells(found.content)[1:]] == ["OTHER"]
    found = exports.direct(
        desk.filing, desk.actor, asked(conditions={"batch_no": "B1"}, sort="-number"), "en"
    )
    rows = cells(found.content)
    assert [row[0] for row in rows[1:]] == [f"EX{number:06}" for number in reversed(range(20))]
    assert rows[1][1] == "To be submitted"
    assert found.name.startswith("Export order")
    with pytest.raises(Problem, match="sort"):
        exports.direct(desk.filing, desk.actor, asked(sort="body; DROP TABLE document"), "zh")
    with pytest.raises(Problem, match="state"):
        start(desk, states=["x"])
    with pytest.raises(Problem, match="condition"):
        start(desk, conditions={"nonsense": "x"})


@pytest.mark.parametrize("where", ["direct", "background"])
def test_what_looks_like_a_formula_stays_text_and_comes_back_the_same(desk: Office, where: str) -> None:
    doctype = desk.filing.doctype("order")
    bodies_in = {}
    for number, value in enumerate(HOSTILE):
        whole = body(f"H{number}", ebpName=value)
        whole["lines"][0]["itemName"] = value
        content.save(desk.filing, desk.actor, "order", whole)
        bodies_in[f"H{number}"] = whole
    if where == "direct":
        workbook = exports.direct(desk.filing, desk.actor, asked(), "zh").content
    else:
        export_id = start(desk)
        work(desk, export_id)
        workbook = whole_file(desk, export_id)
    book = load_workbook(io.BytesIO(workbook))
    for sheet in book.worksheets:
        for row in sheet.iter_rows():
            assert {cell.data_type for cell in row} <= {"s", "n"}  # n: an empty cell
            assert all(cell.quotePrefix for cell in row if cell.value is not None)
    again = read_sheet(doctype, workbook, Reading(trade_mode="9710", defaults=DEFAULTS))
    assert again.wrong == []
    assert again.repairs == []
    found = {whole["head"]["orderNo"]: whole for whole, _ in again.documents}
    columns = [column for column in doctype.sheet.columns if column.level == "line"] if doctype.sheet else []
    for number, whole in bodies_in.items():
        for column in columns:
            assert found[number]["lines"][0].get(column.name) == whole["lines"][0].get(column.name)


def test_chosen_columns_are_kept_with_the_request(desk: Office) -> None:
    fill(desk, 1)
    chosen = ["state", "number"]
    done = work(desk, start(desk, columns=chosen))
    assert done.state == "done"
    content = whole_file(desk, str(done.id))
    assert cells(content) == [["状态", "订单编号"], ["待提交", "EX000000"]]
    assert cells(exports.direct(desk.filing, desk.actor, asked(columns=chosen), "zh").content) == cells(
        content
    )
    with pytest.raises(Problem) as refused:
        start(desk, columns=["number", "body"])
    assert (refused.value.kind, refused.value.details[0].value) == ("invalid", "body")


def test_another_tenant_sees_nothing(desk: Office, base: Office) -> None:
    fill(desk, 5)
    export_id = start(desk)
    work(desk, export_id)
    stranger = replace(base, actor=clerk("乙"))
    for call in (
        lambda: exports.read(stranger.filing, stranger.actor, export_id),
        lambda: exports.file(stranger.filing, stranger.actor, export_id, 0),
        lambda: exports.discard(stranger.filing, stranger.actor, export_id),
    ):
        with pytest.raises(Problem) as caught:
            call()
        assert caught.value.kind == "not_found"
    # a request that names a foreign export finds nothing to do
    exports.Work(stranger.filing).run(stranger.actor, stranger.token, export_id, lambda: None)
    assert len(cells(exports.direct(stranger.filing, stranger.actor, asked(), "zh").content)) == 1
    assert exports.read(desk.filing, desk.actor, export_id).state == "done"


def test_without_the_permission_nothing_leaves(desk: Office) -> None:
    export_id = start(desk)
    work(desk, export_id)
    reader = replace(desk, actor=replace(desk.actor, permissions=("document.read",)))
    other_kind = replace(desk, actor=replace(desk.actor, kinds=("booking",)))
    for limited in (reader, other_kind):
        for call in (
            lambda d=limited: exports.direct(d.filing, d.actor, asked(), "zh"),
            lambda d=limited: start(d),
            lambda d=limited: exports.read(d.filing, d.actor, export_id),
            lambda d=limited: exports.file(d.filing, d.actor, export_id, 0),
            lambda d=limited: exports.discard(d.filing, d.actor, export_id),
        ):
            with pytest.raises(Problem) as caught:
                call()
            assert caught.value.kind == "forbidden"


def test_three_at_once_per_user(desk: Office) -> None:
    started = [start(desk) for _ in range(exports.PER_USER)]
    with pytest.raises(Problem) as caught:
        start(desk)
    assert (caught.value.kind, caught.value.retry_after) == ("too_many", 30)
    colleague = replace(desk, actor=replace(desk.actor, user_id=str(ids.new_id())))
    start(colleague)
    exports.discard(desk.filing, desk.actor, started[0])
    start(desk)
    with pytest.raises(Problem, match="At most"):
        start(desk)
    work(desk, started[1])
    start(desk)


def test_parallel_starts_do_not_slip_past_the_limit(desk: Office) -> None:
    kinds: list[str] = []

    def one() -> None:
        try:
            start(desk)
            kinds.append("started")
        except Problem as problem:
            kinds.append(problem.kind)

    threads = [threading.Thread(target=one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(kinds) == ["started"] * 3 + ["too_many"] * 3


def test_more_than_the_limit_is_refused_in_words(desk: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(desk, 12, 3)
    monkeypatch.setattr(exports, "LIMIT", 10)
    task = work(desk, start(desk))
    assert task.state == "failed"
    assert "10 单" in task.failure["zh"]
    assert "narrow" in task.failure["en"].lower()
    with pytest.raises(Problem, match="there is no file"):
        exports.file(desk.filing, desk.actor, str(task.id), 0)
    monkeypatch.setattr(exports, "DIRECT_LIMIT", 10)
    with pytest.raises(Problem, match="POST") as caught:
        exports.direct(desk.filing, desk.actor, asked(), "zh")
    assert caught.value.kind == "invalid"
    monkeypatch.setattr(exports, "DIRECT_LIMIT", 12)
    monkeypatch.setattr(exports, "DIRECT_LINES", 20)
    with pytest.raises(Problem, match="20 lines"):
        exports.direct(desk.filing, desk.actor, asked(), "zh")
    monkeypatch.setattr(exports, "LIMIT", 20)
    monkeypatch.setattr("documents.sheet.export.SHEET_ROWS", 20)
    task = work(desk, start(desk))
    assert (task.state, task.failure["code"]) == ("failed", "too-large")


def test_it_is_given_up_when_it_takes_too_long(desk: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(desk, 10)
    monkeypatch.setattr(exports, "RUNNING_S", -1)
    task = work(desk, start(desk))
    assert task.state == "failed"
    assert "分钟" in task.failure["zh"]


def test_one_that_is_discarded_while_it_runs_stops(desk: Office) -> None:
    fill(desk, 100)
    export_id = start(desk)
    calls = []

    def alive() -> None:
        if not calls:
            exports.discard(desk.filing, desk.actor, export_id)
        calls.append(1)

    exports.Work(desk.filing, 0.0).run(desk.actor, desk.token, export_id, alive)
    assert len(calls) == 1
    with pytest.raises(Problem):
        exports.read(desk.filing, desk.actor, export_id)


def test_a_second_delivery_waits_for_the_first(desk: Office) -> None:
    fill(desk, 100)
    export_id = start(desk)
    running, go_on = threading.Event(), threading.Event()

    def alive() -> None:
        running.set()
        assert go_on.wait(10)

    first = threading.Thread(target=lambda: work(desk, export_id, alive=alive))
    first.start()
    assert running.wait(10)
    with pytest.raises(Problem) as caught:
        work(desk, export_id)
    assert caught.value.kind == "unavailable"
    go_on.set()
    first.join()
    assert work(desk, export_id).state == "done"


def test_a_run_that_died_is_begun_again(desk: Office) -> None:
    fill(desk, 50)
    export_id = start(desk)

    class Killed(BaseException):
        pass

    def die() -> None:
        raise Killed

    with pytest.raises(Killed):
        work(desk, export_id, alive=die)
    assert exports.read(desk.filing, desk.actor, export_id).state == "running"
    task = work(desk, export_id)
    assert (task.state, task.done) == ("done", 50)
    assert len(cells(whole_file(desk, export_id))) == 51


def test_an_error_of_ours_ends_it_with_a_trace(desk: Office) -> None:
    export_id = start(desk)
    exports.Work(desk.filing).give_up(desk.actor, desk.token, export_id, "abc123")
    task = exports.read(desk.filing, desk.actor, export_id)
    assert task.state == "failed"
    assert "abc123" in task.failure["zh"]
    assert progress(desk)[-1].state == "failed"


def test_old_files_go_and_lost_ones_fail_when_a_new_one_starts(desk: Office) -> None:
    old, lost, late, fresh = start(desk), start(desk), None, None
    work(desk, old)
    with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
        connection.execute(
            text("UPDATE export_task SET created_at = now() - interval '8 days' WHERE id = :i"), {"i": old}
        )
        connection.execute(
            text("UPDATE export_task SET state = 'running', started_at = now(),"
                 " updated_at = now() - interval '1 hour' WHERE id = :i"), {"i": lost}
        )  # fmt: skip
    assert exports.read(desk.filing, desk.actor, lost).state == "failed"
    late, fresh = start(desk), start(desk)
    with pytest.raises(Problem):
        exports.read(desk.filing, desk.actor, old)
    task = exports.read(desk.filing, desk.actor, lost)
    assert (task.state, task.failure["code"]) == ("failed", "abandoned")
    # its request may still come: it stays as it ended
    assert work(desk, lost).state == "failed"
    assert work(desk, late).state == work(desk, fresh).state == "done"


@pytest.mark.parametrize("kind", [doctype.kind for doctype in REGISTRY.types])
def test_every_kind_is_exported_by_its_declaration(desk: Office, kind: str) -> None:
    doctype = desk.filing.doctype(kind)
    assert doctype.example is not None
    found = exports.direct(desk.filing, desk.actor, asked(kind), "zh")
    assert len(cells(found.content)) == 1
    assert found.name.startswith(doctype.title.zh)


def test_folders_of_killed_processes_are_removed_and_living_ones_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    dead = tmp_path / "tongguan-scratch-dead"
    dead.mkdir()
    (dead / "in-use").touch()
    being_made = tmp_path / "tongguan-scratch-new"
    being_made.mkdir()
    with scratch.folder() as mine:
        assert not dead.exists()
        (mine / "x").touch()
        with scratch.folder() as other:
            assert other != mine
            assert (mine / "x").exists()
    assert eventually(lambda: [path.name for path in tmp_path.iterdir()] == [being_made.name], "all removed")
