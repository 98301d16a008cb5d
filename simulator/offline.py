"""Receipts without channels: judge messages in fresh books in memory and hand back what customs would send.

For tools and tests that have messages as files. Pure in that nothing outside is read or written, but for the clock and
the authority's list of revoked certificates. Must never be mistaken for a running customs: its books end with the call.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from lxml import etree

from simulator import numbers, store, tables
from simulator.channel import SPOOL
from simulator.compose import Due, business_of
from simulator.config import Rules
from simulator.desk import Desk
from simulator.envelope import seal
from simulator.examine import Arrival
from simulator.extras import NOBODY
from simulator.files import write_atomically
from simulator.problems import Refusal
from simulator.receipts import SHANGHAI, millis, new_id
from simulator.verify import Trust
from simulator.xmlsafe import local, parse

# What others refer to comes first; a cancellation last, since a list that is cancelled can be nothing else any more.
ORDER = (303, 505, 403, 603, 607, 507, 509, 213, 215, 701, 605)
# Types that name lists by number, the one that needs the number most first.
_NAMING = (701, 213, 215, 607, 605)
_HOUSE = 607
_NODES_PER_FILE = 100
_DXP_ID = re.compile(rb"<(?:[\w.-]+:)?dxpId>([^<]{1,16})</")


@dataclass(frozen=True, slots=True)
class Sent:
    """One receipt message: its type and the business XML, without envelope."""

    message: str
    business: bytes


@dataclass(slots=True)
class _Clock:
    """Runs, and is put ahead past everything planned, so that delays never hold up what comes next."""

    ahead: float = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead

    def reach(self, moment: int) -> None:
        """Be past a time in milliseconds."""
        self.ahead += max(0.0, moment / 1000 + 0.001 - self())


class _Wanted:
    """Gives lists the numbers that the other messages name them by: these were written before there were any lists."""

    def __init__(self, roots: Mapping[int, Sequence[etree._Element]]) -> None:
        self._by_waybill: dict[str, str] = {}
        found: dict[str, None] = {}
        for kind in _NAMING:
            for element in (element for root in roots.get(kind, ()) for element in root.iter("{*}invtNo")):
                number, parent = element.text or "", element.getparent()
                if number:
                    found[number] = None
                    if kind == _HOUSE and parent is not None:
                        self._by_waybill.setdefault(parent.findtext("{*}logisticsNo") or "", number)
        # A number that belongs to a waybill is not for any other list.
        self._free = deque(number for number in found if number not in self._by_waybill.values())
        self._given: set[str] = set()

    def __call__(self, db: sqlite3.Connection, head: Mapping[str, str], now: int) -> str:
        """The number for a list."""
        for number in (head.get("invtNo", ""), self._by_waybill.get(head["logisticsNo"], "")):
            if number and number not in self._given:
                self._given.add(number)
                return number
        while self._free:
            number = self._free.popleft()
            if number not in self._given:
                self._given.add(number)
                return number
        return numbers.list_number(db, head, now)


def receipts(
    messages: Iterable[bytes], rules: Rules, trust: Trust | None = None, script: str = ""
) -> list[Sent]:
    """Everything customs would send about these messages (signed or not, without envelope), in order of time.

    `script`: JSON as the control API takes it. `trust` is needed unless `rules` switch verifying off.
    """
    raw = list(messages)
    roots = [_root(business) for business in raw]
    kinds = [_kind(root) for root in roots]
    by_kind: dict[int, list[etree._Element]] = {}
    for kind, root in zip(kinds, roots, strict=True):
        if root is not None:
            by_kind.setdefault(kind, []).append(root)
    places = sorted(
        range(len(raw)), key=lambda at: ORDER.index(kinds[at]) if kinds[at] in ORDER else len(ORDER)
    )
    clock = _Clock()
    books = store.Store(None, clock)
    try:
        if script:
            with books.transaction() as db:
                store.set_setting(db, "script", script)
        # All there will ever be is there, and in order: nothing to wait for.
        rules = replace(rules, compare_wait_ms=0)
        desk = Desk(books, trust, rules, lambda: None, _Wanted(by_kind))
        for at in places:
            desk.take([Arrival(_sealed(raw[at], kinds[at], rules), SPOOL)])
            with books.reader() as db:
                planned = db.execute("SELECT max(return_time) FROM receipts").fetchone()[0]
            if planned:
                clock.reach(millis(planned))
        return _sent(books, rules)
    finally:
        books.close()


def _root(business: bytes) -> etree._Element | None:
    try:
        return parse(business, "")
    except Refusal:
        return None


def _kind(root: etree._Element | None) -> int:
    """The type by its root, 0 = none that is known."""
    table = tables.known().get(local(root)) if root is not None else None
    return 0 if table is None else table.kind


def _sealed(business: bytes, kind: int, rules: Rules) -> bytes:
    sender = _DXP_ID.search(business)
    return seal(
        business,
        msg_type=tables.message_of(kind) if kind else "",
        cop_msg_id=new_id(),
        sender=sender.group(1).decode("utf-8", "replace") if sender else NOBODY,
        receiver=rules.receiver_id,
        created=f"{datetime.now(SHANGHAI):%Y-%m-%dT%H:%M:%S}",
        prefixed=True,
    )


def _sent(books: store.Store, rules: Rules) -> list[Sent]:
    with books.reader() as db:
        rows = [
            Due(*row)
            for row in db.execute(
                "SELECT id, kind, message_id, track, status, cop_msg_id, guid, return_time, due, prefixed, receiver, body"
                " FROM receipts ORDER BY return_time, id"
            )
        ]
        found = [(row.kind, business_of(db, row, rules)[0]) for row in rows]
    return [Sent(tables.message_of(kind), business) for kind, business in found if business]


def write(sent: Iterable[Sent], directory: Path) -> list[Path]:
    """One file per type, CEB304Message.xml and so on, with everything said in order of time.

    More than a message may hold goes to CEB304Message-2.xml and so on. Files of the same names are replaced.
    """
    directory.mkdir(parents=True, exist_ok=True)
    files: dict[str, list[etree._Element]] = {}
    for one in sent:
        root = etree.fromstring(one.business)
        made = files.setdefault(one.message, [])
        room = _NODES_PER_FILE - len(made[-1]) if made and one.message != "CEB900Message" else 0
        if len(root) > room:
            made.append(root)
        else:
            made[-1].extend(list(root))
    paths = []
    for message, roots in files.items():
        for at, root in enumerate(roots, 1):
            path = directory / (f"{message}.xml" if at == 1 else f"{message}-{at}.xml")
            write_atomically(path, etree.tostring(root, encoding="UTF-8", xml_declaration=True), 0o644)
            paths.append(path)
    return paths
