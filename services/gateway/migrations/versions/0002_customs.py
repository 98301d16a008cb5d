"""What goes to customs and what comes back: transmissions, raw receipts, and how a receiver is found.

The envelopes and receipts are kept uncompressed out of line: they are written once, read seldom, and compressing
them costs more than everything else about the row.
"""

from __future__ import annotations

from alembic import op

from runtime.migrate import roles
from runtime.rls import protect

revision = "0002"
down_revision = "0001"

# envelope is null only where the message was refused before there was one
_TRANSMISSIONS = """CREATE TABLE transmissions (
    tenant_id uuid NOT NULL,
    message_id uuid NOT NULL,
    kind text NOT NULL,
    message_type text NOT NULL,
    enterprise_code text NOT NULL,
    dxp_id text NOT NULL,
    documents integer NOT NULL,
    channel text CHECK (channel IN ('amqp', 'spool')),
    state text NOT NULL CHECK (state IN ('sending', 'waiting', 'sent', 'refused')),
    envelope bytea,
    signed_sha256 bytea NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    code text,
    reason_zh text,
    reason_en text,
    stored_at timestamptz NOT NULL,
    sent_at timestamptz,
    PRIMARY KEY (tenant_id, message_id),
    CHECK (envelope IS NOT NULL OR state = 'refused'))"""

_RAW_RECEIPTS = """CREATE TABLE raw_receipts (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    sha256 bytea NOT NULL,
    raw bytea NOT NULL,
    source text NOT NULL CHECK (source IN ('amqp', 'spool')),
    name text NOT NULL,
    message_type text NOT NULL,
    receiver text NOT NULL,
    state text NOT NULL CHECK (state IN ('parsed', 'unmatched', 'unreadable', 'unassigned', 'assigned')),
    code text,
    reason_zh text,
    reason_en text,
    times integer NOT NULL,
    received_at timestamptz NOT NULL,
    last_received_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, sha256))"""

_UNASSIGNED = (
    "CREATE INDEX raw_receipts_unassigned ON raw_receipts (tenant_id, receiver, received_at, id) "
    "WHERE state = 'unassigned'"
)
_RECEIVER = (
    "CREATE POLICY receiver ON enterprises FOR SELECT TO {app} "
    "USING (dxp_id = nullif(current_setting('app.receiver_dxp_id', true), ''))"
)


def upgrade() -> None:
    """Create both tables and the narrow view on enterprises that receiving needs."""
    app, _relay = roles()
    statements = [
        _TRANSMISSIONS,
        "ALTER TABLE transmissions ALTER COLUMN envelope SET STORAGE EXTERNAL",
        *protect("transmissions", app, "SELECT, INSERT, UPDATE"),
        _RAW_RECEIPTS,
        "ALTER TABLE raw_receipts ALTER COLUMN raw SET STORAGE EXTERNAL",
        *protect("raw_receipts", app, "SELECT, INSERT, UPDATE"),
        # what nobody was found for yet is looked at again from time to time
        _UNASSIGNED,
        # an envelope names its receiver and no tenant: this shows the rows of that receiver and no other
        _RECEIVER.format(app=app),
        "CREATE INDEX enterprises_dxp_id ON enterprises (dxp_id)",
    ]
    for statement in statements:
        op.execute(statement)
