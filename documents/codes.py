"""Code tables: what a code means, whether it exists, and searching by code, Chinese name or pinyin initials.

The tables are the CSV files in documents/tables/, each with its source in the first line. They are partial where
the source was (README of the reference says so), so a table is data to be extended, not a fact.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "tables"

#: table name -> file. Numeric currency and country codes are what the published samples of this message family
#: use (142, 502); the declaration system uses letters since 2018. Which one the export list takes today was not
#: found, so the letter tables stand beside, to be chosen here.
TABLES: dict[str, str] = {
    "currency": "currency_numeric.csv",
    "currency_iso": "currency_iso.csv",
    "country": "country_numeric.csv",
    "country_iso3": "country_iso3.csv",
    "unit": "unit.csv",
    "order_type": "order_type.csv",
}


@dataclass(frozen=True, slots=True)
class Code:
    """One row. en is empty where the source has none."""

    code: str
    zh: str
    en: str

    @property
    def pinyin(self) -> str:
        """The initials of zh, e.g. "my" for 美元."""
        return _initials(self.zh)


@cache
def table(name: str) -> tuple[Code, ...]:
    """All codes in use of a table, in the file's order. KeyError for an unknown table."""
    lines = (_FOLDER / TABLES[name]).read_text(encoding="utf-8").splitlines()
    rows = csv.DictReader(line for line in lines if not line.startswith("#"))
    return tuple(
        Code(row["code"], row["zh"], row.get("en") or row.get("iso") or "")
        for row in rows
        if row.get("obsolete", "no") == "no"
    )


@cache
def index(name: str) -> dict[str, Code]:
    """code -> row."""
    return {row.code: row for row in table(name)}


def search(name: str, q: str, limit: int = 50) -> list[Code]:
    """Rows whose code or pinyin initials begin with q, or whose name contains it; exact codes first."""
    wanted = q.strip().lower()
    if not wanted:
        return list(table(name)[:limit])
    hits = [
        row
        for row in table(name)
        if row.code.lower().startswith(wanted)
        or row.pinyin.startswith(wanted)
        or wanted in row.zh.lower()
        or wanted in row.en.lower()
    ]
    hits.sort(key=lambda row: (row.code.lower() != wanted, not row.code.lower().startswith(wanted)))
    return hits[:limit]


@cache
def _initials(zh: str) -> str:
    # loaded on first search: its dictionary would double the start of every process that only checks codes
    from pypinyin import Style, lazy_pinyin  # noqa: PLC0415

    return "".join(lazy_pinyin(zh, style=Style.FIRST_LETTER)).lower()
