"""Lists that may be summed up, and the application they stand in already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

# an application counts unless customs refused it
_APPLIED = (
    "(SELECT min(a.number) FROM document_ref own JOIN document_ref other ON other.name = own.name"
    " AND other.value = own.value JOIN document a ON a.id = other.document_id"
    " WHERE own.document_id = d.id AND own.name = 'list' AND a.kind = :application AND a.deleted_at IS NULL"
    " AND a.state NOT IN ('rejected', 'error', 'deleted')) AS applied"
)
_COLUMNS = f"d.id, d.number, d.state, d.body->'head' AS head, {_APPLIED}"
_BY_IDS = text(
    f"SELECT {_COLUMNS} FROM document d WHERE d.kind = :kind AND d.deleted_at IS NULL"
    " AND d.id = ANY(CAST(:ids AS uuid[])) ORDER BY d.id FOR UPDATE OF d"
)
_CLOSED = text(
    f"SELECT * FROM (SELECT {_COLUMNS} FROM document d WHERE d.kind = :kind AND d.deleted_at IS NULL"
    " AND d.state = 'closed' AND d.state_time >= :start AND d.state_time <= :end AND d.id IN ("
    "  SELECT k.document_id FROM document_key k WHERE k.kind = :kind AND k.field = 'ebcCode' AND k.value = :ebc)"
    " ORDER BY d.id FOR UPDATE OF d) AS closed WHERE applied IS NULL LIMIT :limit"
)


def by_ids(connection: Connection, kind: str, application: str, ids: Sequence[str]) -> Sequence[Row[Any]]:
    """Lists by id, locked, each with the number of the application it stands in."""
    return connection.execute(_BY_IDS, {"kind": kind, "application": application, "ids": list(ids)}).all()


def closed_between(
    connection: Connection, kind: str, application: str, ebc_code: str, start: str, end: str, limit: int
) -> Sequence[Row[Any]]:
    """Closed lists of a consignor that stand in no application, by the time of closing (as customs writes times)."""
    values = {
        "kind": kind, "application": application, "ebc": ebc_code, "start": start, "end": end + " ~", "limit": limit,
    }  # fmt: skip
    return connection.execute(_CLOSED, values).all()
