"""SQL of edge agents. Codes are kept as hashes; what a code or a certificate finds is one row."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

#: those who watch for revocations listen here; the agent's id is said
CHANNEL = "edge_agents"

_COLUMNS = (
    "tenant_id, id, name, code_expires_at, code_key, fingerprint, serial, not_after, enrolled_at, revoked_at, revoked_by, "
    "version, platform, host_name, created_at, created_by"
)


@dataclass(frozen=True, slots=True)
class EdgeAgent:
    """One agent. fingerprint: SHA-256 of its certificate, hex; None before enrolment. code_key: SHA-256 of the public
    key that used the code, hex; None while it is unused."""

    tenant_id: str
    id: str
    name: str
    code_expires_at: datetime | None
    code_key: str | None
    fingerprint: str | None
    serial: str
    not_after: datetime | None
    enrolled_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str
    version: str
    platform: str
    host_name: str
    created_at: datetime
    created_by: str

    def state(self, now: datetime) -> str:
        """revoked | expired | enrolled | code-expired | waiting."""
        if self.revoked_at is not None:
            return "revoked"
        if self.fingerprint is not None:
            return "enrolled" if self.not_after is None or self.not_after > now else "expired"
        return (
            "waiting" if self.code_expires_at is not None and self.code_expires_at > now else "code-expired"
        )


def add(
    connection: Connection,
    tenant_id: str,
    agent_id: str,
    name: str,
    code_hash: str,
    expires: datetime,
    by: str,
) -> None:
    """A new agent that waits to be enrolled."""
    connection.execute(
        text(
            "INSERT INTO edge_agents (tenant_id, id, name, code_hash, code_expires_at, created_by) "
            "VALUES (:tenant, :id, :name, :hash, :expires, :by)"
        ),
        {"tenant": tenant_id, "id": agent_id, "name": name, "hash": code_hash, "expires": expires, "by": by},
    )


def renew_code(connection: Connection, agent_id: str, code_hash: str, expires: datetime) -> bool:
    """Another code for an agent that is not revoked; the one before ends. Its certificate holds until the new one is made."""
    row = connection.execute(
        text(
            "UPDATE edge_agents SET code_hash = :hash, code_expires_at = :expires, code_key = NULL "
            "WHERE id = :id AND revoked_at IS NULL RETURNING id"
        ),
        {"id": agent_id, "hash": code_hash, "expires": expires},
    ).first()
    return row is not None


def agents(connection: Connection) -> list[EdgeAgent]:
    """All agents of the tenant, by name."""
    rows = connection.execute(text(f"SELECT {_COLUMNS} FROM edge_agents ORDER BY name, created_at, id"))
    return [_agent(row) for row in rows]


def one(connection: Connection, agent_id: str) -> EdgeAgent | None:
    """An agent of the tenant."""
    row = connection.execute(
        text(f"SELECT {_COLUMNS} FROM edge_agents WHERE id = :id"), {"id": agent_id}
    ).first()
    return _agent(row) if row else None


def revoke(connection: Connection, agent_id: str, by: str, now: datetime) -> bool:
    """From now on it may not connect; whoever holds its connection is told at commit. False if it was revoked before."""
    row = connection.execute(
        text(
            "UPDATE edge_agents SET revoked_at = :now, revoked_by = :by, code_hash = NULL "
            "WHERE id = :id AND revoked_at IS NULL RETURNING id"
        ),
        {"id": agent_id, "by": by, "now": now},
    ).first()
    connection.execute(text(f"SELECT pg_notify('{CHANNEL}', :id)"), {"id": agent_id})
    return row is not None


def by_code(connection: Connection, code_hash: str) -> EdgeAgent | None:
    """The agent that this code is for; needs no tenant."""
    connection.execute(text("SELECT set_config('app.enrol_code', :hash, true)"), {"hash": code_hash})
    row = connection.execute(
        text(f"SELECT {_COLUMNS} FROM edge_agents WHERE code_hash = :hash"), {"hash": code_hash}
    ).first()
    return _agent(row) if row else None


def by_fingerprint(connection: Connection, fingerprint: str) -> EdgeAgent | None:
    """The agent with this certificate; needs no tenant."""
    connection.execute(
        text("SELECT set_config('app.agent_fingerprint', :fingerprint, true)"), {"fingerprint": fingerprint}
    )
    row = connection.execute(
        text(f"SELECT {_COLUMNS} FROM edge_agents WHERE fingerprint = :fingerprint"),
        {"fingerprint": fingerprint},
    ).first()
    return _agent(row) if row else None


@dataclass(frozen=True, slots=True)
class Issued:
    """The certificate an agent got, and what it said of itself. code_key: as in EdgeAgent."""

    code_key: str
    fingerprint: str
    serial: str
    not_after: datetime
    version: str
    platform: str
    host_name: str


def enrol(connection: Connection, agent_id: str, code_hash: str, issued: Issued, now: datetime) -> bool:
    """Use the code and bind the certificate; False if another key used it meanwhile.

    The same key may ask again as long as the code lives: its answer may have been lost on the way."""
    row = connection.execute(
        text(
            "UPDATE edge_agents SET code_key = :code_key, fingerprint = :fingerprint, "
            "serial = :serial, not_after = :not_after, version = :version, platform = :platform, "
            "host_name = :host_name, enrolled_at = :now "
            "WHERE id = :id AND code_hash = :hash AND coalesce(code_key, :code_key) = :code_key "
            "AND revoked_at IS NULL RETURNING id"
        ),
        {"id": agent_id, "hash": code_hash, "now": now, **_values(issued)},
    ).first()
    connection.execute(text(f"SELECT pg_notify('{CHANNEL}', :id)"), {"id": agent_id})
    return row is not None


def renew(connection: Connection, agent_id: str, before: str, issued: Issued) -> bool:
    """Bind another certificate in place of `before`; False if that is not the agent's any more."""
    row = connection.execute(
        text(
            "UPDATE edge_agents SET fingerprint = :fingerprint, serial = :serial, not_after = :not_after "
            "WHERE id = :id AND fingerprint = :before AND revoked_at IS NULL RETURNING id"
        ),
        {"id": agent_id, "before": before, **_values(issued)},
    ).first()
    return row is not None


def _values(issued: Issued) -> dict[str, Any]:
    return {name: getattr(issued, name) for name in Issued.__slots__}


def _agent(row: Any) -> EdgeAgent:
    values = {name: getattr(row, name) for name in EdgeAgent.__slots__}
    return EdgeAgent(**(values | {"tenant_id": str(row.tenant_id), "id": str(row.id)}))
