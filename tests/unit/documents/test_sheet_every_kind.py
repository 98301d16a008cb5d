"""Every kind that is imported, by its declaration: template, example, hostile cells and files, marked workbooks."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from documents.check import checker
from documents.sheet.mark import mark
from documents.sheet.model import CellWrong, Reading, SheetProblem, SheetResult, sheet_of
from documents.sheet.read import read
from documents.sheet.write import EXAMPLE, NOTES, template
from documents.spec import DocumentType
from tests.unit.documents.filled import (
    IMPORTED,
    Column,
    by_hand,
    carried,
    changed,
    columns_of,
    example_of,
    headers,
    reading_of,
    rows,
    workbook,
)
from tests.unit.documents.making import right_bodies
from tests.unit.documents.test_sheet_hostile import FILES
from tests.unit.documents.workbooks import DATE, ERROR, Formula, Raw

KINDS = pytest.mark.parametrize("doctype", IMPORTED, ids=lambda item: item.kind)
EVERY_CELL = pytest.mark.parametrize(
    ("doctype", "at"),
    [
        pytest.param(item, at, id=f"{item.kind}-{at.column.header}")
        for item in IMPORTED
        for at in columns_of(item)
    ],
)


def cells_of(types: tuple[str, ...]) -> Any:
    """Each column of those field types, of every kind."""
    return pytest.mark.parametrize(
        ("doctype", "at"),
        [
            pytest.param(item, at, id=f"{item.kind}-{at.column.header}")
            for item in IMPORTED
            for at in columns_of(item)
            if at.field.type in types
        ],
    )


def found(doctype: DocumentType, content: bytes) -> SheetResult:
    return read(doctype, content, reading_of(doctype, example_of(doctype)))


def with_cell(doctype: DocumentType, at: Column, value: Any) -> SheetResult:
    return found(doctype, workbook(doctype, *changed(doctype, at, value)))


def at_cell(result: SheetResult, at: Column) -> CellWrong:
    """What is wrong with the changed cell; it is told, with its place and a sentence."""
    assert result.documents == []
    cell = next(cell for cell in result.wrong if (cell.row, cell.letter) == (2, at.letter))
    assert cell.column == at.column.header
    assert cell.zh.endswith(("。", "？"))
    assert cell.en
    return cell


# -- templates and examples ------------------------------------------------------------------------------------------


@KINDS
def test_the_template_filled_with_the_example_gives_the_example(doctype: DocumentType) -> None:
    result = found(doctype, by_hand(doctype, rows(doctype)))
    assert (result.wrong, result.repairs, result.rejected) == ([], [], 0)
    assert [body for body, _ in result.documents] == [carried(doctype, example_of(doctype))]


@KINDS
def test_the_example_of_the_template_is_the_example_and_is_not_read(doctype: DocumentType) -> None:
    opened = openpyxl.load_workbook(io.BytesIO(template(doctype)))
    page = opened[EXAMPLE]
    shown = [["" if cell is None else str(cell) for cell in row] for row in page.iter_rows(values_only=True)]
    assert shown == [headers(doctype), *rows(doctype)]
    assert all(cell.number_format == "@" for row in page.iter_rows(min_row=2) for cell in row)
    with pytest.raises(SheetProblem) as caught:
        found(doctype, template(doctype))
    assert caught.value.code == "no-rows"


@KINDS
def test_the_notes_explain_every_column_and_code_tables_are_there(doctype: DocumentType) -> None:
    opened = openpyxl.load_workbook(io.BytesIO(template(doctype)))
    told = list(opened[NOTES].iter_rows(min_row=2, max_row=len(headers(doctype)) + 1, values_only=True))
    assert [row[0] for row in told] == headers(doctype)
    for row, at in zip(told, columns_of(doctype), strict=True):
        assert row[2]
        assert row[4] == at.column.name
        if at.field.table:
            assert row[3] in opened.sheetnames
        for value, _ in at.field.choices:
            assert value in row[2]


@KINDS
def test_required_columns_are_red_and_only_they(doctype: DocumentType) -> None:
    page = openpyxl.load_workbook(io.BytesIO(template(doctype)))[sheet_of(doctype).title]
    red = {
        cell.value for cell in page[1] if cell.font.color is not None and cell.font.color.rgb == "FFC00000"
    }
    assert red == {
        at.column.header
        for at in columns_of(doctype)
        if at.field.required and at.field.default is None and at.field.filled_by == "user"
    }


@KINDS
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(data=st.data())
def test_whatever_is_right_comes_back_as_it_was(doctype: DocumentType, data: st.DataObject) -> None:
    body = data.draw(right_bodies(doctype))
    expected = carried(doctype, body)
    # what the template has no column for may have been what made it right
    if checker(doctype).wrongs(expected):
        return
    result = read(doctype, workbook(doctype, *rows(doctype, body)), reading_of(doctype, body))
    assert result.wrong == []
    assert [document for document, _ in result.documents] == [expected]


# -- files -------------------------------------------------------------------------------------------------------------


@cache
def made(name: str) -> bytes:
    return FILES[name][0]()


@KINDS
@pytest.mark.parametrize("name", FILES)
def test_hostile_files_are_refused_by_name_whatever_they_are_for(doctype: DocumentType, name: str) -> None:
    with pytest.raises(SheetProblem) as caught:
        found(doctype, made(name))
    assert (caught.value.kind, caught.value.code) == FILES[name][1:]


@KINDS
def test_a_column_may_be_missing_where_something_else_fills_it_and_that_is_told(
    doctype: DocumentType,
) -> None:
    group = sheet_of(doctype).group
    reading = reading_of(doctype, example_of(doctype))
    for at in columns_of(doctype):
        if (at.column.level, at.column.name) == ("head", group):
            continue
        left = [value for index, value in enumerate(rows(doctype)[0]) if index != at.index]
        titles = [header for header in headers(doctype) if header != at.column.header]
        content = workbook(doctype, left, titles=titles)
        by_strategy = at.field.filled_by == "strategy" and at.column.name in reading.defaults
        filled = at.field.default is not None or by_strategy
        if at.field.required and not filled:
            with pytest.raises(SheetProblem) as caught:
                read(doctype, content, reading)
            assert caught.value.code == "missing-column"
            assert at.column.header in caught.value.words.zh
        else:
            result = read(doctype, content, reading)
            (note,) = [cell for cell in result.repairs if cell.code == "column-absent"]
            assert at.column.header in note.zh


@KINDS
def test_columns_in_any_order_with_others_between_and_headers_spelt_apart(doctype: DocumentType) -> None:
    turned = [list(reversed(row)) for row in rows(doctype)]
    titles = [f" {header}\u3000" for header in reversed(headers(doctype))]
    content = workbook(doctype, *[["x", *row, "y"] for row in turned], titles=["备用", *titles, "其他"])
    assert [body for body, _ in found(doctype, content).documents] == [carried(doctype, example_of(doctype))]


# -- cells -------------------------------------------------------------------------------------------------------------


@EVERY_CELL
@pytest.mark.parametrize(
    ("value", "code"),
    [
        (Formula("1+1", "2"), "formula-cell"),
        (Raw('<c r="{r}"><f>A1</f></c>'), "formula-cell"),
        (ERROR, "error-cell"),
        (True, "not-a-text-cell"),
    ],
    ids=["formula", "formula without a value", "error value", "truth value"],
)
def test_cells_that_hold_no_value_are_named(doctype: DocumentType, at: Column, value: Any, code: str) -> None:
    assert at_cell(with_cell(doctype, at, value), at).code == code


@cells_of(("text", "code", "decimal", "integer"))
def test_a_date_cell_where_no_date_belongs_is_named(doctype: DocumentType, at: Column) -> None:
    assert at_cell(with_cell(doctype, at, DATE), at).code == "not-a-text-cell"


@cells_of(("code",))
def test_numbers_in_code_columns_are_refused_and_never_padded(doctype: DocumentType, at: Column) -> None:
    cell = at_cell(with_cell(doctype, at, 35), at)
    assert (cell.code, cell.value) == ("numeric-cell", "35")


@cells_of(("decimal", "integer"))
@pytest.mark.parametrize(
    "value",
    ["NaN", "Infinity", "-Infinity", "1E+5", "1_000", "0x10", "-0", "1e400", "9" * 30, "-1", "１２", "1,000", "1 0", "٣",
     "²", "--1", "=1"],
)  # fmt: skip
def test_what_is_no_number_is_named_and_never_converted(
    doctype: DocumentType, at: Column, value: str
) -> None:
    assert at_cell(with_cell(doctype, at, value), at).value == value


@cells_of(("decimal",))
def test_more_decimals_than_allowed_are_named(doctype: DocumentType, at: Column) -> None:
    assert at_cell(with_cell(doctype, at, "1." + "1" * (at.field.places + 1)), at).code == "too-many-decimals"


@cells_of(("code",))
@pytest.mark.parametrize("value", ["A B", "A\u00a0B", "A\u200bB", "Ａ１", "A\u3000B", "A\ufeffB"])
def test_blanks_and_wide_characters_inside_codes_are_named(
    doctype: DocumentType, at: Column, value: str
) -> None:
    at_cell(with_cell(doctype, at, value), at)


@EVERY_CELL
@pytest.mark.parametrize("blank", [" {0}", "{0}\u3000", "\u00a0{0} ", "{0}\u200b", "\ufeff{0}"])
def test_blanks_at_the_ends_are_taken_away_with_a_note(doctype: DocumentType, at: Column, blank: str) -> None:
    given = rows(doctype)[0][at.index]
    if not given:
        return
    result = with_cell(doctype, at, blank.format(given))
    assert [body for body, _ in result.documents] == [carried(doctype, example_of(doctype))]
    assert (2, at.letter, "trimmed") in [(cell.row, cell.letter, cell.code) for cell in result.repairs]


@EVERY_CELL
def test_control_characters_are_named(doctype: DocumentType, at: Column) -> None:
    assert at_cell(with_cell(doctype, at, "a\x7fb"), at).code in ("control-character", "blank-inside")


@cells_of(("text", "code"))
def test_one_character_too_many_is_named(doctype: DocumentType, at: Column) -> None:
    assert len(at_cell(with_cell(doctype, at, "A" * (at.field.length + 1)), at).value) <= 200


@cells_of(("text",))
@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@x", "＝1", "<b>&", "😀𠮷", "{{7*7}}", "'; DROP", "a\u200db"]
)
def test_texts_arrive_as_they_are(doctype: DocumentType, at: Column, text: str) -> None:
    (document,) = with_cell(doctype, at, text).documents
    part = document[0]["head"] if at.column.level == "head" else document[0]["lines"][0]
    assert part[at.column.name] == text


@cells_of(("code",))
def test_codes_of_no_table_are_named(doctype: DocumentType, at: Column) -> None:
    if at.field.choices or (at.field.table and not at.field.open_table):
        assert at_cell(with_cell(doctype, at, "~" * max(at.field.length, 1)), at).code == "unknown-code"


HS = [
    pytest.param(item, at, id=f"{item.kind}-{at.column.header}")
    for item in IMPORTED
    for at in columns_of(item)
    if at.column.name == "gcode"
]


@pytest.mark.parametrize(("doctype", "at"), HS)
@pytest.mark.parametrize(
    "value",
    [
        "69120010",
        "691200100",
        "69120010001",
        "6912.00.10.00",
        "6912 001000",
        "691200100A",
        "６９１２００１０００",
    ],
)
def test_hs_codes_of_another_shape_are_named(doctype: DocumentType, at: Column, value: str) -> None:
    cell = at_cell(with_cell(doctype, at, value), at)
    if value == "691200100":
        # nine digits: most likely a spreadsheet dropped the first one; asked, never padded
        assert "是否为 0691200100" in cell.zh
        assert "did you mean 0691200100" in cell.en


@EVERY_CELL
def test_an_empty_cell_of_a_required_field_is_named_where_nothing_fills_it(
    doctype: DocumentType, at: Column
) -> None:
    by_itself = at.field.default is not None or at.field.filled_by in ("strategy", "computed")
    # where lines are optional, a row without any value of one has none
    no_line = at.column.level == "line" and not doctype.message.min_lines
    if at.field.required and not by_itself and not no_line:
        assert at_cell(with_cell(doctype, at, ""), at).code == "required"


# -- dates -------------------------------------------------------------------------------------------------------------

WRITTEN = {
    "2026-11-20": ("20261120", "20261120000000"),
    "2026/11/20": ("20261120", "20261120000000"),
    "2026.1.2": ("20260102", "20260102000000"),
    "2026年11月20日": ("20261120", "20261120000000"),
    "2026-11-20 15:04": ("20261120", "20261120150400"),
    "2026-11-20T15:04:05": ("20261120", "20261120150405"),
}


@cells_of(("date", "datetime"))
@pytest.mark.parametrize("written", WRITTEN)
def test_dates_as_people_write_them_are_read_with_a_note(
    doctype: DocumentType, at: Column, written: str
) -> None:
    result = with_cell(doctype, at, written)
    wanted = WRITTEN[written][at.field.type == "datetime"]
    (note,) = [cell for cell in result.repairs if cell.letter == at.letter]
    assert (note.code, note.value) == ("date-read", written)
    assert wanted in note.zh
    if result.documents:  # the end of a period may now lie before its beginning
        assert result.documents[0][0]["head"][at.column.name] == wanted


@cells_of(("date", "datetime"))
def test_date_cells_are_read_with_a_note(doctype: DocumentType, at: Column) -> None:
    result = with_cell(doctype, at, DATE)  # 45000 is the 15th of March 2023
    (note,) = [cell for cell in result.repairs if cell.letter == at.letter]
    assert "20230315" in note.zh


@cells_of(("date", "datetime"))
def test_numbers_that_are_dates_are_read_with_a_note_and_serial_numbers_are_not_guessed(
    doctype: DocumentType, at: Column
) -> None:
    right = 20261120 if at.field.type == "date" else 20261120093000
    (note,) = [cell for cell in with_cell(doctype, at, right).repairs if cell.letter == at.letter]
    assert (note.code, note.value) == ("number-read-as-text", str(right))
    assert at_cell(with_cell(doctype, at, 46346), at).code in ("not-a-date", "not-a-time")


@cells_of(("date", "datetime"))
@pytest.mark.parametrize(
    "written", ["2026-02-30", "2026-13-01", "03/04/2026", "2026-11/20", "26-11-20", "20261131", "昨天", "2026-11-20 25:00",
                "1926-01-01", "２０２６-11-20"],
)  # fmt: skip
def test_impossible_dates_are_named(doctype: DocumentType, at: Column, written: str) -> None:
    assert at_cell(with_cell(doctype, at, written), at).code in (
        "not-a-date",
        "not-a-time",
        "full-width",
        "blank-inside",
    )


# -- documents ---------------------------------------------------------------------------------------------------------


@KINDS
def test_rows_of_one_number_are_one_document_only_where_documents_have_lines(doctype: DocumentType) -> None:
    first, second = rows(doctype)[0], rows(doctype)[0]
    number = next(
        at
        for at in columns_of(doctype)
        if (at.column.level, at.column.name) == ("head", sheet_of(doctype).group)
    )
    for at in columns_of(doctype):
        if (
            at.column.level == "line"
            and at.field.type == "code"
            and not at.field.table
            and not at.field.pattern
        ):
            second[at.index] = f"{second[at.index]}X"[: at.field.length]
    result = found(doctype, workbook(doctype, first, second))
    if doctype.lines:
        assert len(result.documents) + result.rejected == 1
    else:
        assert [row for _, row in result.documents] == [2, 3]
    third = list(second)
    third[number.index] = "OTHER1"[: number.field.length]
    again = found(doctype, workbook(doctype, first, second, third))
    assert len(again.documents) + again.rejected == (2 if doctype.lines else 3)


@KINDS
def test_a_document_with_more_lines_than_a_message_takes_is_split_with_a_note(doctype: DocumentType) -> None:
    size = doctype.message.split_lines
    if not size:
        return
    numbers = [at for at in columns_of(doctype) if at.column.level == "line" and at.field.type == "code"]
    many = []
    for index in range(2 * size + 1):
        row = list(rows(doctype)[0])
        for at in numbers:
            row[at.index] = f"{str(row[at.index])[:-5]}{index:05d}"
        many.append(row)
    result = found(doctype, workbook(doctype, *many))
    assert result.wrong == []
    assert doctype.parts is not None
    count, part = doctype.parts
    assert [(body["head"][count], body["head"][part], len(body["lines"])) for body, _ in result.documents] == [
        ("3", "1", size), ("3", "2", size), ("3", "3", 1),
    ]  # fmt: skip
    assert {row for _, row in result.documents} == {2}
    assert [cell.code for cell in result.repairs] == ["split"]


@KINDS
def test_a_document_that_need_not_have_lines_may_have_none(doctype: DocumentType) -> None:
    row = rows(doctype)[0]
    for at in columns_of(doctype):
        if at.column.level == "line":
            row[at.index] = ""
    result = found(doctype, workbook(doctype, row))
    if doctype.lines and doctype.message.min_lines:
        assert result.documents == []
        assert result.wrong
    else:
        left = dict(example_of(doctype)) | {"lines": []}
        if not checker(doctype).wrongs(carried(doctype, left)):
            assert [body["lines"] for body, _ in result.documents] == [[]]


@KINDS
def test_basic_data_may_lack_what_the_strategy_will_fill_in(doctype: DocumentType) -> None:
    content = workbook(doctype, *rows(doctype))
    full = reading_of(doctype, example_of(doctype))
    bare = read(doctype, content, Reading(export_date=full.export_date, basic=True))
    left = {cell.code for cell in bare.wrong}
    # a rule of the kind may need what only the strategy knows, and says so
    assert "required" not in left or not bare.documents
    if not bare.wrong:
        ((body, _),) = bare.documents
        assert set(body["head"]) <= set(carried(doctype, example_of(doctype))["head"])


# -- marked workbooks --------------------------------------------------------------------------------------------------


@KINDS
@pytest.mark.parametrize("english", [False, True])
def test_the_marked_workbook_shows_every_wrong_cell_and_is_read_the_same(
    doctype: DocumentType, english: bool
) -> None:
    wrong = [at for at in columns_of(doctype) if at.field.type in ("decimal", "integer", "date", "datetime")]
    row = rows(doctype)[0]
    for at in wrong:
        row[at.index] = "x"
    number = next(at for at in columns_of(doctype) if at.column.name == sheet_of(doctype).group)
    row[number.index] = "A B"
    content = workbook(doctype, row)
    result = found(doctype, content)
    marked = mark(content, [cell.as_dict() for cell in result.wrong], english=english)
    page = openpyxl.load_workbook(io.BytesIO(marked))[sheet_of(doctype).title]
    for at in (*wrong, number):
        cell = page[f"{at.letter}2"]
        assert cell.fill.fgColor.rgb == "00FFC7CE"
        assert cell.comment.text
    assert page.cell(1, len(headers(doctype)) + 1).value == ("Errors" if english else "错误原因")
    assert page.cell(2, len(headers(doctype)) + 1).value
    assert told(found(doctype, marked).wrong) == told(result.wrong)


def told(cells: Sequence[CellWrong]) -> list[tuple[int, str, str]]:
    return [(cell.row, cell.letter, cell.code) for cell in cells]


@KINDS
def test_what_goes_to_the_child_process_comes_back_the_same(doctype: DocumentType) -> None:
    reading = reading_of(doctype, example_of(doctype))
    assert Reading.from_dict(json.loads(json.dumps(reading.as_dict()))) == reading
