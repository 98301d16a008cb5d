"""Pages: blocks put below each other, repeated headings, a foot with the number of pages.

Blocks say how high they are before anything is painted, so that "page 2 of 7" is known on page 1. Must never hold a
block that is higher than a page: what makes blocks cuts them.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas

from documents.print.fonts import Face
from documents.words import short

INK, QUIET, LINE = HexColor("#1B2430"), HexColor("#5B6673"), HexColor("#A9B3BF")
SHADE, BAND, ACCENT = HexColor("#EEF2F7"), HexColor("#F8FAFC"), HexColor("#1F4E8C")
MARGIN = 12 * mm
#: what is kept free above the foot, and above the blocks of pages after the first
FOOT = 10 * mm
RUNNING_HEAD = 7 * mm


class Sheet:
    """One page being painted; distances in points, y from the top of the page downwards."""

    def __init__(self, canvas: Canvas, face: Face, height: float) -> None:
        self.canvas = canvas
        self._face = face
        self._height = height

    def text(self, x: float, y: float, text: str, size: float, color: Color = INK) -> None:
        """One line of clean text; y is its base line."""
        self.canvas.setFillColor(color)
        self.canvas.setFont(self._face.name, size)
        self.canvas.drawString(x, self._height - y, text)

    def text_right(self, x: float, y: float, text: str, size: float, color: Color = INK) -> None:
        """The same, ending at x."""
        self.text(x - self._face.width(text, size), y, text, size, color)

    def box(self, x: float, y: float, width: float, height: float, color: Color) -> None:
        """A filled rectangle; y is its upper edge."""
        self.canvas.setFillColor(color)
        self.canvas.rect(x, self._height - y - height, width, height, stroke=0, fill=1)

    def frame(self, x: float, y: float, width: float, height: float) -> None:
        """A thin rectangle."""
        self._pen(0.4, LINE)
        self.canvas.rect(x, self._height - y - height, width, height, stroke=1, fill=0)

    def rule(self, x: float, y: float, width: float, thickness: float = 0.4, color: Color = LINE) -> None:
        """A line from x to the right."""
        self._pen(thickness, color)
        self.canvas.line(x, self._height - y, x + width, self._height - y)

    def stroke(self, x: float, y: float, height: float) -> None:
        """A thin line from y downwards."""
        self._pen(0.4, LINE)
        self.canvas.line(x, self._height - y, x, self._height - y - height)

    def up(self, y: float) -> float:
        """y as the canvas counts it, from the bottom."""
        return self._height - y

    def _pen(self, thickness: float, color: Color) -> None:
        self.canvas.setLineWidth(thickness)
        self.canvas.setStrokeColor(color)


Paint = Callable[[Sheet, float], None]


@dataclass(frozen=True, slots=True)
class Block:
    """Something of a height that is painted at a y. glued: the next block must stand on the same page.

    heading: what is painted above it where it is the first on a page.
    """

    height: float
    paint: Paint
    glued: bool = False
    heading: Block | None = None


@dataclass(frozen=True, slots=True)
class Imprint:
    """What every page says: its foot (left side), the words around the page number, and from page 2 on what it is."""

    foot: str
    page: str
    running: str


class Paper:
    """A4, upright or lying."""

    def __init__(self, face: Face, *, lying: bool = False) -> None:
        self.face = face
        self.size: tuple[float, float] = landscape(A4) if lying else A4
        self.left = MARGIN
        self.width = self.size[0] - 2 * MARGIN
        #: room for blocks on a page after the first, which has the least
        self.room = self.size[1] - 2 * MARGIN - FOOT - RUNNING_HEAD

    def pdf(self, blocks: Sequence[Block], imprint: Imprint, title: str) -> bytes:
        """The pages."""
        out = io.BytesIO()
        # without dates and random ids of its own: what is printed when is said by the caller
        canvas = Canvas(out, pagesize=self.size, invariant=1, pageCompression=1)
        canvas.setTitle(short(title, 200))
        pages = self._pages(blocks)
        for number, page in enumerate(pages, 1):
            sheet = Sheet(canvas, self.face, self.size[1])
            self._imprint(sheet, imprint, number, len(pages))
            y = MARGIN + (RUNNING_HEAD if number > 1 else 0)
            for block in page:
                block.paint(sheet, y)
                y += block.height
            canvas.showPage()
        canvas.save()
        return out.getvalue()

    def _pages(self, blocks: Sequence[Block]) -> list[list[Block]]:
        pages: list[list[Block]] = [[]]
        left = self.room + RUNNING_HEAD
        for index, block in enumerate(blocks):
            if pages[-1] and self._needed(blocks, index) > left:
                pages.append([block.heading] if block.heading else [])
                left = self.room - sum(item.height for item in pages[-1])
            pages[-1].append(block)
            left -= block.height
        return pages

    @staticmethod
    def _needed(blocks: Sequence[Block], index: int) -> float:
        height = blocks[index].height
        while blocks[index].glued and index + 1 < len(blocks):
            index += 1
            height += blocks[index].height
        return height

    def _imprint(self, sheet: Sheet, imprint: Imprint, number: int, total: int) -> None:
        y = self.size[1] - MARGIN
        right = self.left + self.width
        sheet.rule(self.left, y - 4 * mm, self.width)
        sheet.text(self.left, y, self.face.clean(imprint.foot), 7, QUIET)
        sheet.text_right(right, y, self.face.clean(imprint.page.format(number=number, total=total)), 7, QUIET)
        if number > 1:
            line = self.face.wrap(imprint.running, 7.5, self.width)[0]
            sheet.text(self.left, MARGIN + 2 * mm, line, 7.5, QUIET)
            sheet.rule(self.left, MARGIN + 4 * mm, self.width)


def gap(height: float) -> Block:
    """Empty room."""
    return Block(height, lambda _sheet, _y: None)
