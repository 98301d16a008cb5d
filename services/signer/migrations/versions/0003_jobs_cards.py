"""What waits for a signature lives in the database; cards at edge agents; keys for purposes, confirmed by a person.

Who shares out the devices must know which tenants have work before it knows a tenant: it sees the table `backlog`,
which says that and nothing else.
"""

from __future__ import annotations

from alembic import op

from runtime.migrate import roles
from runtime.rls import protect

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLES = (
    # devices have names from settings, and cards are devices too
    "ALTER TABLE key DROP CONSTRAINT key_device_kind_check",
    "ALTER TABLE key ADD COLUMN agent_id uuid",
    "ALTER TABLE key ADD COLUMN confirmed_at timestamptz",
    "ALTER TABLE key ADD COLUMN confirmed_by text NOT NULL DEFAULT ''",
    "ALTER TABLE key ADD COLUMN purpose text NOT NULL DEFAULT 'messages'",
    "DROP INDEX key_active",
    # exactly one active key of an enterprise for each purpose
    "CREATE UNIQUE INDEX key_active ON key (tenant_id, enterprise_code, purpose) WHERE active",
    # one card is one key of an enterprise, whichever agent holds it today
    "CREATE UNIQUE INDEX key_card ON key (tenant_id, enterprise_code, fingerprint) WHERE agent_id IS NOT NULL",
    """CREATE TABLE job (
        tenant_id uuid NOT NULL,
        message_id uuid NOT NULL,
        event_id uuid NOT NULL,
        queue text NOT NULL,
        key_id uuid NOT NULL,
        lane smallint NOT NULL CHECK (lane IN (0, 1)),
        place bigint GENERATED ALWAYS AS IDENTITY,
        kind text NOT NULL,
        message_type text NOT NULL,
        enterprise_code text NOT NULL,
        dxp_id text NOT NULL,
        documents integer NOT NULL,
        namespaces text[] NOT NULL,
        actor_token text NOT NULL,
        digest bytea NOT NULL,
        xml bytea NOT NULL,
        taken boolean NOT NULL DEFAULT false,
        lease bytea NOT NULL DEFAULT '',
        attempts integer NOT NULL DEFAULT 0,
        reason text NOT NULL DEFAULT '',
        queued_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (tenant_id, message_id),
        FOREIGN KEY (tenant_id, key_id) REFERENCES key (tenant_id, id))""",
    "CREATE INDEX job_turn ON job (tenant_id, queue, lane, place)",
    # large, and compressing costs more than the disk
    "ALTER TABLE job ALTER COLUMN xml SET STORAGE EXTERNAL",
    """CREATE TABLE backlog (
        tenant_id uuid NOT NULL,
        queue text NOT NULL,
        lane smallint NOT NULL,
        since timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (tenant_id, queue, lane))""",
    """CREATE TABLE card (
        tenant_id uuid NOT NULL,
        fingerprint text NOT NULL,
        agent_id uuid NOT NULL,
        enterprise_code text NOT NULL,
        certificate bytea NOT NULL,
        serial text NOT NULL,
        subject text NOT NULL,
        not_before timestamptz NOT NULL,
        not_after timestamptz NOT NULL,
        token text NOT NULL,
        state text NOT NULL CHECK (state IN ('ready', 'pin-needed', 'pin-low', 'pin-locked', 'failing', 'out')),
        reason text NOT NULL DEFAULT '',
        mechanisms text[] NOT NULL,
        seconds double precision NOT NULL DEFAULT 0,
        at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, fingerprint))""",
    """CREATE TABLE seat (
        tenant_id uuid NOT NULL,
        agent_id uuid NOT NULL,
        instance text NOT NULL,
        connection uuid NOT NULL,
        heard_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, agent_id))""",
    # of devices that all tenants share: kept under the tenant that stands for nobody
    """CREATE TABLE device_rate (
        tenant_id uuid NOT NULL,
        device text NOT NULL,
        per_second double precision NOT NULL CHECK (per_second > 0),
        signatures integer NOT NULL,
        at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, device))""",
    """CREATE TABLE challenge (
        tenant_id uuid NOT NULL,
        id uuid NOT NULL,
        fingerprint text NOT NULL,
        purpose text NOT NULL CHECK (purpose IN ('confirm', 'sign-in')),
        key_id uuid,
        body bytea NOT NULL,
        title_zh text NOT NULL,
        title_en text NOT NULL,
        actor text NOT NULL,
        actor_id text NOT NULL,
        request_id text NOT NULL,
        mechanism text NOT NULL,
        state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'signed', 'refused', 'used')),
        reason text NOT NULL DEFAULT '',
        signature bytea NOT NULL DEFAULT '',
        made_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, id))""",
    "CREATE INDEX challenge_waiting ON challenge (tenant_id, fingerprint) WHERE state = 'waiting'",
    "ALTER TABLE ledger DROP CONSTRAINT ledger_what_check",
    """ALTER TABLE ledger ADD CONSTRAINT ledger_what_check CHECK (what IN
        ('intent', 'signed', 'refused', 'activated', 'withdrawn', 'confirmed', 'bound'))""",
)

#: the tenants that have work for a device, for whoever shares it out: no document, no person, no number
_DISPATCH = "current_setting('app.purpose', true) = 'dispatch'"


def upgrade() -> None:
    """Make everything."""
    app, _relay = roles()
    for statement in (
        *_TABLES,
        *protect("job", app),
        *protect("backlog", app),
        f"CREATE POLICY dispatch ON backlog FOR SELECT TO {app} USING ({_DISPATCH})",
        *protect("card", app, "SELECT, INSERT, UPDATE"),
        *protect("seat", app),
        *protect("challenge", app, "SELECT, INSERT, UPDATE"),
        *protect("device_rate", app, "SELECT, INSERT, UPDATE"),
    ):
        op.execute(statement)
