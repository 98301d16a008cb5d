"""Awkward requests and late events on a real database: refused by name, or without effect on what people did since."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from documents.types.order import ORDER
from documents.xml import from_xml
from filing import events
from filing.ids import guid_of
from filing.imports_rpc import cursor_of
from filing.usecases import content, look, sending, submit
from proto.events.v1 import events_pb2
from runtime.actor import ActorVerifier
from runtime.bus import Delivery
from runtime.errors import Problem
from tests.support.definitions import assert_valid
from tests.support.filing import TRANSFER, Office, body, clerk, office, query

ANSWERED = "20991120150400000"


@pytest.fixture(scope="module")
def base(servers: Mapping[str, Any]) -> Iterator[Office]:
    made = office(servers)
    yield made
    made.filing.database.close()


@pytest.fixture
def desk(base: Office) -> Office:
    return replace(base, actor=clerk())


def filed(desk: Office, number: str) -> tuple[str, str]:
    """A submitted order: its id and its message's."""
    document_id = content.save(desk.filing, desk.actor, "order", body(number)).id
    declare(desk, document_id)
    return document_id, str(look.read(desk.filing, desk.actor, "order", document_id).message_id)


def declare(desk: Office, *ids: str) -> None:
    for result in submit.declare(desk.filing, desk.actor, desk.token, "order", ids, TRANSFER):
        assert result.problem is None


def state(desk: Office, document_id: str) -> str:
    return str(look.read(desk.filing, desk.actor, "order", document_id).state)


def happen(desk: Office, *told: Any) -> None:
    """Events, applied as the consumer does."""
    verbs = {type(payload()): verb for payload, verb in events.TABLE.values()}
    for event in told:
        with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
            verbs[type(event)](desk.filing, connection, [event])


def receipt(number: str, guid: str, status: str, moment: str = ANSWERED, info: str = "") -> Any:
    event = events_pb2.ReceiptArrived(
        raw_id=str(uuid.uuid4()), message_type="CEB304Message", received_at="2026-11-20T08:00:00+00:00"
    )
    event.items.add(guid=guid, status=status, return_time=moment, info=info,
                    fields={"ebpCode": "无", "ebcCode": "6101960AAA", "orderNo": number})  # fmt: skip
    return event


def signed(message_id: str) -> Any:
    signature = events_pb2.Signature(key_label="k", device="d", signed_at="2026-11-20T07:00:00+00:00")
    return events_pb2.MessageSigned(message_id=message_id, kind="order", signature=signature)


def sent(message_id: str) -> Any:
    return events_pb2.MessageSent(
        message_id=message_id, kind="order", channel="amqp", sent_at="2026-11-20T07:00:01+00:00"
    )


def refused(message_id: str) -> Any:
    return events_pb2.MessageRefused(
        message_id=message_id,
        kind="order",
        stage="send",
        code="x",
        zh="失败",
        en="failed",
        at="2026-11-20T07:00:02+00:00",
    )


# -- what people ask --------------------------------------------------------------------------------------------


