"""Documents, their keys and events: set-based statements, never one per row."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, Row, text

from documents.body import Terms
from filing.store.columns import CHANGED
from runtime import db

# fmt: off
HEADER = ("d.id, d.kind, d.number, d.state, d.state_rank, d.state_time, d.settled, d.customs_status, d.return_info, "
           "d.version, d.attempt, d.guid, d.message_id, d.batch_no, d.created_by, d.stored_at, d.updated_at, "
           "d.natural_key, d.revision, d.app_type, d.replaces, d.replaced_by, d.task_id")
# fmt: on
_TENANT = "nullif(current_setting('app.tenant', true), '')::uuid"

_READ = text(
    f"SELECT {HEADER}, d.body FROM document d WHERE d.kind = :kind AND d.id = :id AND d.deleted_at IS NULL"
)
_LOCK = text(
    f"SELECT {HEADER}, d.body FROM document d "
    "WHERE d.kind = :kind AND d.id = ANY(CAST(:ids AS uuid[])) AND d.deleted_at IS NULL ORDER BY d.id FOR UPDATE"
)
_INSERT = text(
    "INSERT INTO document (tenant_id, id, kind, number, natural_key, state, state_rank, settled, batch_no, mandate_id,"
    " created_by, body, revision, app_type, replaces)"
    " VALUES (:tenant, :id, :kind, :number, :natural_key, :state, :rank, :settled, :batch_no, :mandate,"
    " :created_by, :body, :revision, :app_type, :replaces)"
)
_UPDATE = text(
    "UPDATE document SET number = :number, natural_key = :natural_key, state = :state, state_rank = :rank,"
    " state_time = '', body = :body, version = version + 1, updated_at = now(), return_info = '', customs_status = '',"
    # the message it rode in is over: what still comes of it must not move the new content
    " message_id = NULL"
    " WHERE id = :id AND version = :version"
)
_DELETE = text(
    "UPDATE document d SET deleted_at = now(), updated_at = now(), version = d.version + 1"
    f" WHERE d.id = ANY(CAST(:ids AS uuid[])) RETURNING {CHANGED}"
)
_KEYS_DELETE = text("DELETE FROM document_key WHERE document_id = :id")
_KEYS_DELETE_MANY = text("DELETE FROM document_key WHERE document_id = ANY(CAST(:ids AS uuid[]))")
_REFS_DELETE = text("DELETE FROM document_ref WHERE document_id = :id")
_REFS_INSERT = text(
    "INSERT INTO document_ref (tenant_id, kind, name, value, document_id)"
    f" SELECT {_TENANT}, :kind, n, v, d FROM unnest(CAST(:names AS text[]), CAST(:values AS text[]),"
    " CAST(:documents AS uuid[])) AS r(n, v, d) ON CONFLICT DO NOTHING"
)
_REFS_STAGED = text(
    "INSERT INTO document_ref (tenant_id, kind, name, value, document_id)"
    f" SELECT {_TENANT}, :kind, name, value, document_id FROM incoming_ref ON CONFLICT DO NOTHING"
)
_RELEASE_OLD = text(
    "UPDATE document SET natural_key = '' WHERE natural_key = ANY(CAST(:keys AS text[])) AND natural_key <> ''"
    " AND stored_at < now() - make_interval(months => :months)"
)
_REPLACED_BY = text(
    "UPDATE document d SET replaced_by = n.new, version = d.version + 1, updated_at = now()"
    " FROM unnest(CAST(:olds AS uuid[]), CAST(:news AS uuid[])) AS n(old, new) WHERE d.id = n.old"
    f" RETURNING {CHANGED}"
)
_VERSIONS = text(
    # from the first revision to the last, whichever of them is asked for
    "WITH RECURSIVE back AS (SELECT d.id, d.replaces FROM document d WHERE d.kind = :kind AND d.id = :id"
    "  UNION ALL SELECT p.id, p.replaces FROM document p JOIN back b ON p.id = b.replaces),"
    " chain AS (SELECT b.id, 1 AS depth FROM back b WHERE b.replaces IS NULL"
    "  UNION ALL SELECT n.id, c.depth + 1 FROM document n JOIN chain c ON n.replaces = c.id WHERE c.depth < 1000)"
    f" SELECT {HEADER}, d.body, d.deleted_at FROM document d JOIN chain c ON d.id = c.id"
    " WHERE d.deleted_at IS NULL ORDER BY d.revision, d.id"
)
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
    f" created_by, body, task_id) SELECT {_TENANT}, id, :kind, number, natural_key, :state, :rank, :batch_no, :mandate,"
    " :created_by, body, CAST(:task AS uuid) FROM incoming ON CONFLICT DO NOTHING"
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


#: what a document is that nothing came before
FIRST = {"revision": 1, "app_type": "1", "replaces": None, "settled": False}


def insert(connection: Connection, rows: Sequence[tuple[Mapping[str, Any], Terms]]) -> None:
    """New documents of one kind. A number in use raises SQLAlchemy's IntegrityError."""
    connection.execute(_INSERT, [{**FIRST, **row, "body": Jsonb(row["body"])} for row, _ in rows])
    for kind in {row["kind"] for row, _ in rows}:
        add_terms(connection, kind, [(row["id"], terms) for row, terms in rows if row["kind"] == kind])


