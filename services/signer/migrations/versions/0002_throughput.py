"""How fast a key signs, and what it has in hand, is counted by indexes."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_INDEXES = (
    "CREATE INDEX signature_of_key ON signature (tenant_id, key_id, signed_at)",
    "CREATE INDEX ledger_intent ON ledger (tenant_id, key_id, at) WHERE what = 'intent'",
)


def upgrade() -> None:
    """Make everything."""
    for statement in _INDEXES:
        op.execute(statement)
