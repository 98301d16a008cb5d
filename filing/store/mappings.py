"""Saved column mappings of an enterprise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, Row, text

_COLUMNS = "id, kind, name, columns, version, created_by, updated_at"
_INSERT = text(
    "INSERT INTO column_mapping (tenant_id, id, kind, name, columns, created_by)"
    " VALUES (:tenant, :id, :kind, :name, :columns, :created_by) ON CONFLICT DO NOTHING"
)
_READ = text(f"SELECT {_COLUMNS} FROM column_mapping WHERE id = :id")
_OF_KIND = text(f"SELECT {_COLUMNS} FROM column_mapping WHERE kind = :kind ORDER BY name LIMIT :limit")
_UPDATE = text(
    "UPDATE column_mapping SET name = :name, columns = :columns, version = version + 1, updated_at = now()"
    " WHERE id = :id AND version = :version"
)
_DELETE = text("DELETE FROM column_mapping WHERE id = :id AND (:version = 0 OR version = :version)")


def insert(connection: Connection, row: Mapping[str, Any]) -> bool:
    """A new mapping; False if its id or its name among those of the kind is in use."""
    return connection.execute(_INSERT, {**row, "columns": Jsonb(row["columns"])}).rowcount == 1


def read(connection: Connection, mapping_id: str) -> Row[Any] | None:
    """One mapping; columns: {"columns": {…}, "constants": {…}}."""
    return connection.execute(_READ, {"id": mapping_id}).one_or_none()


def of_kind(connection: Connection, kind: str, limit: int) -> Sequence[Row[Any]]:
    """The mappings of a kind by name."""
    return connection.execute(_OF_KIND, {"kind": kind, "limit": limit}).all()


def update(connection: Connection, row: Mapping[str, Any]) -> bool:
    """Replace name and columns if the version still is `row["version"]`; False if somebody was faster."""
    return connection.execute(_UPDATE, {**row, "columns": Jsonb(row["columns"])}).rowcount == 1


def delete(connection: Connection, mapping_id: str, version: int) -> bool:
    """False if there is none, or not of this version; version 0: of any."""
    return connection.execute(_DELETE, {"id": mapping_id, "version": version}).rowcount == 1
