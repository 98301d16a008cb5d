"""What customs says ends the same whatever comes first, also where one document moves another."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from proto.events.v1 import events_pb2
from tests.support.course import EVERY_KIND, Answer, Course, example
from tests.support.filing import Office, clerk, office

INVT_NO = "90002026E000000077"
ENDED = ("state", "settled", "customs_status", "return_info", "natural_key")


@pytest.fixture(scope="module")
def base(servers: Mapping[str, Any]) -> Iterator[Office]:
    made = office(servers)
    yield made
    made.filing.database.close()


@pytest.fixture
def course(base: Office) -> Course:
    """A desk of an enterprise of its own."""
    return Course(replace(base, actor=replace(clerk(), enterprise_kinds=EVERY_KIND)))


def end(course: Course, kind: str, document_id: str) -> tuple[Any, ...]:
    row = course.row(kind, document_id)
    return tuple(getattr(row, name) for name in ENDED)


def said(
    course: Course,
    kind: str,
    document_id: str,
    status: str,
    second: int,
    *,
    theirs: bool = False,
    **fields: str,
) -> events_pb2.ReceiptArrived:
    """theirs: with a guid that customs made, so that only the business keys tell whose it is."""
    answer = Answer(kind, document_id, status, f"209911201504{second:02d}000", fields)
    event = course.event_of(answer, course.row(kind, document_id))
    if theirs:
        event.items[0].guid = f"0198F3A2-7C11-7000-8000-0000000000{second:02d}"
    return event


def filed(course: Course, kind: str, **head: str) -> str:
    document_id = course.save(kind, example(kind, None, **head))
    (result,) = course.declare(kind, document_id)
    assert result.problem is None, result.problem
    return document_id


@pytest.mark.parametrize("seed", range(6))
def test_a_cancelled_list_shows_the_last_that_customs_said_of_it(course: Course, seed: int) -> None:
    lists = filed(course, "list")
    cancellation = filed(course, "cancellation", invtNo=INVT_NO)
    events = [
        said(course, "list", lists, "2", 1, theirs=True, invtNo=INVT_NO),
        said(course, "list", lists, "120", 2),
        said(course, "list", lists, "899", 3, theirs=True),
        said(course, "cancellation", cancellation, "399", 4),
    ]
    random.Random(seed).shuffle(events)
    course.take(events)
    assert end(course, "list", lists) == ("cancelled", True, "899", "回执899", "")


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_a_list_that_is_sent_again_is_cancelled_once_customs_has_heard_of_it(
    course: Course, order: tuple[int, ...]
) -> None:
    lists = course.save("list", example("list"))
    cancellation = filed(course, "cancellation", invtNo=INVT_NO)
    course.declare("list", lists)
    course.answer("list", lists, "2", "100", invtNo=INVT_NO)
    course.declare("list", lists)  # its number is known already, and nothing new will link the two
    events = [
        said(course, "list", lists, "2", 10),
        said(course, "list", lists, "120", 11),
        said(course, "cancellation", cancellation, "399", 12),
    ]
    course.take(events[index] for index in order)
    assert course.state("list", lists) == "cancelled"


@pytest.mark.parametrize("first", ["amendment", "cancellation"])
def test_the_number_of_an_amended_list_is_free_after_its_cancellation(course: Course, first: str) -> None:
    cancellation = filed(course, "cancellation", invtNo=INVT_NO)
    lists = filed(course, "list")
    course.answer("list", lists, "2", "120", invtNo=INVT_NO)
    new = course.amend("list", lists)[0].new_id
    course.declare("list", new)
    events = {
        "amendment": said(course, "list", new, "120", 10),
        "cancellation": said(course, "cancellation", cancellation, "399", 11),
    }
    course.take([events.pop(first), *events.values()])
    assert (course.state("list", lists), course.state("list", new)) == ("amended", "cancelled")
    course.save("list", example("list"))  # to be sent again under its number


@pytest.mark.parametrize("late", [False, True])
def test_an_amendment_that_customs_took_and_refused_afterwards_counts_as_taken(
    course: Course, late: bool
) -> None:
    lists = filed(course, "list")
    course.answer("list", lists, "2", "120")
    new = course.amend("list", lists)[0].new_id
    course.declare("list", new)
    events = [said(course, "list", new, "120", 10), said(course, "list", new, "100", 11)]
    course.take(reversed(events) if late else events)
    assert (course.state("list", lists), course.state("list", new)) == ("amended", "rejected")
