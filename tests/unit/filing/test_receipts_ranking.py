"""A document's state is a function of the receipts it got, whatever their order and however often they came."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from documents.receipts import effect, is_time, return_time
from documents.registry import REGISTRY
from documents.types.order import ORDER
from filing.context import Filing
from filing.ids import guid_of
from filing.usecases.answers import _Batch
from proto.events.v1 import events_pb2

DOCUMENT = "0198f3a2-7c11-7000-8000-00000000000a"
NO_DATABASE: Any = None  # judging needs none
FILING = Filing(NO_DATABASE, REGISTRY)
CODES = ("1", "2", "3", "4", "100", "120", "399", "-301010", "-1", "777", "", "-x")
TIMES = (
    "20991120150400000",
    "20991120150401000",
    "20991120150401001",
    "20991231235959999",
    "",
    "x",
    "9" * 17,
)
Answer = tuple[str, str]

answers = st.tuples(st.sampled_from(CODES), st.sampled_from(TIMES))


def document(**changes: Any) -> SimpleNamespace:
    """A filed order as the store reads it."""
    row = {
        "id": DOCUMENT, "kind": "order", "guid": guid_of(DOCUMENT, 1), "attempt": 1, "state": "sent", "state_rank": 4,
        "state_time": "", "submitted_at": datetime(2026, 11, 20, 7, tzinfo=UTC), "deleted_at": None,
        "message_id": "m",
    }  # fmt: skip
    return SimpleNamespace(**row | changes)


def apply(row: SimpleNamespace, batch: list[Answer], guid: str | None = None) -> list[str]:
    """One batch as the use case applies it; the row moves as the UPDATE would move it. Answers the standings."""
    own = row.guid if guid is None else guid
    event = events_pb2.ReceiptArrived(message_type="CEB304Message")
    for status, moment in batch:
        event.items.add(guid=own, status=status, return_time=moment)
    judge = _Batch(FILING, [ORDER], [event])
    ranks = {row.id: (row.state_rank, row.state_time)}
    standings = [judge._judge(event, row, item, item.guid.upper(), ranks) for item in event.items]
    for move in judge._best.values():
        place = (move["rank"], move["time"])
        assert place > (row.state_rank, row.state_time), "backward"
        row.state, row.state_rank, row.state_time = move["state"], *place
    return standings


@given(st.lists(answers, min_size=1, max_size=12), st.randoms(use_true_random=False), st.integers(1, 5))
def test_any_order_any_repetition_any_batching_ends_the_same(
    heard: list[Answer], rng: Any, size: int
) -> None:
    once = document()
    apply(once, heard)
    again = [*heard, *(rng.choice(heard) for _ in range(rng.randint(0, 10)))]
    rng.shuffle(again)
    shuffled = document()
    for start in range(0, len(again), size):
        apply(shuffled, again[start : start + size])
    assert (once.state, once.state_rank, once.state_time) == (
        shuffled.state, shuffled.state_rank, shuffled.state_time,
    )  # fmt: skip


@given(st.lists(answers, max_size=12))
def test_the_end_is_the_greatest_that_was_heard(heard: list[Answer]) -> None:
    row = document()
    apply(row, heard)
    known = [(effect(ORDER, code).rank, moment if is_time(moment) else "") for code, moment in heard
             if effect(ORDER, code).state]  # fmt: skip
    assert row.state_rank == max([4, *(rank for rank, _ in known)])


@given(st.lists(answers, min_size=1, max_size=12))
def test_a_receipt_that_came_before_moves_nothing(heard: list[Answer]) -> None:
    row = document()
    apply(row, heard)
    before = dict(vars(row))
    assert set(apply(row, heard)) <= {"late", "unknown_status"}
    assert vars(row) == before


@given(st.lists(answers, min_size=1, max_size=8))
def test_receipts_of_an_earlier_attempt_are_late(heard: list[Answer]) -> None:
    row = document(attempt=3, guid=guid_of(DOCUMENT, 3))
    for earlier in (1, 2):
        assert set(apply(row, heard, guid_of(DOCUMENT, earlier))) <= {"late", "unknown_status"}
    assert row.state == "sent"


@given(st.lists(answers, min_size=1, max_size=8))
def test_receipts_of_a_document_that_was_edited_or_deleted_since_are_late(heard: list[Answer]) -> None:
    for row in (document(message_id=None), document(deleted_at=datetime.now(UTC))):
        assert set(apply(row, heard)) <= {"late", "unknown_status"}
        assert row.state == "sent"


def test_a_guid_of_customs_own_making_is_judged_by_its_time() -> None:
    row = document()
    foreign = "F" * 36
    # filed at 15:00 in Shanghai; clocks may differ by ten minutes
    assert apply(row, [("120", "20261120144959999")], foreign) == ["late"]
    assert apply(row, [("2", "20261120145500000")], foreign) == ["applied"]
    assert apply(row, [("120", "20261120150100000")], "") == ["applied"]


def test_a_document_that_was_never_filed_has_no_receipts() -> None:
    assert apply(document(attempt=0, guid=""), [("120", TIMES[0])], "X") == ["unknown_document"]


@given(st.text(max_size=20) | st.from_regex("[0-9]{17}", fullmatch=True))
def test_a_return_time_is_a_moment_or_nothing(text: str) -> None:
    shown = return_time(text)
    assert bool(shown) == is_time(text)
    if shown:
        moment = datetime.fromisoformat(shown)
        assert moment.strftime("%Y%m%d%H%M%S") == text[:14] or moment.year < 1000
