"""Dying at every named point: nothing is lost, nothing is counted twice.

A real process works on a real folder and really dies (exit 137, no clean-up); a second one finishes the work.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from simulator import numbers, store
from simulator.authority import Authority
from tests.unit.simulator import material
from tests.unit.simulator.material import Order, Signer, envelope

WORKER = """
import json, sys, threading
from pathlib import Path
from simulator import store
from simulator.channel import SPOOL
from simulator.channel.spool import SpoolIntake, SpoolOutlet
from simulator.config import Rules
from simulator.control import Control
from simulator.desk import Desk
from simulator.sender import Sender
from simulator.verify import Trust

base, authority = Path(sys.argv[1]), Path(sys.argv[2])
books = store.Store(base / "data")
desk = Desk(books, Trust(authority), Rules(), lambda: None)
intake = SpoolIntake(base / "spool", 10_000_000, desk.take, threading.Event())
while intake.once():
    pass
sender = Sender(books, SPOOL, SpoolOutlet(base / "spool"), Rules(), threading.Event())
with books.transaction() as db:
    db.execute("UPDATE receipts SET due = due - 1000")
reader = books.connect()
while sender.once(reader):
    pass
print(json.dumps(Control(books, Rules(), lambda: None, dict).counts({})))
"""

POINTS = (
    "simulator.desk.before-commit",
    "simulator.desk.in-transaction",
    "simulator.desk.after-commit",
    "simulator.spool.before-unlink",
    "simulator.sender.before-publish",
    "simulator.sender.after-publish",
)


def work(base: Path, authority: Authority, crash_file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WORKER, str(base), str(authority.directory)],
        env={**os.environ, "CRASH_POINTS_FILE": str(crash_file)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("point", POINTS)
def test_dying_there_loses_nothing_and_counts_nothing_twice(
    point: str, tmp_path: Path, authority: Authority, rsa_signer: Signer
) -> None:
    arriving = tmp_path / "spool" / "to-customs"
    arriving.mkdir(parents=True)
    for at in range(3):
        orders = [Order(f"A-{at}-{number}", 1) for number in range(4)]
        sealed = envelope(material.sign_rsa(material.message(orders), rsa_signer))
        (arriving / f"{at}.xml").write_bytes(sealed)
    (arriving / ".unfinished.xml").write_bytes(b"half a mess")
    crash_file = tmp_path / "crash"
    crash_file.write_text(point)

    died = work(tmp_path, authority, crash_file)
    assert died.returncode == 137, died.stderr
    finished = work(tmp_path, authority, crash_file)
    assert finished.returncode == 0, finished.stderr

    counts = json.loads(finished.stdout)
    expected = {
        "messages": 3,
        "documents": 12,
        "accepted": 12,
        "rejected": 0,
        "duplicates_received": 0,
        "conflicts": 0,
        "receipts_sent": 9,
        "answers_sent": 36,
        "receipts_waiting": 0,
    }
    assert {name: counts[name] for name in expected} == expected
    assert [path.name for path in arriving.iterdir()] == [".unfinished.xml"]
    leaving = list((tmp_path / "spool" / "from-customs").iterdir())
    assert len(leaving) == 9
    rows = Counter(
        (row["orderNo"], row["returnStatus"])
        for path in leaving
        for row in material.returns(material.open_receipt(path.read_bytes())[1])
    )
    assert len(rows) == 36
    assert set(rows.values()) == {1}


def test_the_books_are_opened_by_one_only(tmp_path: Path) -> None:
    first = store.Store(tmp_path)
    with pytest.raises(store.StoreBusy):
        store.Store(tmp_path)
    first.close()
    store.Store(tmp_path).close()


def test_books_of_another_version_are_put_aside(tmp_path: Path) -> None:
    old = sqlite3.connect(tmp_path / "simulator.sqlite")
    old.execute("CREATE TABLE documents (order_no TEXT)")
    old.execute("INSERT INTO documents VALUES ('A-1')")
    old.commit()
    old.close()
    books = store.Store(tmp_path)
    with books.reader() as db:
        assert db.execute("SELECT count(*) FROM documents").fetchone() == (0,)
    books.close()
    (aside,) = tmp_path.glob("simulator.v0-*.sqlite")
    kept = sqlite3.connect(aside)
    assert kept.execute("SELECT order_no FROM documents").fetchone() == ("A-1",)
    kept.close()
    store.Store(tmp_path).close()
    assert len(list(tmp_path.glob("simulator.v*"))) == 1


def test_numbers_once_given_out_are_not_given_out_again(tmp_path: Path) -> None:
    books = store.Store(tmp_path)
    with books.transaction() as db:
        first = numbers.port_numbers(db, "B", 3, books.now())
        listed = numbers.list_number(db, {"customsCode": "2990"}, books.now())
    books.reset()
    with books.transaction() as db:
        again = numbers.port_numbers(db, "B", 3, books.now())
        assert listed != numbers.list_number(db, {"customsCode": "2990"}, books.now())
    assert len({*first, *again}) == 6
    books.close()


def test_a_failed_transaction_leaves_nothing(tmp_path: Path) -> None:
    books = store.Store(tmp_path)

    def fail_half_way() -> None:
        with books.transaction() as db:
            store.count(db, "messages")
            raise LookupError

    with pytest.raises(LookupError):
        fail_half_way()
    with books.reader() as db:
        assert store.counters(db) == {}
    books.close()


def test_the_clock_of_the_books_never_steps_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    books = store.Store(tmp_path)
    before = books.now()
    monkeypatch.setattr("simulator.store.time.time", lambda: before / 1000 - 3600)
    assert books.now() >= before
    books.close()


def test_two_files_with_the_same_message_are_two_sendings(
    tmp_path: Path, authority: Authority, rsa_signer: Signer
) -> None:
    arriving = tmp_path / "spool" / "to-customs"
    arriving.mkdir(parents=True)
    sealed = envelope(material.sign_rsa(material.message([Order("A-1")]), rsa_signer))
    (arriving / "1.xml").write_bytes(sealed)
    (arriving / "2.xml").write_bytes(sealed)
    (arriving / "link.xml").symlink_to("/nonexistent")
    counts = json.loads(work(tmp_path, authority, tmp_path / "none").stdout)
    assert (counts["documents"], counts["duplicates_received"]) == (1, 1)
    assert [path.name for path in arriving.iterdir()] == ["link.xml"]
