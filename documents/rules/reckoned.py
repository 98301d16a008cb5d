"""Rules about numbers that say of which numbers: the pages work out the same while a document is being typed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from documents.spec import Body, Rule
from documents.words import Wrong


@dataclass(frozen=True, slots=True)
class Reckoned:
    """A rule together with its numbers.

    sum: a head field is the sum of a line field. product: a line field is the product of two others of its line,
    both rounded half up to `decimals`. at-most: a head field is not above another.
    """

    how: Literal["sum", "product", "at-most"]
    level: Literal["head", "line"]
    field: str
    of: tuple[str, ...]
    check: Rule
    decimals: int | None = None

    def __call__(self, body: Body) -> Iterable[Wrong]:
        """What is wrong by this rule."""
        return self.check(body)

    def as_dict(self) -> dict[str, Any]:
        """For the description of a kind."""
        return {
            "how": self.how,
            "level": self.level,
            "field": self.field,
            "of": list(self.of),
            "decimals": self.decimals,
        }
