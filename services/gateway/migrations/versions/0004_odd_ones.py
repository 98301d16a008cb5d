"""Finding what waits and what could not be read, for the self-diagnosis: both are few among very many."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Two partial indexes; a row that is sent, or understood, is in neither."""
    op.execute(
        "CREATE INDEX transmissions_waiting ON transmissions (tenant_id, channel, stored_at) "
        "WHERE state IN ('sending', 'waiting')"
    )
    op.execute(
        "CREATE INDEX raw_receipts_odd ON raw_receipts (tenant_id, received_at) "
        "WHERE state IN ('unreadable', 'unmatched')"
    )
