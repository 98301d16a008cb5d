"""Messages to customs, and the documents that ride in them: submitted, signed, sent, refused."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from filing.store.columns import CHANGED

_TENANT = "nullif(current_setting('app.tenant', true), '')::uuid"

_INSERT = text(
    "INSERT INTO message (tenant_id, id, kind, documents, submitted_by, xml)"
    " VALUES (:tenant, :id, :kind, :documents, :submitted_by, :xml)"
)
_SUBMIT = text(
    "UPDATE document d SET state = :state, state_rank = :rank, state_time = '', settled = false, customs_status = '',"
    " return_info = '', attempt = n.attempt, guid = n.guid, message_id = n.message, submitted_at = now(),"
    " version = d.version + 1, updated_at = now()"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:attempts AS int[]), CAST(:guids AS text[]),"
    " CAST(:messages AS uuid[])) AS n(id, attempt, guid, message)"
    f" WHERE d.id = n.id RETURNING {CHANGED}"
)
_SUBMITTED_EVENTS = text(
    "INSERT INTO document_event (tenant_id, document_id, what, actor, detail)"
    f" SELECT {_TENANT}, d, 'submitted', :actor, jsonb_build_object('message_id', m::text)"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:messages AS uuid[])) AS n(d, m)"
)
_SIGNED = text(
    "UPDATE message m SET signature = CAST(n.signature AS jsonb), signed_at = CAST(n.at AS timestamptz), refusal = NULL"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:signatures AS text[]), CAST(:ats AS text[])) AS n(id, signature, at)"
    " WHERE m.id = n.id AND m.signature IS NULL"
)
_SENT = text(
    "UPDATE message m SET channel = n.channel, sent_at = CAST(n.at AS timestamptz), refusal = NULL"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:channels AS text[]), CAST(:ats AS text[])) AS n(id, channel, at)"
    " WHERE m.id = n.id AND m.sent_at IS NULL"
)
_REFUSED = text("UPDATE message SET refusal = CAST(:refusal AS jsonb) WHERE id = :id")
_ADVANCE = text(
    "UPDATE document d SET state = :state, state_rank = :rank, version = d.version + 1, updated_at = now()"
    " WHERE d.message_id = ANY(CAST(:ids AS uuid[])) AND d.state_rank < :rank AND d.deleted_at IS NULL"
    f" RETURNING {CHANGED}"
)
_SEND_BACK = text(
    "UPDATE document d SET state = :state, state_rank = :rank, return_info = :info, version = d.version + 1,"
    " updated_at = now() WHERE d.message_id = :id AND d.state_rank < :below AND d.deleted_at IS NULL"
    f" RETURNING {CHANGED}"
)
_READ_MANY = text(
    "SELECT id, documents, created_at, signature, signed_at, channel, sent_at, refusal"
    " FROM message WHERE id = ANY(CAST(:ids AS uuid[]))"
)


def insert(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """New messages with their canonical bytes: tenant, id, kind, documents, submitted_by, xml."""
    connection.execute(_INSERT, list(rows))


def submit(
    connection: Connection, state: str, rank: int, actor: str, rows: Sequence[tuple[str, int, str, str]]
) -> Sequence[Row[Any]]:
    """Documents ride in messages now: rows of (document, attempt, guid, message). Returns the changed documents."""
    columns = {
        "ids": [row[0] for row in rows],
        "attempts": [row[1] for row in rows],
        "guids": [row[2] for row in rows],
        "messages": [row[3] for row in rows],
    }
    changed = connection.execute(_SUBMIT, {**columns, "state": state, "rank": rank}).all()
    connection.execute(
        _SUBMITTED_EVENTS, {"ids": columns["ids"], "messages": columns["messages"], "actor": actor}
    )
    return changed


def signed(connection: Connection, rows: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Record signatures: (message, signature with signed_at)."""
    values = {
        "ids": [message for message, _ in rows],
        "signatures": [json.dumps(dict(signature), ensure_ascii=False) for _, signature in rows],
        "ats": [signature["signed_at"] for _, signature in rows],
    }
    connection.execute(_SIGNED, values)


def sent(connection: Connection, rows: Sequence[tuple[str, str, str]]) -> None:
    """Record sending: (message, channel, time)."""
    values = {"ids": [r[0] for r in rows], "channels": [r[1] for r in rows], "ats": [r[2] for r in rows]}
    connection.execute(_SENT, values)


def refused(connection: Connection, message_id: str, refusal: Mapping[str, Any]) -> None:
    """Record why a message cannot go on."""
    connection.execute(_REFUSED, {"id": message_id, "refusal": json.dumps(dict(refusal), ensure_ascii=False)})


def advance(connection: Connection, message_ids: Sequence[str], state: str, rank: int) -> Sequence[Row[Any]]:
    """Move the documents of messages forward; those that are further already stay. Returns the changed ones."""
    return connection.execute(_ADVANCE, {"ids": list(message_ids), "state": state, "rank": rank}).all()


def send_back(
    connection: Connection, message_id: str, state: str, rank: int, info: str, below: int
) -> Sequence[Row[Any]]:
    """Give the documents of a refused message back to people, unless customs has spoken (rank ≥ below)."""
    values = {"id": message_id, "state": state, "rank": rank, "info": info, "below": below}
    return connection.execute(_SEND_BACK, values).all()


def read_many(connection: Connection, ids: Sequence[str]) -> dict[str, Row[Any]]:
    """Messages by id, without their bytes."""
    return {str(row.id): row for row in connection.execute(_READ_MANY, {"ids": list(ids)})}
