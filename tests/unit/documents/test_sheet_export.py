"""Exported workbooks: every kind by its declaration, texts that stay texts, and the way back through the import."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from openpyxl import load_workbook
from python_calamine import CalamineWorkbook

from documents import show
from documents.registry import REGISTRY
from documents.sheet import export
from documents.sheet.export import SheetFull, Workbook
from documents.sheet.model import Reading, sheet_of
from documents.sheet.read import read
from documents.spec import DocumentType

ALL = REGISTRY.types
KINDS = pytest.mark.parametrize("doctype", ALL, ids=lambda item: item.kind)
IMPORTED = pytest.mark.parametrize("doctype", [t for t in ALL if t.sheet], ids=lambda item: item.kind)
ORDER = next(item for item in ALL if item.sheet and item.lines)
AT = datetime(2026, 11, 20, 7, 4, 5, tzinfo=UTC)
HOSTILE = (
    "=1+1", "+1", "-1", "@SUM(A1)", "＝1+1", "=cmd|' /C calc'!A0", "'quoted", '"', "<b>&amp;</b>", "_x0041_",
    "😀𠮷㐀", "0101210010", "1e5", "TRUE", "#N/A", "2026-11-20", "https://example.invalid/", "a\tb", "a\nb", "a\rb",
    " edges ", "x" * 300,
)  # fmt: skip


def a_row(doctype: DocumentType, **changes: Any) -> Any:
    """The kind's example as its service's row has it."""
    assert doctype.example is not None
    states = [state.name for state in doctype.lifecycle.states]
    found = {
        "number": doctype.example["head"].get(doctype.number, ""), "state": states[0], "customs_status": "",
        "return_info": "", "batch_no": "B1", "stored_at": AT, "updated_at": AT, "created_by": "甲",
        "head": doctype.example["head"], "lines": doctype.example["lines"],
    }  # fmt: skip
    return SimpleNamespace(**{**found, **changes})


def written(
    path: Path, doctype: DocumentType, rows: Sequence[Any], language: str = "zh", chosen: Sequence[str] = ()
) -> Path:
    file = path / "export.xlsx"
    with Workbook(doctype, file, language, chosen=chosen) as book:
        for row in rows:
            book.add(row)
    return file


def sheets(file: Path) -> list[list[list[str]]]:
    book = CalamineWorkbook.from_path(file)
    return [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]


def by_title(sheet: Sequence[Sequence[Any]], row: int = 1) -> Mapping[str, Any]:
    assert len(set(sheet[0])) == len(sheet[0])
    return dict(zip(sheet[0], sheet[row], strict=True))


@KINDS
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_kind_is_exported_with_its_declared_columns(
    tmp_path: Path, doctype: DocumentType, language: str
) -> None:
    found = sheets(written(tmp_path, doctype, [a_row(doctype)], language))
    cells = by_title(found[0])
    assert doctype.example is not None
    for column in doctype.columns:
        field = doctype.head_field(column.name)
        value = str(doctype.example["head"].get(column.name, ""))
        assert cells[field.words.as_dict()[language]] == show.shower(field, language)(value)
    assert cells[doctype.head_field(doctype.number).words.as_dict()[language]] == a_row(doctype).number
    assert "2026-11-20 15:04:05" in cells.values()  # Asia/Shanghai
    assert len(found) == (2 if doctype.lines or doctype.sheet else 1)
    if doctype.lines:
        assert len(found[1]) == 1 + len(doctype.example["lines"])


@KINDS
def test_chosen_columns_stand_in_the_order_of_the_choice_and_alone(
    tmp_path: Path, doctype: DocumentType
) -> None:
    chosen = [name for name in reversed(show.column_names(doctype)) if name != "state"]
    row = a_row(doctype)
    (found,) = sheets(written(tmp_path, doctype, [row], chosen=chosen))
    whole = show.Columns(doctype, "zh")
    expected = dict(zip(whole.names, zip(whole.titles, whole.texts(row), strict=True), strict=True))
    assert list(zip(*found, strict=True)) == [expected[name] for name in chosen]


def test_a_wrong_choice_of_columns_is_named() -> None:
    unknown, repeated = show.wrong_columns(ORDER, ["number", "nonsense", "state", "number"])
    assert (unknown.code, unknown.value, unknown.pointer) == ("unknown-field", "nonsense", "/columns")
    assert "“nonsense”" in unknown.words.zh
    assert "“nonsense”" in unknown.words.en
    assert "customs_status" in unknown.words.zh
    assert (repeated.code, repeated.value) == ("repeated", "number")
    assert not show.wrong_columns(ORDER, show.column_names(ORDER))


@IMPORTED
def test_an_export_can_be_imported_again(tmp_path: Path, doctype: DocumentType) -> None:
    example, sheet = doctype.example, sheet_of(doctype)
    assert example is not None
    there = {(column.level, column.name) for column in sheet.columns}
    # what the template has no column for comes from elsewhere, as it does in an import
    elsewhere = {
        ("head" if fields is doctype.head else "line", field.name): part[field.name]
        for fields, part in ((doctype.head, example["head"]), (doctype.lines, (*example["lines"], {})[0]))
        for field in fields
        if field.filled_by in ("user", "strategy") and part.get(field.name)
    }
    constants = {place: value for place, value in elsewhere.items() if place not in there}
    content = written(tmp_path, doctype, [a_row(doctype)]).read_bytes()
    result = read(doctype, content, Reading(constants=constants))
    assert [(cell.column, cell.code) for cell in (*result.wrong, *result.repairs)] == []
    ((body, _),) = result.documents
    for level, name in there:
        pairs = [(body["head"], example["head"])]
        if level == "line":
            pairs = list(zip(body["lines"], example["lines"], strict=True))
        for mine, theirs in pairs:
            assert mine.get(name, "") == theirs.get(name, ""), name


@pytest.mark.parametrize("value", HOSTILE)
def test_every_cell_is_a_text_and_reads_as_it_was(tmp_path: Path, value: str) -> None:
    column = next(c.name for c in ORDER.columns if ORDER.head_field(c.name).type == "text")
    field = next(f for f in ORDER.lines if f.type == "text")
    row = a_row(ORDER, number=value, return_info=value, head={column: value}, lines=[{field.name: value}])
    file = written(tmp_path, ORDER, [row])
    found = sheets(file)
    cells = by_title(found[0])
    assert cells[ORDER.head_field(ORDER.number).zh] == value
    assert cells[ORDER.head_field(column).zh] == value
    assert cells["回执信息"] == value
    assert value in found[1][1]
    for sheet in load_workbook(file).worksheets:
        for line in sheet.iter_rows():
            for cell in line:
                assert cell.data_type in ("s", "n")
                assert cell.hyperlink is None
                if cell.value is not None:
                    assert cell.data_type == "s"
                    assert cell.number_format == "@"
                    # what a spreadsheet shows as a leading quote: it stays a text when it is edited
                    assert cell.quotePrefix


def test_numbers_stand_on_the_right(tmp_path: Path) -> None:
    file = written(tmp_path, ORDER, [a_row(ORDER)])
    first, second = load_workbook(file).worksheets
    right = {ORDER.head_field(c.name).zh for c in ORDER.columns if c.align == "right"}
    for index, title in enumerate((cell.value for cell in first[1]), 1):
        assert (first.cell(2, index).alignment.horizontal == "right") == (title in right), title
    amounts = {field.zh for field in ORDER.lines if field.type == "decimal"}
    seen = {second.cell(1, c.column).value for c in second[2] if c.alignment.horizontal == "right"}
    assert seen <= amounts | {item.header for item in sheet_of(ORDER).columns}
    assert len(seen) >= 3


def test_codes_are_shown_with_their_names_and_unknown_ones_as_they_stand(tmp_path: Path) -> None:
    coded = next(
        c.name
        for c in ORDER.columns
        if show.is_coded(ORDER.head_field(c.name)) and ORDER.head_field(c.name).table
    )
    field = ORDER.head_field(coded)
    known = str(a_row(ORDER).head[coded])
    rows = [a_row(ORDER), a_row(ORDER, head={coded: "???"})]
    for language in ("zh", "en"):
        (first, _) = sheets(written(tmp_path, ORDER, rows, language))
        title = field.words.as_dict()[language]
        assert re.fullmatch(rf".+\[{known}\]", by_title(first)[title])
        assert by_title(first, 2)[title] == "???"


def test_what_no_file_can_hold_is_left_out(tmp_path: Path) -> None:
    (first, _) = sheets(written(tmp_path, ORDER, [a_row(ORDER, return_info="a\ud800\ufffeb" + "x" * 40_000)]))
    assert by_title(first)["回执信息"].startswith("abxxx")
    assert len(by_title(first)["回执信息"]) == 32_767


def test_a_sheet_that_is_full_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "SHEET_ROWS", 3)
    with pytest.raises(SheetFull):
        written(tmp_path, ORDER, [a_row(ORDER)] * 4)
    with pytest.raises(SheetFull):
        written(tmp_path, ORDER, [a_row(ORDER, lines=[{}] * 4)])


def test_rows_do_not_stay_in_memory(tmp_path: Path) -> None:
    import tracemalloc  # noqa: PLC0415 - only this test pays for it

    def most(rows: int) -> int:
        tracemalloc.start()
        written(tmp_path, ORDER, [a_row(ORDER)] * rows)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    most(10)
    assert most(2000) < most(200) + 200_000