def cursor(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


DEEP = base64.urlsafe_b64encode(b"[" * 50_000).decode()
ANY_ID = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        ({"conditions": {"orderNo": "A\x00"}}, "/orderNo"),
        ({"conditions": {"orderNo": "\ud800"}}, "/orderNo"),
        ({"conditions": {"batch_no": "\x00"}}, "/batch_no"),
        ({"stored_from": "0001-01-01T00:00:00+14:00", "stored_to": "2026-01-01"}, "/stored_from"),
        ({"stored_from": "9999-12-31T23:59:59", "stored_to": "9999-12-31T23:59:59"}, "/stored_from"),
        ({"stored_to": "10000-01-01"}, "/stored_to"),
        ({"stored_from": "2026-02-30"}, "/stored_from"),
        ({"cursor": "é"}, "/cursor"),
        ({"cursor": cursor("stored_at", "2026-13-01", ANY_ID)}, "/cursor"),
        ({"cursor": cursor("stored_at", "yesterday", ANY_ID)}, "/cursor"),
        ({"cursor": cursor("stored_at", 5, ANY_ID)}, "/cursor"),
        ({"cursor": cursor("stored_at", "2026-01-01", "x")}, "/cursor"),
        ({"cursor": cursor("number", "A", ANY_ID)}, "/cursor"),
        ({"cursor": cursor("number", "A\x00", ANY_ID), "sort": "number"}, "/cursor"),
        ({"cursor": cursor()}, "/cursor"),
        ({"cursor": DEEP}, "/cursor"),
        ({"sort": "--number"}, "/sort"),
        ({"sort": "number; DROP TABLE document"}, "/sort"),
        ({"page_size": -1}, "/page_size"),
        ({"page_size": 10**9}, "/page_size"),
        ({"settled": "True"}, "/settled"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_query_that_cannot_be_answered_is_refused_by_name(
    desk: Office, wanted: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(Problem) as caught:
        query(desk, **wanted)
    assert caught.value.kind == "invalid"
    assert caught.value.details[0].pointer == pointer


@pytest.mark.parametrize(
    "value", ["2026-W03-1", "20260101", "2026-01-01T00:00:00.123456+08:00:30", "2026-01-01 00:00Z"]
)
def test_a_cursor_in_any_form_of_time_is_read_or_refused(desk: Office, value: str) -> None:
    assert query(desk, cursor=cursor("stored_at", value, ANY_ID)).rows == []


@pytest.mark.parametrize(
    "given", ["x", "|", "2026-13-01|x", f"yesterday|{ANY_ID}", "2026-01-01T00:00:00|x", f"|{ANY_ID}"]
)
def test_a_cursor_of_imports_is_checked(given: str) -> None:
    with pytest.raises(Problem) as caught:
        cursor_of(given)
    assert caught.value.kind == "invalid"


@pytest.mark.parametrize(
    "q", ["", " ", "\x00", "a\x00", "\ud800", "%", "_", "'", "\\", "\U0010ffff", "x" * 10_000]
)
def test_a_search_for_anything_is_answered(desk: Office, q: str) -> None:
    content.save(desk.filing, desk.actor, "order", body("ZX1"))
    assert look.search(desk.filing, desk.actor, q) == []
    assert len(look.search(desk.filing, desk.actor, "ZX")) == 1


@pytest.mark.parametrize(
    "number", ["100%", "a_b", "a'b", 'a"b', "a\\b", "{{7*7}}", "<b>", "𠮷😀", "${x}", "-- x".replace(" ", "")]
)
def test_numbers_of_any_sort_are_stored_found_and_sent_as_they_are(desk: Office, number: str) -> None:
    document_id = content.save(desk.filing, desk.actor, "order", body(number)).id
    content.save(desk.filing, desk.actor, "order", body("other"))
    assert [row.number for row in query(desk, conditions={"orderNo": number}).rows] == [number]
    declare(desk, document_id)
    with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
        (xml,) = connection.execute(text("SELECT xml FROM message")).scalars()
    assert from_xml(ORDER, assert_valid(bytes(xml))).bodies[0]["head"]["orderNo"] == number


@pytest.mark.parametrize("key", ["\ud800", "x" * 100_000, "tenant_id", ""])
def test_unknown_fields_are_refused_whatever_their_name(desk: Office, key: str) -> None:
    wrong = body("K1")
    wrong["head"][key] = "1"
    with pytest.raises(Problem) as caught:
        content.save(desk.filing, desk.actor, "order", wrong)
    assert caught.value.details[0].code == "unknown-field"
    assert len(Problem.to_bytes(caught.value)) < 2000


def test_a_body_full_of_wrong_values_is_refused_with_the_first_of_them(desk: Office) -> None:
    wrong = body("K2", lines=100)
    wrong["lines"] = [{**line, **{f"x{n}": "1" for n in range(50)}} for line in wrong["lines"]]
    with pytest.raises(Problem) as caught:
        content.save(desk.filing, desk.actor, "order", wrong)
    assert len(caught.value.details) == 200
    assert "5000" in caught.value.zh


def test_an_unfinished_form_is_a_draft_with_warnings(desk: Office) -> None:
    empty = {
        "head": {"orderNo": "", "currency": "", "freight": "", "note": ""},
        "lines": [{"itemNo": "", "qty": ""}],
    }
    saved = content.save(desk.filing, desk.actor, "order", empty)
    assert state(desk, saved.id) == "draft"
    assert {wrong.code for wrong in saved.warnings} == {"required"}
    assert "/head/freight" not in {wrong.pointer for wrong in saved.warnings}


def test_long_documents_ride_in_smaller_messages(desk: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "MESSAGE_TEXT", 20_000)
    ids = []
    for n in range(6):
        long = body(f"L{n}", lines=3)
        long["lines"] = [{**line, "note": "长" * 1000, "itemDescribe": "&" * 1000} for line in long["lines"]]
        ids.append(content.save(desk.filing, desk.actor, "order", long).id)
    declare(desk, *ids)
    with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
        rows = connection.execute(
            text("SELECT documents, length(xml) AS size FROM message ORDER BY created_at")
        ).all()
    assert sum(row.documents for row in rows) == 6
    assert len(rows) == 6
    assert {str(look.read(desk.filing, desk.actor, "order", i).state) for i in ids} == {"signing"}


# -- what comes late --------------------------------------------------------------------------------------------


def test_what_still_comes_of_a_message_does_not_move_a_document_that_was_edited_since(desk: Office) -> None:
    document_id, message_id = filed(desk, "E1")
    guid = guid_of(document_id, 1)
    rejection = receipt("E1", guid, "100")
    happen(desk, rejection)
    assert state(desk, document_id) == "rejected"
    version = look.read(desk.filing, desk.actor, "order", document_id).version
    content.replace(desk.filing, desk.actor, desk.token, "order", document_id, version, body("E1", 2))
    happen(
        desk, signed(message_id), sent(message_id), refused(message_id), rejection,
        receipt("E1", guid, "120", "20991231000000000"),
    )  # fmt: skip
    assert state(desk, document_id) == "checked"
    standings = {
        row.status: (row.standing, row.times)
        for row in look.receipts(desk.filing, desk.actor, "order", document_id)
    }
    assert standings == {"100": ("applied", 2), "120": ("late", 1)}
    declare(desk, document_id)
    happen(desk, signed(message_id), sent(message_id), refused(message_id), rejection)
    assert state(desk, document_id) == "signing"
    happen(desk, receipt("E1", guid_of(document_id, 2), "120"))
    assert state(desk, document_id) == "accepted"


def test_receipts_of_a_deleted_document_never_reach_the_one_that_took_its_number(desk: Office) -> None:
    old, _ = filed(desk, "D1")
    guid = guid_of(old, 1)
    happen(desk, receipt("D1", guid, "100"))
    assert submit.delete(desk.filing, desk.actor, desk.token, "order", [old], TRANSFER)[0].problem is None
    new, _ = filed(desk, "D1")
    happen(desk, receipt("D1", guid, "100"), receipt("D1", guid, "-1", "20991231000000000"))
    assert state(desk, new) == "signing"
    assert look.receipts(desk.filing, desk.actor, "order", new) == []
    happen(desk, receipt("D1", guid_of(new, 1), "120"))
    assert state(desk, new) == "accepted"


@pytest.mark.parametrize("moment", ["", "x", "99999999999999999", "2099", "20990230000000000", "２" * 17])
def test_a_receipt_with_an_impossible_time_is_shown_and_blocks_nothing(desk: Office, moment: str) -> None:
    document_id, _ = filed(desk, "T1")
    guid = guid_of(document_id, 1)
    happen(desk, receipt("T1", guid, "100", moment))
    assert state(desk, document_id) == "rejected"
    assert "receipt" in [entry.what for entry in look.timeline(desk.filing, desk.actor, "order", document_id)]
    happen(desk, receipt("T1", guid, "120"))
    assert state(desk, document_id) == "accepted"


def test_a_monstrous_receipt_is_kept_and_does_not_stop_the_others_of_its_message(desk: Office) -> None:
    document_id, _ = filed(desk, "M1")
    event = receipt("M1", guid_of(document_id, 1), "120")
    wide = "𠮷" * 5000
    event.items.add(
        guid=wide, status=wide, return_time=wide, info=wide, fields={"ebpCode": wide, "orderNo": wide}
    )
    event.items.add(guid="", status="", return_time="", info="", fields={})
    happen(desk, event)
    assert state(desk, document_id) == "accepted"
    with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
        assert len(connection.execute(text("SELECT info FROM receipt")).all()) == 3


def test_contradicting_receipts_of_one_moment_end_the_same_in_any_order(desk: Office) -> None:
    ends = set()
    for place, order in enumerate((("100", "120", "-5"), ("-5", "120", "100"), ("120", "100", "-5"))):
        document_id, _ = filed(desk, f"C{place}")
        happen(desk, *(receipt(f"C{place}", guid_of(document_id, 1), status) for status in order))
        ends.add(state(desk, document_id))
    assert ends == {"accepted"}


def deliver(desk: Office, servers: Mapping[str, Any], *told: tuple[Any, str], kind: str = "") -> None:
    """A batch as the bus hands it over: (event, id)."""
    handler = events.Handler(desk.filing, ActorVerifier(Path(servers["actor_public_key_file"])), "test")
    handler([
        Delivery("", {"id": event_id, "tenant": desk.actor.tenant_id, "actor": desk.token,
                      "type": kind or type(event).__name__}, event.SerializeToString(), None)
        for event, event_id in told
    ])  # fmt: skip


def test_an_event_that_stands_twice_in_one_batch_happens_once(
    desk: Office, servers: Mapping[str, Any]
) -> None:
    document_id, _ = filed(desk, "B1")
    once = (receipt("B1", guid_of(document_id, 1), "2"), str(uuid.uuid4()))
    deliver(desk, servers, once, once, once)
    deliver(desk, servers, once)
    (row,) = look.receipts(desk.filing, desk.actor, "order", document_id)
    assert row.times == 1


def test_an_event_nobody_knows_is_not_acknowledged_in_silence(
    desk: Office, servers: Mapping[str, Any]
) -> None:
    with pytest.raises(ValueError, match="unknown type"):
        deliver(desk, servers, (sent(str(uuid.uuid4())), str(uuid.uuid4())), kind="MessageMelted")


def test_an_event_of_one_tenant_under_the_name_of_another_is_refused(
    desk: Office, servers: Mapping[str, Any]
) -> None:
    other = replace(desk, actor=clerk("乙"))
    handler = events.Handler(desk.filing, ActorVerifier(Path(servers["actor_public_key_file"])), "test")
    headers = {
        "id": str(uuid.uuid4()),
        "tenant": desk.actor.tenant_id,
        "actor": other.token,
        "type": "MessageSent",
    }
    with pytest.raises(ValueError, match="differ"):
        handler([Delivery("", headers, sent(str(uuid.uuid4())).SerializeToString(), None)])


def test_events_about_messages_of_another_tenant_change_nothing(desk: Office) -> None:
    document_id, message_id = filed(desk, "X1")
    other = replace(desk, actor=clerk("乙"))
    happen(
        other,
        signed(message_id),
        sent(message_id),
        refused(message_id),
        receipt("X1", guid_of(document_id, 1), "120"),
    )
    assert state(desk, document_id) == "signing"
    whats = [entry.what for entry in look.timeline(desk.filing, desk.actor, "order", document_id)]
    assert whats == ["saved", "submitted"]


def test_an_early_receipt_waits_for_its_document_in_the_books(desk: Office) -> None:
    early = receipt("W1", "F" * 36, "120")
    happen(desk, early)
    with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
        rows = connection.execute(text("SELECT document_id, status, standing FROM receipt")).all()
    assert [(row.document_id, row.status, row.standing) for row in rows] == [
        (None, "120", "unknown_document")
    ]
