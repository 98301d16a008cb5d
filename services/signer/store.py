"""All SQL of this service. Every function works inside a transaction of one tenant, opened by the use case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from sqlalchemy import Connection, Row, text
from sqlalchemy.exc import DBAPIError

from runtime.errors import unavailable
from services.signer import chain
from services.signer.domain import Key

_KEY_COLUMNS = (
    "tenant_id, id, enterprise_code, label, algorithm, device_kind, device, hardware, certificate, serial, "
    "fingerprint, not_before, not_after, active"
)
_LEDGER_COLUMNS = (
    "at, what, actor_id, actor, mandate_id, request_id, message_id, event_id, kind, message_type, "
    "enterprise_code, documents, key_id, algorithm, certificate_serial, digest, result, code"
)


# ---- what was handled before ---------------------------------------------------------------------------------------


def handled(connection: Connection, consumer: str, event_ids: Sequence[str]) -> set[str]:
    """Those events that this consumer has finished with."""
    rows = connection.execute(
        text("SELECT id FROM inbox WHERE consumer = :consumer AND id = ANY(CAST(:ids AS uuid[]))"),
        {"consumer": consumer, "ids": list(event_ids)},
    )
    return {str(row.id) for row in rows}


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


# ---- signatures ----------------------------------------------------------------------------------------------------


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


def add_signatures(connection: Connection, tenant_id: str, signatures: Sequence[Signature]) -> set[str]:
    """Store; returns the message ids that had none before. The others keep the one they have."""
    new = set()
    for item in sorted(signatures, key=lambda signature: signature.message_id):
        row = connection.execute(
            text(
                "INSERT INTO signature (tenant_id, message_id, event_id, key_id, algorithm, message_digest, value, "
                "final_digest, documents, signed_at) VALUES (:tenant, :message_id, :event_id, :key_id, :algorithm, "
                ":message_digest, :value, :final_digest, :documents, :signed_at) "
                "ON CONFLICT (tenant_id, message_id) DO NOTHING RETURNING message_id"
            ),
            {"tenant": tenant_id, **{name: getattr(item, name) for name in Signature.__slots__}},
        ).first()
        if row is not None:
            new.add(str(row.message_id))
    return new


# ---- the ledger ----------------------------------------------------------------------------------------------------


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
    columns = [name.strip() for name in _LEDGER_COLUMNS.split(",")]
    values = ", ".join(f":{name}" for name in columns)
    try:
        connection.execute(
            text(
                f"INSERT INTO ledger (tenant_id, seq, {_LEDGER_COLUMNS}, previous, hash) "
                f"VALUES (:tenant, :seq, {values}, :previous, :hash)"
            ),
            [
                {
                    "tenant": tenant_id,
                    "seq": link.seq,
                    "previous": link.previous,
                    "hash": link.hash,
                    **{name: getattr(link.entry, name) for name in columns},
                }
                for link in links
            ],
        )
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


def ledger_page(connection: Connection, before: int | None, message_id: str, limit: int) -> list[chain.Link]:
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
    names = [name.strip() for name in _LEDGER_COLUMNS.split(",")]
    values = {name: getattr(row, name) for name in names}
    values["digest"], values["result"] = bytes(values["digest"]), bytes(values["result"])
    return chain.Link(row.seq, chain.Entry(**values), bytes(row.previous), bytes(row.hash))


# ---- keys ----------------------------------------------------------------------------------------------------------


def active_keys(connection: Connection, enterprise_codes: Sequence[str]) -> dict[str, Key]:
    """Enterprise code -> its active key."""
    rows = connection.execute(
        text(f"SELECT {_KEY_COLUMNS} FROM key WHERE active AND enterprise_code = ANY(:codes)"),
        {"codes": list(enterprise_codes)},
    )
    return {row.enterprise_code: _key(row) for row in rows}


def keys(connection: Connection) -> list[tuple[Key, bool]]:
    """All keys with a certificate, and whether the last probe of each worked (True if none was made yet)."""
    rows = connection.execute(
        text(
            f"SELECT {', '.join('k.' + name.strip() for name in _KEY_COLUMNS.split(','))}, "
            "coalesce(p.works, true) AS works "
            "FROM key AS k LEFT JOIN probe AS p ON p.tenant_id = k.tenant_id AND p.key_id = k.id "
            "WHERE k.certificate IS NOT NULL ORDER BY k.enterprise_code, k.created_at, k.id"
        )
    )
    return [(_key(row), row.works) for row in rows]


#: signatures that a key's speed is measured by, none older than a day
MEASURED = 200

# signed one after the other or side by side: the union of the times from intent to signature is the time spent
_THROUGHPUT = text(
    "SELECT k.id, (SELECT count(*) FROM ledger AS i WHERE i.what = 'intent' AND i.at > :now - interval '7 days'"
    "  AND i.key_id = CAST(k.id AS text) AND NOT EXISTS (SELECT 1 FROM ledger AS l WHERE l.message_id = i.message_id"
    "   AND l.seq > i.seq)) AS taken,"
    " coalesce(m.signatures, 0) AS signatures, coalesce(m.busy, 0) AS busy, m.last_at"
    " FROM key AS k LEFT JOIN LATERAL ("
    "  SELECT sum(n) AS signatures, max(last_at) AS last_at, (SELECT sum(extract(epoch FROM upper(r) - lower(r)))"
    "   FROM unnest(range_agg(tstzrange(begun, last_at))) AS r) AS busy FROM ("
    "   SELECT count(*) AS n, i.begun, s.signed_at AS last_at FROM ("
    "    SELECT message_id, signed_at FROM signature WHERE key_id = k.id AND signed_at > :now - interval '1 day'"
    f"    ORDER BY signed_at DESC LIMIT {MEASURED}) AS s CROSS JOIN LATERAL ("
    "    SELECT max(at) AS begun FROM ledger WHERE message_id = CAST(s.message_id AS text) AND what = 'intent'"
    "     AND at <= s.signed_at) AS i WHERE i.begun IS NOT NULL GROUP BY 2, 3) AS waves) AS m ON true"
    " WHERE k.certificate IS NOT NULL ORDER BY k.enterprise_code, k.created_at, k.id"
)


def throughput(connection: Connection, now: datetime) -> Sequence[Row[Any]]:
    """Of each key that has a certificate: id, taken, signatures, busy (seconds), last_at. An attempt that was broken off
    and never taken up again counts as in hand for seven days."""
    return connection.execute(_THROUGHPUT, {"now": now}).all()


def lock_keys(connection: Connection, tenant_id: str) -> None:
    """Let nobody else change which of the tenant's keys is active until commit."""
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('keys:' || :tenant, 0))"), {"tenant": tenant_id}
    )


