"""Identities: ascending within a batch, unique, and a guid of its own for every attempt."""

from __future__ import annotations

import uuid

from hypothesis import given
from hypothesis import strategies as st

from filing.ids import guid_of, new_id, ordered_ids


@given(st.integers(0, 3000))
def test_ids_of_a_batch_ascend_and_are_unique(count: int) -> None:
    made = ordered_ids(count)
    assert len(made) == count
    assert made == sorted(made)
    assert len(set(made)) == count
    for value in made[:3]:
        assert (uuid.UUID(value).version, uuid.UUID(value).variant) == (7, uuid.RFC_4122)


def test_the_counter_goes_on_beyond_its_low_bits() -> None:
    made = ordered_ids((1 << 20) + 2)
    tail = made[-4:]
    assert tail == sorted(set(tail))
    assert made[0] < made[-1]


def test_later_batches_follow_earlier_ones_and_never_meet() -> None:
    batches = [ordered_ids(50) for _ in range(200)]
    assert len({value for batch in batches for value in batch}) == 200 * 50
    # the first 48 bits are milliseconds
    times = [batch[0][:13] for batch in batches]
    assert times == sorted(times)


@given(st.uuids(), st.integers(1, 50))
def test_each_attempt_has_a_guid_of_its_own(document: uuid.UUID, attempt: int) -> None:
    guids = [guid_of(str(document), number) for number in range(1, attempt + 1)]
    assert guids[0] == str(document).upper()
    assert len(set(guids)) == attempt
    assert guids == [guid_of(str(document), number) for number in range(1, attempt + 1)]
    assert all(len(guid) == 36 and guid == guid.upper() for guid in guids)


def test_random_ids_are_random() -> None:
    assert len({new_id() for _ in range(1000)}) == 1000
