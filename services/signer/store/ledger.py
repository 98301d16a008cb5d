"""The append-only, hash-chained ledger of a tenant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import psycopg
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from runtime.errors import unavailable
from services.signer import chain

_LEDGER_COLUMNS = (
    "at, what, actor_id, actor, mandate_id, request_id, message_id, event_id, kind, message_type, "
    "enterprise_code, documents, key_id, algorithm, certificate_serial, digest, result, code"
)
_NAMES = [name.strip() for name in _LEDGER_COLUMNS.split(",")]
#: what is not text
_TYPES = {"at": "timestamptz", "documents": "integer", "digest": "bytea", "result": "bytea"}
_APPEND = text(
    f"INSERT INTO ledger (tenant_id, seq, {_LEDGER_COLUMNS}, previous, hash) SELECT CAST(:tenant AS uuid), * FROM unnest("
    "CAST(:seq AS bigint[]), "
    + ", ".join(f"CAST(:{name} AS {_TYPES.get(name, 'text')}[])" for name in _NAMES)
    + ", CAST(:previous AS bytea[]), CAST(:hash AS bytea[]))"
)


def append(connection: Connection, tenant_id: str, entries: Sequence[chain.Entry]) -> chain.Link | None:
    """Add rows to the tenant's chain; the last thing before commit, as it makes other writers of the tenant wait.

    Returns the new head. Raises Problem unavailable if the ledger refuses rows: then nothing is signed (fail closed).
    """
    if not entries:
        return None
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('ledger:' || :tenant, 0))"), {"tenant": tenant_id}
    )
    seq, previous = head(connection)
    links = chain.extend(tenant_id, seq, previous, entries)
    columns: dict[str, list[Any]] = {name: [getattr(link.entry, name) for link in links] for name in _NAMES}
    columns |= {name: [getattr(link, name) for link in links] for name in ("seq", "previous", "hash")}
    try:
        connection.execute(_APPEND, {"tenant": tenant_id, **columns})
    except DBAPIError as exc:
        if isinstance(exc.orig, psycopg.errors.InsufficientPrivilege):
            raise unavailable("签名台账", "The signing ledger") from exc
        raise
    return links[-1]


def head(connection: Connection) -> tuple[int, bytes]:
    """Number and hash of the tenant's last row; (0, GENESIS) before the first."""
    row = connection.execute(text("SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1")).first()
    return (row.seq, bytes(row.hash)) if row else (0, chain.GENESIS)


def links_after(connection: Connection, seq: int, limit: int) -> list[chain.Link]:
    """Rows behind `seq`, oldest first."""
    rows = connection.execute(
        text(
            f"SELECT seq, {_LEDGER_COLUMNS}, previous, hash FROM ledger WHERE seq > :seq ORDER BY seq LIMIT :limit"
        ),
        {"seq": seq, "limit": limit},
    )
    return [_link(row) for row in rows]


def all_links(connection: Connection, page: int = 1000) -> Iterator[chain.Link]:
    """The whole chain, oldest first, in pages."""
    seq = 0
    while links := links_after(connection, seq, page):
        yield from links
        seq = links[-1].seq


def page(connection: Connection, before: int | None, message_id: str, limit: int) -> list[chain.Link]:
    """Newest first; before: only rows older than that number; message_id: "" = all."""
    rows = connection.execute(
        text(
            f"SELECT seq, {_LEDGER_COLUMNS}, previous, hash FROM ledger "
            "WHERE (CAST(:before AS bigint) IS NULL OR seq < :before) AND (:message = '' OR message_id = :message) "
            "ORDER BY seq DESC LIMIT :limit"
        ),
        {"before": before, "message": message_id, "limit": limit},
    )
    return [_link(row) for row in rows]


def hashes_of(connection: Connection, seqs: Sequence[int]) -> dict[int, bytes]:
    """Hashes of the rows with these numbers."""
    rows = connection.execute(
        text("SELECT seq, hash FROM ledger WHERE seq = ANY(:seqs)"), {"seqs": list(seqs)}
    )
    return {row.seq: bytes(row.hash) for row in rows}


def unrecorded_signatures(connection: Connection) -> list[str]:
    """Accepted signatures without their row in the ledger: the end of the chain was cut off."""
    rows = connection.execute(
        text(
            "SELECT message_id FROM signature AS s WHERE NOT EXISTS (SELECT 1 FROM ledger AS l "
            "WHERE l.tenant_id = s.tenant_id AND l.message_id = CAST(s.message_id AS text) "
            "AND l.what = 'signed' AND l.result = s.final_digest) LIMIT 100"
        )
    )
    return [str(row.message_id) for row in rows]


def _link(row: Any) -> chain.Link:
    values = {name: getattr(row, name) for name in _NAMES}
    values["digest"], values["result"] = bytes(values["digest"]), bytes(values["result"])
    return chain.Link(row.seq, chain.Entry(**values), bytes(row.previous), bytes(row.hash))
