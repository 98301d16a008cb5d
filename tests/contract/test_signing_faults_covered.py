"""Each fault seen in comparable signing systems has its tests here: docs/signing-faults.md is the list, and it holds."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tools.paths import ROOT

TABLE = ROOT / "docs" / "signing-faults.md"
WEB = ROOT / "services" / "gateway" / "web" / "tests"
COUNT = 25


@dataclass(frozen=True)
class Fault:
    """A row of the table. tests: (file, name of a test in it)."""

    number: int
    title: str
    here: str
    tests: tuple[tuple[str, str], ...]


def read() -> list[Fault]:
    faults = []
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if re.match(r"\| \d", line):
            number, title, here, tests = (cell.strip() for cell in line.strip("|").split("|"))
            named = tuple(tuple(one.split("::")) for one in re.findall(r"`([^`]*)`", tests))
            assert all(len(one) == 2 for one in named), line
            # nothing stands between the names that would be read as one and is none
            assert not re.sub(r"`[^`]*`", "", tests).strip(), line
            faults.append(Fault(int(number), title, here, named))  # type: ignore[arg-type]
    return faults


FAULTS = read()


@cache
def names_in(path: Path) -> frozenset[str]:
    """Names of the tests in a file: functions of Python, titles of vitest."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ts":
        return frozenset(re.findall(r"^\s*it\('([^']*)',", text, re.MULTILINE))
    # of the module and of its test classes; a function inside another is no test
    bodies = [tree := ast.parse(text), *(node for node in tree.body if isinstance(node, ast.ClassDef))]
    return frozenset(
        node.name
        for body in bodies
        for node in body.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def test_every_fault_is_in_the_table_once_and_in_order() -> None:
    assert [fault.number for fault in FAULTS] == list(range(1, COUNT + 1))
    assert all(fault.title and fault.here and fault.tests for fault in FAULTS)
    assert len({fault.title for fault in FAULTS}) == COUNT


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: str(fault.number))
def test_a_fault_has_the_tests_that_the_table_names(fault: Fault) -> None:
    for file, name in fault.tests:
        path = WEB / file.removeprefix("web/") if file.startswith("web/") else ROOT / "tests" / file
        assert path.is_file(), file
        assert name in names_in(path), f"{file} has no test {name!r}"


def test_the_table_is_found_from_the_service_that_it_is_about() -> None:
    assert "docs/signing-faults.md" in (ROOT / "services" / "signer" / "README.md").read_text(
        encoding="utf-8"
    )
