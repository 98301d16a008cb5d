"""Numbers that customs and the electronic port give out, each once and never again, also after a reset.

Formats: preNo and invtNo are published; sumNo, declSeqNo, decTmpNo and decPreNo are only known to have 18 characters, so
their make-up is assumed, and so is that of entryId, which follows printed declarations.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime

from simulator.receipts import SHANGHAI

_SERIALS = 10**9


def _serials(db: sqlite3.Connection, name: str, how_many: int) -> range:
    row = db.execute(
        "INSERT INTO numbers VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET last = last + excluded.last"
        " RETURNING last",
        (name, how_many),
    ).fetchone()
    last = int(row[0])
    return range(last - how_many + 1, last + 1)


def port_numbers(db: sqlite3.Connection, letter: str, how_many: int, now: int) -> list[str]:
    """A letter, the date and nine digits, as the electronic port numbers what passes through it."""
    if not how_many:
        return []
    date = f"{datetime.fromtimestamp(now / 1000, SHANGHAI):%Y%m%d}"
    return [f"{letter}{date}{serial % _SERIALS:09d}" for serial in _serials(db, letter, how_many)]


def list_number(db: sqlite3.Connection, head: Mapping[str, str], now: int) -> str:
    """invtNo of a list: customs code, year, E for export, nine digits."""
    (serial,) = _serials(db, "invtNo", 1)
    return f"{head['customsCode']}{datetime.fromtimestamp(now / 1000, SHANGHAI):%Y}E{serial % _SERIALS:09d}"


def entry_number(db: sqlite3.Connection, customs: str, now: int) -> str:
    """entryId: customs code, year, 0 for export, nine digits."""
    (serial,) = _serials(db, "entryId", 1)
    return f"{customs}{datetime.fromtimestamp(now / 1000, SHANGHAI):%Y}0{serial % _SERIALS:09d}"
