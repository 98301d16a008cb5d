"""Rows of an uploaded workbook to documents, every wrong cell named.

May meet hostile files: run it in a child process with memory and time limits (filing.sheet_process). Cells are
texts; in code columns nothing else is taken, because Excel eats leading zeros of numbers.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from documents.body import complete
from documents.check import checker
from documents.sheet.look import look
from documents.sheet.model import (
    MAX_TOLD,
    CellWrong,
    SheetResult,
    bounded,
    field_of,
    invalid,
    letter,
    too_large,
)
from documents.sheet.parts import OddCells, Parts
from documents.spec import DocumentType, SheetColumn
from documents.values import BLANKS
from documents.words import Words, Wrong, short

MAX_ROWS = 100_000
MAX_COLUMNS = 256
#: how many rows from the first one with content the header may stand
HEADER_ROWS = 10

_EDGE = re.compile(f"^[{BLANKS}]+|[{BLANKS}]+$")
#: the same characters one by one, all of the first plane: asked for every cell, where a pattern would cost five times
_BLANK = frozenset(re.findall(f"[{BLANKS}]", "".join(map(chr, range(0x10000)))))
_Row = tuple[int, dict[str, str]]

_ODD_WORDS = {
    "formula": ("formula-cell", Words(
        "单元格为公式，请改为文本值。", "The cell is a formula; replace it by its value as text.")),
    "error": ("error-cell", Words(
        "单元格为错误值（如 #N/A），请改为文本值。", "The cell holds an error value like #N/A; enter a text.")),
    "date": ("not-a-text-cell", Words(
        "单元格为日期或逻辑值，请改为文本格式后重填。", "The cell is a date or a truth value; format it as text and enter it again.")),
}  # fmt: skip


def read(doctype: DocumentType, content: bytes, defaults: Mapping[str, str]) -> SheetResult:
    """Rows to documents. defaults: head fields from the strategy. Raises SheetProblem for the file as a whole."""
    look(content)
    parts = Parts(content)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        names = book.sheet_names
        sheet_name = doctype.sheet.title if doctype.sheet.title in names else names[0]
        odd = parts.odd_cells(sheet_name)
        sheet = book.get_sheet_by_name(sheet_name)
        if sheet.total_height > MAX_ROWS or sheet.total_width > MAX_COLUMNS:
            raise too_large(f"工作表超过 {MAX_ROWS} 行或 {MAX_COLUMNS} 列，请拆分后导入。",
                             f"The sheet has more than {MAX_ROWS} rows or {MAX_COLUMNS} columns; split it.")  # fmt: skip
        top, left = sheet.start or (0, 0)
        rows = enumerate(sheet.to_python(skip_empty_area=True), top + 1)
    except (CalamineError, IndexError, ValueError) as exc:
        raise invalid("unreadable", f"工作簿无法读取：{short(str(exc))}。请用 Excel 重新保存。",
                       f"The workbook cannot be read: {short(str(exc))}. Save it again with Excel.") from exc  # fmt: skip
    return _Reader(doctype, sheet_name, left, odd, defaults).run(rows)


class _Reader:
    """One pass over the rows: cells to texts, rows to documents, documents to their wrong cells."""

    def __init__(
        self, doctype: DocumentType, sheet: str, left: int, odd: OddCells, defaults: Mapping[str, str]
    ) -> None:
        self._type = doctype
        self._left = left
        self._odd = odd
        self._head = dict(defaults)
        line_names = {item.name for item in doctype.lines if item.filled_by == "strategy"}
        self._line = {name: value for name, value in defaults.items() if name in line_names}
        self._check = checker(doctype)
        self._result = SheetResult(sheet=sheet)
        self._group = next(c for c in doctype.sheet.columns if c.name == doctype.sheet.group)
        self._codes = {c.name for c in doctype.sheet.columns if field_of(doctype, c).type == "code"}
        self._heads = {c.name for c in doctype.sheet.columns if c.level == "head"}
        self._columns: list[tuple[int, SheetColumn]] = []
        self._letters: dict[str, str] = {}
        self._headers: dict[str, str] = {}
        #: row -> letters of its wrong cells, for all of them, told or not
        self._bad: dict[int, set[str]] = {}
        self._left_out = {"wrong": 0, "repairs": 0}

    def run(self, rows: Iterator[tuple[int, list[Any]]]) -> SheetResult:
        self._find_header(rows)
        groups: dict[str, list[_Row]] = {}
        orphans: list[_Row] = []
        for row, cells in rows:
            values = self._values(row, cells)
            if not values and row not in self._bad:
                continue
            self._result.rows += 1
            number = values.get(self._group.name)
            if number is None:
                orphans.append((row, values))
            else:
                groups.setdefault(number, []).append((row, values))
        if not self._result.rows:
            raise invalid("no-rows", "表头下没有任何数据行，请填写后重新导入。",
                           "There are no rows below the header; fill them in and import again.")  # fmt: skip
        for members in groups.values():
            self._document(members)
        for orphan in orphans:
            self._document([orphan])
        self._result.wrong = bounded(self._result.wrong, self._left_out["wrong"])
        self._result.repairs = bounded(self._result.repairs, self._left_out["repairs"])
        return self._result

    def _find_header(self, rows: Iterator[tuple[int, list[Any]]]) -> None:
        wanted = {column.header: column for column in self._type.sheet.columns}
        for _, (_, cells) in zip(range(HEADER_ROWS), rows, strict=False):
            titles = [_EDGE.sub("", str(cell)) for cell in cells]
            if self._group.header not in titles:
                continue
            _one_of_each(wanted, titles)
            self._columns = [(titles.index(header), column) for header, column in wanted.items()]
            for index, column in self._columns:
                self._letters[column.name] = letter(index + self._left)
                self._headers[column.name] = column.header
            self._result.group_letter = self._letters[self._group.name]
            return
        raise invalid("no-header", f"前 {HEADER_ROWS} 行中没有表头“{self._group.header}”，请使用下载的模板。",
                       f"No header “{self._group.header}” in the first {HEADER_ROWS} rows; use the template.")  # fmt: skip

    def _values(self, row: int, cells: Sequence[Any]) -> dict[str, str]:
        """The texts of one row by field; what is no text is refused or, where harmless, read with a note."""
        values: dict[str, str] = {}
        odd = self._odd
        for index, column in self._columns:
            cell = cells[index] if index < len(cells) else ""
            name = column.name
            if type(cell) is str and (not odd or (row, self._letters[name]) not in odd):
                if cell:
                    edged = cell[0] in _BLANK or cell[-1] in _BLANK
                    text = self._trim(row, name, cell) if edged else cell
                    if text:
                        values[name] = text
                continue
            text = self._odd_cell(row, name, cell)
            if text:
                values[name] = text
        return values

    def _trim(self, row: int, name: str, cell: str) -> str:
        trimmed = _EDGE.sub("", cell)
        if trimmed:
            words = Words(
                f"首尾空格已去除，按“{short(trimmed)}”导入。",
                f"Blanks at the ends were removed; read as “{short(trimmed)}”.",
            )
            self._tell("repairs", self._cell(row, name, cell, "trimmed", words))
        return trimmed

    def _odd_cell(self, row: int, name: str, cell: Any) -> str:
        """A cell that is no plain text: refused, or read as text with a visible note.

        A refused document number is handed on all the same: its row belongs to that document and must not be lost
        from it in silence.
        """
        shown = _number_text(cell) if type(cell) in (int, float) else str(cell)
        odd = self._odd.get((row, self._letters[name]))
        if odd is None and type(cell) not in (int, float):
            odd = "date"
        if odd is not None:
            code, words = _ODD_WORDS[odd]
        elif name in self._codes:
            code, words = (
                "numeric-cell",
                Words(
                    f"单元格为数字格式（{shown}），可能丢失前导零；代码列必须为文本格式，请改为文本后重填。",
                    f"The cell is a number ({shown}) and may have lost a leading zero; code columns must be text.",
                ),
            )
        else:
            words = Words(
                f"数字格式的单元格按文本“{shown}”读取。", f"A number cell was read as the text “{shown}”."
            )
            self._tell("repairs", self._cell(row, name, shown, "number-read-as-text", words))
            return shown
        self._wrong(self._cell(row, name, shown, code, words))
        return shown if name == self._group.name else ""

    def _document(self, members: list[_Row]) -> None:
        head = dict(self._head)
        lines = []
        for row, values in members:
            line = dict(self._line)
            for name, value in values.items():
                if name not in self._heads:
                    line[name] = value
                elif row == members[0][0] or name not in members[0][1]:
                    head[name] = value
                elif head[name] != value:
                    self._head_differs(row, name, value, head[name], members[0][0])
            lines.append(line)
        body = {"head": head, "lines": lines}
        rows = [row for row, _ in members]
        for wrong in self._check.wrongs(body):
            self._wrong(self._place(wrong, rows))
        if self._bad.keys().isdisjoint(rows):
            self._result.documents.append((complete(self._type, body), rows[0]))
        else:
            self._result.rejected += 1

    def _head_differs(self, row: int, name: str, value: str, known: str, first: int) -> None:
        words = Words(
            f"与同一单据第 {first} 行的“{short(known)}”不一致，请统一。",
            f"Differs from “{short(known)}” in row {first} of the same document; make them equal.",
        )
        self._wrong(self._cell(row, name, value, "mismatch", words))

    def _place(self, wrong: Wrong, rows: Sequence[int]) -> CellWrong:
        """The cell of a wrong field; fields that no column holds come from the strategy or are worked out."""
        index = wrong.path[1] if wrong.path[:1] == ("lines",) and len(wrong.path) > 1 else 0
        row = rows[min(int(index), len(rows) - 1)]
        name = str(wrong.path[-1]) if wrong.path else ""
        if name in self._letters:
            return self._cell(row, name, wrong.value, wrong.code, wrong.words)
        field = next((item for item in (*self._type.head, *self._type.lines) if item.name == name), None)
        if field is None:
            return self._cell(row, self._group.name, wrong.value, wrong.code, wrong.words)
        words = Words(f"{field.zh}：{wrong.words.zh}", f"{field.en}: {wrong.words.en}")
        if field.filled_by == "computed":
            return self._cell(row, self._group.name, wrong.value, wrong.code, words)
        words = Words(f"业务策略中的{words.zh}", f"In the strategy, {words.en}")
        return CellWrong(self._result.sheet, row, "业务策略", "", wrong.value, wrong.code, words.zh, words.en)

    def _cell(self, row: int, name: str, value: str, code: str, words: Words) -> CellWrong:
        return CellWrong(
            self._result.sheet, row, self._headers[name], self._letters[name], short(value, 200), code,
            words.zh, words.en,
        )  # fmt: skip

    def _wrong(self, cell: CellWrong) -> None:
        """Tell of a wrong cell, once."""
        known = self._bad.setdefault(cell.row, set())
        if cell.letter not in known or not cell.letter:
            known.add(cell.letter)
            self._tell("wrong", cell)

    def _tell(self, what: str, cell: CellWrong) -> None:
        cells: list[CellWrong] = getattr(self._result, what)
        if len(cells) < MAX_TOLD:
            cells.append(cell)
        else:
            self._left_out[what] += 1


def _one_of_each(wanted: Iterable[str], titles: Sequence[str]) -> None:
    missing = "、".join(header for header in wanted if header not in titles)
    if missing:
        raise invalid("missing-column", f"缺少列：{missing}，请使用下载的模板。",
                       f"Columns are missing: {missing}; use the template.")  # fmt: skip
    double = "、".join(header for header in wanted if titles.count(header) > 1)
    if double:
        raise invalid("duplicate-column", f"表头重复：{double}，无法判断以哪一列为准，请删除多余的列。",
                       f"Headers stand twice: {double}; it is unclear which column counts. Delete the others.")  # fmt: skip


def _number_text(cell: float) -> str:
    return str(cell) if isinstance(cell, int) else format(Decimal(repr(cell)).normalize(), "f")
