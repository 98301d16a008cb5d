"""Several people and processes at the same documents at once: one of them wins, whole, and nobody waits for ever."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy import text

from documents.types.order import ORDER
from documents.xml import from_xml
from filing.ids import guid_of
from filing.usecases import content, look, submit
from runtime.errors import Problem
from tests.integration.test_filing_hostile import filed, happen, receipt, state
from tests.support.definitions import assert_valid
from tests.support.filing import TRANSFER, Office, body, clerk, office


@pytest.fixture(scope="module")
def base(servers: Mapping[str, Any]) -> Iterator[Office]:
    made = office(servers)
    yield made
    made.filing.database.close()


@pytest.fixture
def desk(base: Office) -> Office:
    return replace(base, actor=clerk())


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """All acts in threads that start together; what each answered or raised."""
    ready = threading.Barrier(len(acts))

    def act(verb: Callable[[], Any]) -> Any:
        ready.wait(10)
        try:
            return verb()
        except Problem as problem:
            return problem

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(act, acts))


def test_many_people_submit_the_same_documents_and_each_rides_once(desk: Office) -> None:
    ids = [content.save(desk.filing, desk.actor, "order", body(f"S{n}")).id for n in range(40)]
    rng = random.Random(5)

    def submit_some() -> list[content.Result]:
        chosen = rng.sample(ids, 30)
        return submit.declare(desk.filing, desk.actor, desk.token, "order", chosen, TRANSFER, 7)

    answers = at_once(*[submit_some] * 5)
    done = [result.id for results in answers for result in results if result.problem is None]
    assert len(done) == len(set(done))
    refused_ones = [result.problem for results in answers for result in results if result.problem is not None]
    assert {problem.kind for problem in refused_ones} == {"conflict"}
    with desk.filing.database.transaction(desk.actor.tenant_id) as connection:
        messages = [bytes(xml) for xml in connection.execute(text("SELECT xml FROM message")).scalars()]
    sent_numbers = [
        each["head"]["orderNo"] for xml in messages for each in from_xml(ORDER, assert_valid(xml)).bodies
    ]
    assert len(sent_numbers) == len(set(sent_numbers)) == len(done)


def test_submitting_editing_and_deleting_at_once_leaves_one_of_them_done(desk: Office) -> None:
    for n in range(8):
        document_id = content.save(desk.filing, desk.actor, "order", body(f"R{n}")).id
        filing, actor, token = desk.filing, desk.actor, desk.token
        declared, edited, deleted = at_once(
            partial(submit.declare, filing, actor, token, "order", [document_id], TRANSFER),
            partial(content.replace, filing, actor, token, "order", document_id, 1, body(f"R{n}", 2)),
            partial(submit.delete, filing, actor, token, "order", [document_id], TRANSFER),
        )
        was_declared, was_deleted = declared[0].problem is None, deleted[0].problem is None
        assert not (was_declared and was_deleted)
        if was_declared:
            with filing.database.transaction(actor.tenant_id) as connection:
                (xml,) = connection.execute(
                    text("SELECT xml FROM message m JOIN document d ON d.message_id = m.id WHERE d.id = :id"),
                    {"id": document_id},
                ).scalars()
            lines = 1 if isinstance(edited, Problem) else 2
            assert len(from_xml(ORDER, assert_valid(bytes(xml))).bodies[0]["lines"]) == lines
        else:
            assert was_deleted


def test_receipts_of_the_same_documents_in_several_processes_do_not_lock_each_other_up(desk: Office) -> None:
    filed_ones = {f"Q{n}": filed(desk, f"Q{n}")[0] for n in range(20)}
    rng = random.Random(6)

    def answer() -> None:
        items = [(number, status) for number in filed_ones for status in ("2", "3", "120")]
        rng.shuffle(items)
        for number, status in items:
            happen(
                desk, receipt(number, guid_of(filed_ones[number], 1), status, f"2099112015040{status[0]}000")
            )

    assert at_once(*[answer] * 3) == [None] * 3
    assert {state(desk, document_id) for document_id in filed_ones.values()} == {"accepted"}
    (row, *_) = [
        r for r in look.receipts(desk.filing, desk.actor, "order", filed_ones["Q0"]) if r.status == "120"
    ]
    assert row.times == 3
