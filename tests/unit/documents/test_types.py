"""What every declared kind must offer: a right example, a page for each state, actions that fit its life course."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from documents import codes
from documents.body import complete, keys, natural_key, number, refs
from documents.check import checker
from documents.lifecycles import LIST, RETURN, SETTLED_BY_REVIEW, SETTLED_BY_STORING
from documents.registry import ALL, REGISTRY
from documents.rules import credit_code
from documents.spec import DocumentType, Field
from documents.types import made_up
from documents.types.common import NOT_REVIEWED, NOT_SETTLED, OPEN, REVIEWED, SETTLED
from tests.unit.documents.making import right_bodies

TYPES = pytest.mark.parametrize("doctype", ALL, ids=lambda t: t.kind)
SENT = pytest.mark.parametrize(
    "doctype", [item for item in ALL if item.message.direction == "out"], ids=lambda t: t.kind
)
KINDS = (
    "order", "booking", "payment", "waybill", "arrival", "departure", "list", "cancellation", "master-house", "return",
    "tally", "summary-application", "summary-result", "summary-declaration",
)  # fmt: skip
#: the pages of the product that show documents of this family
PAGES = (
    *("A1", "A2", "A3", "A4", "A5", "A6"),
    *("B1", "B2", "B3", "B4", "B5", "B6", "B7"),
    *("C1", "C2", "C3", "C4", "C5", "C6", "C7", "C8", "C9", "C10", "C11", "C12"),
    *("D1", "D2", "D3", "E1", "E2", "E3", "E4"),
)
#: fields an example cannot show: a period stands for lines
LEFT_OUT = {"summary-application": {"startTime", "endTime"}}


def entered(fields: tuple[Field, ...]) -> list[Field]:
    """Fields that people or strategies fill."""
    return [field for field in fields if field.filled_by not in ("system", "customs")]


def example(doctype: DocumentType) -> dict[str, Any]:
    assert doctype.example is not None
    return dict(doctype.example)


def test_every_kind_is_registered_with_its_owner() -> None:
    assert tuple(item.kind for item in ALL) == KINDS
    assert {item.kind for item in REGISTRY.owned_by("order").types} == {"order", "booking", "payment"}
    assert {item.kind for item in REGISTRY.owned_by("list").types} == set(KINDS[3:])


def test_every_page_belongs_to_one_kind() -> None:
    declared = [page.id for item in ALL for page in item.pages]
    assert sorted(declared) == sorted(PAGES)


@TYPES
def test_the_example_is_right_and_shows_every_field(doctype: DocumentType) -> None:
    body = example(doctype)
    assert checker(doctype).wrongs(body) == []
    assert checker(doctype).is_right(body)
    wanted = {field.name for field in entered(doctype.head)} - LEFT_OUT.get(doctype.kind, set())
    assert set(body["head"]) == wanted
    for line in body["lines"]:
        assert set(line) == {field.name for field in entered(doctype.lines)}
    assert bool(body["lines"]) == bool(doctype.lines)


@TYPES
def test_the_example_is_complete(doctype: DocumentType) -> None:
    body = example(doctype)
    assert complete(doctype, body) == body
    assert number(doctype, body)
    assert natural_key(doctype, body["head"])
    assert {name for name, _ in refs(doctype, body)} >= {
        ref.name for ref in doctype.refs if not set(ref.fields) & _by_customs(doctype)
    }
    assert all(value for _, value in keys(doctype, body))


def _by_customs(doctype: DocumentType) -> set[str]:
    return {field.name for field in doctype.head if field.filled_by == "customs"}


def test_examples_belong_together() -> None:
    """The made-up order, its waybill, its list and what follows are found by each other's numbers."""
    found: dict[str, set[str]] = {}
    for item in ALL:
        for name, value in refs(item, example(item)):
            found.setdefault(f"{name} {value}", set()).add(item.kind)
    chains = [kinds for kinds in found.values() if len(kinds) > 1]
    assert {"order", "payment", "list"} in chains
    assert {"return", "tally"} in chains
    assert any(
        {"waybill", "list", "arrival", "departure", "master-house", "return", "tally"} <= c for c in chains
    )


def test_made_up_enterprises_have_right_codes_of_their_own() -> None:
    parts = (made_up.PLATFORM, made_up.SELLER, made_up.CARRIER, made_up.OPERATOR, made_up.DECLARANT,
             made_up.PRODUCER, made_up.ZONE, made_up.PAYER)  # fmt: skip
    known = [value for part in parts for name, value in part.items() if name.endswith("Code")]
    assert len(set(known)) == len(known) == len(parts)
    assert all(credit_code(value[:17]) == value for value in known)


@TYPES
@given(data=st.data())
@settings(max_examples=40)
def test_bodies_made_from_the_declaration_are_right(doctype: DocumentType, data: st.DataObject) -> None:
    body = data.draw(right_bodies(doctype))
    assert checker(doctype).wrongs(body) == []
    assert checker(doctype).is_right(body)


@TYPES
def test_every_state_is_on_a_query_page(doctype: DocumentType) -> None:
    everything = set(doctype.lifecycle.by_name)
    shown: set[str] = set()
    for page in doctype.pages:
        shown |= set(page.states) or everything
    assert shown == everything


@pytest.mark.parametrize(
    ("course", "open_page", "done_page"),
    [(SETTLED_BY_STORING, NOT_SETTLED, SETTLED), (SETTLED_BY_REVIEW, NOT_REVIEWED, REVIEWED)],
)
def test_the_two_pages_share_no_state_and_miss_none(
    course: Any, open_page: tuple[str, ...], done_page: tuple[str, ...]
) -> None:
    assert not set(open_page) & set(done_page)
    assert {*open_page, *done_page} == set(course.by_name)
    for name in done_page:
        assert course.by_name[name].settled


