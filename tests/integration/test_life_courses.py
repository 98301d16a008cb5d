"""Life courses of all kinds on a real PostgreSQL: amendments, deletions, what one document does to another."""

from __future__ import annotations

import itertools
import random
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from lxml import etree

from documents.registry import REGISTRY
from documents.spec import DocumentType
from documents.xml import from_xml
from filing.usecases import content, derive, look, relations, summary
from runtime.errors import Problem
from tests.support.course import EVERY_KIND, Course, example
from tests.support.filing import Office, clerk, office

FILED = [doctype for doctype in REGISTRY.types if doctype.message.direction == "out"]
AMENDED = [doctype for doctype in FILED if doctype.action("amend")]
CEB = "{http://www.chinaport.gov.cn/ceb}"


@pytest.fixture(scope="module")
def base(servers: Mapping[str, Any]) -> Iterator[Office]:
    made = office(servers)
    yield made
    made.filing.database.close()


@pytest.fixture
def course(base: Office) -> Course:
    """A desk of an enterprise of its own."""
    return Course(replace(base, actor=replace(clerk(), enterprise_kinds=EVERY_KIND)))


def kind_id(doctype: DocumentType) -> str:
    return doctype.kind


def number(doctype: DocumentType) -> str:
    """Assigned by customs: fits preNo, invtNo and sumNo alike."""
    return f"9000{random.Random(doctype.kind).randrange(10**13):014d}"


def held(course: Course, doctype: DocumentType, **head: str) -> str:
    """A document that customs has in its books."""
    document_id = course.save(doctype.kind, example(doctype.kind, **head))
    (result,) = course.declare(doctype.kind, document_id)
    assert result.problem is None, result.problem
    assert doctype.receipt is not None
    fills = {name: number(doctype) for name in doctype.receipt.fills}
    course.answer(doctype.kind, document_id, "2", "3", "120", **fills)
    assert course.state(doctype.kind, document_id) == "accepted"
    return document_id


@pytest.mark.parametrize("doctype", FILED, ids=kind_id)
def test_every_kind_is_filed_and_moves_by_each_of_its_statuses(course: Course, doctype: DocumentType) -> None:
    for status in doctype.lifecycle.statuses:
        document_id = course.save(
            doctype.kind, example(doctype.kind, **{doctype.number: f"N{uuid.uuid4().hex[:12]}"})
        )
        (result,) = course.declare(doctype.kind, document_id)
        assert (result.problem, result.state) == (None, "signing")
        course.answer(doctype.kind, document_id, status.code)
        assert course.state(doctype.kind, document_id) == status.state
    document_id = course.save(
        doctype.kind, example(doctype.kind, **{doctype.number: f"N{uuid.uuid4().hex[:12]}"})
    )
    course.declare(doctype.kind, document_id)
    course.answer(doctype.kind, document_id, "-621004")
    assert course.state(doctype.kind, document_id) == doctype.lifecycle.negative


@pytest.mark.parametrize("doctype", FILED, ids=kind_id)
def test_only_the_kinds_of_enterprise_that_may_send_it_do(course: Course, doctype: DocumentType) -> None:
    document_id = course.save(doctype.kind, example(doctype.kind))
    others = tuple(kind for kind in EVERY_KIND if kind not in doctype.senders)
    stranger = Course(replace(course.desk, actor=replace(course.desk.actor, enterprise_kinds=others)))
    with pytest.raises(Problem) as refused:
        stranger.declare(doctype.kind, document_id)
    assert refused.value.kind == "forbidden"
    assert doctype.title.zh in refused.value.zh
    for kind in doctype.senders:
        actor = replace(clerk(), enterprise_kinds=(kind,))
        sender = Course(replace(course.desk, actor=actor))
        (result,) = sender.declare(doctype.kind, sender.save(doctype.kind, example(doctype.kind)))
        assert result.problem is None


