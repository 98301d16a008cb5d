"""The child that reads workbooks: its limits hold, it dies alone, and whoever asked gets an answer."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from pathlib import Path

import openpyxl
import pytest

from documents.sheet.model import SheetProblem
from documents.sheet.read import read
from documents.types.order import ORDER
from filing.sheet_process import SheetReader
from tests.unit.documents.workbooks import READING, Formula, book, cells, orders, row_of, sheet
from tools.paths import ROOT

READER = SheetReader()


def test_the_child_answers_like_the_function() -> None:
    content = orders(
        row_of("T1"), row_of(" T2"), row_of("T3", unit=35, qty=Formula("1", "1")), row_of("😀𠮷", "&<")
    )
    here, there = read(ORDER, content, READING), READER.read("order", content, READING)
    assert there == here
    assert len(there.documents) == 3


def test_a_refused_file_is_refused_by_the_same_name() -> None:
    with pytest.raises(SheetProblem) as caught:
        READER.read("order", b"%PDF-1.7", READING)
    assert (caught.value.kind, caught.value.code) == ("wrong_type", "pdf")
    assert "PDF" in caught.value.words.zh


def wide_and_long() -> bytes:
    """Two cells in a small file; a reader lays out the 700 million between them."""
    return book(
        {
            "订单": sheet(
                '<row r="1"><c r="A1"><v>1</v></c></row><row r="999999"><c r="ZZ999999"><v>1</v></c></row>'
            )
        }
    )


def test_a_bomb_that_passes_the_look_dies_in_the_child_and_the_answer_says_so() -> None:
    content = wide_and_long()
    assert len(content) < 5_000
    started = time.monotonic()
    with pytest.raises(SheetProblem) as caught:
        READER.read("order", content, READING)
    assert (caught.value.kind, caught.value.code) == ("too_large", "over-limits")
    assert "拆分" in caught.value.words.zh
    assert time.monotonic() - started < 30
    assert READER.read("order", orders(row_of()), READING).rows == 1


#: a parent of its own: what a child is said to have taken includes its parent's memory, and this one's is large by now
MEASURED = """
import resource, sys
from documents.sheet.model import Reading, SheetProblem
from filing.sheet_process import SheetReader
try:
    SheetReader().read("order", sys.stdin.buffer.read(), Reading())
except SheetProblem as exc:
    print(exc.code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def test_a_bomb_takes_no_more_memory_than_the_child_is_given() -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEASURED], input=wide_and_long(), capture_output=True, cwd=ROOT, check=True
    )
    code, kilobytes = done.stdout.decode().split()
    assert code == "over-limits"
    assert int(kilobytes) < 600 * 1024


def many_rows(number: int) -> bytes:
    return orders(*(row_of(f"T{index}", itemName=f"货物{index}" * 5) for index in range(number)))


@pytest.mark.parametrize(
    "reader",
    [SheetReader(memory=120 * 1024 * 1024), SheetReader(cpu_seconds=1), SheetReader(wall_seconds=1)],
    ids=["memory", "processor", "clock"],
)
def test_each_limit_stops_the_child(reader: SheetReader) -> None:
    with pytest.raises(SheetProblem) as caught:
        reader.read("order", many_rows(70_000), READING)
    assert caught.value.code == "over-limits"


def test_nothing_of_the_service_is_in_the_childs_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    reader = SheetReader(types="tests.unit.filing.spying:ALL")
    with pytest.raises(RuntimeError) as caught:
        reader.read("order", orders(row_of()), READING)
    assert "names: PATH, PYTHONPATH" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_the_child_judges_by_the_same_code_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CURRENCY_CODES", "letter")
    found = SheetReader().read("order", orders(row_of()), READING)
    # the strategy of this test has numeric ones
    assert {cell.code for cell in found.wrong} == {"unknown-code"}


def test_a_fault_of_ours_is_no_fault_of_the_file() -> None:
    with pytest.raises(RuntimeError, match="no kind nothing"):
        READER.read("nothing", orders(row_of()), READING)
    with pytest.raises(RuntimeError, match="ModuleNotFoundError"):
        SheetReader(types="tests.nowhere:ALL").read("order", orders(row_of()), READING)


WRONG = [
    {
        "sheet": "订单",
        "row": 2,
        "column": "数量",
        "letter": "D",
        "value": "x",
        "code": "c",
        "zh": "错误。",
        "en": "Wrong.",
    }
]


def test_marking_happens_in_the_child_too() -> None:
    page = openpyxl.load_workbook(io.BytesIO(READER.mark(orders(row_of()), WRONG, english=False)))["订单"]
    assert page["D2"].comment.text == "错误。"


def test_a_workbook_that_is_a_bomb_for_marking_is_answered_with_a_list() -> None:
    """Merged over everything: harmless to read, seventeen thousand million cells to write."""
    merged = '<mergeCells count="1"><mergeCell ref="J1:XFD1048576"/></mergeCells>'
    rows = {1: [c.header for c in ORDER.sheet.columns], 2: row_of(qty="x")}
    content = book({"订单": sheet(cells(rows), merged)})
    result = READER.read("order", content, READING)
    assert [cell.code for cell in result.wrong] == ["not-a-number"]
    reader = SheetReader(cpu_seconds=5)
    made = reader.mark(content, [cell.as_dict() for cell in result.wrong], english=True)
    assert openpyxl.load_workbook(io.BytesIO(made)).sheetnames == ["Errors"]


def test_no_child_is_left_behind() -> None:
    children = _children()
    with pytest.raises(SheetProblem):
        SheetReader(wall_seconds=1).read("order", many_rows(70_000), READING)
    assert _children() == children


def _children() -> str:
    return Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text()
