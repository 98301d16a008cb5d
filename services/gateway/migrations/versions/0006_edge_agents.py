"""Edge agents: who may connect as one; cards that sign people in. A code that was not used yet is kept as its hash only."""

from __future__ import annotations

from alembic import op

from runtime.migrate import roles
from runtime.rls import protect

revision = "0006"
down_revision = "0005"

_AGENTS = """CREATE TABLE edge_agents (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    code_hash text,
    code_expires_at timestamptz,
    code_key text,
    fingerprint text,
    serial text NOT NULL DEFAULT '',
    not_after timestamptz,
    enrolled_at timestamptz,
    revoked_at timestamptz,
    revoked_by text NOT NULL DEFAULT '',
    version text NOT NULL DEFAULT '',
    platform text NOT NULL DEFAULT '',
    host_name text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    created_by text NOT NULL,
    PRIMARY KEY (tenant_id, id))"""


def upgrade() -> None:
    """One table; two narrow looks into it before the tenant is known: by an unused code, by a certificate."""
    app, _ = roles()
    for statement in (
        _AGENTS,
        *protect("edge_agents", app, "SELECT, INSERT, UPDATE"),
        "ALTER TABLE users ADD COLUMN card text",
        # a card signs in one person
        "CREATE UNIQUE INDEX users_card ON users (tenant_id, card)",
        "CREATE INDEX edge_agents_code ON edge_agents (code_hash)",
        "CREATE INDEX edge_agents_fingerprint ON edge_agents (fingerprint)",
        _look("enrolling", app, "code_hash", "app.enrol_code"),
        _look("attending", app, "fingerprint", "app.agent_fingerprint"),
    ):
        op.execute(statement)


def _look(policy: str, app: str, column: str, setting: str) -> str:
    """The row of the one who connects, found by what it brought, and no other."""
    return (
        f"CREATE POLICY {policy} ON edge_agents FOR SELECT TO {app} "
        f"USING ({column} = nullif(current_setting('{setting}', true), ''))"
    )
