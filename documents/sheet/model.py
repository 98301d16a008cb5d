"""What reading a workbook yields: documents, wrong cells, repaired cells, or one problem with the whole file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from documents.body import number
from documents.spec import DocumentType, Field, SheetColumn
from documents.words import Words


class SheetProblem(Exception):
    """The whole file cannot be used. kind: too_large | wrong_type | invalid (see runtime.errors)."""

    def __init__(self, kind: str, code: str, words: Words) -> None:
        super().__init__(words.en)
        self.kind = kind
        self.code = code
        self.words = words


@dataclass(frozen=True, slots=True)
class CellWrong:
    """One wrong (or repaired) cell: row and letter as the spreadsheet shows them, column = header text."""

    sheet: str
    row: int
    column: str
    letter: str
    value: str
    code: str
    zh: str
    en: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(slots=True)
class SheetResult:
    """What a workbook holds. documents: (body, first row) of those without a wrong cell.

    rejected: documents with at least one wrong cell; rows: rows with content below the header.
    """

    sheet: str = ""
    rows: int = 0
    rejected: int = 0
    documents: list[tuple[dict[str, Any], int]] = field(default_factory=list)
    wrong: list[CellWrong] = field(default_factory=list)
    repairs: list[CellWrong] = field(default_factory=list)


def field_of(doctype: DocumentType, column: SheetColumn) -> Field:
    """The field that a column fills."""
    fields = doctype.head if column.level == "head" else doctype.lines
    return next(item for item in fields if item.name == column.name)


def letter(index: int) -> str:
    """Spreadsheet letters of a column, 0 = A."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def existing(doctype: DocumentType, sheet: str, row: int, body: Mapping[str, Any]) -> CellWrong:
    """The wrong cell of a document whose number is in use already."""
    column = next(c for c in doctype.sheet.columns if c.name == doctype.sheet.group)
    mark = letter(doctype.sheet.columns.index(column))
    value = number(doctype, body)
    return CellWrong(
        sheet, row, column.header, mark, value, "exists",
        f"{column.header}“{value}”已存在，未重复导入；如需修改请在查询页面编辑原单据。",
        f"“{value}” exists already and was not imported again; edit the document on its query page.",
    )  # fmt: skip


def too_large(zh: str, en: str) -> SheetProblem:
    """The file exceeds a limit."""
    return SheetProblem("too_large", "too-large", Words(zh, en))


def wrong_type(code: str, zh: str, en: str) -> SheetProblem:
    """The file is something else than a plain workbook."""
    return SheetProblem("wrong_type", code, Words(zh, en))


def invalid(code: str, zh: str, en: str) -> SheetProblem:
    """The file is a workbook that cannot be used."""
    return SheetProblem("invalid", code, Words(zh, en))
