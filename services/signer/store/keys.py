"""Keys, what the canary found of them, and how fast they sign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from services.signer.domain import Key

_KEY_COLUMNS = (
    "tenant_id, id, enterprise_code, label, algorithm, device_kind, device, hardware, certificate, serial, "
    "fingerprint, not_before, not_after, active, purpose, agent_id, confirmed_at, confirmed_by"
)


def active(connection: Connection, enterprise_codes: Sequence[str], purpose: str) -> dict[str, Key]:
    """Enterprise code -> its active key for that purpose."""
    rows = connection.execute(
        text(
            f"SELECT {_KEY_COLUMNS} FROM key WHERE active AND purpose = :purpose AND enterprise_code = ANY(:codes)"
        ),
        {"codes": list(enterprise_codes), "purpose": purpose},
    )
    return {row.enterprise_code: _key(row) for row in rows}


def by_ids(connection: Connection, key_ids: Sequence[str]) -> dict[str, Key]:
    """Keys that have a certificate, by id."""
    rows = connection.execute(
        text(
            f"SELECT {_KEY_COLUMNS} FROM key WHERE id = ANY(CAST(:ids AS uuid[])) AND certificate IS NOT NULL"
        ),
        {"ids": list(key_ids)},
    )
    return {str(row.id): _key(row) for row in rows}


def all_keys(connection: Connection) -> list[tuple[Key, bool]]:
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


def lock(connection: Connection, tenant_id: str) -> None:
    """Let nobody else change which of the tenant's keys is active until commit."""
    connection.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended('keys:' || :tenant, 0))"), {"tenant": tenant_id}
    )


def one(connection: Connection, key_id: str) -> Key | None:
    """One key that has a certificate."""
    row = connection.execute(
        text(f"SELECT {_KEY_COLUMNS} FROM key WHERE id = :id AND certificate IS NOT NULL"), {"id": key_id}
    ).first()
    return _key(row) if row else None


def activate(connection: Connection, enterprise_code: str, purpose: str, key_id: str) -> None:
    """Make this key the one active key of its enterprise for its purpose; call `lock` first."""
    connection.execute(
        text(
            "UPDATE key SET active = false "
            "WHERE active AND enterprise_code = :code AND purpose = :purpose AND id <> :id"
        ),
        {"code": enterprise_code, "purpose": purpose, "id": key_id},
    )
    connection.execute(text("UPDATE key SET active = true WHERE id = :id"), {"id": key_id})


def newest(connection: Connection, enterprise_code: str, algorithm: str) -> tuple[str, Key | None] | None:
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


def request(connection: Connection, values: Mapping[str, Any]) -> bool:
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


def add_card(connection: Connection, values: Mapping[str, Any]) -> bool:
    """A key on a card, with the certificate that the card showed; False if the enterprise has it already."""
    row = connection.execute(
        text(
            "INSERT INTO key (tenant_id, id, enterprise_code, label, algorithm, device_kind, device, hardware, "
            "certificate, serial, fingerprint, not_before, not_after, agent_id) VALUES (:tenant_id, :id, "
            ":enterprise_code, :label, :algorithm, 'card', :device, :hardware, :certificate, :serial, :fingerprint, "
            ":not_before, :not_after, :agent_id) ON CONFLICT DO NOTHING RETURNING id"
        ),
        values,
    ).first()
    return row is not None


def confirm(connection: Connection, key_id: str, by: str, at: datetime) -> None:
    """Note that the key answered a challenge that a person gave it."""
    connection.execute(
        text("UPDATE key SET confirmed_at = :at, confirmed_by = :by WHERE id = :id"),
        {"id": key_id, "by": by, "at": at},
    )


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
            "SELECT CAST(:tenant AS uuid), id, :works, :reason, :at FROM key WHERE id = :key "
            "ON CONFLICT (tenant_id, key_id) DO UPDATE SET works = EXCLUDED.works, reason = EXCLUDED.reason, "
            "at = EXCLUDED.at"
        ),
        {"tenant": tenant_id, "key": key_id, "works": works, "reason": reason, "at": at},
    )


def _key(row: Any) -> Key:
    values = {name.strip(): getattr(row, name.strip()) for name in _KEY_COLUMNS.split(",")}
    values |= {"tenant_id": str(row.tenant_id), "id": str(row.id), "certificate": bytes(row.certificate)}
    values["agent_id"] = str(row.agent_id) if row.agent_id else None
    return Key(**values)
