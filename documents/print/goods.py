"""Which fields of goods lines become columns, how wide, and what goes below a line instead.

Every field with a value is printed: what does not fit beside the others stands under its line with its label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reportlab.lib.units import mm

from documents import show
from documents.print.paper import Block, Paper
from documents.print.rows import Column, Table
from documents.spec import DocumentType, Field

SIZE = 7.5
_PAD = 2.6 * mm
#: no text column is narrower than this where it must wrap, and none asks for more than that
_LEAST, _MOST = 13 * mm, 46 * mm
#: codes up to this width are not broken
_CODE = 20 * mm
#: how narrow a label may become
_LABEL = 7 * mm
#: characters; what may be longer is a remark, not a column
_COLUMN_LENGTH = 300


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A field with its shown values. least: points below which its column must not go; wish: what it would like."""

    field: Field
    values: tuple[str, ...]
    least: float
    wish: float


def blocks(
    paper: Paper, doctype: DocumentType, lines: Sequence[Mapping[str, str]], language: str
) -> list[Block]:
    """The lines as a table."""
    found = [_candidate(paper, field, lines, language, doctype.line_number) for field in doctype.lines]
    there = [item for item in found if item.field.required or any(item.values)]
    columns = _columns(paper, there)
    below = [item for item in there if item not in columns]
    widths = _widths(paper, columns)
    table = Table(
        paper,
        [
            Column(item.field.words.as_dict()[language], width, right=_right(item.field))
            for item, width in zip(columns, widths, strict=True)
        ],
        SIZE,
    )
    rows = [
        ([item.values[index] for item in columns], _remark(below, index, language))
        for index in range(len(lines))
    ]
    return list(table.blocks(rows))


def _right(field: Field) -> bool:
    return field.type in ("decimal", "integer")


def _candidate(
    paper: Paper, field: Field, lines: Sequence[Mapping[str, str]], language: str, number: str
) -> _Candidate:
    face = paper.face
    shown = show.shower(field, language)
    numbered = field.name == number
    values = tuple(
        shown(str(line.get(field.name) or (index if numbered else ""))) for index, line in enumerate(lines, 1)
    )
    longest = max((face.width(face.clean(value), SIZE) for value in values), default=0.0)
    label = face.clean(field.words.as_dict()[language])
    # a label may take several lines, but no word of it; a number takes one
    word = max(face.width(part, SIZE) for part in face.wrap(label, SIZE, _LABEL))
    wish = min(max(longest, face.width(label, SIZE)) + _PAD, _MOST)
    whole = _right(field) or (field.type == "code" and longest <= _CODE)
    least = max(word, longest if whole else min(longest, _LEAST)) + _PAD
    return _Candidate(field, values, least, max(wish, least))


def _columns(paper: Paper, found: Sequence[_Candidate]) -> list[_Candidate]:
    """Those that fit beside each other; what can be done without goes first."""
    columns = [item for item in found if item.field.length <= _COLUMN_LENGTH]
    while len(columns) > 1 and sum(item.least for item in columns) > paper.width:
        position = {id(item): index for index, item in enumerate(columns)}
        worst = max(
            columns, key=lambda item: (not item.field.required, item.field.length, position[id(item)])
        )
        columns.remove(worst)
    return columns


def _widths(paper: Paper, columns: Sequence[_Candidate]) -> list[float]:
    """All of the page: first what is needed, then what is wished for, then what is left to the texts."""
    widths = [item.least for item in columns]
    missing = [item.wish - item.least for item in columns]
    left = paper.width - sum(widths)
    asked = sum(missing)
    share = min(1.0, left / asked) if asked else 0.0
    widths = [width + more * share for width, more in zip(widths, missing, strict=True)]
    left = paper.width - sum(widths)
    texts = [index for index, item in enumerate(columns) if item.field.type == "text"]
    texts = texts or [index for index, item in enumerate(columns) if not _right(item.field)]
    texts = texts or list(range(len(columns)))
    for index in texts:
        widths[index] += left / len(texts)
    return widths


def _remark(below: Sequence[_Candidate], index: int, language: str) -> str:
    colon, between = ("：", "　") if language == "zh" else (": ", "   ")
    return between.join(
        f"{item.field.words.as_dict()[language]}{colon}{item.values[index]}"
        for item in below
        if item.values[index]
    )
