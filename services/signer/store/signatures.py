"""Accepted signatures, and what was begun and not finished."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text


def accepted(connection: Connection, message_ids: Sequence[str]) -> dict[str, bytes]:
    """Messages with an accepted signature -> SHA-256 of what was signed."""
    rows = connection.execute(
        text("SELECT message_id, message_digest FROM signature WHERE message_id = ANY(CAST(:ids AS uuid[]))"),
        {"ids": list(message_ids)},
    )
    return {str(row.message_id): bytes(row.message_digest) for row in rows}


@dataclass(frozen=True, slots=True)
class Intent:
    """SHA-256 of what was about to be signed, and with which key."""

    digest: bytes
    key_id: str


def open_intents(connection: Connection, message_ids: Sequence[str]) -> dict[str, Intent]:
    """Messages whose last ledger row is an intent."""
    rows = connection.execute(
        text(
            "SELECT DISTINCT ON (message_id) message_id, what, digest, key_id FROM ledger "
            "WHERE message_id = ANY(CAST(:ids AS text[])) ORDER BY message_id, seq DESC"
        ),
        {"ids": list(message_ids)},
    )
    return {row.message_id: Intent(bytes(row.digest), row.key_id) for row in rows if row.what == "intent"}


@dataclass(frozen=True, slots=True)
class Signature:
    """An accepted signature. message_digest and final_digest: SHA-256; value: what stands in the message."""

    message_id: str
    event_id: str
    key_id: str
    algorithm: str
    message_digest: bytes
    value: bytes
    final_digest: bytes
    documents: int
    signed_at: datetime


_ADD = text(
    "INSERT INTO signature (tenant_id, message_id, event_id, key_id, algorithm, message_digest, value, final_digest, "
    "documents, signed_at) SELECT CAST(:tenant AS uuid), * FROM unnest(CAST(:message_id AS uuid[]), CAST(:event_id AS uuid[]), "
    "CAST(:key_id AS uuid[]), CAST(:algorithm AS text[]), CAST(:message_digest AS bytea[]), CAST(:value AS bytea[]), "
    "CAST(:final_digest AS bytea[]), CAST(:documents AS integer[]), CAST(:signed_at AS timestamptz[])) "
    "ON CONFLICT (tenant_id, message_id) DO NOTHING RETURNING message_id"
)


def add(connection: Connection, tenant_id: str, signatures: Sequence[Signature]) -> set[str]:
    """Store; returns the message ids that had none before. The others keep the one they have."""
    if not signatures:
        return set()
    # in one order everywhere, so that two writers cannot wait for each other
    ordered = sorted(signatures, key=lambda signature: signature.message_id)
    columns = {name: [getattr(item, name) for item in ordered] for name in Signature.__slots__}
    return {str(row.message_id) for row in connection.execute(_ADD, {"tenant": tenant_id, **columns})}
