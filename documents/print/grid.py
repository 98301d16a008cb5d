"""Labelled cells in rows, as forms have them: a small label above its value, four columns, wide values span more.

Values longer than a page are cut into rows of their own, so that any text can be printed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reportlab.lib.colors import Color
from reportlab.lib.units import mm

from documents.print.fonts import Face
from documents.print.paper import ACCENT, INK, QUIET, SHADE, Block, Paper, Sheet, gap

COLUMNS = 4
LABEL, VALUE = 6.5, 9.0
_LEADING = 1.32
_PAD = 1.5 * mm
#: lines of a value that stand in one row; longer ones go on in the next row
_ROW_LINES = 30
_BAR = 5.6 * mm


@dataclass(frozen=True, slots=True)
class Cell:
    """A label with its value. wide: takes the whole row, as remarks do. colour: of the value."""

    label: str
    value: str
    wide: bool = False
    color: Color = INK


def bar(paper: Paper, title: str, note: str = "") -> Block:
    """The heading of an area; the next block stands on the same page."""
    face = paper.face

    def paint(sheet: Sheet, y: float) -> None:
        sheet.box(paper.left, y, paper.width, _BAR, SHADE)
        sheet.box(paper.left, y, 1 * mm, _BAR, ACCENT)
        sheet.text(paper.left + 3 * mm, y + 3.9 * mm, face.clean(title), 9, ACCENT)
        sheet.text_right(paper.left + paper.width - 2 * mm, y + 3.9 * mm, face.clean(note), 7.5, QUIET)

    return Block(_BAR, paint, glued=True)


def area(paper: Paper, title: str, cells: Sequence[Cell], continued: str) -> list[Block]:
    """A heading and its cells; nothing where there are none. continued: stands in the heading of a next page."""
    if not cells:
        return []
    blocks = [bar(paper, title)]
    again = bar(paper, title, continued)
    for row in _rows(paper, cells):
        blocks += _row_blocks(paper, row, again)
    return [*blocks, gap(2.6 * mm)]


@dataclass(frozen=True, slots=True)
class _Placed:
    cell: Cell
    left: float
    width: float


def _rows(paper: Paper, cells: Sequence[Cell]) -> Iterator[list[_Placed]]:
    """Cells side by side as long as they fit; what is left of a row goes to its last cell."""
    unit = paper.width / COLUMNS
    row: list[tuple[Cell, int]] = []
    for cell in cells:
        span = _span(paper.face, cell, unit)
        if row and sum(taken for _, taken in row) + span > COLUMNS:
            yield _placed(paper, row, unit)
            row = []
        row.append((cell, span))
    yield _placed(paper, row, unit)


def _span(face: Face, cell: Cell, unit: float) -> int:
    if cell.wide:
        return COLUMNS
    needed = max(face.width(face.clean(cell.value), VALUE), face.width(face.clean(cell.label), LABEL))
    # what needs little more than two columns is better read in two lines than across the page
    return 1 if needed <= unit - 2 * _PAD else 2


def _placed(paper: Paper, row: Sequence[tuple[Cell, int]], unit: float) -> list[_Placed]:
    placed: list[_Placed] = []
    x = paper.left
    for index, (cell, span) in enumerate(row):
        last = index == len(row) - 1
        width = paper.left + paper.width - x if last else span * unit
        placed.append(_Placed(cell, x, width))
        x += width
    return placed


def _row_blocks(paper: Paper, row: Sequence[_Placed], again: Block) -> Iterator[Block]:
    face = paper.face
    lines = [face.wrap(item.cell.value, VALUE, item.width - 2 * _PAD) for item in row]
    labels = [face.wrap(item.cell.label, LABEL, item.width - 2 * _PAD) for item in row]
    top = max(len(found) for found in labels) * LABEL * _LEADING
    most = max(len(found) for found in lines)
    for begin in range(0, most, _ROW_LINES):
        shown = [found[begin : begin + _ROW_LINES] for found in lines]
        heads = labels if begin == 0 else [[] for _ in labels]
        yield _one(row, heads, shown, again, top if begin == 0 else 0)


def _one(
    row: Sequence[_Placed],
    labels: Sequence[Sequence[str]],
    lines: Sequence[Sequence[str]],
    again: Block,
    top: float,
) -> Block:
    height = top + max(len(found) for found in lines) * VALUE * _LEADING + 2 * _PAD * 0.8

    def paint(sheet: Sheet, y: float) -> None:
        for item, label, value in zip(row, labels, lines, strict=True):
            sheet.frame(item.left, y, item.width, height)
            at = y + _PAD * 0.8
            for number, line in enumerate(label):
                sheet.text(item.left + _PAD, at + LABEL + number * LABEL * _LEADING, line, LABEL, QUIET)
            at += top
            for number, line in enumerate(value):
                place = at + VALUE * 0.98 + number * VALUE * _LEADING
                sheet.text(item.left + _PAD, place, line, VALUE, item.cell.color)

    return Block(height, paint, heading=again)
