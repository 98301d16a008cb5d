"""Bulk work rests while something urgent is under way, and never more than its part."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.signer.room import LOOK, MOMENT, PART, SAVED, WAY, Room


class Clock(threading.Condition):
    """Time that passes only by waiting, or when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.now += timeout
        return False


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def room(clock: Clock) -> Room:
    return Room(clock, clock)


def test_nobody_claims(room: Room, clock: Clock) -> None:
    room.give()
    assert clock.now == 100.0


def test_a_claim_ends_with_its_step() -> None:
    """With threads: time stands still, so that only the end of the step lets the other go on."""
    room = Room(lambda: 100.0)
    went = threading.Event()

    def bulk() -> None:
        room.give()
        went.set()

    with room.claimed():
        resting = threading.Thread(target=bulk)
        resting.start()
        assert not went.wait(0.05)
    assert went.wait(10)
    resting.join()


def test_a_claim_outlasts_its_step_by_the_way_to_the_next(room: Room, clock: Clock) -> None:
    with room.claimed(WAY):
        clock.now += MOMENT / 2
    began = clock.now
    room.give()
    assert clock.now - began == pytest.approx(WAY)
    room.give()
    assert clock.now - began == pytest.approx(WAY)


def test_what_came_is_waited_for_until_it_is_known_whether_it_is_urgent(room: Room, clock: Clock) -> None:
    room.expect()
    room.give()
    assert clock.now - 100.0 == pytest.approx(LOOK)


def test_one_of_two_ends_and_the_other_goes_on(room: Room, clock: Clock) -> None:
    with room.claimed():
        with room.claimed():
            pass
        room.give()
    assert clock.now - 100.0 == pytest.approx(MOMENT)


def test_what_takes_long_waits_for_something_else(room: Room, clock: Clock) -> None:
    with room.claimed():
        clock.now += MOMENT
        began = clock.now
        room.give()
        assert clock.now == began


@given(st.lists(st.floats(0.0001, 0.1), min_size=1, max_size=200))
def test_the_backlog_rests_no_more_than_its_part(steps: list[float]) -> None:
    """However long it is claimed without end, by pieces of work of any length."""
    clock = Clock()
    room = Room(clock, clock)
    worked = 0.0
    for step in steps:
        with room.claimed():
            room.give()
        clock.now += step
        worked += step
    rested = clock.now - 100.0 - worked
    assert rested <= SAVED + PART * (clock.now - 100.0) + 1e-6
