"""Which answers of the exchange platform are refusals, and their words. What the codes mean: documents.reasons."""

from __future__ import annotations

from documents import reasons


def is_error(code: str) -> bool:
    """Table 7-1 lists errors only. Assumed: a code of nothing but zeros would mean success."""
    return code.strip("0") != ""


def meaning(code: str) -> tuple[str, str]:
    """What a code means, in Chinese and English."""
    words = reasons.of_platform(code).words
    return words.zh, words.en