@pytest.mark.parametrize("doctype", FILED, ids=kind_id)
def test_numbers_of_customs_are_filled_in_found_and_kept(course: Course, doctype: DocumentType) -> None:
    assert doctype.receipt is not None
    document_id = course.save(doctype.kind, example(doctype.kind))
    course.declare(doctype.kind, document_id)
    fills = {name: number(doctype) for name in doctype.receipt.fills}
    course.answer(doctype.kind, document_id, "2", "3", "100", **fills)
    row = course.row(doctype.kind, document_id)
    assert {name: row.body["head"].get(name) for name in fills} == fills
    for name, value in fills.items():
        assert name in doctype.numbers
        assert document_id in [
            str(hit.id) for hit in look.search(course.desk.filing, course.desk.actor, value)
        ]
    # what a form sends back with the numbers it was given is taken; other numbers are not
    desk = course.desk
    again = content.replace(
        desk.filing, desk.actor, desk.token, doctype.kind, document_id, row.version, row.body
    )
    assert again.warnings == []
    row = course.row(doctype.kind, document_id)
    assert {name: row.body["head"].get(name) for name in fills} == fills
    for name in fills:
        forged = {**row.body, "head": {**row.body["head"], name: "9" * 18}}
        with pytest.raises(Problem) as refused:
            content.replace(
                desk.filing, desk.actor, desk.token, doctype.kind, document_id, row.version, forged
            )
        assert refused.value.details[0].pointer == f"/head/{name}"
    (result,) = course.declare(doctype.kind, document_id)
    assert result.problem is None
    (body,) = from_xml(doctype, course.messages()[-1]).bodies
    assert {name: body["head"].get(name) for name in fills} == fills


@pytest.mark.parametrize("doctype", AMENDED, ids=kind_id)
def test_an_amendment_is_a_new_version_and_the_old_one_stays_until_customs_takes_it(
    course: Course, doctype: DocumentType
) -> None:
    old = held(course, doctype)
    (result,) = course.amend(doctype.kind, old)
    assert result.problem is None
    new = result.new_id
    assert (course.state(doctype.kind, new), course.state(doctype.kind, old)) == ("checked", "accepted")
    (again,) = course.amend(doctype.kind, old)
    assert again.problem is not None
    assert again.problem.kind == "conflict"
    row = course.row(doctype.kind, new)
    desk = course.desk
    changed = {**row.body, "head": {**row.body["head"], "note": "改过的备注"}}
    content.replace(desk.filing, desk.actor, desk.token, doctype.kind, new, row.version, changed)
    course.declare(doctype.kind, new)
    (body,) = from_xml(doctype, course.messages()[-1]).bodies
    assert (body["head"]["appType"], body["head"]["note"]) == ("2", "改过的备注")
    course.answer(doctype.kind, new, "2", "3", "100")
    assert course.state(doctype.kind, old) == "accepted"  # refused: the old one is in force
    course.declare(doctype.kind, new)
    course.answer(doctype.kind, new, "2", "120")
    assert course.state(doctype.kind, old) == "amended"
    found = relations.versions(desk.filing, desk.actor, doctype.kind, new)
    assert [(str(each.id), each.revision) for each, _ in found] == [(old, 1), (new, 2)]
    assert [(change.pointer, change.new) for change in found[1][1]] == [("/head/note", "改过的备注")]
    assert found == relations.versions(desk.filing, desk.actor, doctype.kind, old)


def test_an_amendment_cannot_take_another_number_and_can_be_given_up(course: Course) -> None:
    doctype = next(item for item in AMENDED if item.kind == "list")
    old = held(course, doctype)
    new = course.amend("list", old)[0].new_id
    row = course.row("list", new)
    desk = course.desk
    other = {**row.body, "head": {**row.body["head"], "copNo": "ANOTHER"}}
    with pytest.raises(Problem) as refused:
        content.replace(desk.filing, desk.actor, desk.token, "list", new, row.version, other)
    assert refused.value.details[0].pointer == "/head/copNo"
    assert course.delete("list", new)[0].problem is None
    assert course.amend("list", old)[0].problem is None


