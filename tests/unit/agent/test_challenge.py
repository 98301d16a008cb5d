"""What a challenge is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import challenge
from agent.challenge import Challenge, NotChallenge
from tests.support.signed_infos import challenge as a_challenge

GOOD = a_challenge(user="张三@深圳")


def test_it_is_read() -> None:
    assert challenge.read(GOOD) == Challenge(
        "https://tongguan.example", "sign-in", "张三@深圳", "n" * 32, datetime(2026, 11, 20, 7, 4, tzinfo=UTC)
    )
    assert challenge.read(GOOD + b"\n") == challenge.read(GOOD)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("tongguan challenge v1", "tongguan challenge v2"),
        ("tongguan challenge v1", " tongguan challenge v1"),
        ("tongguan challenge v1", "<a/>\ntongguan challenge v1"),
        ("origin=https", "origin=javascript"),
        ("origin=https://tongguan.example", "origin=https://tongguan.example/path"),
        ("origin=https://tongguan.example", "origin=https://tongguan.example@evil.example"),
        ("purpose=sign-in", "purpose="),
        ("purpose=sign-in", "purpose=Sign in"),
        ("user=", "usr="),
        ("user=", "user=\u202e"),
        ("user=", "user=a\rb"),
        ("user=", "user= "),
        ("user=", "user=a\nuser="),
        ("nonce=nnn", "nonce=n n"),
        ("nonce=" + "n" * 32, "nonce=n"),
        ("at=2026-11-20T07:04:00Z", "at=2026-11-20T07:04:00"),
        ("at=2026-11-20T07:04:00Z", "at=yesterday"),
        ("\nat=", "\n\nat="),
    ],
)
def test_anything_else_is_refused(old: str, new: str) -> None:
    text = GOOD.decode()
    assert old in text
    with pytest.raises(NotChallenge):
        challenge.read(text.replace(old, new, 1).encode())


@pytest.mark.parametrize(
    "data", [b"", b"\xff", GOOD + b"\nx=y", GOOD + b"\n\n", GOOD[:-2], GOOD + b"x" * 3000]
)
def test_bytes_that_are_none_are_refused(data: bytes) -> None:
    with pytest.raises(NotChallenge):
        challenge.read(data)


users = st.text(st.characters(exclude_categories=("C", "Z")), max_size=40)


@given(users, st.datetimes(timezones=st.just(UTC)))
def test_what_is_written_is_read_again(user: str, at: datetime) -> None:
    made = Challenge("http://127.0.0.1:8080", "bind-card", user, "A" * 22 + "==", at.replace(microsecond=0))
    assert challenge.read(challenge.write(made)) == made


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_or_read_and_nothing_worse(data: bytes) -> None:
    for candidate in (data, GOOD[:40] + data, GOOD + data):
        try:
            challenge.read(candidate)
        except NotChallenge:
            continue
        assert candidate.removesuffix(b"\n").startswith(b"tongguan challenge v1\norigin=")
