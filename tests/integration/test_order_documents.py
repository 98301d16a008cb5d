"""Orders from workbook to customs' last word, on a real PostgreSQL under row-level security."""

from __future__ import annotations

import csv
import itertools
import random
import threading
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from documents.types.order import ORDER
from documents.xml import from_xml
from filing.ids import guid_of
from filing.usecases import answers, content, imports, look, progress, submit
from proto.events.v1 import events_pb2
from runtime.errors import Problem
from tests.support.definitions import assert_valid
from tests.support.filing import SAMPLES, TRANSFER, Office, body, clerk, office, query


@pytest.fixture(scope="module")
def base(servers: Mapping[str, Any]) -> Iterator[Office]:
    made = office(servers)
    yield made
    made.filing.database.close()


@pytest.fixture
def desk(base: Office) -> Office:
    """A clerk of a tenant of their own."""
    return replace(base, actor=clerk())


def outbox(desk: Office, kind: str) -> list[Any]:
    with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
        return list(
            connection.execute(
                text("SELECT type, body FROM outbox WHERE routing_key LIKE :k ORDER BY seq"),
                {"k": f"{kind}%"},
            )
        )


def declare(desk: Office, ids: list[str], per_message: int = 0) -> list[content.Result]:
    return submit.declare(desk.filing, desk.actor, desk.token, "order", ids, TRANSFER, per_message)


def saved(desk: Office, *numbers: str) -> list[str]:
    return [content.save(desk.filing, desk.actor, "order", body(number)).id for number in numbers]


def receive(desk: Office, *items: tuple[str, str, str, str]) -> None:
    """Receipts as (document id, attempt's guid, status, return time)."""
    event = events_pb2.ReceiptArrived(
        raw_id=str(uuid.uuid4()), message_type="CEB304Message", received_at="2026-11-20T08:00:00+00:00"
    )
    for number, guid, status, moment in items:
        event.items.add(
            guid=guid, status=status, return_time=moment, info=f"回执{status}",
            fields={"ebpCode": "无", "ebcCode": "6101960AAA", "orderNo": number},
        )  # fmt: skip
    with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
        answers.arrived(desk.filing, connection, [event])


def state(desk: Office, document_id: str) -> tuple[str, str]:
    row = look.read(desk.filing, desk.actor, "order", document_id)
    return row.state, row.customs_status


def test_the_seed_workbook_becomes_orders(desk: Office) -> None:
    task = desk.work(desk.upload((SAMPLES / "9710-orders-seed.xlsx").read_bytes()))
    assert (task.state, task.rows, task.accepted, task.rejected) == ("done", 3, 3, 0)
    page = query(desk)
    assert sorted(row.number for row in page.rows) == ["TYDH005", "TYDH006", "TYDH007"]
    assert {row.state for row in page.rows} == {"checked"}
    assert page.rows[0].head["goodsValue"] == "25"
    assert {row.batch_no for row in page.rows} == {task.batch_no}


def test_the_wrong_workbook_is_reported_cell_by_cell_and_stores_nothing_until_told(desk: Office) -> None:
    task = desk.work(desk.upload((SAMPLES / "9710-orders-wrong.xlsx").read_bytes()))
    with (SAMPLES / "9710-orders-wrong.expected.csv").open(encoding="utf-8") as file:
        expected = [(int(r["row"]), r["column"], r["what"]) for r in csv.DictReader(file)]
    wrong = {(row, column) for row, column, what in expected if column and "visible note" not in what}
    assert {(cell["row"], cell["column"]) for cell in task.errors} == wrong
    assert len(task.errors) == len(wrong)
    assert [(cell["row"], cell["column"], cell["code"]) for cell in task.repairs] == [
        (12, "订单号", "trimmed")
    ]
    assert (task.state, task.accepted) == ("checked", 2)
    assert query(desk).rows == []

    imports.resolve(desk.filing, desk.actor, desk.token, str(task.id), "keep-valid")
    task = desk.work(str(task.id), keep_valid=True)
    assert task.state == "done"
    assert sorted(row.number for row in query(desk).rows) == ["W011", "W018"]


def test_the_same_file_again_creates_nothing_new(desk: Office) -> None:
    file = (SAMPLES / "9710-orders-seed.xlsx").read_bytes()
    desk.work(desk.upload(file))
    again = desk.work(desk.upload(file))
    assert (again.state, again.accepted, again.rejected) == ("checked", 0, 3)
    assert {cell["code"] for cell in again.errors} == {"exists"}
    assert len(query(desk).rows) == 3
    with pytest.raises(Problem, match="not possible"):
        imports.resolve(desk.filing, desk.actor, desk.token, str(again.id), "keep-valid")


def test_the_same_numbers_in_parallel_uploads_are_stored_once(desk: Office) -> None:
    file = (SAMPLES / "9710-orders-1000.xlsx").read_bytes()
    uploads = [desk.upload(file) for _ in range(3)]
    results: list[Any] = []
    threads = [threading.Thread(target=lambda u=u: results.append(desk.work(u))) for u in uploads]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(task.accepted for task in results) == [0, 0, 1000]
    assert query(desk).total == 1000


