"""The tables themselves: as many fields as published, codes inside the published ranges, every name known."""

from __future__ import annotations

import pytest

from simulator import tables
from simulator.receipts import quoted_names
from simulator.tables import UNBOUNDED, Field, Table

TABLES = tables.known()

# Counted in the published field tables: head fields, line fields (and how many lines), receipt fields.
PUBLISHED = {
    303: (14, 11, 1, 100, 7),
    403: (16, 0, 0, 0, 7),
    505: (17, 0, 0, 0, 6),
    507: (19, 4, 0, UNBOUNDED, 10),
    509: (17, 4, 1, UNBOUNDED, 8),
    603: (48, 19, 1, 100, 12),
    605: (14, 0, 0, 0, 8),
    607: (21, 5, 1, UNBOUNDED, 10),
    213: (28, 11, 1, 100, 10),
    215: (20, 0, 0, 0, 9),
    701: (22, 1, 0, UNBOUNDED, 10),
}
# Table 7-2 of the spec; where a type has no range of its own, the range it borrows from (see its table).
RANGES = {
    303: [(-301017, -301001)],
    403: [(-401013, -401001)],
    505: [(-505017, -502001)],
    507: [(-505017, -502001)],
    509: [(-505017, -502001)],
    603: [(-621999, -621000)],
    605: [(-623999, -623000)],
    607: [(-621999, -621000)],
    213: [(-625209, -625001)],
    215: [(-625209, -625001)],
    701: [(-621999, -621000)],
}
MEANT = {
    303: {
        "repeated": "-301002",
        "exists": "-301010",
        "used": "-301011",
        "older": "-301014",
        "too_many": "-301015",
    },
    505: {"exists": "-504012", "too_many": "-504013", "used": "-504016"},
    603: {
        "exists": "-621004",
        "state": "-621011",
        "delete_state": "-621012",
        "mismatch": "-621028",
        "signature": "-621029",
        "too_many": "-621030",
    },
    605: {"reference": "-623003", "reference_state": "-623005", "signature": "-623029"},
}


def every() -> list[Table]:
    return list(TABLES.values())


def test_all_types_are_there() -> None:
    assert {table.kind for table in every()} == set(PUBLISHED)
    assert [table.kind for table in every() if table.signature == "required"] == [509, 603, 605, 607, 701]
    assert [table.kind for table in every() if table.signature == "declared"] == [507]
    assert {table.kind for table in every() if table.flat} == {403, 505, 605, 215}


@pytest.mark.parametrize("table", every(), ids=lambda table: table.message)
def test_fields_and_lines_are_as_published(table: Table) -> None:
    lines = table.lines
    found = (
        len(table.head.fields),
        0 if lines is None else len(lines.fields),
        0 if lines is None else lines.low,
        0 if lines is None else lines.high,
        len(table.receipt.fields),
    )
    assert found == PUBLISHED[table.kind]
    assert table.max_documents == table.receipt.high == 100
    assert table.receipt_message == f"CEB{table.kind + 1}Message"
    assert table.head.names[:4] == ("guid", "appType", "appTime", "appStatus")
    assert table.receipt.names[-3:] == ("returnStatus", "returnTime", "returnInfo")


@pytest.mark.parametrize("table", every(), ids=lambda table: table.message)
def test_every_name_in_a_table_is_a_field(table: Table) -> None:
    head = set(table.head.names)
    books, checks = table.books, table.checks
    named = {books.number, *books.key, *books.also, *books.parts, *books.facts_head}
    named |= {*checks.times, *checks.dates, *checks.customs, *checks.not_negative, *checks.positive}
    named |= {
        *checks.weights,
        *(name for name, _ in checks.choices),
        *(name for name, _ in checks.enterprises),
    }
    assert named <= head
    assert set(quoted_names(table.kind)) <= head
    if checks.lines is not None:
        assert table.lines is not None
        used = {checks.lines.number, *checks.lines.positive, *checks.lines.not_negative, *books.facts_lines}
        assert used <= set(table.lines.names)


@pytest.mark.parametrize("table", every(), ids=lambda table: table.message)
def test_codes_lie_in_the_published_ranges_and_differ(table: Table) -> None:
    needed = {"structure", "content", "script", "exists", "unknown", "older", "too_many", "signature"}
    assert needed <= set(table.codes)
    own = {name: code for name, code in table.codes.items() if name not in ("enterprise", "mismatch", "used")}
    assert len(set(own.values())) == len(own)
    for code in own.values():
        assert any(low <= int(code) <= high for low, high in RANGES[table.kind]), code
    assert MEANT.get(table.kind, {}).items() <= dict(table.codes).items()
    assert table.codes["enterprise"] == "-10102"


def test_the_summary_result_is_as_published() -> None:
    head, lines = tables.result()
    assert (len(head.fields), len(lines.fields), lines.low, lines.high) == (20, 5, 0, UNBOUNDED)
    assert [field.name for field in head.fields if not field.required] == [
        "decTmpNo",
        "decPreNo",
        "entryId",
        "note",
    ]


def test_a_required_text_may_be_empty_only_where_the_table_says_so() -> None:
    empty = [
        (table.kind, field.name)
        for table in every()
        for field in table.receipt.fields
        if field.required and field.wrong("") is None
    ]
    assert empty == [(507, "billNo"), (603, "invtNo")]
    strict = Field.of({"name": "x", "zh": "x", "required": True, "type": "C..5"})
    assert strict.wrong("") is not None


def test_facts_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two"):
        tables.Books.of({"number": "a", "key": [], "facts": {"head": ["a"]}})