@SENT
def test_actions_fit_the_life_course(doctype: DocumentType) -> None:
    held = doctype.lifecycle.held
    for name in ("edit", "declare", "push"):
        action = doctype.action(name)
        assert action is None or not set(action.states) & held, name
    amend, delete = doctype.action("amend"), doctype.action("delete")
    assert delete is not None
    assert set(delete.states) >= set(OPEN)
    assert amend is None or set(amend.states) <= held
    withdrawn = set(delete.states) & held
    # what cannot be amended at customs is not deleted there either
    assert not withdrawn or (amend is not None and withdrawn == set(amend.states))


@TYPES
def test_what_customs_sends_is_never_acted_on(doctype: DocumentType) -> None:
    received = doctype.message.direction == "in"
    assert received == (doctype.receipt is None) == (not doctype.actions) == (not doctype.senders)
    assert received == (not doctype.on_submit)
    assert received == (doctype.sheet is None)


@SENT
def test_a_workbook_and_a_strategy_can_fill_everything_required(doctype: DocumentType) -> None:
    assert doctype.sheet is not None
    columns = {(column.level, column.name) for column in doctype.sheet.columns}
    columns.add(("head", doctype.sheet.export_date))
    for level, fields in (("head", doctype.head), ("line", doctype.lines)):
        for field in fields:
            if field.required and field.filled_by == "user" and field.default is None:
                assert (level, field.name) in columns, field.name
    assert doctype.sheet.group == doctype.number
    assert re.search("[\u4e00-\u9fff]", doctype.sheet.title)
    # what a sheet of Excel may be called
    assert len(doctype.sheet.title) <= 31


@TYPES
def test_columns_are_fields_that_stand_once_and_are_not_wide(doctype: DocumentType) -> None:
    names = [column.name for column in doctype.columns]
    assert len(set(names)) == len(names)
    assert doctype.number not in names
    assert sum(column.width for column in doctype.columns if column.default) <= 720
    for column in doctype.columns:
        kind = doctype.head_field(column.name).type
        assert (column.align == "right") == (kind in ("decimal", "integer")), column.name


@TYPES
def test_conditions_can_find_documents_by_every_number(doctype: DocumentType) -> None:
    searchable = set(doctype.searchable)
    for name in ("preNo", "invtNo", "orderNo", "logisticsNo", "billNo", "sumNo", "copNo", "coElNo", "payNo"):
        if any(field.name == name for field in doctype.head):
            assert name in searchable, name


@SENT
def test_numbers_that_customs_gives_are_nobody_elses(doctype: DocumentType) -> None:
    assert doctype.receipt is not None
    for name in doctype.receipt.fills:
        field = doctype.head_field(name)
        assert (field.filled_by, field.required) == ("customs", False)
        body = example(doctype)
        body = body | {"head": body["head"] | {name: "B20261120000000001"}}
        assert [wrong.code for wrong in checker(doctype).wrongs(body)] == ["unknown-field"]


def test_parts_start_as_one_of_one() -> None:
    split = [item for item in ALL if item.parts]
    assert {item.kind for item in split} == {"arrival", "departure", "master-house", "summary-application"}
    for item in split:
        assert item.parts is not None
        assert (item.message.split_lines, item.message.max_lines) == (1_000, 20_000)
        body = example(item)
        head = {name: value for name, value in body["head"].items() if name not in item.parts}
        assert complete(item, body | {"head": head})["head"] == body["head"]


def test_effects_move_lists_to_states_they_have() -> None:
    effects = [(item, effect) for item in ALL for effect in item.effects]
    assert {(item.kind, effect.state) for item, effect in effects} == {
        ("cancellation", "cancelled"),
        ("summary-declaration", "case_closed"),
    }
    for item, effect in effects:
        target = REGISTRY.get(effect.kind)
        assert target is not None
        assert target.owner == item.owner
        assert effect.state in target.lifecycle.by_name
        assert "assumed" in effect.source


def test_a_list_goes_with_its_documents() -> None:
    found = REGISTRY.get("list")
    assert found is not None
    for item in found.companions:
        companion = REGISTRY.get(item.kind)
        assert companion is not None
        assert {ref.name for ref in companion.refs} >= {item.ref}


def test_pages_of_lists_follow_their_states() -> None:
    found = REGISTRY.get("list")
    assert found is not None
    states = {page.id: set(page.states) for page in found.pages}
    assert states["C6"] == {"closed"}
    assert states["C7"] == {"case_closed"}
    assert states["C5"] == set(LIST.by_name) - states["C6"] - states["C7"]
    amend = found.action("amend")
    assert amend is not None
    assert states["C4"] == set(amend.states)


def test_life_courses_are_those_of_the_published_receipts() -> None:
    courses = {item.kind: item.lifecycle for item in ALL if item.receipt}
    assert {kind for kind, course in courses.items() if course is SETTLED_BY_STORING} == {
        "order", "booking", "payment", "master-house",
    }  # fmt: skip
    assert {kind for kind, course in courses.items() if course is SETTLED_BY_REVIEW} == {
        "waybill", "arrival", "departure", "cancellation", "tally", "summary-application",
    }  # fmt: skip
    assert courses["list"] is LIST
    assert courses["return"] is RETURN


@TYPES
def test_open_tables_offer_only_what_their_pattern_takes(doctype: DocumentType) -> None:
    for field in (*doctype.head, *doctype.lines):
        if field.open_table:
            assert field.table is not None
            assert field.pattern is not None
            for code in codes.index(field.table):
                assert re.fullmatch(field.pattern[0], code), (field.name, code)
