"""Keys, their probes, the append-only ledger, accepted signatures, outbox and inbox.

The application role may never change or remove a ledger row or an accepted signature.
"""

from __future__ import annotations

from alembic import op

from runtime.migrate import roles
from runtime.rls import outbox_and_inbox, protect

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    """CREATE TABLE key (
        tenant_id uuid NOT NULL,
        id uuid NOT NULL,
        enterprise_code text NOT NULL,
        label text NOT NULL,
        algorithm text NOT NULL,
        device_kind text NOT NULL CHECK (device_kind IN ('pkcs11', 'sealed')),
        device text NOT NULL DEFAULT '',
        hardware boolean NOT NULL DEFAULT false,
        certificate bytea,
        serial text NOT NULL DEFAULT '',
        fingerprint text NOT NULL DEFAULT '',
        not_before timestamptz,
        not_after timestamptz,
        active boolean NOT NULL DEFAULT false CHECK (NOT active OR certificate IS NOT NULL),
        created_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (tenant_id, id))""",
    # exactly one active key signs for an enterprise
    "CREATE UNIQUE INDEX key_active ON key (tenant_id, enterprise_code) WHERE active",
    # a provisioning that died is taken up again, not begun a second time
    "CREATE UNIQUE INDEX key_requested ON key (tenant_id, enterprise_code, algorithm) WHERE certificate IS NULL",
    """CREATE TABLE probe (
        tenant_id uuid NOT NULL,
        key_id uuid NOT NULL,
        works boolean NOT NULL,
        reason text NOT NULL DEFAULT '',
        at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, key_id))""",
    """CREATE TABLE ledger (
        tenant_id uuid NOT NULL,
        seq bigint NOT NULL,
        at timestamptz NOT NULL,
        what text NOT NULL CHECK (what IN ('intent', 'signed', 'refused', 'activated')),
        actor_id text NOT NULL,
        actor text NOT NULL,
        mandate_id text NOT NULL,
        request_id text NOT NULL,
        message_id text NOT NULL,
        event_id text NOT NULL,
        kind text NOT NULL,
        message_type text NOT NULL,
        enterprise_code text NOT NULL,
        documents integer NOT NULL,
        key_id text NOT NULL,
        algorithm text NOT NULL,
        certificate_serial text NOT NULL,
        digest bytea NOT NULL,
        result bytea NOT NULL,
        code text NOT NULL,
        previous bytea NOT NULL,
        hash bytea NOT NULL,
        PRIMARY KEY (tenant_id, seq))""",
    "CREATE INDEX ledger_message ON ledger (tenant_id, message_id, seq)",
    """CREATE FUNCTION ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the signing ledger is append-only'; END $$""",
    """CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
        FOR EACH STATEMENT EXECUTE FUNCTION ledger_is_append_only()""",
    """CREATE TABLE signature (
        tenant_id uuid NOT NULL,
        message_id uuid NOT NULL,
        event_id uuid NOT NULL,
        key_id uuid NOT NULL,
        algorithm text NOT NULL,
        message_digest bytea NOT NULL,
        value bytea NOT NULL,
        final_digest bytea NOT NULL,
        documents integer NOT NULL,
        signed_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, message_id),
        FOREIGN KEY (tenant_id, key_id) REFERENCES key (tenant_id, id))""",
)


def upgrade() -> None:
    """Make everything."""
    app, relay = roles()
    for statement in (
        *_TABLES,
        *protect("key", app, "SELECT, INSERT, UPDATE"),
        *protect("probe", app, "SELECT, INSERT, UPDATE"),
        *protect("ledger", app, "SELECT, INSERT"),
        *protect("signature", app, "SELECT, INSERT"),
        *outbox_and_inbox(app, relay),
    ):
        op.execute(statement)
