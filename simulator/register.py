"""The register of lists: which lists customs holds, in which state, under which order, waybill and number.

A list's state is planned when it is decided: its course says from when on which status counts. Must never be asked
about a document that customs does not hold.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

from simulator.courses import CLOSED, PORT, RELEASED
from simulator.ledger import many


@dataclass(slots=True)
class Entry:
    """One list. Times are milliseconds since the epoch; `course` is (from when, status) in order; `id` 0 = new."""

    id: int
    message_id: int
    seq: int
    agent_code: str
    cop_no: str
    ebc_code: str
    ebp_code: str
    order_no: str
    logistics_code: str
    logistics_no: str
    invt_no: str
    statistics_flag: str
    course: list[tuple[int, str]]
    last_time: int
    released_at: int | None = None
    closed_at: int | None = None
    ended_at: int | None = None
    sum_no: str = ""

    def live(self, now: int) -> bool:
        """Neither cancelled, deleted nor rejected after all."""
        return self.ended_at is None or self.ended_at > now

    def status(self, now: int) -> str:
        """Its status by now; "" before customs has said anything."""
        reached = [status for when, status in self.course if when <= now]
        return reached[-1] if reached else ""

    def closed(self, now: int) -> bool:
        """Whether it is closed by now."""
        return self.closed_at is not None and self.closed_at <= now

    def reach(self, status: str, when: int, told: int) -> None:
        """Put a status into its plan: it counts from `when` on, its receipt says `told`."""
        self.course.append((when, status))
        self.last_time = max(self.last_time, told)
        if status == RELEASED and self.released_at is None:
            self.released_at = when
        if status == CLOSED and self.closed_at is None:
            self.closed_at = when


def entry(head: Mapping[str, str], message_id: int, seq: int, invt_no: str) -> Entry:
    """A new entry without any status."""
    return Entry(
        0,
        message_id,
        seq,
        head["agentCode"],
        head["copNo"],
        head["ebcCode"],
        head["ebpCode"],
        head["orderNo"],
        head["logisticsCode"],
        head["logisticsNo"],
        invt_no,
        head["statisticsFlag"],
        [],
        0,
    )


def plan(one: Entry, statuses: Sequence[tuple[str, int, int]]) -> None:
    """Give it a course of (status, counts from, told at); what the electronic port says is no state at customs."""
    for status, when, told in statuses:
        if status in PORT:
            one.last_time = max(one.last_time, told)
        else:
            one.reach(status, when, told)


def save(db: sqlite3.Connection, entries: Iterable[Entry]) -> None:
    """Write entries, new and changed ones."""
    for one in entries:
        values = {item.name: getattr(one, item.name) for item in fields(Entry)}
        values |= {"id": one.id or None, "course": json.dumps(one.course)}
        cursor = db.execute(
            "INSERT OR REPLACE INTO lists VALUES (:id, :message_id, :seq, :agent_code, :cop_no, :ebc_code, :ebp_code,"
            " :order_no, :logistics_code, :logistics_no, :invt_no, :statistics_flag, :course, :last_time,"
            " :released_at, :closed_at, :ended_at, :sum_no)",
            values,
        )
        one.id = one.id or int(cursor.lastrowid or 0)


def _read(rows: Iterable[tuple[object, ...]]) -> list[Entry]:
    found = []
    for row in rows:
        one = Entry(*row)  # type: ignore[arg-type]  # the columns are in the order of its fields
        one.course = [(when, status) for when, status in json.loads(str(one.course))]
        found.append(one)
    return found


def by_number(db: sqlite3.Connection, numbers: Iterable[str]) -> dict[str, Entry]:
    """Entries by invtNo."""
    found = _read(
        db.execute(
            "SELECT * FROM lists WHERE invt_no IN (SELECT value FROM json_each(?)) ORDER BY id",
            (many(numbers),),
        )
    )
    return {one.invt_no: one for one in found}


def by_own_number(db: sqlite3.Connection, numbers: Iterable[str], now: int) -> list[Entry]:
    """Entries with one of these copNo that have not ended by now."""
    return _read(
        db.execute(
            "SELECT * FROM lists WHERE cop_no IN (SELECT value FROM json_each(?))"
            " AND (ended_at IS NULL OR ended_at > ?) ORDER BY id",
            (many(numbers), now),
        )
    )


def by_order(db: sqlite3.Connection, numbers: Iterable[str]) -> list[Entry]:
    """Entries with one of these orders."""
    return _read(
        db.execute(
            "SELECT * FROM lists WHERE order_no IN (SELECT value FROM json_each(?)) ORDER BY id",
            (many(numbers),),
        )
    )


def by_waybill(db: sqlite3.Connection, numbers: Iterable[str]) -> list[Entry]:
    """Entries with one of these waybills."""
    return _read(
        db.execute(
            "SELECT * FROM lists WHERE logistics_no IN (SELECT value FROM json_each(?)) ORDER BY id",
            (many(numbers),),
        )
    )


def closed_between(db: sqlite3.Connection, ebc_code: str, first: int, last: int) -> list[Entry]:
    """Entries of a consignor closed in a period and not summed up yet."""
    return _read(
        db.execute(
            "SELECT * FROM lists WHERE ebc_code = ? AND closed_at BETWEEN ? AND ? AND sum_no = '' AND ended_at IS NULL"
            " ORDER BY id",
            (ebc_code, first, last),
        )
    )


def of_summary(db: sqlite3.Connection, sum_no: str) -> list[Entry]:
    """Entries that a summary application sums up."""
    return _read(db.execute("SELECT * FROM lists WHERE sum_no = ? ORDER BY id", (sum_no,)))


def by_document(db: sqlite3.Connection, message_id: int, seq: int) -> Entry | None:
    """The entry of one version of a list, if that is the one that counts."""
    found = _read(db.execute("SELECT * FROM lists WHERE message_id = ? AND seq = ?", (message_id, seq)))
    return found[0] if found else None
