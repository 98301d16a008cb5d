"""Rows of an uploaded workbook to documents, every wrong cell named.

May meet hostile files: run it in a child process with memory and time limits (filing.sheet_process). Cells are
texts; in code columns nothing else is taken, because Excel eats leading zeros of numbers.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from documents import strategy
from documents.body import complete, split
from documents.check import checker
from documents.sheet import layout
from documents.sheet.cells import (
    BLANK,
    ODD_WORDS,
    Slot,
    date_text,
    number_text,
    read_as,
    trimmed,
    written_date,
)
from documents.sheet.layout import Place
from documents.sheet.look import look
from documents.sheet.model import (
    MAX_TOLD,
    CellWrong,
    Reading,
    SheetResult,
    bounded,
    field_of,
    invalid,
    sheet_of,
    too_large,
)
from documents.sheet.parts import OddCells, Parts
from documents.spec import DocumentType
from documents.words import Words, Wrong, short

MAX_ROWS = 100_000
MAX_COLUMNS = 256

#: a row with content: its number, head values, line values
_Row = tuple[int, dict[str, str], dict[str, str]]
Rows = Iterator[tuple[int, list[Any]]]


def read(doctype: DocumentType, content: bytes, reading: Reading) -> SheetResult:
    """Rows to documents. Raises SheetProblem for the file as a whole."""
    name, left, odd, rows = open_sheet(content, sheet_of(doctype).title)
    return _Reader(doctype, name, odd, reading).run(rows, left)


def open_sheet(content: bytes, title: str) -> tuple[str, int, OddCells, Rows]:
    """The sheet of that title, or the first one: its name, first column, odd cells and rows with their numbers."""
    look(content)
    parts = Parts(content)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        names = book.sheet_names
        name = title if title in names else names[0]
        odd = parts.odd_cells(name)
        sheet = book.get_sheet_by_name(name)
        if sheet.total_height > MAX_ROWS or sheet.total_width > MAX_COLUMNS:
            raise too_large(f"工作表超过 {MAX_ROWS} 行或 {MAX_COLUMNS} 列，请拆分后导入。",
                             f"The sheet has more than {MAX_ROWS} rows or {MAX_COLUMNS} columns; split it.")  # fmt: skip
        top, left = sheet.start or (0, 0)
        return name, left, odd, enumerate(sheet.to_python(skip_empty_area=True), top + 1)
    except (CalamineError, IndexError, ValueError) as exc:
        raise invalid("unreadable", f"工作簿无法读取：{short(str(exc))}。请用 Excel 重新保存。",
                       f"The workbook cannot be read: {short(str(exc))}. Save it again with Excel.") from exc  # fmt: skip


class _Reader:
    """One pass over the rows: cells to texts, rows to documents, documents to their wrong cells."""

    def __init__(self, doctype: DocumentType, sheet: str, odd: OddCells, reading: Reading) -> None:
        self._type = doctype
        self._odd = odd
        self._reading = reading
        self._head, self._line = strategy.fill(doctype, reading.trade_mode, reading.defaults)
        if reading.export_date and sheet_of(doctype).export_date:
            self._head[sheet_of(doctype).export_date] = reading.export_date
        for (level, name), value in reading.constants.items():
            (self._head if level == "head" else self._line)[name] = value
        self._check = checker(doctype)
        self._number = sheet_of(doctype).group
        self._result = SheetResult(sheet=sheet)
        self._fast: list[tuple[int, str, str, bool, bool, Slot]] = []
        self._at: dict[Place, Slot] = {}
        #: row -> letters of its wrong cells, for all of them, told or not
        self._bad: dict[int, set[str]] = {}
        self._left_out = {"wrong": 0, "repairs": 0}

    def run(self, rows: Rows, left: int) -> SheetResult:
        self._find_header(rows, left)
        documents: dict[str | int, list[_Row]] = {}
        for number, cells in rows:
            row = self._row(number, cells)
            if not row[1] and not row[2] and number not in self._bad:
                continue
            self._result.rows += 1
            documents.setdefault(self._document_of(row), []).append(row)
        if not self._result.rows:
            raise invalid("no-rows", "表头下没有任何数据行，请填写后重新导入。",
                           "There are no rows below the header; fill them in and import again.")  # fmt: skip
        for members in documents.values():
            self._document(members)
        self._result.wrong = bounded(self._result.wrong, self._left_out["wrong"])
        self._result.repairs = bounded(self._result.repairs, self._left_out["repairs"])
        return self._result

    def _find_header(self, rows: Rows, left: int) -> None:
        places: set[Place] = {("head", name) for name in self._head}
        places |= {("line", name) for name in self._line}
        found = layout.find(self._type, self._reading, places, rows, left)
        self._fast = [
            (
                slot.index,
                slot.name,
                slot.letter,
                slot.level == "head",
                slot.form in ("date", "datetime"),
                slot,
            )
            for slot in found.slots
        ]
        self._at = {(slot.level, slot.name): slot for slot in found.slots}
        self._result.group_letter, self._result.group_header = found.group.letter, found.group.header
        for column in found.absent:
            given = (column.level, column.name) in places or field_of(self._type, column).default is not None
            words = layout.absent_words(column, filled=given)
            cell = CellWrong(
                self._result.sheet, found.row, column.header, "", "", "column-absent", words.zh, words.en
            )
            self._tell("repairs", cell)

    def _document_of(self, row: _Row) -> str | int:
        """What rows of one document share: its number; a row that has none is a document of its own."""
        return row[1].get(self._number, row[0]) if self._type.lines else row[0]

    def _row(self, number: int, cells: Sequence[Any]) -> _Row:
        """The texts of one row by field; what is no text is refused or, where harmless, read with a note."""
        head: dict[str, str] = {}
        line: dict[str, str] = {}
        odd, width = self._odd, len(cells)
        # millions of cells: names in tuples, not attributes
        for index, name, letter, of_head, dated, slot in self._fast:
            cell = cells[index] if index < width else ""
            if type(cell) is str and (not odd or (number, letter) not in odd):
                if not cell:
                    continue
                text = self._trim(number, slot, cell) if cell[0] in BLANK or cell[-1] in BLANK else cell
                if dated and text:
                    text = self._written_date(number, slot, text)
            else:
                text = self._odd_cell(number, slot, cell)
            if text:
                (head if of_head else line)[name] = text
        return number, head, line

    def _trim(self, row: int, slot: Slot, cell: str) -> str:
        text, words = trimmed(cell)
        if text:
            self._tell("repairs", self._cell(row, slot, cell, "trimmed", words))
        return text

    def _written_date(self, row: int, slot: Slot, text: str) -> str:
        found = written_date(text, slot.form)
        if found is None:
            return text
        self._tell("repairs", self._cell(row, slot, text, "date-read", read_as(text, found)))
        return found

    def _odd_cell(self, row: int, slot: Slot, cell: Any) -> str:
        """A cell that is no plain text: refused, or read as text with a visible note.

        A refused document number is handed on all the same: its row belongs to that document and must not be lost
        from it in silence.
        """
        number = type(cell) in (int, float)
        shown = number_text(cell) if number else str(cell)
        odd = self._odd.get((row, slot.letter))
        if odd is None and not number:
            if isinstance(cell, date) and slot.form in ("date", "datetime"):
                text = date_text(cell, slot.form)
                self._tell("repairs", self._cell(row, slot, shown, "date-read", read_as(shown, text)))
                return text
            odd = "date"
        if odd is not None:
            code, words = ODD_WORDS[odd]
        elif slot.form == "code":
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
            self._tell("repairs", self._cell(row, slot, shown, "number-read-as-text", words))
            return shown
        self._wrong(self._cell(row, slot, shown, code, words))
        return shown if slot.group else ""

    def _document(self, members: list[_Row]) -> None:
        head = dict(self._head)
        said: dict[str, int] = {}
        lines = []
        #: the row of each line
        line_rows = []
        for row, values, line in members:
            for name, value in values.items():
                if name not in said:
                    said[name] = row
                    head[name] = value
                elif head[name] != value:
                    self._differs(row, name, value, head[name], said[name])
            # where a document need not have lines, a row without any value of one has none
            if self._type.lines and (line or self._type.message.min_lines):
                lines.append({**self._line, **line})
                line_rows.append(row)
        body = {"head": head, "lines": lines}
        rows = [row for row, _, _ in members]
        wrongs = self._check.wrongs(body)
        waiting = False
        for wrong in wrongs:
            if self._waits(wrong):
                waiting = True
            else:
                self._wrong(self._place(wrong, rows, line_rows))
        if self._bad.keys().isdisjoint(rows):
            self._keep(body if waiting else complete(self._type, body), rows[0], whole=not waiting)
        else:
            self._result.rejected += 1

    def _keep(self, body: dict[str, Any], row: int, *, whole: bool) -> None:
        """A right document, in as many parts as its messages need. whole: nothing of it is missing."""
        parts = list(split(self._type, body))
        if len(parts) > 1:
            wrongs = [wrong for part in parts for wrong in self._check.wrongs(part)] if whole else []
            if wrongs:
                self._wrong(self._place(wrongs[0], [row], []))
                self._result.rejected += 1
                return
            words = Words(
                f"共 {len(body['lines'])} 项，超过单个报文的 {self._type.message.split_lines} 项，已拆分为 {len(parts)} 份。",
                f"{len(body['lines'])} lines are more than the {self._type.message.split_lines} of one message; "
                f"split into {len(parts)} parts.",
            )
            slot = self._group
            self._tell("repairs", self._cell(row, slot, body["head"][slot.name], "split", words))
        self._result.documents += [(dict(part), row) for part in parts]

    def _waits(self, wrong: Wrong) -> bool:
        """Whether this may still be missing: basic data lacks what the strategy will fill in."""
        if not self._reading.basic or wrong.code != "required" or len(wrong.path) < 2:
            return False
        level, name = "head" if wrong.path[0] == "head" else "line", str(wrong.path[-1])
        fields = self._type.head if level == "head" else self._type.lines
        return any(item.name == name and item.filled_by == "strategy" for item in fields)

    def _differs(self, row: int, name: str, value: str, known: str, first: int) -> None:
        words = Words(
            f"与同一单据第 {first} 行的“{short(known)}”不一致，请统一。",
            f"Differs from “{short(known)}” in row {first} of the same document; make them equal.",
        )
        self._wrong(self._cell(row, self._at["head", name], value, "mismatch", words))

    @property
    def _group(self) -> Slot:
        return self._at["head", self._number]

    def _place(self, wrong: Wrong, rows: Sequence[int], line_rows: Sequence[int]) -> CellWrong:
        """The cell of a wrong field; fields that no column holds come from elsewhere or are worked out."""
        row = rows[0]
        place: Place = ("head", str(wrong.path[-1]) if wrong.path else "")
        if wrong.path[:1] == ("lines",) and len(wrong.path) > 1:
            of_lines = line_rows or rows
            row = of_lines[min(int(wrong.path[1]), len(of_lines) - 1)]
            place = ("line", str(wrong.path[-1]))
        slot = self._at.get(place)
        if slot is not None:
            return self._cell(row, slot, wrong.value, wrong.code, wrong.words)
        level, name = place
        fields = self._type.head if level == "head" else self._type.lines
        item = next((item for item in fields if item.name == name), None)
        if item is None:
            return self._cell(row, self._group, wrong.value, wrong.code, wrong.words)
        words = Words(f"{item.zh}：{wrong.words.zh}", f"{item.en}: {wrong.words.en}")
        source: Words | None = None
        if place in self._reading.constants:
            source = Words("列对应关系中的固定值", "Constant of the mapping")
        elif name == sheet_of(self._type).export_date and self._reading.export_date:
            source = Words("导入时所填的出口日期", "Export date of the import")
        elif item.filled_by == "strategy":
            source = Words("业务策略", "Strategy")
            words = Words(f"业务策略中的{words.zh}", f"In the strategy, {words.en}")
        if source is None:
            return self._cell(row, self._group, wrong.value, wrong.code, words)
        return CellWrong(
            self._result.sheet, row, source.zh, "", short(wrong.value, 200), wrong.code, words.zh, words.en
        )

    def _cell(self, row: int, slot: Slot, value: str, code: str, words: Words) -> CellWrong:
        return CellWrong(
            self._result.sheet, row, slot.header, slot.letter, short(value, 200), code, words.zh, words.en
        )

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
