"""Receipts: every one kept, matched to its document, counted when it comes again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, text

from filing.store.columns import CHANGED

_TENANT = "nullif(current_setting('app.tenant', true), '')::uuid"

# OFFSET 0 keeps each look-up one probe of its index, whatever the planner believes: of a young table that was just
# filled it has no statistics, and read all documents of the tenant for every batch (measured: 77 ms instead of 1.5)
_JUDGED = (
    "d.id, d.kind, d.number, d.natural_key, d.guid, d.attempt, d.state, d.state_rank, d.state_time, d.customs_status,"
    " d.submitted_at, d.message_id, d.deleted_at, d.revision, d.app_type, d.replaces"
)
_MATCH = text(
    f"SELECT {_JUDGED},"
    " CASE WHEN :heads THEN d.body->'head' END AS head FROM ("
    "  SELECT f.id FROM unnest(CAST(:natural_keys AS text[])) AS k(v) CROSS JOIN LATERAL ("
    "   SELECT id FROM document WHERE natural_key = k.v AND natural_key <> '' AND deleted_at IS NULL OFFSET 0) AS f"
    "  UNION SELECT f.id FROM unnest(CAST(:guids AS text[])) AS g(v) CROSS JOIN LATERAL ("
    "   SELECT id FROM document WHERE guid = g.v AND guid <> '' OFFSET 0) AS f"
    "  ORDER BY id) AS wanted"
    " CROSS JOIN LATERAL ("
    "  SELECT * FROM document WHERE id = wanted.id OFFSET 0 FOR UPDATE) AS d"
    " WHERE d.kind = ANY(CAST(:kinds AS text[]))"
)
# those whose number may be used again have no natural key any more
_MATCH_FREED = text(
    f"SELECT {_JUDGED}, d.body->'head' AS head FROM ("
    "  SELECT f.id FROM unnest(CAST(:kinds AS text[])) AS k(v) CROSS JOIN unnest(CAST(:numbers AS text[])) AS n(v)"
    "  CROSS JOIN LATERAL (SELECT id FROM document WHERE kind = k.v AND number = n.v AND natural_key = ''"
    "   AND attempt > 0 AND deleted_at IS NULL OFFSET 0) AS f"
    "  ORDER BY id) AS wanted"
    " CROSS JOIN LATERAL (SELECT * FROM document WHERE id = wanted.id OFFSET 0 FOR UPDATE) AS d"
)
_INSERT = text(
    "INSERT INTO receipt (tenant_id, id, document_id, message_type, natural_key, guid, status, return_time, info,"
    " fields, raw_id, received_at, standing, times, refusal)"
    f" SELECT {_TENANT}, n.id, n.document, :message_type, n.natural_key, n.guid, n.status, n.return_time, n.info,"
    "  CAST(n.fields AS jsonb), n.raw, CAST(n.received AS timestamptz), n.standing, n.times, n.refusal"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:documents AS uuid[]), CAST(:natural_keys AS text[]),"
    "  CAST(:guids AS text[]), CAST(:statuses AS text[]), CAST(:return_times AS text[]), CAST(:infos AS text[]),"
    "  CAST(:fields AS text[]), CAST(:raws AS uuid[]), CAST(:receiveds AS text[]), CAST(:standings AS text[]),"
    "  CAST(:times AS int[]), CAST(:refusals AS text[]))"
    "  AS n(id, document, natural_key, guid, status, return_time, info, fields, raw, received, standing, times, refusal)"
    " ON CONFLICT (tenant_id, message_type, natural_key, guid, status, return_time)"
    " DO UPDATE SET times = receipt.times + EXCLUDED.times"
)
_APPLY = text(
    "UPDATE document d SET state = n.state, state_rank = n.rank, state_time = n.time, settled = n.settled,"
    " customs_status = n.status, return_info = n.info, version = d.version + 1, updated_at = now(),"
    # the first time it was heard that all is done; what is taken back was not
    " cleared_at = CASE WHEN n.cleared <> '' THEN coalesce(d.cleared_at, CAST(n.cleared AS timestamptz)) END"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:ranks AS int[]), CAST(:times AS text[]),"
    "  CAST(:settled AS boolean[]), CAST(:statuses AS text[]), CAST(:infos AS text[]), CAST(:cleared AS text[]))"
    "  AS n(id, state, rank, time, settled, status, info, cleared)"
    ' WHERE d.id = n.id AND (d.state_rank, d.state_time) < (n.rank, n.time COLLATE "C")'
    f" RETURNING {CHANGED}"
)
_TELL = text(
    "UPDATE document d SET state_time = n.time, customs_status = n.status, return_info = n.info,"
    " version = d.version + 1, updated_at = now()"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:times AS text[]), CAST(:statuses AS text[]), CAST(:infos AS text[]))"
    f"  AS n(id, time, status, info) WHERE d.id = n.id RETURNING {CHANGED}"
)
_FILL = text(
    "UPDATE document d SET body = jsonb_set(d.body, '{head}', (d.body->'head') || CAST(n.patch AS jsonb)),"
    " version = d.version + 1, updated_at = now()"
    " FROM unnest(CAST(:ids AS uuid[]), CAST(:patches AS text[])) AS n(id, patch) WHERE d.id = n.id"
    f" RETURNING {CHANGED}"
)
_OF_DOCUMENT = text(
    "SELECT id, message_type, status, return_time, info, received_at, standing, times, raw_id"
    " FROM receipt WHERE document_id = :id ORDER BY return_time, received_at, id"
)


def match(
    connection: Connection,
    kinds: Sequence[str],
    natural_keys: Sequence[str],
    guids: Sequence[str],
    *,
    heads: bool,
) -> Sequence[Row[Any]]:
    """Documents that receipts may speak of, by guid (deleted ones too) or by business key, locked in id order.

    heads: with their head fields, which takes longer.
    """
    values = {"kinds": list(kinds), "natural_keys": list(natural_keys), "guids": list(guids), "heads": heads}
    return connection.execute(_MATCH, values).all()


def match_freed(connection: Connection, kinds: Sequence[str], numbers: Sequence[str]) -> Sequence[Row[Any]]:
    """Documents that were sent under numbers which may be used again, with their heads, locked in id order."""
    return connection.execute(_MATCH_FREED, {"kinds": list(kinds), "numbers": list(numbers)}).all()


def insert(connection: Connection, message_type: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Keep receipts; one that is there already is counted. Rows must not repeat a key within one call."""
    columns = {
        "ids": "id", "documents": "document", "natural_keys": "natural_key", "guids": "guid", "statuses": "status",
        "return_times": "return_time", "infos": "info", "raws": "raw", "receiveds": "received",
        "standings": "standing", "times": "times", "refusals": "refusal",
    }  # fmt: skip
    values: dict[str, Any] = {name: [row[column] for row in rows] for name, column in columns.items()}
    values["fields"] = [json.dumps(row["fields"], ensure_ascii=False) for row in rows]
    values["message_type"] = message_type
    connection.execute(_INSERT, values)


