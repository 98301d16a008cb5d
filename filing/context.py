"""What every use case needs: the database, the declared types and the service's settings."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from documents.registry import Registry
from documents.spec import DocumentType
from runtime.db import Database
from runtime.errors import not_found


@dataclass(frozen=True, slots=True)
class Filing:
    """Handed to use cases by the service's app.py.

    documents_per_message: how many documents ride in one customs message unless the caller says otherwise (1..100).
    clock_tolerance_s: how far customs' clock may lag ours when a receipt without a known guid is dated; assumed.
    """

    database: Database
    registry: Registry
    documents_per_message: int = 100
    clock_tolerance_s: int = 600

    def doctype(self, kind: str) -> DocumentType:
        """The declared type; `not_found` for a kind this service does not keep."""
        doctype = self.registry.get(kind)
        if doctype is None:
            raise not_found()
        return doctype


def check_id(value: str) -> str:
    """A canonical uuid; anything else is simply not found, as for any unknown id."""
    try:
        return str(uuid.UUID(value))
    except ValueError:
        raise not_found() from None