def test_an_import_can_be_given_up_while_it_waits(desk: Office) -> None:
    import_id = desk.upload((SAMPLES / "9710-orders-seed.xlsx").read_bytes())
    imports.resolve(desk.filing, desk.actor, desk.token, import_id, "discard")
    assert desk.work(import_id).state == "discarded"
    assert query(desk).total == 0


def test_a_repeated_request_for_a_finished_import_does_nothing(desk: Office) -> None:
    import_id = desk.upload((SAMPLES / "9710-orders-seed.xlsx").read_bytes())
    desk.work(import_id)
    assert desk.work(import_id).state == "done"
    assert query(desk).total == 3


def test_submitting_stores_canonical_messages_and_the_event_in_one_commit(desk: Office) -> None:
    ids = saved(desk, *(f"S{n:03d}" for n in range(7)))
    results = declare(desk, ids, per_message=3)
    assert [r.problem for r in results] == [None] * 7
    assert {r.state for r in results} == {"signing"}
    events = [events_pb2.MessageSubmitted.FromString(e.body) for e in outbox(desk, "message.submitted")]
    assert [len(e.document_ids) for e in events] == [3, 3, 1]
    read = [body for e in events for body in from_xml(ORDER, assert_valid(e.xml)).bodies]
    assert sorted(b["head"]["orderNo"] for b in read) == sorted(f"S{n:03d}" for n in range(7))
    assert {b["head"]["guid"] for b in read} == {guid_of(i, 1) for i in ids}
    assert all(b["head"]["appStatus"] == "2" for b in read)


def test_a_batch_answers_per_document_why_it_was_not_filed(desk: Office) -> None:
    ready, filed = saved(desk, "OK1", "OK2")
    declare(desk, [filed])
    lacking = body("D1")
    del lacking["head"]["currency"]
    draft = content.save(desk.filing, desk.actor, "order", lacking).id
    missing = str(uuid.uuid4())
    done = {r.id: r for r in declare(desk, [ready, filed, draft, missing])}
    assert done[ready].problem is None
    assert done[filed].problem is not None
    assert done[filed].problem.kind == "conflict"
    assert "签名中" in done[filed].problem.zh
    assert done[draft].problem is not None
    assert done[draft].problem.details[0].pointer == "/head/currency"
    assert done[missing].problem is not None
    assert done[missing].problem.kind == "not_found"


def test_another_tenant_sees_and_moves_nothing(desk: Office) -> None:
    (document,) = saved(desk, "MINE1")
    other = replace(desk, actor=clerk("乙"))
    assert query(other).rows == []
    with pytest.raises(Problem, match="Not found"):
        look.read(other.filing, other.actor, "order", document)
    refused = declare(other, [document])[0].problem
    assert refused is not None
    assert refused.kind == "not_found"
    receive(other, ("MINE1", guid_of(document, 1), "120", "20991120150400000"))
    assert state(desk, document) == ("checked", "")


def test_signed_sent_and_receipts_move_forward_only(desk: Office) -> None:
    (document,) = saved(desk, "F1")
    declare(desk, [document])
    message = str(look.read(desk.filing, desk.actor, "order", document).message_id)
    guid = guid_of(document, 1)
    receive(desk, ("F1", guid, "120", "20991120150403000"))  # early: before we know that it was signed
    signature = events_pb2.Signature(key_label="k", device="SoftHSM2", signed_at="2026-11-20T07:00:00+00:00")
    sent = events_pb2.MessageSent(
        message_id=message, kind="order", channel="amqp", sent_at="2026-11-20T07:00:01+00:00"
    )
    with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
        event = events_pb2.MessageSigned(message_id=message, kind="order", signature=signature)
        assert progress.signed(desk.filing, connection, [event]) == []
        assert progress.sent(desk.filing, connection, [sent]) == []
    receive(desk, ("F1", guid, "2", "20991120150401000"), ("F1", guid, "120", "20991120150403000"))
    assert state(desk, document) == ("accepted", "120")
    rows = look.receipts(desk.filing, desk.actor, "order", document)
    assert [(r.status, r.standing, r.times) for r in rows] == [("2", "late", 1), ("120", "applied", 2)]
    whats = [entry.what for entry in look.timeline(desk.filing, desk.actor, "order", document)]
    assert whats.count("signed") == whats.count("sent") == 1
    assert whats[-1] == "receipt"


