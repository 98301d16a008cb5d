"""A font that has Chinese: its widths, line breaks, and what becomes of characters it does not have.

Must never fail on a text, whatever stands in it; what cannot be painted is shown as a box.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

#: shown for a character that the font lacks: the first of these that it has
_BOXES = "□▯?"
#: what a font for our documents must have
_NEEDED = "通关单0A"
#: closing signs never begin a line, opening ones never end one
_NO_START = frozenset("，。；：、！？）】》〉」』”’％…·,.;:!?)]}%")
_NO_END = frozenset("（【《〈「『“‘([{")


class FontError(Exception):
    """The file is no font that can be embedded, or has no Chinese."""


class Face:
    """A TrueType font, embedded in part into each PDF. path: .ttf or .ttc (the first font of it)."""

    def __init__(self, path: Path) -> None:
        self.name = f"face-{path}"
        try:
            font = TTFont(self.name, str(path))
        except (TTFError, OSError) as exc:
            raise FontError(f"{path.name}: {exc}; a TrueType font with Chinese is needed") from exc
        pdfmetrics.registerFont(font)
        self._widths: dict[int, float] = font.face.charWidths
        if not all(ord(character) in self._widths for character in _NEEDED):
            raise FontError(f"{path.name} has no Chinese characters; a TrueType font with Chinese is needed")
        self._box = next(box for box in _BOXES if ord(box) in self._widths)
        self._painted: dict[str, str] = {}

    def clean(self, text: str) -> str:
        """The text as it can be painted: a box for what the font lacks, blanks for control characters."""
        if text.isascii() and text.isprintable():
            return text
        return "".join(map(self._one, text))

    def _one(self, character: str) -> str:
        known = self._painted.get(character)
        if known is None:
            known = self._painted[character] = self._choose(character)
        return known

    def _choose(self, character: str) -> str:
        category = unicodedata.category(character)
        if character == "\n":
            return character
        if category in ("Cc", "Zl", "Zp"):
            return " "
        if category == "Cf" or "\ufe00" <= character <= "\ufe0f":
            return ""  # directions, joiners, variants: nothing of their own to see
        return character if ord(character) in self._widths else self._box

    def width(self, text: str, size: float) -> float:
        """Points, of a clean text on one line."""
        widths = self._widths
        return sum(widths.get(ord(character), 1000.0) for character in text) * size / 1000

    def wrap(self, text: str, size: float, width: float) -> list[str]:
        """The text in lines no wider than `width` points; at least one, which may be empty."""
        return [line for part in self.clean(text).split("\n") for line in self._wrap(part, size, width)]

    def _wrap(self, text: str, size: float, width: float) -> list[str]:
        if self.width(text, size) <= width:
            return [text]
        lines: list[str] = []
        limit = width * 1000 / size
        begin, cut, used = 0, 0, 0.0
        position = 0
        while position < len(text):
            step = self._widths.get(ord(text[position]), 1000.0)
            if used + step > limit and position > begin:
                end = cut if cut > begin else position
                lines.append(text[begin:end].rstrip())
                begin = end
                while begin < len(text) and text[begin] == " ":
                    begin += 1
                position, cut, used = begin, begin, 0.0
                continue
            used += step
            position += 1
            if position < len(text) and _breakable(text[position - 1], text[position]):
                cut = position
        lines.append(text[begin:].rstrip())
        return lines


def _breakable(before: str, after: str) -> bool:
    """Whether a line may end between two characters."""
    if after in _NO_START or before in _NO_END or after == " ":
        return False
    return before in " -/,;" or before >= "\u2e80" or after >= "\u2e80"


@cache
def face(path: Path) -> Face:
    """The font of a file, read once. Raises FontError."""
    return Face(path)
