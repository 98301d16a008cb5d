"""Documents that customs issues: stored once per natural key, renewed where they are folded from several messages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, Row, text

from documents.body import Terms
from filing.store import documents
from filing.store.columns import CHANGED

_TENANT = "nullif(current_setting('app.tenant', true), '')::uuid"

_UPSERT = text(
    "INSERT INTO document AS d (tenant_id, id, kind, number, natural_key, state, state_rank, settled, created_by, body)"
    f" VALUES ({_TENANT}, :id, :kind, :number, :natural_key, :state, :rank, :settled, :created_by, :body)"
    " ON CONFLICT (tenant_id, natural_key, revision) WHERE deleted_at IS NULL AND natural_key <> ''"
    " DO UPDATE SET state = EXCLUDED.state, state_rank = EXCLUDED.state_rank, settled = EXCLUDED.settled,"
    " body = EXCLUDED.body, version = d.version + 1, updated_at = now()"
    " WHERE :renew AND d.body <> EXCLUDED.body"
    f" RETURNING {CHANGED}"
)


def upsert(connection: Connection, row: Mapping[str, Any], terms: Terms, *, renew: bool) -> Row[Any] | None:
    """Store one, or renew the one with its key; None where nothing changed."""
    values = {**row, "body": Jsonb(row["body"]), "renew": renew}
    stored = connection.execute(_UPSERT, values).one_or_none()
    if stored is not None:
        documents.replace_terms(connection, row["kind"], str(stored.id), terms)
        if str(stored.id) == row["id"]:
            documents.add_events(connection, [row["id"]], "issued", row["created_by"], {})
    return stored
