"""All document types, named one by one: no scanning, no registration at import.

Adding a type is one file in documents/types/ and one name here.
"""

from __future__ import annotations

from collections.abc import Iterable

from documents.spec import DeclarationError, DocumentType
from documents.types.booking import BOOKING
from documents.types.order import ORDER

ALL: tuple[DocumentType, ...] = (ORDER, BOOKING)


class Registry:
    """Look-ups over a set of types. Services take one as a value, so that a test can hand in one more type."""

    def __init__(self, types: Iterable[DocumentType]) -> None:
        self.types = tuple(types)
        self._by_kind = {item.kind: item for item in self.types}
        if len(self._by_kind) != len(self.types):
            kinds = ", ".join(item.kind for item in self.types)
            raise DeclarationError(f"a kind is declared twice: {kinds}")

    def get(self, kind: str) -> DocumentType | None:
        """The type of that kind, or None."""
        return self._by_kind.get(kind)

    def answered_by(self, receipt_root: str) -> tuple[DocumentType, ...]:
        """The types whose documents a receipt message may speak of, e.g. CEB304Message: order and booking."""
        return tuple(item for item in self.types if item.receipt.root == receipt_root)

    def owned_by(self, service: str) -> Registry:
        """The part of the registry that one service keeps."""
        return Registry(item for item in self.types if item.owner == service)


REGISTRY = Registry(ALL)


def by_kind(kind: str) -> DocumentType | None:
    """The declared type of that kind, or None."""
    return REGISTRY.get(kind)