def apply(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> Sequence[Row[Any]]:
    """Move documents forward: id, state, rank, time, settled, status, info, cleared (when that was heard, or "").

    Returns those that moved."""
    values = {
        "ids": [row["id"] for row in rows],
        "states": [row["state"] for row in rows],
        "ranks": [row["rank"] for row in rows],
        "times": [row["time"] for row in rows],
        "settled": [row["settled"] for row in rows],
        "statuses": [row["status"] for row in rows],
        "infos": [row["info"] for row in rows],
        "cleared": [row["cleared"] for row in rows],
    }
    return connection.execute(_APPLY, values).all()


def tell(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> Sequence[Row[Any]]:
    """What customs says of documents it does not move any more: id, time, status, info. Returns them."""
    values = {
        "ids": [row["id"] for row in rows],
        "times": [row["time"] for row in rows],
        "statuses": [row["status"] for row in rows],
        "infos": [row["info"] for row in rows],
    }
    return connection.execute(_TELL, values).all()


def fill(connection: Connection, patches: Mapping[str, Mapping[str, str]]) -> Sequence[Row[Any]]:
    """Numbers that receipts brought, by document, into the heads. Returns the changed documents."""
    values = {"ids": list(patches), "patches": [json.dumps(dict(patch)) for patch in patches.values()]}
    return connection.execute(_FILL, values).all()


def of_document(connection: Connection, document_id: str) -> Sequence[Row[Any]]:
    """Receipts of one document, in customs' order of time."""
    return connection.execute(_OF_DOCUMENT, {"id": document_id}).all()