@pytest.mark.parametrize("doctype", AMENDED, ids=kind_id)
def test_what_customs_holds_is_deleted_by_a_message_and_only_then(
    course: Course, doctype: DocumentType
) -> None:
    old = held(course, doctype)
    if "accepted" not in doctype.action("delete").states:  # type: ignore[union-attr]
        assert course.delete(doctype.kind, old)[0].problem is not None
        return
    (result,) = course.delete(doctype.kind, old)
    assert result.problem is None
    request = result.new_id
    assert (course.state(doctype.kind, old), course.state(doctype.kind, request)) == ("accepted", "signing")
    (body,) = from_xml(doctype, course.messages()[-1]).bodies
    assert body["head"]["appType"] == "3"
    assert course.delete(doctype.kind, old)[0].problem is not None
    course.answer(doctype.kind, request, "2", "120")
    assert (course.state(doctype.kind, old), course.state(doctype.kind, request)) == ("deleted", "deleted")
    course.save(doctype.kind, example(doctype.kind))  # the number is free again


def test_filing_a_list_files_its_order_waybill_and_payment_once(course: Course) -> None:
    order = course.save("order", example("order"))
    waybill = course.save("waybill", example("waybill"))
    payment = course.save("payment", example("payment"))
    stranger = course.save("waybill", example("waybill", logisticsNo="OTHER1"))
    lists = course.save("list", example("list"))
    assert course.declare("list", lists)[0].problem is None
    states = {kind: course.state(kind, one) for kind, one in
              (("order", order), ("waybill", waybill), ("payment", payment))}  # fmt: skip
    assert states == {"order": "signing", "waybill": "signing", "payment": "signing"}
    assert course.state("waybill", stranger) == "checked"
    roots = sorted(etree.QName(etree.fromstring(xml)).localname for xml in course.messages())
    assert roots == ["CEB303Message", "CEB403Message", "CEB505Message", "CEB603Message"]


def test_a_waybill_number_is_free_after_six_months(course: Course) -> None:
    first = course.save("waybill", example("waybill"))
    with pytest.raises(Problem) as refused:
        course.save("waybill", example("waybill"))
    assert refused.value.kind == "conflict"
    backdate(course, first, months=7)
    second = course.save("waybill", example("waybill"))
    assert {course.state("waybill", first), course.state("waybill", second)} == {"checked"}


def backdate(course: Course, document_id: str, months: int) -> None:
    from sqlalchemy import text  # noqa: PLC0415

    with course.desk.filing.database.transaction(course.desk.actor.tenant_id) as connection:
        connection.execute(
            text("UPDATE document SET stored_at = now() - make_interval(months => :m) WHERE id = :id"),
            {"m": months, "id": document_id},
        )


def closed_lists(course: Course, count: int) -> list[tuple[str, str]]:
    """(id, invtNo) of lists that are closed."""
    found = []
    for index in range(count):
        invt = f"90002026E{index:09d}"
        document_id = course.save("list", example("list", copNo=f"LIST{index}", logisticsNo=f"YD{index}"))
        course.declare("list", document_id)
        course.answer("list", document_id, "2", "120", "800", "899", invtNo=invt)
        assert course.state("list", document_id) == "closed"
        found.append((document_id, invt))
    return found


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_closed_lists_are_summed_up_and_closed_as_cases_whatever_comes_first(
    course: Course, order: tuple[int, ...]
) -> None:
    lists = closed_lists(course, 3)
    desk = course.desk
    rows = summary.build(desk.filing, desk.actor, summary.Wanted(ids=[one for one, _ in lists]))
    application = str(rows[0].id)
    assert [line["invtNo"] for line in rows[0].body["lines"]] == [invt for _, invt in lists]
    with pytest.raises(Problem) as refused:
        summary.build(desk.filing, desk.actor, summary.Wanted(ids=[lists[0][0]]))
    assert rows[0].number in refused.value.details[0].zh
    course.declare("summary-application", application)
    sum_no = "S90002026000000001"
    course.answer("summary-application", application, "2", "3", "399", sumNo=sum_no)
    common = {
        "customsCode": "9000", "sumNo": sum_no, "declSeqNo": "D90002026000000001", "decState": "A",
        "grossWeight": "10", "netWeight": "9", "msgCount": "1", "msgSeqNo": "1",
    }  # fmt: skip
    lines = [
        {"invtNo": invt, "logisticsNo": f"YD{index}", "gseqno": "1", "gnum": "1", "gcode": "6209200000"}
        for index, (_, invt) in enumerate(lists)
    ]
    told = [
        course.result({**common, "opDate": "20261120150000001", "guid": str(uuid.uuid4()).upper()}, lines),
        course.result({**common, "opDate": "20261120150000002", "decTmpNo": "T" * 18, "guid": str(uuid.uuid4()).upper()}),
        course.result({**common, "opDate": "20261120150000003", "decPreNo": "P" * 18, "entryId": "9" * 18,
                       "guid": str(uuid.uuid4()).upper()}),
    ]  # fmt: skip
    course.take([*(told[index] for index in order), told[order[0]]])
    assert [course.state("list", one) for one, _ in lists] == ["case_closed"] * 3
    found = look.search(desk.filing, desk.actor, "9" * 18)
    assert sorted((hit.kind, hit.state) for hit in found) == [
        ("summary-declaration", "settled"), ("summary-result", "received"),
    ]  # fmt: skip
    (record,) = [hit for hit in found if hit.kind == "summary-declaration"]
    body = course.row("summary-declaration", str(record.id)).body
    assert (body["head"]["entryId"], body["head"]["decTmpNo"], len(body["lines"])) == ("9" * 18, "T" * 18, 3)
    linked, _ = relations.linked(desk.filing, desk.actor, [("summary", sum_no)], 0)
    assert sorted(item.row.kind for item in linked) == [
        "summary-application", "summary-declaration", "summary-result", "summary-result", "summary-result",
    ]  # fmt: skip


