"""Batch numbers: proposed in order, refused with the shape and an example."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filing import batch_no
from runtime.errors import Problem

DAY = date(2026, 2, 28)
START = "SF20260228JIA"
codes = st.from_regex("[A-Z0-9]{2,10}", fullmatch=True)


@pytest.mark.parametrize(
    ("used", "proposed"),
    [
        ([], "01"),
        (["01", "02"], "03"),
        (["05"], "06"),
        (["99"], "01"),
        (["99", "01", "02"], "03"),
        ([f"{n:02d}" for n in range(1, 99)], "99"),
        ([f"{n:02d}" for n in range(1, 100) if n != 42], "42"),
    ],
)
def test_the_next_number_of_the_day(used: list[str], proposed: str) -> None:
    assert batch_no.propose("SF", "JIA", DAY, [START + serial for serial in used]) == START + proposed


def test_numbers_of_other_prefixes_do_not_count() -> None:
    used = [f"SF20260227JIA{n:02d}" for n in range(99)] + [START + "1A", START + "011", START + "٠٩"]
    assert batch_no.propose("SF", "JIA", DAY, used) == START + "01"


def test_after_ninety_nine_a_person_decides() -> None:
    with pytest.raises(Problem) as caught:
        batch_no.propose("SF", "JIA", DAY, [f"{START}{n:02d}" for n in range(1, 100)])
    assert caught.value.kind == "conflict"
    assert "99" in caught.value.zh


@given(codes, codes, st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.sets(st.integers(1, 98)))
def test_what_is_proposed_is_new_and_passes_the_check(
    logistics: str, enterprise: str, day: date, used: set[int]
) -> None:
    start = batch_no.prefix(logistics, enterprise, day)
    numbers = {f"{start}{serial:02d}" for serial in used}
    proposed = batch_no.propose(logistics, enterprise, day, numbers)
    assert proposed not in numbers
    batch_no.check(proposed, logistics, enterprise)


@pytest.mark.parametrize(
    "number",
    [
        "", "SF20260228JIA", "SF20260228JIA1", "SF20260228JIA001", "XX20260228JIA01", "SF20260228YI01",
        "SF20260229JIA01", "SF20261301JIA01", "SF2026022JIA01", "sf20260228jia01", "SF20260228JIA0１",
        " SF20260228JIA01", "SF20260228JIA01\n", "SF19990228JIA01", "SF20260228JIAXX",
    ],
)  # fmt: skip
def test_wrong_numbers_are_refused_with_an_example(number: str) -> None:
    with pytest.raises(Problem) as caught:
        batch_no.check(number, "SF", "JIA")
    assert caught.value.kind == "invalid"
    assert "SF20260101JIA01" in caught.value.zh
    assert caught.value.details[0].pointer == "/batch_no"


@pytest.mark.parametrize(("logistics", "enterprise"), [("SF2026", "JIA"), ("20", "26"), ("A1", "20260101")])
def test_short_codes_that_look_like_dates(logistics: str, enterprise: str) -> None:
    batch_no.check(f"{logistics}20260228{enterprise}07", logistics, enterprise)
