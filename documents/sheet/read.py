"""Rows of an uploaded workbook to documents, every wrong cell named.

May meet hostile files: run it in a child process with memory and time limits (filing.sheet_process). Cells are
texts; in code columns nothing else is taken, because Excel eats leading zeros of numbers.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from documents.body import complete
from documents.check import BLANKS, Checker, checker
from documents.sheet.look import look
from documents.sheet.model import CellWrong, SheetResult, field_of, invalid, letter, too_large
from documents.spec import DocumentType, SheetColumn
from documents.words import Words, Wrong

MAX_ROWS = 100_000
MAX_COLUMNS = 256
#: how many rows from the top the header may stand
HEADER_ROWS = 10

_EDGE = re.compile(f"^[{BLANKS}]+|[{BLANKS}]+$")
#: columns beyond the third letter or rows of seven digits: no template reaches there, only a bomb does
_FAR_CELL = re.compile(rb'\br="(?:[A-Z]{3,}[0-9]|[A-Z]+[1-9][0-9]{6})')
_FORMULA = re.compile(rb"<(?:\w+:)?f[ >/]")
_FORMULA_CELL = re.compile(
    rb'<(?:\w+:)?c (?:[^>]*? )?r="([A-Z]+)([0-9]+)"[^>]*>(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?f[ >/]', re.DOTALL
)


def read(doctype: DocumentType, content: bytes, defaults: Mapping[str, str]) -> SheetResult:
    """Rows to documents. defaults: head fields from the strategy. Raises SheetProblem for the file as a whole."""
    look(content)
    formulas = _scan_parts(content)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        names = book.sheet_names
        sheet_name = doctype.sheet.title if doctype.sheet.title in names else names[0]
        sheet = book.get_sheet_by_name(sheet_name)
        if sheet.total_height > MAX_ROWS or sheet.total_width > MAX_COLUMNS:
            raise too_large(f"工作表超过 {MAX_ROWS} 行或 {MAX_COLUMNS} 列，请拆分后导入。",
                             f"The sheet has more than {MAX_ROWS} rows or {MAX_COLUMNS} columns; split it.")  # fmt: skip
        top, left = sheet.start or (0, 0)
        rows = _numbered(sheet.to_python(skip_empty_area=True), top + 1)
    except (CalamineError, IndexError, ValueError) as exc:
        raise invalid("unreadable", f"工作簿无法读取：{exc}。请用 Excel 重新保存。",
                       f"The workbook cannot be read: {exc}. Save it again with Excel.") from exc  # fmt: skip
    return _Reader(doctype, sheet_name, left, formulas.get(names.index(sheet_name), set()), defaults).run(
        rows
    )


def _numbered(rows: list[list[Any]], first: int) -> Iterator[tuple[int, list[Any]]]:
    return enumerate(rows, first)


def _scan_parts(content: bytes) -> dict[int, set[tuple[int, str]]]:
    """Refuse unsafe XML and far-away cells; find formula cells, which the reader shows as their cached value.

    Returns sheet index -> {(row, letter)}; sheets are named sheet1.xml, sheet2.xml … in order of the workbook.
    """
    formulas: dict[int, set[tuple[int, str]]] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for entry in archive.infolist():
            if not entry.filename.lower().endswith((".xml", ".rels")):
                continue
            try:
                part = archive.read(entry)
            except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError) as exc:
                raise invalid("truncated", "文件已损坏或不完整，请重新保存后上传。",
                               "The file is damaged or cut short; save it again and upload.") from exc  # fmt: skip
            if b"<!DOCTYPE" in part or b"<!ENTITY" in part:
                raise invalid(
                    "unsafe-xml",
                    "文件含不安全的 XML 声明，已拒绝。",
                    "The file has an unsafe XML declaration.",
                )
            sheet = re.fullmatch(r"xl/worksheets/sheet([0-9]{1,4})\.xml", entry.filename)
            if sheet:
                if _FAR_CELL.search(part):
                    raise invalid("too-many-cells", f"工作表超过 {MAX_ROWS} 行或 {MAX_COLUMNS} 列，请删除多余的空行空列。",
                                   f"The sheet exceeds {MAX_ROWS} rows or {MAX_COLUMNS} columns; delete empty ones.")  # fmt: skip
                if _FORMULA.search(part):
                    cells = {(int(row), letter.decode()) for letter, row in _FORMULA_CELL.findall(part)}
                    formulas[int(sheet.group(1)) - 1] = cells
    return formulas


class _Reader:
    """One pass over the rows: cells to texts, rows to documents, documents to their wrong cells."""

    def __init__(
        self,
        doctype: DocumentType,
        sheet: str,
        left: int,
        formulas: set[tuple[int, str]],
        defaults: Mapping[str, str],
    ) -> None:
        self._type = doctype
        self._left = left
        self._formulas = formulas
        self._head = dict(defaults)
        line_names = {item.name for item in doctype.lines if item.filled_by == "strategy"}
        self._line = {name: value for name, value in defaults.items() if name in line_names}
        self._check: Checker = checker(doctype)
        self._result = SheetResult(sheet=sheet)
        self._group = next(c for c in doctype.sheet.columns if c.name == doctype.sheet.group)
        self._codes = {c.name for c in doctype.sheet.columns if field_of(doctype, c).type == "code"}
        self._numbers = {c.name for c in doctype.sheet.columns if field_of(doctype, c).type == "decimal"}
        self._columns: list[tuple[int, SheetColumn]] = []
        self._letters: dict[str, str] = {}

    def run(self, rows: Iterator[tuple[int, list[Any]]]) -> SheetResult:
        self._find_header(rows)
        groups: dict[str, list[tuple[int, dict[str, str]]]] = {}
        orphans: list[tuple[int, dict[str, str]]] = []
        bad: set[int] = set()
        columns = [(index, column.name) for index, column in self._columns]
        edge_free = _EDGE.search
        group = self._group.name
        for row, cells in rows:
            values: dict[str, str] = {}
            for index, name in columns:
                cell = cells[index] if index < len(cells) else ""
                if type(cell) is str and (row, self._letters[name]) not in self._formulas:
                    if cell:
                        if edge_free(cell):
                            cell = self._trim(row, name, cell)
                        if cell:
                            values[name] = cell
                    continue
                text = self._odd_cell(row, name, cell, bad)
                if text:
                    values[name] = text
            if not values and row not in bad:
                continue
            self._result.rows += 1
            if group in values:
                groups.setdefault(values[group], []).append((row, values))
            else:
                orphans.append((row, values))
        for members in groups.values():
            self._document(members, bad)
        for orphan in orphans:
            self._document([orphan], bad)
        self._result.wrong.sort(key=lambda w: (w.row, w.letter))
        return self._result

    def _find_header(self, rows: Iterator[tuple[int, list[Any]]]) -> None:
        wanted = {column.header: column for column in self._type.sheet.columns}
        for _, cells in (pair for pair, _ in zip(rows, range(HEADER_ROWS), strict=False)):
            titles = [str(cell).strip() for cell in cells]
            if self._group.header not in titles:
                continue
            missing = [header for header in wanted if header not in titles]
            if missing:
                names = "、".join(missing)
                raise invalid("missing-column", f"缺少列：{names}，请使用下载的模板。",
                               f"Columns are missing: {names}; use the template.")  # fmt: skip
            self._columns = [(titles.index(header), column) for header, column in wanted.items()]
            for index, column in self._columns:
                self._letters[column.name] = letter(index + self._left)
            return
        raise invalid("no-header", f"前 {HEADER_ROWS} 行中没有表头“{self._group.header}”，请使用下载的模板。",
                       f"No header “{self._group.header}” in the first {HEADER_ROWS} rows; use the template.")  # fmt: skip

    def _cell(self, row: int, name: str, value: str, code: str, words: Words) -> CellWrong:
        header = next(column.header for _, column in self._columns if column.name == name)
        return CellWrong(
            self._result.sheet, row, header, self._letters[name], value[:200], code, words.zh, words.en
        )

    def _trim(self, row: int, name: str, cell: str) -> str:
        trimmed = _EDGE.sub("", cell)
        if trimmed:
            words = Words(
                f"首尾空格已去除，按“{trimmed}”导入。",
                f"Blanks at the ends were removed; read as “{trimmed}”.",
            )
            self._result.repairs.append(self._cell(row, name, cell, "trimmed", words))
        return trimmed

    def _odd_cell(self, row: int, name: str, cell: Any, bad: set[int]) -> str:
        """A cell that is no plain text: refused, or read as text with a visible note."""
        if (row, self._letters[name]) in self._formulas:
            words = Words(
                "单元格为公式，请改为文本值。", "The cell is a formula; replace it by its value as text."
            )
            self._wrong_cell(row, name, str(cell), "formula-cell", words, bad)
            return ""
        if isinstance(cell, bool) or not isinstance(cell, int | float):
            words = Words(
                "单元格为日期或逻辑值，请改为文本格式。",
                "The cell is a date or a truth value; format it as text.",
            )
            self._wrong_cell(row, name, str(cell), "not-a-text-cell", words, bad)
            return ""
        shown = _number_text(cell)
        if name in self._codes:
            words = Words(
                f"单元格为数字格式（{shown}），可能丢失前导零；代码列必须为文本格式，请改为文本后重填。",
                f"The cell is a number ({shown}) and may have lost a leading zero; code columns must be text.",
            )
            self._wrong_cell(row, name, shown, "numeric-cell", words, bad)
            return ""
        words = Words(
            f"数字格式的单元格按文本“{shown}”读取。", f"A number cell was read as the text “{shown}”."
        )
        self._result.repairs.append(self._cell(row, name, shown, "number-read-as-text", words))
        return shown

    def _wrong_cell(self, row: int, name: str, value: str, code: str, words: Words, bad: set[int]) -> None:
        self._result.wrong.append(self._cell(row, name, value, code, words))
        bad.add(row)

    def _document(self, members: list[tuple[int, dict[str, str]]], bad: set[int]) -> None:
        group = self._group.name
        first_row, first = members[0]
        head = dict(self._head)
        if group in first:
            head[group] = first[group]
        lines = []
        for _, values in members:
            line = {**self._line, **values}
            line.pop(group, None)
            lines.append(line)
        body = {"head": head, "lines": lines}
        wrongs = self._check.wrongs(body)
        cell_rows = [row for row, _ in members]
        known = (
            {(w.row, w.letter) for w in self._result.wrong if w.row in bad}
            if bad.intersection(cell_rows)
            else set()
        )
        for wrong in wrongs:
            cell = self._place(wrong, cell_rows)
            if (cell.row, cell.letter) not in known:
                self._result.wrong.append(cell)
        if wrongs or known:
            self._result.rejected += 1
        else:
            self._result.documents.append((complete(self._type, body), first_row))

    def _place(self, wrong: Wrong, rows: list[int]) -> CellWrong:
        """The cell of a wrong field; fields that no column holds come from the strategy."""
        index = wrong.path[1] if wrong.path[:1] == ("lines",) and len(wrong.path) > 1 else 0
        row = rows[min(int(index), len(rows) - 1)]
        name = str(wrong.path[-1]) if wrong.path else ""
        if name in self._letters:
            return self._cell(row, name, wrong.value, wrong.code, wrong.words)
        if wrong.code == "too-many-lines":
            return self._cell(row, self._group.name, wrong.value, wrong.code, wrong.words)
        words = Words(f"业务策略中的 {name}：{wrong.words.zh}", f"{name} of the strategy: {wrong.words.en}")
        return CellWrong(
            self._result.sheet, row, "业务策略", "", wrong.value[:200], wrong.code, words.zh, words.en
        )


def _number_text(cell: float) -> str:
    return str(cell) if isinstance(cell, int) else format(Decimal(repr(cell)).normalize(), "f")