def test_an_approved_cancellation_cancels_the_list_even_if_its_number_comes_later(course: Course) -> None:
    lists = course.save("list", example("list"))
    course.declare("list", lists)
    cancellation = course.save("cancellation", example("cancellation", invtNo="90002026E000000077"))
    course.declare("cancellation", cancellation)
    course.answer("cancellation", cancellation, "2", "399")
    assert course.state("list", lists) == "signing"
    course.answer("list", lists, "2", "3", "120", invtNo="90002026E000000077")
    assert course.state("list", lists) == "cancelled"
    entries = look.timeline(course.desk.filing, course.desk.actor, "list", lists)
    assert any(entry.what == "followed" and "撤销申请单" in entry.words.zh for entry in entries)
    course.save("list", example("list"))  # to be sent again under its number


def test_lines_beyond_what_a_message_takes_make_several_documents(course: Course) -> None:
    lines = [{"logisticsNo": f"YD{index:06d}"} for index in range(2500)]
    saved = content.save(course.desk.filing, course.desk.actor, "departure", example("departure", lines))
    assert saved.parts == 3
    page = look.page(course.desk.filing, course.desk.actor, {
        "kind": "departure", "states": [], "settled": "", "stored_from": "", "stored_to": "", "conditions": {},
        "sort": "stored_at", "page_size": 50, "cursor": "",
    })  # fmt: skip
    rows = [course.row("departure", str(row.id)) for row in page.rows]
    assert [(row.body["head"]["msgCount"], row.body["head"]["msgSeqNo"], len(row.body["lines"])) for row in rows] == [
        ("3", "1", 1000), ("3", "2", 1000), ("3", "3", 500),
    ]  # fmt: skip
    results = course.declare("departure", *[str(row.id) for row in rows])
    assert all(result.problem is None for result in results)


def test_nobody_else_sees_versions_links_or_lists_to_sum_up(course: Course) -> None:
    (one,) = closed_lists(course, 1)
    stranger = replace(course.desk, actor=replace(clerk(), enterprise_kinds=EVERY_KIND))
    with pytest.raises(Problem) as missing:
        relations.versions(stranger.filing, stranger.actor, "list", one[0])
    assert missing.value.kind == "not_found"
    assert relations.linked(stranger.filing, stranger.actor, [("list", one[1])], 0) == ([], False)
    with pytest.raises(Problem) as unknown:
        summary.build(stranger.filing, stranger.actor, summary.Wanted(ids=[one[0]]))
    assert unknown.value.kind in ("invalid", "conflict")


