"""Problems travel between processes whole, and every kind has its place on both edges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.errors import KINDS, Detail, Problem, internal, not_found, unavailable

texts = st.text(max_size=30)
details = st.lists(st.builds(Detail, texts, texts, texts, texts, texts), max_size=3)


@given(st.sampled_from(sorted(KINDS)), texts, texts, details, st.none() | st.integers(0, 100))
def test_a_problem_survives_the_wire(
    kind: str, zh: str, en: str, given_details: list[Detail], retry: int | None
) -> None:
    sent = Problem(kind, zh, en, given_details, retry)
    got = Problem.from_bytes(sent.to_bytes())
    assert (got.kind, got.zh, got.en, got.details, got.retry_after) == (
        kind,
        zh,
        en,
        tuple(given_details),
        retry,
    )
    assert got.status == KINDS[kind][0]
    assert sent.to_bytes().isascii()


def test_only_known_kinds_can_be_raised() -> None:
    with pytest.raises(ValueError, match="teapot"):
        Problem("teapot", "", "")


def test_missing_and_foreign_look_the_same() -> None:
    assert not_found().to_bytes() == not_found().to_bytes()


def test_an_internal_error_names_its_trace_and_nothing_else() -> None:
    problem = internal("abc123")
    assert "abc123" in problem.zh
    assert "abc123" in problem.en
    assert problem.status == 500


def test_what_is_away_says_that_nothing_was_changed() -> None:
    problem = unavailable("数据库", "The database")
    assert (problem.status, problem.retry_after) == (503, 5)
    assert "未改动" in problem.zh
