"""The storage-time range: what is one calendar month, and what is no moment at all."""

from __future__ import annotations

import pytest

from services.gateway.http import periods


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2018-07-01T00:00:00", "2018-07-31T00:00:00"),
        ("2018-07-01 00:00:00", "2018-07-31 23:59:59"),
        ("2018-07-01T00:00:00", "2018-08-01T00:00:00"),
        ("2018-07-15T12:00:00+08:00", "2018-08-15T12:00:00+08:00"),
        ("2018-01-31T00:00:00", "2018-02-28T00:00:00"),
        ("2020-01-31T00:00:00", "2020-02-29T00:00:00"),
        ("2018-12-05T00:00:00", "2019-01-05T00:00:00"),
        ("2018-07-01T00:00:00", "2018-07-01T00:00:00"),
        ("2018-06-30T16:00:00Z", "2018-07-31T16:00:00Z"),
        ("2018-07-01T00:00:00 08:00", "2018-07-02T00:00:00 08:00"),
        ("", "2018-07-02T00:00"),
        ("2018-07-02T00:00", ""),
        ("9999-12-01T00:00:00", "9999-12-31T23:59:59"),
    ],
)
def test_at_most_a_month(start: str, end: str) -> None:
    _, _, details = periods.check(start, end)
    assert details == []


@pytest.mark.parametrize(
    ("start", "end", "pointer", "code"),
    [
        ("2018-07-01T00:00:00", "2018-08-01T00:00:01", "/stored_to", "window"),
        ("2018-01-31T00:00:00", "2018-03-01T00:00:00", "/stored_to", "window"),
        ("2018-07-02T00:00:00", "2018-07-01T00:00:00", "/stored_from", "from-after-to"),
        ("2018-07-01", "", "/stored_from", "datetime"),
        ("yesterday", "", "/stored_from", "datetime"),
        ("", "2018-13-01T00:00:00", "/stored_to", "datetime"),
        ("", "2018-02-30T00:00:00", "/stored_to", "datetime"),
        ("", "２０１８-07-01T00:00:00", "/stored_to", "datetime"),
        ("", "2018-07-01T00:00:00+25:00", "/stored_to", "datetime"),
        ("0001-01-01T00:00:00Z'--", "", "/stored_from", "datetime"),
        ("0001-01-01T00:00:00+14:00", "", "/stored_from", "datetime"),
    ],
)
def test_what_is_wrong_is_named(start: str, end: str, pointer: str, code: str) -> None:
    _, _, details = periods.check(start, end)
    assert [(item.pointer, item.code) for item in details] == [(pointer, code)]


def test_without_an_offset_it_is_shanghai() -> None:
    start, end, _ = periods.check("2018-07-01T00:00:00", "2018-07-01T00:00:00Z")
    assert (start, end) == ("2018-07-01T00:00:00+08:00", "2018-07-01T08:00:00+08:00")
