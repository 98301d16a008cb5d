"""Parts side by side: none is left out, no failure of any is lost, and what is said in the end is the sum."""

from __future__ import annotations

import sys

import pytest

from tools.paths import ROOT
from tools.suite import Part, closing, failed, parts, summed, verdict


def part(code: int, **counts: int) -> Part:
    return Part("x", (), code, counts)


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("12 passed in 3.1s", {"passed": 12}),
        ("= 1 failed, 12 passed, 2 skipped, 3 warnings in 61.20s (0:01:01) =",
         {"failed": 1, "passed": 12, "skipped": 2, "warnings": 3}),
        ("1 error in 0.1s", {"error": 1}),
        ("2 errors, 5 passed in 0.1s", {"error": 2, "passed": 5}),
        ("nothing of the kind", {}),
    ],
)  # fmt: skip
def test_the_closing_line_is_read(line: str, counts: dict[str, int]) -> None:
    assert closing(line) == counts


def test_all_are_summed() -> None:
    line = summed([part(0, passed=12, skipped=1), part(1, passed=3, failed=2)], 61.4)
    assert line == "==== 2 failed, 15 passed, 1 skipped in 61s ===="


@pytest.mark.parametrize(
    ("done", "code"),
    [
        ([part(0, passed=1), part(0, passed=1)], 0),
        ([part(0, passed=1), part(1, passed=1, failed=1)], 1),
        # killed, interrupted, wrongly called
        ([part(-9), part(0, passed=1)], 1),
        ([part(2, passed=5), part(0, passed=1)], 1),
        # a part that ran nothing proves nothing
        ([part(5), part(0, passed=1)], 1),
        ([part(0), part(0, passed=1)], 1),
    ],
)
def test_a_failure_of_any_is_the_suites(done: list[Part], code: int) -> None:
    assert verdict(done) == code


def test_what_failed_is_named_once_more() -> None:
    lines = "FAILED tests/a.py::b - assert 1 == 2|ERROR tests/a.py::c|an ERROR in a log|FAILED tests/a.py::b - assert 1 == 2"
    program = "import sys; print(sys.argv[1].replace('|', chr(10))); sys.exit(1)"
    run = Part("x", (sys.executable, "-c", program, lines))
    run.run()
    assert failed([run, part(0, passed=1), Part("y", (), -9)]) == [
        "x: FAILED tests/a.py::b - assert 1 == 2",
        "x: ERROR tests/a.py::c",
        "y: ended with -9",
    ]


def test_every_file_of_tests_is_in_one_part() -> None:
    told = parts()
    named = {name: [word for word in words if not word.startswith("--")] for name, words in told.items()}
    ignored = {
        name: [word.removeprefix("--ignore=") for word in words if word.startswith("--")]
        for name, words in told.items()
    }
    for file in (ROOT / "tests").rglob("test_*.py"):
        path = str(file.relative_to(ROOT))
        inside = lambda folders, path=path: any(f"{path}/".startswith(f"{folder}/") for folder in folders)  # noqa: E731
        where = [name for name in told if inside(named[name] or ["tests"]) and not inside(ignored[name])]
        assert len(where) == (0 if path.startswith("tests/fault/") else 1), (path, where)