def test_the_end_state_does_not_depend_on_the_order_of_receipts(desk: Office) -> None:
    answers = [
        ("2", "01"),
        ("3", "02"),
        ("4", "03"),
        ("100", "04"),
        ("120", "05"),
        ("-301010", "00"),
        ("777", "06"),
    ]
    ends = set()
    rng = random.Random(7)
    for number in range(12):
        name = f"P{number}"
        (document,) = saved(desk, name)
        declare(desk, [document])
        shuffled = [*answers, *rng.choices(answers, k=5)]
        rng.shuffle(shuffled)
        for chunk in itertools.batched(shuffled, 3) if hasattr(itertools, "batched") else [shuffled]:
            receive(desk, *((name, guid_of(document, 1), code, f"2099112015{s}00000") for code, s in chunk))
        ends.add(state(desk, document))
    assert ends == {("accepted", "120")}


def test_after_a_rejection_the_next_attempt_has_its_own_guid_and_old_answers_stay_late(desk: Office) -> None:
    (document,) = saved(desk, "R1")
    declare(desk, [document])
    receive(desk, ("R1", guid_of(document, 1), "100", "20991120150400000"))
    assert state(desk, document) == ("rejected", "100")
    assert declare(desk, [document])[0].problem is None
    receive(desk, ("R1", guid_of(document, 1), "120", "20991120160000000"))
    assert state(desk, document)[0] == "signing"
    receive(desk, ("R1", guid_of(document, 2), "120", "20991120160000000"))
    assert state(desk, document) == ("accepted", "120")


def test_a_refused_message_gives_its_documents_back_with_the_reason(desk: Office) -> None:
    (document,) = saved(desk, "N1")
    declare(desk, [document])
    message = str(look.read(desk.filing, desk.actor, "order", document).message_id)
    refusal = events_pb2.MessageRefused(
        message_id=message, kind="order", stage="sign", code="no-key", zh="没有可用密钥", en="no usable key",
        at="2026-11-20T07:00:00+00:00",
    )  # fmt: skip
    with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
        progress.refused(desk.filing, connection, [refusal])
    row = look.read(desk.filing, desk.actor, "order", document)
    assert (row.state, row.return_info) == ("checked", "没有可用密钥")
    assert declare(desk, [document])[0].problem is None


def test_two_people_on_one_document(desk: Office) -> None:
    (document,) = saved(desk, "E1")
    content.replace(desk.filing, desk.actor, desk.token, "order", document, 1, body("E1", 2))
    with pytest.raises(Problem) as caught:
        content.replace(desk.filing, desk.actor, desk.token, "order", document, 1, body("E1", 3))
    assert caught.value.kind == "stale"
    assert len(look.read(desk.filing, desk.actor, "order", document).body["lines"]) == 2


def test_numbers_are_unique_per_platform_and_free_again_after_deletion(desk: Office) -> None:
    (document,) = saved(desk, "U1")
    with pytest.raises(Problem) as caught:
        saved(desk, "U1")
    assert caught.value.kind == "conflict"
    assert caught.value.details[0].pointer == "/head/orderNo"
    assert (
        submit.delete(desk.filing, desk.actor, desk.token, "order", [document], TRANSFER)[0].problem is None
    )
    assert saved(desk, "U1")


def test_pages_follow_each_other_without_gap_or_repeat(desk: Office) -> None:
    desk.work(desk.upload((SAMPLES / "9710-orders-1000.xlsx").read_bytes()))
    for sort in ("-stored_at", "number", "-state"):
        seen: list[str] = []
        cursor = ""
        while True:
            page = query(desk, page_size=130, cursor=cursor, sort=sort)
            seen += [row.number for row in page.rows]
            cursor = page.next_cursor
            if not cursor:
                break
        assert len(seen) == len(set(seen)) == 1000, sort
    found = query(desk, conditions={"orderNo": "SX97100000"})
    assert found.total == 99
    assert {row.number for row in query(desk, conditions={"orderNo": "SX9710000007"}).rows} == {
        "SX9710000007"
    }


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        ({"sort": "body"}, "/sort"),
        ({"page_size": 201}, "/page_size"),
        ({"states": ["x'; DROP TABLE document"]}, "/state"),
        ({"conditions": {"tenant_id": "x"}}, "/tenant_id"),
        ({"cursor": "nonsense"}, "/cursor"),
        ({"stored_from": "2018-07-01T00:00:00", "stored_to": "2018-08-02T00:00:00"}, "/stored_to"),
        ({"stored_from": "2018-07-02", "stored_to": "2018-07-01"}, "/stored_from"),
        ({"stored_from": "yesterday"}, "/stored_from"),
    ],
)
def test_a_query_outside_the_declaration_is_refused(
    desk: Office, wanted: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(Problem) as caught:
        query(desk, **wanted)
    assert caught.value.kind == "invalid"
    assert caught.value.details[0].pointer == pointer


def test_one_calendar_month_is_allowed(desk: Office) -> None:
    assert query(desk, stored_from="2018-07-01 00:00:00", stored_to="2018-07-31 00:00:00").rows == []
    assert (
        query(desk, stored_from="2018-01-31T00:00:00+08:00", stored_to="2018-02-28T00:00:00+08:00").rows == []
    )
