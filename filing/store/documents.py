"""Documents, their keys and events: set-based statements, never one per row."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, Row, text

from runtime import db

# fmt: off
_HEADER = ("d.id, d.kind, d.number, d.state, d.state_rank, d.state_time, d.settled, d.customs_status, d.return_info, "
           "d.version, d.attempt, d.guid, d.message_id, d.batch_no, d.created_by, d.stored_at, d.updated_at")
# fmt: on
_TENANT = "nullif(current_setting('app.tenant', true), '')::uuid"

_READ = text(
    f"SELECT {_HEADER}, d.body FROM document d WHERE d.kind = :kind AND d.id = :id AND d.deleted_at IS NULL"
)
_LOCK = text(
    f"SELECT {_HEADER}, d.body FROM document d "
    "WHERE d.kind = :kind AND d.id = ANY(CAST(:ids AS uuid[])) AND d.deleted_at IS NULL ORDER BY d.id FOR UPDATE"
)
_INSERT = text(
    "INSERT INTO document (tenant_id, id, kind, number, natural_key, state, state_rank, batch_no, mandate_id,"
    " created_by, body) VALUES (:tenant, :id, :kind, :number, :natural_key, :state, :rank, :batch_no, :mandate,"
    " :created_by, :body)"
)
_UPDATE = text(
    "UPDATE document SET number = :number, natural_key = :natural_key, state = :state, state_rank = :rank,"
    " state_time = '', body = :body, version = version + 1, updated_at = now(), return_info = '', customs_status = '',"
    # the message it rode in is over: what still comes of it must not move the new content
    " message_id = NULL"
    " WHERE id = :id AND version = :version"
)
_DELETE = text(
    "UPDATE document SET deleted_at = now(), updated_at = now(), version = version + 1"
    " WHERE id = ANY(CAST(:ids AS uuid[]))"
)
_KEYS_DELETE = text("DELETE FROM document_key WHERE document_id = :id")
_KEYS_INSERT = text(
    "INSERT INTO document_key (tenant_id, kind, field, value, document_id)"
    f" SELECT {_TENANT}, :kind, f, v, d FROM unnest(CAST(:fields AS text[]), CAST(:values AS text[]),"
    " CAST(:documents AS uuid[])) AS k(f, v, d) ON CONFLICT DO NOTHING"
)
_EVENTS = text(
    "INSERT INTO document_event (tenant_id, document_id, what, actor, detail)"
    f" SELECT {_TENANT}, d, :what, :actor, CAST(:detail AS jsonb) FROM unnest(CAST(:ids AS uuid[])) AS d"
)
_EVENTS_OF = text("SELECT at, what, actor, detail FROM document_event WHERE document_id = :id ORDER BY seq")
_EXISTING = text(
    "SELECT natural_key FROM document WHERE natural_key = ANY(CAST(:keys AS text[]))"
    " AND deleted_at IS NULL AND natural_key <> ''"
)
_INSERT_STAGED = text(
    "INSERT INTO document (tenant_id, id, kind, number, natural_key, state, state_rank, batch_no, mandate_id,"
    f" created_by, body) SELECT {_TENANT}, id, :kind, number, natural_key, :state, :rank, :batch_no, :mandate,"
    " :created_by, body FROM incoming ON CONFLICT DO NOTHING"
)
_KEYS_STAGED = text(
    "INSERT INTO document_key (tenant_id, kind, field, value, document_id)"
    f" SELECT {_TENANT}, :kind, field, value, document_id FROM incoming_key"
)
_EVENTS_STAGED = text(
    "INSERT INTO document_event (tenant_id, document_id, what, actor, detail)"
    f" SELECT {_TENANT}, id, :what, :actor, CAST(:detail AS jsonb) FROM incoming"
)
_COUNTS = text(
    "SELECT state, count(*) AS n FROM document WHERE kind = :kind AND deleted_at IS NULL GROUP BY state"
)


def read(connection: Connection, kind: str, document_id: str) -> Row[Any] | None:
    """One document with its body, or None (missing, deleted or another tenant's: the same)."""
    return connection.execute(_READ, {"kind": kind, "id": document_id}).one_or_none()


def lock(connection: Connection, kind: str, ids: Sequence[str]) -> dict[str, Row[Any]]:
    """Documents by id, locked in id order so that two batches cannot wait for each other in a circle."""
    rows = connection.execute(_LOCK, {"kind": kind, "ids": list(ids)})
    return {str(row.id): row for row in rows}


def insert(connection: Connection, row: Mapping[str, Any], keys: Sequence[tuple[str, str]]) -> None:
    """One new document. A number in use raises SQLAlchemy's IntegrityError."""
    connection.execute(_INSERT, {**row, "body": Jsonb(row["body"])})
    _insert_keys(connection, row["kind"], row["id"], keys)


def update(connection: Connection, row: Mapping[str, Any], keys: Sequence[tuple[str, str]]) -> bool:
    """Replace the content if the version still is `row["version"]`; False if somebody was faster."""
    done = connection.execute(_UPDATE, {**row, "body": Jsonb(row["body"])})
    if done.rowcount != 1:
        return False
    connection.execute(_KEYS_DELETE, {"id": row["id"]})
    _insert_keys(connection, row["kind"], row["id"], keys)
    return True


def _insert_keys(
    connection: Connection, kind: str, document_id: str, keys: Sequence[tuple[str, str]]
) -> None:
    values = {
        "kind": kind,
        "fields": [name for name, _ in keys],
        "values": [value for _, value in keys],
        "documents": [document_id] * len(keys),
    }
    connection.execute(_KEYS_INSERT, values)


def delete(connection: Connection, ids: Sequence[str]) -> None:
    """Soft: the rows stay, recorded; their numbers are free again."""
    connection.execute(_DELETE, {"ids": list(ids)})


def add_events(
    connection: Connection, ids: Sequence[str], what: str, actor: str, detail: Mapping[str, Any]
) -> None:
    """The same event for several documents."""
    if ids:
        detail_json = json.dumps(detail, ensure_ascii=False)
        connection.execute(_EVENTS, {"ids": list(ids), "what": what, "actor": actor, "detail": detail_json})


def events_of(connection: Connection, document_id: str) -> Sequence[Row[Any]]:
    """Events of one document, oldest first."""
    return connection.execute(_EVENTS_OF, {"id": document_id}).all()


def existing_keys(connection: Connection, natural_keys: Sequence[str]) -> set[str]:
    """Which natural keys are in use, in one query."""
    return set(connection.execute(_EXISTING, {"keys": list(natural_keys)}).scalars())


def insert_many(
    connection: Connection,
    rows: Sequence[tuple[str, str, str, str]],
    keys: Sequence[tuple[str, str, str]],
    common: Mapping[str, Any],
) -> int:
    """Store an import: rows (id, number, natural key, body as JSON), keys (field, value, document id).

    Returns how many documents were stored; fewer than given means that somebody else took a number meanwhile and the
    caller must roll back. common: kind, state, rank, batch_no, mandate, created_by, what, detail.
    """
    columns = (("id", "uuid"), ("number", "text"), ("natural_key", "text"), ("body", "jsonb"))
    db.stage(connection, columns, rows, "incoming")
    stored = connection.execute(_INSERT_STAGED, common).rowcount
    if stored != len(rows):
        return stored
    key_columns = (("field", "text"), ("value", "text"), ("document_id", "uuid"))
    db.stage(connection, key_columns, keys, "incoming_key")
    connection.execute(_KEYS_STAGED, {"kind": common["kind"]})
    connection.execute(_EVENTS_STAGED, {"what": common["what"], "actor": common["created_by"],
                                        "detail": common["detail"]})  # fmt: skip
    return stored


def counts(connection: Connection, kind: str) -> dict[str, int]:
    """Documents by state."""
    return {row.state: row.n for row in connection.execute(_COUNTS, {"kind": kind})}
