"""A sentence or label in the two languages of the product."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Words:
    """zh is shown by default, en is complete."""

    zh: str
    en: str

    def as_dict(self) -> dict[str, str]:
        return {"zh": self.zh, "en": self.en}


def short(text: str, limit: int = 60) -> str:
    """Somebody's text, fit to be repeated in a sentence: at most `limit` characters, no half characters."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return _SURROGATE.sub("\ufffd", cut)


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with one value: a stable code, a sentence with the rule and the way out.

    path: where in the body, e.g. ("head", "orderNo") or ("lines", 3, "qty"). value: the beginning of what stood
    there, since what is refused may be of any size.
    """

    path: tuple[str | int, ...]
    code: str
    words: Words
    value: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", short(self.value, 200))
        clean = tuple(short(part, 100) if isinstance(part, str) else part for part in self.path)
        object.__setattr__(self, "path", clean)

    @property
    def pointer(self) -> str:
        """The path as a JSON pointer into the document's body."""
        return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in self.path)
