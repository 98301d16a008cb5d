"""How a workbook is to be read, and what that yields: documents, wrong cells, repaired cells, or one problem."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from documents.body import number
from documents.spec import DocumentType, Field, Sheet, SheetColumn
from documents.words import Words, short

#: wrong or repaired cells that are told one by one; a file may have more of them than anybody reads
MAX_TOLD = 20_000

Level = Literal["head", "line"]


class SheetProblem(Exception):
    """The whole file cannot be used. kind: too_large | wrong_type | invalid (see runtime.errors)."""

    def __init__(self, kind: str, code: str, words: Words) -> None:
        super().__init__(words.en)
        self.kind = kind
        self.code = code
        self.words = words


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What comes to a workbook from outside.

    trade_mode, defaults: of the strategy, by message names. export_date: yyyyMMdd. columns: those of a saved mapping;
    the template's if there are none. constants: (level, field) -> value, the same in every document. basic: what only
    the strategy can supply may be missing for now (basic data of an import task, completed when it is generated).
    """

    trade_mode: str = ""
    defaults: Mapping[str, str] = field(default_factory=dict)
    export_date: str = ""
    columns: tuple[SheetColumn, ...] = ()
    constants: Mapping[tuple[Level, str], str] = field(default_factory=dict)
    basic: bool = False

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "trade_mode": self.trade_mode,
            "defaults": dict(self.defaults),
            "export_date": self.export_date,
            "columns": [[item.level, item.name, item.header] for item in self.columns],
            "constants": [[level, name, value] for (level, name), value in self.constants.items()],
            "basic": self.basic,
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Reading:
        """Inverse of `as_dict`."""
        return cls(
            trade_mode=given["trade_mode"],
            defaults=given["defaults"],
            export_date=given["export_date"],
            columns=tuple(SheetColumn(header, name, level) for level, name, header in given["columns"]),
            constants={(level, name): value for level, name, value in given["constants"]},
            basic=given["basic"],
        )


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
    repairs the first MAX_TOLD are kept, and one more that says how many were left out. group_letter, group_header: the
    column of the document's number.
    """

    sheet: str = ""
    group_letter: str = "A"
    group_header: str = ""
    rows: int = 0
    rejected: int = 0
    documents: list[tuple[dict[str, Any], int]] = field(default_factory=list)
    wrong: list[CellWrong] = field(default_factory=list)
    repairs: list[CellWrong] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Header:
    """A header found. place: the proposed "head.…" or "line.…", "" if none fits; by: what it was recognised by."""

    letter: str
    header: str
    place: str
    by: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """What stands in the header row. missing: places of required fields that no header was found for."""

    sheet: str
    row: int
    headers: list[Header] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, given: dict[str, Any]) -> Proposal:
        """Inverse of `as_dict`."""
        headers = [Header(**item) for item in given["headers"]]
        return cls(given["sheet"], given["row"], headers, given["missing"])


def sheet_of(doctype: DocumentType) -> Sheet:
    """The import template of a kind that has one; LookupError for one that nobody imports."""
    if doctype.sheet is None:
        raise LookupError(f"{doctype.kind} is not imported")
    return doctype.sheet


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
    value = number(doctype, body)
    return CellWrong(
        found.sheet, row, found.group_header, found.group_letter, short(value, 200), "exists",
        f"{found.group_header}“{short(value)}”已存在，未重复导入；如需修改请在查询页面编辑原单据。",
        f"“{short(value)}” exists already and was not imported again; edit the document on its query page.",
    )  # fmt: skip


def repeated(
    doctype: DocumentType, found: SheetResult, row: int, body: Mapping[str, Any], first: int
) -> CellWrong:
    """The wrong cell of a document that stands in the same file already, further up."""
    value = number(doctype, body)
    names = [doctype.head_field(name).words for name in doctype.unique]
    zh, en = "、".join(item.zh for item in names), ", ".join(item.en for item in names)
    return CellWrong(
        found.sheet, row, found.group_header, found.group_letter, short(value, 200), "repeated",
        f"“{short(value)}”与第 {first} 行是同一单据（{zh}都相同），请删除其中一行或更正编号。",
        f"“{short(value)}” is the same document as row {first} (same {en}); delete one of them or correct a number.",
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