def update(connection: Connection, row: Mapping[str, Any], terms: Terms) -> bool:
    """Replace the content if the version still is `row["version"]`; False if somebody was faster."""
    done = connection.execute(_UPDATE, {**row, "body": Jsonb(row["body"])})
    if done.rowcount != 1:
        return False
    replace_terms(connection, row["kind"], row["id"], terms)
    return True


def replace_terms(connection: Connection, kind: str, document_id: str, terms: Terms) -> None:
    """What one document is found and linked by, anew."""
    connection.execute(_KEYS_DELETE, {"id": document_id})
    connection.execute(_REFS_DELETE, {"id": document_id})
    add_terms(connection, kind, [(document_id, terms)])


def add_terms(connection: Connection, kind: str, documents: Sequence[tuple[str, Terms]]) -> None:
    """What documents of one kind are found and linked by; what is there already stays."""
    keys = [(name, value, document_id) for document_id, terms in documents for name, value in terms.keys]
    if keys:
        fields, values, owners = (list(column) for column in zip(*keys, strict=True))
        connection.execute(
            _KEYS_INSERT, {"kind": kind, "fields": fields, "values": values, "documents": owners}
        )
    refs = [(name, value, document_id) for document_id, terms in documents for name, value in terms.refs]
    if refs:
        names, values, owners = (list(column) for column in zip(*refs, strict=True))
        connection.execute(
            _REFS_INSERT, {"kind": kind, "names": names, "values": values, "documents": owners}
        )


def release_old_keys(connection: Connection, natural_keys: Sequence[str], months: int) -> None:
    """Numbers of documents stored longer ago than `months` may be used again; the documents stay."""
    connection.execute(_RELEASE_OLD, {"keys": list(natural_keys), "months": months})


def set_replaced_by(connection: Connection, pairs: Sequence[tuple[str, str | None]]) -> Sequence[Row[Any]]:
    """(old, new): the revision that follows each, or None where it is gone again. Returns the changed ones."""
    values = {"olds": [old for old, _ in pairs], "news": [new for _, new in pairs]}
    return connection.execute(_REPLACED_BY, values).all()


def versions(connection: Connection, kind: str, document_id: str) -> Sequence[Row[Any]]:
    """All revisions of a document with their bodies, the first one first."""
    return connection.execute(_VERSIONS, {"kind": kind, "id": document_id}).all()


def delete(connection: Connection, ids: Sequence[str]) -> Sequence[Row[Any]]:
    """Soft: the rows stay, recorded; their numbers are free again, and nothing finds them. Returns them."""
    connection.execute(_KEYS_DELETE_MANY, {"ids": list(ids)})
    return connection.execute(_DELETE, {"ids": list(ids)}).all()


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
    refs: Sequence[tuple[str, str, str]],
    common: Mapping[str, Any],
) -> int:
    """Store an import: rows (id, number, natural key, body as JSON), keys (field, value, document id), refs alike.

    Returns how many documents were stored; fewer than given means that somebody else took a number meanwhile and the
    caller must roll back. common: kind, state, rank, batch_no, mandate, created_by, what, detail, task.
    """
    columns = (("id", "uuid"), ("number", "text"), ("natural_key", "text"), ("body", "jsonb"))
    db.stage(connection, columns, rows, "incoming")
    stored = connection.execute(_INSERT_STAGED, common).rowcount
    if stored != len(rows):
        return stored
    key_columns = (("field", "text"), ("value", "text"), ("document_id", "uuid"))
    db.stage(connection, key_columns, keys, "incoming_key")
    connection.execute(_KEYS_STAGED, {"kind": common["kind"]})
    ref_columns = (("name", "text"), ("value", "text"), ("document_id", "uuid"))
    db.stage(connection, ref_columns, refs, "incoming_ref")
    connection.execute(_REFS_STAGED, {"kind": common["kind"]})
    connection.execute(_EVENTS_STAGED, {"what": common["what"], "actor": common["created_by"],
                                        "detail": common["detail"]})  # fmt: skip
    return stored


def counts(connection: Connection, kind: str) -> dict[str, int]:
    """Documents by state."""
    return {row.state: row.n for row in connection.execute(_COUNTS, {"kind": kind})}
