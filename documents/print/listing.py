"""The printed table of what a query finds: A4 lying, the columns that the query page shows, headings on each page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reportlab.lib.units import mm

from documents import show
from documents.print.fonts import Face
from documents.print.form import imprint
from documents.print.model import Printing
from documents.print.paper import ACCENT, QUIET, Block, Paper, Sheet, gap
from documents.print.rows import Column, Table
from documents.spec import DocumentType

#: rows that one print may have
LIMIT = 500
SIZE = 7.0


def listing(
    face: Face,
    doctype: DocumentType,
    rows: Sequence[Any],
    printing: Printing,
    *,
    conditions: Sequence[str] = (),
    more: bool = False,
    chosen: Sequence[str] = (),
) -> bytes:
    """A PDF. rows: as for show.Columns. conditions: what was asked for, in words. more: the query finds more rows.

    chosen: columns in their order; none = those that are shown unless chosen otherwise.
    """
    language = printing.language
    paper = Paper(face, lying=True)
    shown = show.Columns(doctype, language, brief=True, chosen=chosen)
    unit = paper.width / sum(shown.widths)
    columns = [
        Column(title, width * unit, right=right)
        for title, width, right in zip(shown.titles, shown.widths, shown.right, strict=True)
    ]
    title = f"{doctype.title.en}: query result" if language == "en" else f"{doctype.title.zh}查询结果"
    blocks = [_title(paper, title, _count(len(rows), language, more=more)), *_asked(paper, conditions)]
    table = Table(paper, columns, SIZE)
    blocks += table.blocks([(shown.texts(row), "") for row in rows], banded=True)
    return paper.pdf(blocks, imprint(title, printing), title)


def _count(rows: int, language: str, *, more: bool) -> str:
    if language == "en":
        return f"The first {rows} rows; the query finds more" if more else f"{rows} rows"
    return f"仅打印前 {rows} 单，查询结果更多" if more else f"共 {rows} 单"


def _title(paper: Paper, title: str, count: str) -> Block:
    face = paper.face

    def paint(sheet: Sheet, y: float) -> None:
        sheet.text(paper.left, y + 6 * mm, face.clean(title), 15)
        sheet.text_right(paper.left + paper.width, y + 6 * mm, face.clean(count), 9, QUIET)
        sheet.rule(paper.left, y + 8.6 * mm, paper.width, 1.1, ACCENT)

    return Block(10.5 * mm, paint)


def _asked(paper: Paper, conditions: Sequence[str]) -> list[Block]:
    if not conditions:
        return []
    lines = paper.face.wrap("　".join(conditions), 8, paper.width)[:6]

    def paint(sheet: Sheet, y: float) -> None:
        for index, line in enumerate(lines):
            sheet.text(paper.left, y + 8 + index * 11, line, 8, QUIET)

    return [Block(len(lines) * 11, paint), gap(1.5 * mm)]
