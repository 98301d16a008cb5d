"""Code tables: chosen by setting, read with their source, and found by digits, letters or Chinese."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from documents import codes
from documents.codes import SettingError, forms

FOLDER = Path(codes.__file__).parent / "tables"


def test_numeric_codes_are_the_default() -> None:
    assert forms({}) == forms({"CURRENCY_CODES": "numeric", "COUNTRY_CODES": "numeric"})
    assert forms({}).currency_file == "currency_numeric.csv"
    assert forms({}).country_shape == "[0-9]{3}"


def test_each_setting_stands_alone() -> None:
    chosen = forms({"COUNTRY_CODES": "letter"})
    assert (chosen.currency_file, chosen.country_file) == ("currency_numeric.csv", "country_iso3.csv")
    assert re.fullmatch(chosen.country_shape, "USA")
    chosen = forms({"CURRENCY_CODES": "letter"})
    assert (chosen.currency_file, chosen.country_file) == ("currency_iso.csv", "country_numeric.csv")


@pytest.mark.parametrize("name", ["CURRENCY_CODES", "COUNTRY_CODES"])
@pytest.mark.parametrize("value", ["", "Numeric", "letters", "iso", " numeric"])
def test_a_wrong_setting_is_named_with_what_it_may_be(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"^{name} must be one of numeric, letter, not {value!r}$"):
        forms({name: value})


def run(program: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """A program in a process of its own, because the setting is read once."""
    environment = {name: value for name, value in os.environ.items() if name not in settings} | settings
    return subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )


def test_letters_hold_in_every_kind_of_document() -> None:
    program = (
        "from documents.registry import ALL\n"
        "from documents.check import checker\n"
        "for item in ALL:\n"
        "    assert checker(item).wrongs(item.example) == [], item.kind\n"
        "    text = str(item.example)\n"
        "    assert \"'currency': '\" not in text or 'USD' in text or 'CNY' in text, item.kind\n"
        "order = next(item for item in ALL if item.kind == 'order')\n"
        "head = order.example['head'] | {'currency': '502'}\n"
        "assert [w.code for w in checker(order).wrongs(order.example | {'head': head})][0] == 'unknown-code'\n"
        "print('done')\n"
    )
    done = run(program, CURRENCY_CODES="letter", COUNTRY_CODES="letter")
    assert done.stdout == "done\n", done.stderr


def test_a_wrong_setting_stops_the_process() -> None:
    done = run("import documents.registry", COUNTRY_CODES="both")
    assert done.returncode != 0
    assert "COUNTRY_CODES must be one of numeric, letter, not 'both'" in done.stderr


@pytest.mark.parametrize("name", sorted(codes.TABLES))
def test_tables_are_well_formed(name: str) -> None:
    lines = (FOLDER / codes.TABLES[name]).read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# source: ")
    rows = list(csv.DictReader(lines[1:]))
    assert len({row["code"] for row in rows}) == len(rows) > 2
    for row in rows:
        assert re.fullmatch("[0-9A-Z]{1,4}", row["code"])
        assert row["zh"].strip() == row["zh"] != ""
    assert len({len(row["code"]) for row in rows}) == 1
    assert codes.index(name).keys() <= {row["code"] for row in rows}


@pytest.mark.parametrize(
    ("table", "wanted", "first"),
    [
        ("customs_district", "9000", "9000"),
        ("customs_district", "西安", "9000"),
        ("trade_mode", "9710", "9710"),
        ("transport_mode", "hk", "5"),
        ("transport_mode", "航空", "5"),
        ("package_type_ceb", "mx", "1"),
        ("country", "美国", "502"),
        # characters that are read in more than one way
        ("customs_district", "cqgq", "8000"),
        ("customs_district", "xm", "3700"),
        ("customs_district", "csgq", "4900"),
        ("unit", "cd", "071"),
        # brackets are not typed
        ("country_iso3", "yzqtgjdq", "ZAS"),
    ],
)
def test_codes_are_found_by_digits_letters_and_chinese(table: str, wanted: str, first: str) -> None:
    assert codes.search(table, wanted)[0].code == first


@pytest.mark.parametrize("name", sorted(codes.TABLES))
def test_every_code_of_every_table_is_found_in_all_three_ways(name: str) -> None:
    for row in codes.table(name):
        assert codes.search(name, row.code)[0] == row
        for typed in (row.pinyin, row.zh):
            assert row in codes.search(name, typed), (row, typed)


def test_china_is_known_in_either_form() -> None:
    for name in ("country", "country_iso3"):
        assert len(codes.CHINA & codes.index(name).keys()) == 1
