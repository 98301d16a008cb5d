"""Ways to import beyond the template: mappings, export dates, kinds without a strategy, repeats, numbers used again."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from documents.registry import ALL, REGISTRY, Registry
from documents.sheet.model import sheet_of
from documents.spec import DocumentType
from documents.types.export_list import LIST
from documents.types.order import ORDER
from documents.types.waybill import WAYBILL
from filing.sheet_process import SheetReader
from filing.strategies import Strategy
from filing.usecases import imports, mappings
from filing.usecases.mappings import Given
from runtime.errors import Problem
from tests.support.filing import Office, clerk, office
from tests.unit.documents.filled import carried, example_of, headers, reading_of, rows, workbook
from tests.unit.documents.test_mapping import OWN
from tests.unit.documents.workbooks import orders, row_of
from tests.unit.filing.test_sheet_process import wide_and_long

KINDS = pytest.mark.parametrize("doctype", [item for item in ALL if item.sheet], ids=lambda item: item.kind)


@pytest.fixture(scope="module")
def base(servers: Mapping[str, Any]) -> Iterator[Office]:
    """One database for all kinds, whichever service keeps them."""
    made = office(servers, Registry(REGISTRY.types))
    yield made
    made.filing.database.close()


@pytest.fixture
def desk(base: Office) -> Office:
    return replace(base, actor=clerk())


def strategy_for(doctype: DocumentType) -> Strategy:
    reading = reading_of(doctype, example_of(doctype))
    return Strategy(str(uuid.uuid4()), "样例", "SF", "JIA", dict(reading.defaults), reading.trade_mode)


def bring(desk: Office, doctype: DocumentType, content: bytes, **more: Any) -> Any:
    day = reading_of(doctype, example_of(doctype)).export_date
    wanted = {"strategy": strategy_for(doctype), "export_date": day} | more
    return desk.work(desk.upload(content, doctype.kind, **wanted))


def bodies(desk: Office, kind: str) -> list[Any]:
    with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
        statement = text("SELECT body FROM document WHERE kind = :k AND deleted_at IS NULL ORDER BY id")
        return list(connection.execute(statement, {"k": kind}).scalars())


def refused(kind: str, act: Callable[[], Any], pointer: str = "", code: str = "") -> Problem:
    with pytest.raises(Problem) as caught:
        act()
    assert caught.value.kind == kind, caught.value.zh
    if pointer:
        assert (caught.value.details[0].pointer, caught.value.details[0].code) == (pointer, code)
    return caught.value


def headed(doctype: DocumentType, columns: Mapping[str, str]) -> list[str]:
    """The template's headers in somebody's own words."""
    return [columns.get(column.name, column.header) for column in sheet_of(doctype).columns]


# -- every kind --------------------------------------------------------------------------------------------------------


@KINDS
def test_every_kind_is_imported_stored_and_recognised_when_it_comes_again(
    desk: Office, doctype: DocumentType
) -> None:
    content = workbook(doctype, *rows(doctype))
    task = bring(desk, doctype, content)
    assert (task.state, task.accepted, task.errors) == ("done", 1, [])
    assert bodies(desk, doctype.kind) == [carried(doctype, example_of(doctype))]
    again = bring(desk, doctype, content)
    assert (again.state, again.accepted, again.rejected) == ("checked", 0, 1)
    assert [cell["code"] for cell in again.errors] == ["exists"]
    marked = imports.marked(desk.filing, desk.actor, SheetReader(), str(again.id), english=False)
    assert bring(desk, doctype, marked.content).errors == again.errors


@KINDS
def test_batch_number_and_export_date_go_with_the_kinds_that_have_them(
    desk: Office, doctype: DocumentType
) -> None:
    content, sheet = workbook(doctype, *rows(doctype)), sheet_of(doctype)
    task = bring(desk, doctype, content)
    assert bool(task.batch_no) == sheet.batch
    if not sheet.batch:
        refused(
            "invalid",
            lambda: bring(desk, doctype, content, batch_no="SF20260101JIA01"),
            "/batch_no",
            "unknown",
        )
    if sheet.export_date:
        refused("invalid", lambda: bring(desk, doctype, content, export_date=""), "/export_date", "required")
        refused(
            "invalid",
            lambda: bring(desk, doctype, content, export_date="20260230"),
            "/export_date",
            "not-a-date",
        )
    else:
        refused(
            "invalid",
            lambda: bring(desk, doctype, content, export_date="20260101"),
            "/export_date",
            "unknown",
        )


@KINDS
def test_a_strategy_is_asked_for_only_where_it_is_needed(desk: Office, doctype: DocumentType) -> None:
    content = workbook(doctype, *rows(doctype))
    problem = refused(
        "invalid", lambda: bring(desk, doctype, content, strategy=None), "/strategy", "strategy-needed"
    )
    assert "策略" in problem.zh
    # where their own sheet has everything, nothing is left to a strategy but the codes of a batch number
    if sheet_of(doctype).batch:
        return
    columns = {
        f"{level}.{item.name}": f"{level} {item.zh}"
        for level, fields in (("head", doctype.head), ("line", doctype.lines))
        for item in fields
        if item.filled_by in ("user", "strategy")
    }
    mapping = mappings.save(
        desk.filing, desk.actor, Given(kind=doctype.kind, name="全部", columns=columns, constants={})
    )
    example = example_of(doctype)
    lines = example["lines"] or [{}]
    found = [
        [
            (example["head"] if name.startswith("head.") else line).get(name.partition(".")[2], "")
            for name in columns
        ]
        for line in lines
    ]
    task = bring(
        desk,
        doctype,
        workbook(doctype, *found, titles=list(columns.values())),
        strategy=None,
        mapping_id=mapping,
    )
    assert (task.state, task.errors) == ("done", [])


def test_what_customs_sends_is_imported_by_nobody(desk: Office) -> None:
    kind = next(item.kind for item in ALL if item.sheet is None)
    refused("invalid", lambda: desk.upload(orders(row_of()), kind), "/kind", "not-imported")


def test_a_list_takes_its_trade_mode_from_the_strategy_and_its_date_from_the_import(desk: Office) -> None:
    strategy = replace(strategy_for(LIST), trade_mode="9710")
    task = bring(desk, LIST, workbook(LIST, *rows(LIST)), strategy=strategy, export_date="20261231")
    assert task.state == "done", task.errors
    (body,) = bodies(desk, "list")
    assert (body["head"]["tradeMode"], body["head"]["ieDate"]) == ("9710", "20261231")
    assert task.batch_no.startswith("SF")


def test_a_waybill_number_may_be_used_again_after_six_months(desk: Office) -> None:
    content = workbook(WAYBILL, *rows(WAYBILL))
    bring(desk, WAYBILL, content)
    for months, state in ((5, "checked"), (7, "done")):
        with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
            connection.execute(
                text("UPDATE document SET stored_at = now() - make_interval(months => :m)"), {"m": months}
            )
        assert bring(desk, WAYBILL, content).state == state
    assert len(bodies(desk, "waybill")) == 2


def test_an_old_number_is_given_free_only_when_it_is_used(desk: Office) -> None:
    bring(desk, WAYBILL, workbook(WAYBILL, *rows(WAYBILL)))
    with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
        connection.execute(text("UPDATE document SET stored_at = now() - make_interval(months => 7)"))
    wrong = rows(WAYBILL)[0]
    wrong[headers(WAYBILL).index("件数")] = "x"
    wrong[0] = "OTHER"
    task = bring(desk, WAYBILL, workbook(WAYBILL, *rows(WAYBILL), wrong))
    assert (task.state, task.accepted) == ("checked", 1)
    with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
        assert (
            connection.execute(text("SELECT count(*) FROM document WHERE natural_key <> ''")).scalar_one()
            == 1
        )
    imports.resolve(desk.filing, desk.actor, desk.token, str(task.id), "keep-valid")
    assert desk.work(str(task.id), keep_valid=True).state == "done"


# -- repeats -----------------------------------------------------------------------------------------------------------


def test_a_repeat_with_the_caller_s_id_is_one_import(desk: Office) -> None:
    import_id = str(uuid.uuid4())
    first = desk.upload(orders(row_of("T1")), import_id=import_id)
    assert desk.work(first).state == "done"
    assert desk.upload(orders(row_of("T1")), import_id=import_id) == first == import_id
    with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
        assert connection.execute(text("SELECT count(*) FROM import_task")).scalar_one() == 1
        asked = connection.execute(
            text("SELECT count(*) FROM outbox WHERE type = 'ImportRequested'")
        ).scalar_one()
    assert asked == 1


def test_another_tenant_may_use_the_same_id(desk: Office) -> None:
    import_id = str(uuid.uuid4())
    desk.upload(orders(row_of("T1")), import_id=import_id)
    other = replace(desk, actor=clerk("乙"))
    assert other.upload(orders(row_of("T1")), import_id=import_id) == import_id
    assert other.work(import_id).state == "done"
    assert imports.read(desk.filing, desk.actor, import_id).state == "waiting"


# -- mappings ----------------------------------------------------------------------------------------------------------


def given(name: str = "我的表", **more: Any) -> Given:
    return Given(**{"kind": "order", "name": name, "columns": OWN, "constants": {}} | more)


def test_a_saved_mapping_reads_their_own_sheet_and_marks_it_in_their_words(desk: Office) -> None:
    mapping = mappings.save(desk.filing, desk.actor, given(constants={"head.note": "批量导入"}))
    content = workbook(ORDER, row_of("T1"), row_of("T2", qty="x"), titles=headed(ORDER, OWN))
    task = desk.work(desk.upload(content, mapping_id=mapping))
    assert (task.state, task.mapping["name"]) == ("checked", "我的表")
    assert [(cell["row"], cell["letter"], cell["column"]) for cell in task.errors] == [(3, "D", "件数 (pcs)")]
    marked = imports.marked(desk.filing, desk.actor, SheetReader(), str(task.id), english=False)
    again = desk.work(desk.upload(marked.content, mapping_id=mapping))
    assert again.errors == task.errors
    imports.resolve(desk.filing, desk.actor, desk.token, str(task.id), "keep-valid")
    desk.work(str(task.id), keep_valid=True)
    assert [body["head"]["note"] for body in bodies(desk, "order")] == ["批量导入"]


def test_an_import_keeps_the_mapping_it_began_with(desk: Office) -> None:
    mapping = mappings.save(desk.filing, desk.actor, given())
    import_id = desk.upload(workbook(ORDER, row_of("T1"), titles=headed(ORDER, OWN)), mapping_id=mapping)
    mappings.delete(desk.filing, desk.actor, mapping, 0)
    assert desk.work(import_id).state == "done"
    refused("not_found", lambda: desk.upload(orders(row_of("T2")), mapping_id=mapping))


def test_mappings_are_changed_by_one_at_a_time(desk: Office) -> None:
    mapping = mappings.save(desk.filing, desk.actor, given())
    changed = {**OWN, "barCode": "EAN"}
    mappings.replace(desk.filing, desk.actor, mapping, 1, given("改名", columns=changed))
    row = mappings.read(desk.filing, desk.actor, mapping)
    assert (row.name, row.version, row.columns["columns"]["line.barCode"]) == ("改名", 2, "EAN")
    refused("stale", lambda: mappings.replace(desk.filing, desk.actor, mapping, 1, given()))
    refused("stale", lambda: mappings.delete(desk.filing, desk.actor, mapping, 1))
    refused(
        "invalid",
        lambda: mappings.replace(desk.filing, desk.actor, mapping, 2, given(kind="booking")),
        "/kind",
        "fixed",
    )
    mappings.delete(desk.filing, desk.actor, mapping, 2)
    assert mappings.of_kind(desk.filing, desk.actor, "order") == []


def test_names_of_mappings_are_used_once_in_a_kind(desk: Office) -> None:
    first = mappings.save(desk.filing, desk.actor, given())
    second = mappings.save(desk.filing, desk.actor, given("另一个"))
    refused("conflict", lambda: mappings.save(desk.filing, desk.actor, given()), "/name", "exists")
    refused(
        "conflict", lambda: mappings.replace(desk.filing, desk.actor, second, 1, given()), "/name", "exists"
    )
    booking = {**OWN, "orderNo": "No"}
    assert mappings.save(desk.filing, desk.actor, given(kind="booking", columns=booking))
    assert [str(row.id) for row in mappings.of_kind(desk.filing, desk.actor, "order")] == sorted(
        [first, second], key=[second, first].index
    )
    assert mappings.save(replace(desk, actor=clerk("乙")).filing, clerk("乙"), given())


@pytest.mark.parametrize("name", ["", " ", "x" * 61, "a\x00b"])
def test_names_of_mappings_have_a_shape(desk: Office, name: str) -> None:
    refused("invalid", lambda: mappings.save(desk.filing, desk.actor, given(name)), "/name", "name")


def test_what_is_wrong_with_a_mapping_is_told_by_name(desk: Office) -> None:
    problem = refused(
        "invalid", lambda: mappings.save(desk.filing, desk.actor, given(columns={**OWN, "nothing": "x"}))
    )
    assert [(item.pointer, item.code) for item in problem.details] == [("/columns/nothing", "unknown-field")]


def test_a_repeat_with_the_caller_s_id_is_one_mapping(desk: Office) -> None:
    new_id = str(uuid.uuid4())
    assert mappings.save(desk.filing, desk.actor, given(new_id=new_id)) == new_id
    assert mappings.save(desk.filing, desk.actor, given(new_id=new_id)) == new_id


def test_another_tenants_mapping_is_as_if_it_were_not_there(desk: Office) -> None:
    mapping = mappings.save(desk.filing, desk.actor, given())
    other = replace(desk, actor=clerk("乙"))
    for act in (
        lambda: mappings.read(other.filing, other.actor, mapping),
        lambda: mappings.replace(other.filing, other.actor, mapping, 1, given()),
        lambda: mappings.delete(other.filing, other.actor, mapping, 0),
        lambda: other.upload(orders(row_of("T1")), mapping_id=mapping),
    ):
        refused("not_found", act)
    assert mappings.of_kind(other.filing, other.actor, "order") == []


def test_headers_are_proposed_by_a_process_with_limits(desk: Office) -> None:
    content = workbook(
        ORDER, row_of("T1"), titles=["Order number", "ITEMNO", "品名", "数量", "总额", "单价", "计量单位"]
    )
    found = mappings.propose(desk.filing, desk.actor, SheetReader(), "order", content)
    assert [item.place for item in found.headers if item.place] == [
        "head.orderNo", "line.itemNo", "line.qty", "line.totalPrice", "line.price", "line.unit",
    ]  # fmt: skip
    assert found.missing == ["line.itemName"]
    refused(
        "wrong_type",
        lambda: mappings.propose(desk.filing, desk.actor, SheetReader(), "order", b"%PDF-1.7"),
        "/file",
        "pdf",
    )
    problem = refused(
        "too_large",
        lambda: mappings.propose(desk.filing, desk.actor, SheetReader(), "order", wide_and_long()),
    )
    assert problem.details[0].code == "over-limits"
