"""Two halves side by side: no failure of either is lost, and what is said in the end is the sum."""

from __future__ import annotations

import pytest

from tools.suite import Half, closing, summed, verdict


def half(code: int, **counts: int) -> Half:
    return Half("x", (), code, counts)


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("12 passed in 3.1s", {"passed": 12}),
        ("= 1 failed, 12 passed, 2 skipped, 3 warnings in 61.20s (0:01:01) =",
         {"failed": 1, "passed": 12, "skipped": 2, "warnings": 3}),
        ("1 error in 0.1s", {"error": 1}),
        ("2 errors, 5 passed in 0.1s", {"error": 2, "passed": 5}),
        ("nothing of the kind", {}),
    ],
)  # fmt: skip
def test_the_closing_line_is_read(line: str, counts: dict[str, int]) -> None:
    assert closing(line) == counts


def test_both_are_summed() -> None:
    line = summed([half(0, passed=12, skipped=1), half(1, passed=3, failed=2)], 61.4)
    assert line == "==== 2 failed, 15 passed, 1 skipped in 61s ===="


@pytest.mark.parametrize(
    ("halves", "code"),
    [
        ([half(0, passed=1), half(0, passed=1)], 0),
        ([half(0, passed=1), half(1, passed=1, failed=1)], 1),
        # killed, interrupted, wrongly called
        ([half(-9), half(0, passed=1)], 1),
        ([half(2, passed=5), half(0, passed=1)], 1),
        # half a suite that ran nothing proves nothing
        ([half(5), half(0, passed=1)], 1),
        ([half(0), half(0, passed=1)], 1),
    ],
)
def test_a_failure_of_either_is_the_suites(halves: list[Half], code: int) -> None:
    assert verdict(halves) == code
