"""Code tables: what a code means, whether it exists, and searching by code, Chinese name or pinyin initials.

The tables are the CSV files in documents/tables/, each with its source in the first line. They are partial where
the source was, so a table is data to be extended, not a fact; what is partial is offered for choosing and does not
decide (Field.open_table). Which codes of currencies and countries apply is read from the environment once, here.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

_FOLDER = Path(__file__).parent / "tables"

#: numeric: what the published samples of this message family use (142, 502). letter: what the declaration system
#: uses since 2018. Which one the export list takes today was not found, so it is a setting.
_FORMS = {
    "CURRENCY_CODES": {"numeric": "currency_numeric.csv", "letter": "currency_iso.csv"},
    "COUNTRY_CODES": {"numeric": "country_numeric.csv", "letter": "country_iso3.csv"},
}
#: names of the settings: who starts another process that judges codes hands them on
SETTINGS = tuple(_FORMS)
#: the shape of a country code in each form; the numeric table is partial, so that the shape decides
_COUNTRY_SHAPES = {"numeric": "[0-9]{3}", "letter": "[A-Z]{3}"}
#: China in either form
CHINA = frozenset({"142", "CHN"})


class SettingError(ValueError):
    """A setting of the code tables has a value that means nothing."""


@dataclass(frozen=True, slots=True)
class Forms:
    """Which form of codes is in use: the files of two tables and the shape of a country code."""

    currency_file: str
    country_file: str
    country_shape: str


def forms(environ: Mapping[str, str]) -> Forms:
    """The forms chosen by CURRENCY_CODES and COUNTRY_CODES (numeric if unset); raises SettingError."""
    chosen = {}
    for name, known in _FORMS.items():
        value = environ.get(name, "numeric")
        if value not in known:
            raise SettingError(f"{name} must be one of {', '.join(known)}, not {value!r}")
        chosen[name] = value
    currency, country = chosen["CURRENCY_CODES"], chosen["COUNTRY_CODES"]
    return Forms(
        _FORMS["CURRENCY_CODES"][currency], _FORMS["COUNTRY_CODES"][country], _COUNTRY_SHAPES[country]
    )


FORMS = forms(os.environ)

#: table name -> file
TABLES: Mapping[str, str] = MappingProxyType(
    {
        "currency": FORMS.currency_file,
        "country": FORMS.country_file,
        # letters, whatever the setting: for what is not a message of this family
        "currency_iso": "currency_iso.csv",
        "country_iso3": "country_iso3.csv",
        "unit": "unit.csv",
        "order_type": "order_type.csv",
        "customs_district": "customs_district.csv",
        "trade_mode": "trade_mode.csv",
        "transport_mode": "transport_mode.csv",
        "package_type_ceb": "package_type_ceb.csv",
    }
)


@dataclass(frozen=True, slots=True)
class Code:
    """One row. en is empty where the source has none."""

    code: str
    zh: str
    en: str

    @property
    def pinyin(self) -> str:
        """The initials of zh, e.g. "my" for 美元."""
        return "".join(letters[0] for letters in self.initials)

    @property
    def initials(self) -> tuple[str, ...]:
        """What each character of zh may begin with, the likeliest first: ("c", "q") of 重庆 is ("cz", "q")."""
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


def search(name: str, q: str) -> list[Code]:
    """Rows whose code or pinyin initials begin with q, or whose name contains it; exact codes first."""
    wanted = q.strip().lower()
    if not wanted:
        return list(table(name))
    ranked = [(rank, row) for row in table(name) if (rank := _rank(row, wanted)) is not None]
    return [row for _, row in sorted(ranked, key=lambda pair: pair[0])]


def _rank(row: Code, wanted: str) -> int | None:
    """How well a row answers what was typed, 0 = best; None if it does not."""
    code, name = row.code.lower(), row.zh.lower()
    if code == wanted:
        return 0
    if code.startswith(wanted):
        return 1
    if name.startswith(wanted) or row.pinyin.startswith(wanted):
        return 2
    if wanted in name or wanted in row.en.lower() or _is_read_as(row.initials, wanted):
        return 3
    return None


def _is_read_as(initials: tuple[str, ...], wanted: str) -> bool:
    """Some characters are read in more than one way; any of them will do."""
    return len(wanted) <= len(initials) and all(
        letter in may_be for letter, may_be in zip(wanted, initials, strict=False)
    )


@cache
def _initials(zh: str) -> tuple[str, ...]:
    # loaded on first search: its dictionary would double the start of every process that only checks codes
    from pypinyin import Style, lazy_pinyin, pinyin  # noqa: PLC0415

    # brackets and points are not typed
    spoken = "".join(letter for letter in zh if letter.isalnum())
    likeliest = "".join(lazy_pinyin(spoken, style=Style.FIRST_LETTER)).lower()
    readings = pinyin(list(spoken), style=Style.FIRST_LETTER, heteronym=True)
    return tuple(
        first + "".join(sorted({one.lower() for one in others if one} - {first}))
        for first, others in zip(likeliest, readings, strict=True)
    )
