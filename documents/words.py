"""A sentence or label in the two languages of the product."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """zh is shown by default, en is complete."""

    zh: str
    en: str

    def as_dict(self) -> dict[str, str]:
        return {"zh": self.zh, "en": self.en}


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with one value: a stable code, a sentence with the rule and the way out.

    path: where in the body, e.g. ("head", "orderNo") or ("lines", 3, "qty").
    """

    path: tuple[str | int, ...]
    code: str
    words: Words
    value: str = ""

    @property
    def pointer(self) -> str:
        """The path as a JSON pointer into the document's body."""
        return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in self.path)
