"""Tenants, enterprises, users, mandates, strategies, the audit trail, idempotency keys, outbox and inbox.

Nothing but policies made here lets one tenant see another's rows: a provider its customers' metadata, a broker
the mandates given to it, a sign-in the one user of that name. All of them read only.
"""

from __future__ import annotations

from alembic import op

from runtime.migrate import roles
from runtime.rls import TENANT, outbox_and_inbox, protect

revision = "0001"
down_revision = None

_TENANTS = """CREATE TABLE tenants (
    tenant_id uuid PRIMARY KEY,
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('enterprise', 'broker', 'provider', 'platform')),
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspended')),
    provider_id uuid,
    platform_id uuid,
    users integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now())"""

_ENTERPRISES = """CREATE TABLE enterprises (
    tenant_id uuid NOT NULL REFERENCES tenants,
    id uuid NOT NULL,
    code text NOT NULL,
    customs_code text NOT NULL,
    name text NOT NULL,
    short_code text NOT NULL,
    dxp_id text NOT NULL,
    channel text NOT NULL CHECK (channel IN ('amqp', 'spool')),
    kinds text[] NOT NULL DEFAULT '{}',
    enabled boolean NOT NULL DEFAULT true,
    provider_id uuid,
    platform_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, code))"""

_USERS = """CREATE TABLE users (
    tenant_id uuid NOT NULL REFERENCES tenants,
    id uuid NOT NULL,
    username text NOT NULL,
    name text NOT NULL,
    password_hash text NOT NULL,
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'disabled')),
    roles text[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, username))"""

_MANDATES = """CREATE TABLE mandates (
    tenant_id uuid NOT NULL REFERENCES tenants,
    id uuid NOT NULL,
    client_name text NOT NULL,
    broker_id uuid NOT NULL,
    broker_name text NOT NULL,
    kinds text[] NOT NULL,
    actions text[] NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_to timestamptz NOT NULL CHECK (valid_to > valid_from),
    revoked_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id))"""

_STRATEGIES = """CREATE TABLE strategies (
    tenant_id uuid NOT NULL REFERENCES tenants,
    id uuid NOT NULL,
    name text NOT NULL,
    trade_mode text NOT NULL CHECK (trade_mode IN ('9610', '9710', '9810')),
    kind text NOT NULL,
    logistics_code text NOT NULL,
    enterprise_short_code text NOT NULL,
    defaults jsonb NOT NULL DEFAULT '{}',
    enabled boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name))"""

# home_tenant_id: where the person is employed; differs from tenant_id where a broker acts for a client
_AUDIT = """CREATE TABLE audit (
    tenant_id uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    id uuid NOT NULL,
    what text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('allowed', 'refused')),
    user_id uuid,
    user_name text NOT NULL,
    home_tenant_id uuid,
    mandate_id uuid,
    object text NOT NULL,
    detail jsonb NOT NULL,
    request_id text NOT NULL,
    address text NOT NULL,
    PRIMARY KEY (tenant_id, at, id))"""

_IDEMPOTENCY = """CREATE TABLE idempotency (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    key text NOT NULL,
    digest text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempt uuid NOT NULL,
    status integer,
    headers jsonb,
    body bytea,
    PRIMARY KEY (tenant_id, user_id, key))"""

_SIGN_IN = (
    "CREATE POLICY sign_in ON users FOR SELECT TO {app} "
    "USING (username = nullif(current_setting('app.sign_in_as', true), ''))"
)


def upgrade() -> None:
    """Create everything and grant to the application role what it needs, no more."""
    app, relay = roles()
    statements = [
        _TENANTS,
        *protect("tenants", app, "SELECT, INSERT, UPDATE"),
        _overseer("tenants", app),
        "CREATE INDEX tenants_provider ON tenants (provider_id)",
        _ENTERPRISES,
        *protect("enterprises", app, "SELECT, INSERT, UPDATE"),
        _overseer("enterprises", app),
        _USERS,
        *protect("users", app, "SELECT, INSERT, UPDATE"),
        # sign-in has a name and no tenant yet: this shows the row of that name and no other
        _SIGN_IN.format(app=app),
        "CREATE INDEX users_username ON users (username)",
        _MANDATES,
        *protect("mandates", app, "SELECT, INSERT, UPDATE"),
        f"CREATE POLICY broker ON mandates FOR SELECT TO {app} USING (broker_id = {TENANT})",
        "CREATE INDEX mandates_broker ON mandates (broker_id)",
        _STRATEGIES,
        *protect("strategies", app, "SELECT, INSERT, UPDATE"),
        _AUDIT,
        *protect("audit", app, "SELECT, INSERT"),
        _IDEMPOTENCY,
        *protect("idempotency", app),
        "CREATE INDEX idempotency_age ON idempotency (tenant_id, user_id, started_at)",
        *outbox_and_inbox(app, relay),
    ]
    for statement in statements:
        op.execute(statement)


def _overseer(table: str, app: str) -> str:
    """The provider that looks after a tenant, and the platform, read its onboarding record."""
    return (
        f"CREATE POLICY overseer ON {table} FOR SELECT TO {app} "
        f"USING (provider_id = {TENANT} OR platform_id = {TENANT})"
    )
