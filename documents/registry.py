"""All document types, named one by one: no scanning, no registration at import.

Adding a type is one file in documents/types/ and one name here.
"""

from __future__ import annotations

from collections.abc import Iterable

from documents.spec import DeclarationError, DocumentType
from documents.types.arrival import ARRIVAL
from documents.types.booking import BOOKING
from documents.types.cancellation import CANCELLATION
from documents.types.departure import DEPARTURE
from documents.types.export_list import LIST
from documents.types.master_house import MASTER_HOUSE
from documents.types.order import ORDER
from documents.types.payment import PAYMENT
from documents.types.returns import RETURN
from documents.types.summary_application import SUMMARY_APPLICATION
from documents.types.summary_declaration import SUMMARY_DECLARATION
from documents.types.summary_result import SUMMARY_RESULT
from documents.types.tally import TALLY
from documents.types.waybill import WAYBILL

ALL: tuple[DocumentType, ...] = (
    ORDER, BOOKING, PAYMENT, WAYBILL, ARRIVAL, DEPARTURE, LIST, CANCELLATION, MASTER_HOUSE, RETURN, TALLY,
    SUMMARY_APPLICATION, SUMMARY_RESULT, SUMMARY_DECLARATION,
)  # fmt: skip


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
        return tuple(item for item in self.types if item.receipt and item.receipt.root == receipt_root)

    def received_as(self, root: str) -> tuple[DocumentType, ...]:
        """The types that a message of customs' own makes documents of, e.g. CEB792Message."""
        return tuple(
            item for item in self.types if item.message.direction == "in" and item.message.root == root
        )

    def heard(self) -> tuple[str, ...]:
        """The roots of all messages of customs that these types are moved or made by."""
        roots = [item.receipt.root if item.receipt else item.message.root for item in self.types]
        return tuple(dict.fromkeys(roots))

    def owners(self) -> tuple[str, ...]:
        """The services that keep documents of these types."""
        return tuple(dict.fromkeys(item.owner for item in self.types))

    def owned_by(self, service: str) -> Registry:
        """The part of the registry that one service keeps."""
        return Registry(item for item in self.types if item.owner == service)


REGISTRY = Registry(ALL)


def by_kind(kind: str) -> DocumentType | None:
    """The declared type of that kind, or None."""
    return REGISTRY.get(kind)
