"""Looking into the books: what is known about numbers, in as few questions as there are messages.

Must never write: deciding what is written is the business of whoever asks.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

from simulator import structure, tables
from simulator.compare import Comparison, Leg, compare
from simulator.config import Rules
from simulator.contents import Document
from simulator.courses import HELD
from simulator.judge import Earlier
from simulator.receipts import SEPARATOR
from simulator.signature import strip
from simulator.tables import Table
from simulator.xmlsafe import parse

_LINE = "\x1e"


def many(values: Iterable[str]) -> str:
    """Values for `IN (SELECT value FROM json_each(?))`: one statement however many there are."""
    return json.dumps(sorted(set(values)))


def earlier(
    db: sqlite3.Connection, table: Table, numbers: Iterable[str], now: str
) -> dict[tuple[str, str], list[Earlier]]:
    """Earlier versions by number and scope, oldest first. What has ended by `now` (a returnTime) is not held."""
    found: dict[tuple[str, str], list[Earlier]] = {}
    for number, scope, guid, app_type, app_time, verdict, ended, pre_no, customs_no in db.execute(
        "SELECT number, scope, guid, app_type, app_time, verdict, ended, pre_no, customs_no FROM documents"
        " WHERE number IN (SELECT value FROM json_each(?)) AND kind = ? ORDER BY message_id, seq",
        (many(numbers), table.kind),
    ):
        held = verdict in HELD and not (ended and ended <= now)
        found.setdefault((number, scope), []).append(
            Earlier(guid, app_type, app_time, held, pre_no, customs_no)
        )
    return found


def facts(table: Table, document: Document) -> str:
    """What later judgements need of a document, as kept in the books; "" = nothing.

    Head and lines are parted by one character, values by another, neither of which XML allows in a text: many times
    cheaper than JSON, and every order pays for it.
    """
    head, lines = _getters(table.kind)
    if head is None:
        return ""
    parts = [SEPARATOR.join(head(document.head))]
    if lines is not None:
        parts += [SEPARATOR.join(lines(line)) for line in document.lines]
    return _LINE.join(parts)


@cache
def _getters(kind: int) -> tuple[itemgetter[Any] | None, itemgetter[Any] | None]:
    books = tables.by_kind()[kind].books
    return (
        itemgetter(*books.facts_head) if books.facts_head else None,
        itemgetter(*books.facts_lines) if books.facts_lines else None,
    )


def leg(kind: int, text: str) -> Leg:
    """Back from `facts`."""
    books = tables.by_kind()[kind].books
    head, *lines = text.split(_LINE)
    return Leg(
        dict(zip(books.facts_head, head.split(SEPARATOR), strict=True)),
        [dict(zip(books.facts_lines, line.split(SEPARATOR), strict=True)) for line in lines],
    )


def held(db: sqlite3.Connection, kind: int, numbers: Iterable[str]) -> dict[tuple[str, str], Leg]:
    """What customs holds now of one type, by number and scope."""
    found: dict[tuple[str, str], str] = {}
    for number, scope, app_type, verdict, text in db.execute(
        "SELECT number, scope, app_type, verdict, facts FROM documents"
        " WHERE number IN (SELECT value FROM json_each(?)) AND kind = ? ORDER BY message_id, seq",
        (many(numbers), kind),
    ):
        if verdict not in HELD:
            continue
        if app_type == "3":
            found.pop((number, scope), None)
        else:
            found[number, scope] = text
    return {key: leg(kind, text) for key, text in found.items()}


class Legs:
    """Orders, waybills and payments for a number of lists, fetched at once."""

    def __init__(self, db: sqlite3.Connection, heads: Sequence[Mapping[str, str]]) -> None:
        orders = {head["orderNo"] for head in heads}
        self._orders = held(db, 303, orders)
        self._waybills = held(db, 505, {head["logisticsNo"] for head in heads})
        self._payments: dict[tuple[str, str], list[Leg]] = {}
        for (number, _), payment in held(db, 403, orders).items():
            self._payments.setdefault((number, payment.head["ebpCode"]), []).append(payment)

    def compare(self, one: Leg, rules: Rules) -> Comparison:
        """Hold one of the lists against its legs."""
        order = (one.head["orderNo"], one.head["ebpCode"])
        waybill = (one.head["logisticsNo"], one.head["logisticsCode"])
        return compare(
            one, self._orders.get(order), self._waybills.get(waybill), self._payments.get(order, ()), rules
        )


def facts_of(db: sqlite3.Connection, keys: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Leg]:
    """Kept facts by message and place in it."""
    wanted = json.dumps([list(key) for key in keys])
    return {
        (message_id, seq): leg(kind, text)
        for message_id, seq, kind, text in db.execute(
            "SELECT d.message_id, d.seq, d.kind, d.facts FROM json_each(?) AS wanted CROSS JOIN documents AS d"
            " ON d.message_id = json_extract(wanted.value, '$[0]') AND d.seq = json_extract(wanted.value, '$[1]')",
            (wanted,),
        )
        if text
    }


def whole(db: sqlite3.Connection, table: Table, message_id: int, seq: int, most_lines: int) -> Document:
    """A document as it came, read again from its message; for rare acts only."""
    raw = db.execute("SELECT raw FROM bodies WHERE message_id = ?", (message_id,)).fetchone()[0]
    root = parse(raw, "")
    strip(root)
    return structure.walk(root, table, most_lines).documents[seq]
