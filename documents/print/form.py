"""The printed form of one document: what and where it is, its areas as labelled grids, its goods lines as a table."""

from __future__ import annotations

from reportlab.graphics.barcode.code128 import Code128
from reportlab.lib.colors import HexColor
from reportlab.lib.units import mm

from documents import show
from documents.describe import state_text
from documents.print import goods, grid
from documents.print.fonts import Face
from documents.print.grid import Cell
from documents.print.model import Printing, Stored
from documents.print.paper import ACCENT, QUIET, Block, Imprint, Paper, Sheet
from documents.spec import DocumentType, Field
from documents.words import Words

_COLORS = {"grey": "#5B6673", "blue": "#1F4E8C", "amber": "#9A5B00", "green": "#1E7A45", "red": "#B3261E"}
_FACTS = Words("状态与海关回执", "State and customs' answers")
_CONTINUED = Words("续", "continued")
_LINES = Words("明细", "Lines")
_LABELS = {
    "state": Words("状态", "State"),
    "customs_status": Words("海关状态", "Customs status"),
    "stored_at": Words("入库时间", "Stored"),
    "updated_at": Words("最近变更", "Last change"),
    "batch_no": Words("商品批次号", "Batch number"),
    "created_by": Words("制单人", "Made by"),
    "return_info": Words("回执信息", "Customs' words"),
    "revision": Words("版本", "Revision"),
}
#: lines that one print may have; some kinds take a hundred thousand, which nobody reads on paper
LINES = 1000
#: texts that may be longer than this are given a row of their own
_WIDE = 200
_BAR_HEIGHT = 11 * mm
#: widths of the narrowest bar: comfortable for any reader, and the least that common ones read
_MODULES = (0.33 * mm, 0.25 * mm, 0.19 * mm)


def document(face: Face, doctype: DocumentType, stored: Stored, printing: Printing) -> bytes:
    """A PDF, A4 upright. The same input makes the same bytes."""
    language = printing.language
    paper = Paper(face)
    title = _in(doctype.title, language)
    blocks = [_title(paper, title, stored.number), *_facts(paper, doctype, stored, language)]
    for name, words in doctype.areas:
        cells = [
            _cell(field, stored, language)
            for field in doctype.head
            if field.area == name and _shown(field, stored)
        ]
        blocks += grid.area(paper, _in(words, language), cells, _in(_CONTINUED, language))
    if doctype.lines and stored.lines:
        blocks.append(grid.bar(paper, _in(_LINES, language), _in(_count(len(stored.lines)), language)))
        blocks += goods.blocks(paper, doctype, stored.lines[:LINES], language)
    return paper.pdf(blocks, imprint(f"{title}  {stored.number}", printing), f"{title} {stored.number}")


def imprint(running: str, printing: Printing) -> Imprint:
    """What every page says: who printed when, and which page it is."""
    at = show.moment(printing.at)
    if printing.language == "en":
        return Imprint(f"Printed {at} (Asia/Shanghai) · {printing.by}", "Page {number} of {total}", running)
    return Imprint(f"打印时间 {at} · 打印人 {printing.by}", "第 {number} / {total} 页", running)


def _in(words: Words, language: str) -> str:
    return words.en if language == "en" else words.zh


def _count(lines: int) -> Words:
    if lines > LINES:
        return Words(
            f"共 {lines} 行，仅打印前 {LINES} 行，全部明细请导出",
            f"{lines} in all; the first {LINES} are printed, export them for the rest",
        )
    return Words(f"共 {lines} 行", f"{lines} in all")


def _title(paper: Paper, title: str, number: str) -> Block:
    bars = _barcode(number, paper.width * 0.72)
    room = paper.width - (bars.width + 6 * mm if bars else 0)
    size = 19.0
    lines = paper.face.wrap(title, size, room)
    while len(lines) > 1 and size > 12:
        size -= 1
        lines = paper.face.wrap(title, size, room)
    height = max(_BAR_HEIGHT + 7 * mm, len(lines) * size * 1.25 + 8 * mm)
    clean = paper.face.clean(number)

    def paint(sheet: Sheet, y: float) -> None:
        for index, line in enumerate(lines):
            sheet.text(paper.left, y + 8 * mm + index * size * 1.25, line, size)
        right = paper.left + paper.width
        if bars:
            bars.drawOn(sheet.canvas, right - bars.width, sheet.up(y + _BAR_HEIGHT))
            sheet.text_right(right, y + _BAR_HEIGHT + 3.6 * mm, clean, 8.5)
        else:
            sheet.text(paper.left, y + height - 3.4 * mm, clean, 10, QUIET)
        sheet.rule(paper.left, y + height - 1.6 * mm, paper.width, 1.1, ACCENT)

    return Block(height + 1.5 * mm, paint)


def _barcode(number: str, room: float) -> Code128 | None:
    """The number as Code 128, or None where it has other characters or would be too fine to be read."""
    if not number or not number.isascii() or not number.isprintable():
        return None
    for module in _MODULES:
        bars = Code128(number, barWidth=module, barHeight=_BAR_HEIGHT, quiet=0)
        if bars.width <= room:
            return bars
    return None


def _facts(paper: Paper, doctype: DocumentType, stored: Stored, language: str) -> list[Block]:
    state = doctype.lifecycle.by_name[stored.state]
    texts = {
        "customs_status": show.status(doctype, stored.customs_status, language),
        "stored_at": show.moment(stored.stored_at),
        "updated_at": show.moment(stored.updated_at),
        "batch_no": stored.batch_no,
        "created_by": stored.created_by,
        "revision": str(stored.revision) if stored.revision > 1 else "",
    }
    color = HexColor(_COLORS[state.colour])
    cells = [Cell(_in(_LABELS["state"], language), state_text(doctype, stored.state, language), color=color)]
    cells += [Cell(_in(_LABELS[name], language), text) for name, text in texts.items() if text]
    if stored.return_info:
        cells.append(Cell(_in(_LABELS["return_info"], language), stored.return_info, wide=True))
    return grid.area(paper, _in(_FACTS, language), cells, _in(_CONTINUED, language))


def _shown(field: Field, stored: Stored) -> bool:
    """A form shows its empty boxes, too, apart from those that only the system fills."""
    return field.filled_by != "system" or bool(stored.head.get(field.name))


def _cell(field: Field, stored: Stored, language: str) -> Cell:
    value = show.shower(field, language)(str(stored.head.get(field.name, "")))
    wide = field.type == "text" and field.length > _WIDE
    emphasis = {"color": ACCENT} if field.filled_by == "customs" else {}
    return Cell(_in(field.words, language), value, wide=wide, **emphasis)
