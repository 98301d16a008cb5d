"""What a consumer has handled already, written in the same transaction as its effect.

The broker delivers at least once; this makes the effect happen once.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

_CLAIM = text(
    "INSERT INTO inbox (tenant_id, consumer, id) SELECT :tenant, :consumer, unnest(CAST(:ids AS uuid[])) "
    "ON CONFLICT DO NOTHING RETURNING id"
)


def claim(connection: Connection, tenant_id: str, consumer: str, ids: Sequence[str]) -> set[str]:
    """Mark event ids as handled by `consumer`; returns those that are new. The rest must be skipped."""
    rows = connection.execute(_CLAIM, {"tenant": tenant_id, "consumer": consumer, "ids": list(ids)})
    return {str(row.id) for row in rows}