def test_a_cancellation_and_a_return_are_begun_from_a_list_and_held_against_it(course: Course) -> None:
    lists = course.save("list", example("list"))
    desk = course.desk
    doctype = REGISTRY.get("list")
    assert doctype is not None
    cancel, give_back = doctype.derives
    (early,) = derive.derive(desk.filing, desk.actor, "list", cancel, [lists])
    assert early.problem is not None
    assert early.problem.kind == "conflict"
    course.declare("list", lists)
    course.answer("list", lists, "2", "120", invtNo="90002026E000000055")
    (result,) = derive.derive(desk.filing, desk.actor, "list", cancel, [lists])
    assert (result.problem, result.new_kind) == (None, "cancellation")
    assert course.state("cancellation", result.new_id) == "draft"  # the reason is for people to say
    row = course.row("cancellation", result.new_id)
    whole = {**row.body, "head": {**row.body["head"], "reason": "买家取消"}}
    content.replace(desk.filing, desk.actor, desk.token, "cancellation", result.new_id, row.version, whole)
    (refused,) = derive.derive(desk.filing, desk.actor, "list", give_back, [lists])
    assert refused.problem is not None  # not released
    course.answer("list", lists, "2", "120", "800")
    (back,) = derive.derive(desk.filing, desk.actor, "list", give_back, [lists])
    row = course.row("return", back.new_id)
    too_many = [{**line, "qty": "1000"} for line in row.body["lines"]]
    head = {**row.body["head"], "reason": "破损"}
    content.replace(
        desk.filing,
        desk.actor,
        desk.token,
        "return",
        back.new_id,
        row.version,
        {"head": head, "lines": too_many},
    )
    (over,) = course.declare("return", back.new_id)
    assert over.problem is not None
    assert over.problem.details[0].pointer == "/lines/0/qty"
    row2 = course.row("return", back.new_id)
    right = {"head": head, "lines": row.body["lines"]}
    content.replace(desk.filing, desk.actor, desk.token, "return", back.new_id, row2.version, right)
    assert course.declare("return", back.new_id)[0].problem is None
    course.answer("list", lists, "2", "120", "800", "899")
    (late,) = course.declare("cancellation", result.new_id)
    assert late.problem is not None  # closed lists are not cancelled
    assert late.problem.details[0].pointer == "/head/invtNo"


def test_lists_and_their_returns_are_found_by_what_their_summing_up_has_come_to(course: Course) -> None:
    lists = closed_lists(course, 2)
    desk = course.desk

    doctype = REGISTRY.get("list")
    assert doctype is not None
    give_back = next(item for item in doctype.derives if item.kind == "return")
    (back,) = derive.derive(desk.filing, desk.actor, "list", give_back, [lists[0][0]])

    def found(value: str, kind: str = "list") -> set[str]:
        page = look.page(desk.filing, desk.actor, {
            "kind": kind, "states": [], "settled": "", "stored_from": "", "stored_to": "",
            "conditions": {"summaryState": value}, "sort": "", "page_size": 50, "cursor": "",
        })  # fmt: skip
        return {str(row.id) for row in page.rows}

    assert (found("none"), found("applied"), found("summed")) == ({lists[0][0], lists[1][0]}, set(), set())
    assert found("none", "return") == {back.new_id}
    (row,) = summary.build(desk.filing, desk.actor, summary.Wanted(ids=[lists[0][0]]))
    assert found("applied") == set()
    course.declare("summary-application", str(row.id))
    assert (found("none"), found("applied")) == ({lists[1][0]}, {lists[0][0]})
    result = {"sumNo": "S1", "declSeqNo": "D1", "opDate": "20261120150000001"}
    course.take([course.result(result, [{"invtNo": lists[0][1]}])])
    assert (found("none"), found("applied"), found("summed")) == ({lists[1][0]}, set(), {lists[0][0]})
    # a return goes by the list whose goods come back
    assert (found("none", "return"), found("summed", "return")) == (set(), {back.new_id})
    with pytest.raises(Problem) as refused:
        found("nothing")
    assert refused.value.details[0].pointer == "/summaryState"
