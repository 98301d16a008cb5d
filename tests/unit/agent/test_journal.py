"""What the journal keeps, and what it never lets go."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent import journal
from agent.journal import FAILED, REFUSED, Journal
from agent.wish import Summary, Wish


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Journal]:
    one = Journal(tmp_path)
    yield one
    one.close()


def wish(name: str = "a", data: bytes = b"data", nonce: bytes = b"n1") -> Wish:
    about = Summary("list", "CEB603Message", 3, "出口清单", "Export list", "张三")
    return Wish(name, nonce, datetime(2030, 1, 1, tzinfo=UTC), "f" * 64, "rsa-sha1", "document", data, about)


def test_a_signature_is_kept_until_the_service_has_it(book: Journal) -> None:
    book.intend(wish())
    assert book.unconfirmed() == []
    book.signed(wish(), b"signature", 0.5)
    (entry,) = book.unconfirmed()
    assert (entry.signature, entry.seconds, entry.uses, entry.nonce) == (b"signature", 0.5, 1, b"n1")
    assert entry.summary.title_zh == "出口清单"
    book.lease("a", b"n2")
    assert book.unconfirmed()[0].nonce == b"n2"
    book.outcome("a", accepted=True, reason="")
    assert book.unconfirmed() == []
    found = book.find("a")
    assert found is not None
    assert found.state == "accepted"


def test_it_is_there_after_the_process_died(tmp_path: Path) -> None:
    first = Journal(tmp_path)
    first.intend(wish())
    first.signed(wish(), b"signature", 0.5)
    # no close
    with closing(Journal(tmp_path)) as second:
        assert second.unconfirmed()[0].signature == b"signature"
    first.close()


def test_writes_go_through_to_the_disk(book: Journal, tmp_path: Path) -> None:
    assert book._connection.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert book._connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert (tmp_path / journal.FILE).stat().st_mode & 0o777 == 0o600


def test_a_signature_is_never_written_over(book: Journal) -> None:
    book.intend(wish())
    book.signed(wish(), b"signature", 0.5)
    with pytest.raises(KeyError):
        book.intend(wish())
    with pytest.raises(KeyError):
        book.failed(wish(), FAILED, "card-out", "")
    book.signed(wish(), b"another", 0.5)
    found = book.find("a")
    assert found is not None
    assert found.signature == b"signature"


@pytest.mark.parametrize("other", [wish(data=b"other")])
def test_an_id_belongs_to_one_wish(book: Journal, other: Wish) -> None:
    book.failed(wish(), FAILED, "card-out", "")
    with pytest.raises(KeyError):
        book.intend(other)


def test_what_failed_can_be_signed_later_and_what_was_refused_stands(book: Journal) -> None:
    book.failed(wish(), FAILED, "card-out", "")
    book.intend(wish())
    book.signed(wish(), b"signature", 0.5)
    book.failed(wish("b"), REFUSED, "refused", "")
    found = book.find("b")
    assert found is not None
    assert (found.state, found.code, found.answered) == ("refused", "refused", False)


def test_only_what_the_service_has_is_cleaned_and_only_when_old(book: Journal, tmp_path: Path) -> None:
    for name in ("accepted", "new", "signed", "rejected", "intended"):
        book.intend(wish(name))
        if name != "intended":
            book.signed(wish(name), b"s", 0)
    for name, accepted in (("accepted", True), ("new", True), ("rejected", False)):
        book.outcome(name, accepted=accepted, reason="")
    book.failed(wish("failed"), FAILED, "card-out", "")
    with closing(sqlite3.connect(tmp_path / journal.FILE, isolation_level=None)) as connection:
        connection.execute("UPDATE entry SET last_at = '2020-01-01T00:00:00Z' WHERE request_id != 'new'")
    assert book.clean(30) == 1
    assert {entry.request_id for entry in book.latest(50)} == {
        "new",
        "signed",
        "rejected",
        "intended",
        "failed",
    }


def test_the_data_are_not_kept(book: Journal, tmp_path: Path) -> None:
    book.intend(wish(data=b"what-was-to-be-signed"))
    assert [path for path in tmp_path.iterdir() if b"what-was-to-be-signed" in path.read_bytes()] == []
