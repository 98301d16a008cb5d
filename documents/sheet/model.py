"""What reading a workbook yields: documents, wrong cells, repaired cells, or one problem with the whole file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from documents.body import number
from documents.spec import DocumentType, Field, SheetColumn
from documents.words import Words, short

#: wrong or repaired cells that are told one by one; a file may have more of them than anybody reads
MAX_TOLD = 20_000


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

    rejected: documents with at least one wrong cell; rows: rows with content below the header. Of wrong and of
    repairs the first MAX_TOLD are kept, and one more that says how many were left out. group_letter: the column of
    the document's number.
    """

    sheet: str = ""
    group_letter: str = "A"
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


def bounded(cells: list[CellWrong], left_out: int) -> list[CellWrong]:
    """Cells in the order of the sheet, with a last one for those that were left out."""
    cells.sort(key=lambda cell: (cell.row, len(cell.letter), cell.letter))
    if left_out:
        last = cells[-1]
        zh = f"另有 {left_out} 处未逐一列出，请先更正以上各处后重新导入。"
        en = f"{left_out} more are not listed; correct those above first and import again."
        cells.append(CellWrong(last.sheet, last.row, "", "", "", "more", zh, en))
    return cells


def existing(doctype: DocumentType, found: SheetResult, row: int, body: Mapping[str, Any]) -> CellWrong:
    """The wrong cell of a document whose number is in use already."""
    header = next(column.header for column in doctype.sheet.columns if column.name == doctype.sheet.group)
    value = number(doctype, body)
    return CellWrong(
        found.sheet, row, header, found.group_letter, short(value, 200), "exists",
        f"{header}“{short(value)}”已存在，未重复导入；如需修改请在查询页面编辑原单据。",
        f"“{short(value)}” exists already and was not imported again; edit the document on its query page.",
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
