"""Tables over several pages: a heading that is repeated, cells whose text is wrapped, rows cut where a page ends.

Widths are given by whoever knows what the columns hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reportlab.lib.units import mm

from documents.print.paper import BAND, INK, LINE, QUIET, SHADE, Block, Paper, Sheet

_LEADING = 1.28
_PAD = 1.1 * mm
#: lines of a row that stay together
_ROW_LINES = 24


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title, width in points, and whether its values stand on the right."""

    title: str
    width: float
    right: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows are made into blocks one by one; size: points of their letters."""

    paper: Paper
    columns: Sequence[Column]
    size: float

    def inner(self, column: Column) -> float:
        """Points of text that fit into a cell of the column."""
        return column.width - 2 * _PAD

    def heading(self) -> Block:
        """The titles; stands with the first row."""
        titles = [self.paper.face.wrap(item.title, self.size, self.inner(item)) for item in self.columns]
        return self._cells(titles, shade=True, glued=True)

    def blocks(self, rows: Sequence[tuple[Sequence[str], str]], *, banded: bool = False) -> Iterator[Block]:
        """(cells, remark) of each row. The remark stands below its row, across the table; "" where there is none."""
        heading = self.heading()
        yield heading
        repeated = Block(heading.height, heading.paint)
        for number, (cells, remark) in enumerate(rows):
            shade = banded and number % 2 == 1
            wrapped = [
                self.paper.face.wrap(text, self.size, self.inner(column))
                for text, column in zip(cells, self.columns, strict=True)
            ]
            most = max(len(found) for found in wrapped)
            for begin in range(0, most, _ROW_LINES):
                part = [found[begin : begin + _ROW_LINES] for found in wrapped]
                last = begin + _ROW_LINES >= most
                block = self._cells(part, band=shade, glued=last and bool(remark), heading=repeated)
                yield block
            if remark:
                yield from self._remark(remark, repeated, band=shade)

    def _cells(
        self,
        lines: Sequence[Sequence[str]],
        *,
        shade: bool = False,
        band: bool = False,
        glued: bool = False,
        heading: Block | None = None,
    ) -> Block:
        paper, size = self.paper, self.size
        height = max(len(found) for found in lines) * size * _LEADING + 2 * _PAD
        color = QUIET if shade else INK

        def paint(sheet: Sheet, y: float) -> None:
            if shade or band:
                sheet.box(paper.left, y, paper.width, height, SHADE if shade else BAND)
            x = paper.left
            for column, found in zip(self.columns, lines, strict=True):
                for number, line in enumerate(found):
                    at = y + _PAD + size * 0.95 + number * size * _LEADING
                    if column.right:
                        sheet.text_right(x + column.width - _PAD, at, line, size, color)
                    else:
                        sheet.text(x + _PAD, at, line, size, color)
                sheet.stroke(x, y, height)
                x += column.width
            sheet.stroke(paper.left + paper.width, y, height)
            sheet.rule(paper.left, y, paper.width, color=LINE)
            sheet.rule(paper.left, y + height, paper.width, color=LINE)

        return Block(height, paint, glued=glued, heading=heading)

    def _remark(self, text: str, heading: Block, *, band: bool) -> Iterator[Block]:
        indent = 5 * mm
        whole = Column("", self.paper.width)
        lines = self.paper.face.wrap(text, self.size - 0.5, self.paper.width - indent - 2 * _PAD)
        for begin in range(0, len(lines), _ROW_LINES):
            yield self._across(lines[begin : begin + _ROW_LINES], indent, whole, heading, band=band)

    def _across(
        self, lines: Sequence[str], indent: float, whole: Column, heading: Block, *, band: bool
    ) -> Block:
        paper, size = self.paper, self.size - 0.5
        height = len(lines) * size * _LEADING + 1.4 * _PAD

        def paint(sheet: Sheet, y: float) -> None:
            if band:
                sheet.box(paper.left, y, whole.width, height, BAND)
            for number, line in enumerate(lines):
                at = y + 0.4 * _PAD + size * 0.95 + number * size * _LEADING
                sheet.text(paper.left + indent, at, line, size, QUIET)
            for x in (paper.left, paper.left + whole.width):
                sheet.stroke(x, y, height)
            sheet.rule(paper.left, y + height, whole.width)

        return Block(height, paint, heading=heading)