def key(connection: Connection, key_id: str) -> Key | None:
    """One key that has a certificate."""
    row = connection.execute(
        text(f"SELECT {_KEY_COLUMNS} FROM key WHERE id = :id AND certificate IS NOT NULL"), {"id": key_id}
    ).first()
    return _key(row) if row else None


def activate(connection: Connection, enterprise_code: str, key_id: str) -> None:
    """Make this key the one active key of its enterprise; call `lock_keys` first."""
    connection.execute(
        text("UPDATE key SET active = false WHERE active AND enterprise_code = :code AND id <> :id"),
        {"code": enterprise_code, "id": key_id},
    )
    connection.execute(text("UPDATE key SET active = true WHERE id = :id"), {"id": key_id})


def newest_key(connection: Connection, enterprise_code: str, algorithm: str) -> tuple[str, Key | None] | None:
    """(id, the key or None while it waits for its certificate) of the newest key of this algorithm."""
    row = connection.execute(
        text(
            f"SELECT {_KEY_COLUMNS} FROM key WHERE enterprise_code = :code AND algorithm = :algorithm "
            "ORDER BY created_at DESC LIMIT 1"
        ),
        {"code": enterprise_code, "algorithm": algorithm},
    ).first()
    if row is None:
        return None
    return str(row.id), None if row.certificate is None else _key(row)


def add_key(connection: Connection, values: Mapping[str, Any]) -> bool:
    """A key that waits for its certificate; False if another one of that kind waits already."""
    row = connection.execute(
        text(
            "INSERT INTO key (tenant_id, id, enterprise_code, label, algorithm, device_kind) "
            "VALUES (:tenant_id, :id, :enterprise_code, :label, :algorithm, :device_kind) "
            "ON CONFLICT DO NOTHING RETURNING id"
        ),
        values,
    ).first()
    return row is not None


def install(connection: Connection, key_id: str, values: Mapping[str, Any]) -> None:
    """Set certificate and device of a key that waited for them."""
    connection.execute(
        text(
            "UPDATE key SET certificate = :certificate, serial = :serial, fingerprint = :fingerprint, "
            "not_before = :not_before, not_after = :not_after, device = :device, hardware = :hardware "
            "WHERE id = :id AND certificate IS NULL"
        ),
        {"id": key_id, **values},
    )


def record_probe(
    connection: Connection, tenant_id: str, key_id: str, works: bool, reason: str, at: datetime
) -> None:
    """What the canary found for a key, if the key is known here."""
    connection.execute(
        text(
            "INSERT INTO probe (tenant_id, key_id, works, reason, at) "
            "SELECT :tenant, id, :works, :reason, :at FROM key WHERE id = :key "
            "ON CONFLICT (tenant_id, key_id) DO UPDATE SET works = EXCLUDED.works, reason = EXCLUDED.reason, "
            "at = EXCLUDED.at"
        ),
        {"tenant": tenant_id, "key": key_id, "works": works, "reason": reason, "at": at},
    )


def _key(row: Any) -> Key:
    values = {name.strip(): getattr(row, name.strip()) for name in _KEY_COLUMNS.split(",")}
    values |= {"tenant_id": str(row.tenant_id), "id": str(row.id), "certificate": bytes(row.certificate)}
    return Key(**values)
