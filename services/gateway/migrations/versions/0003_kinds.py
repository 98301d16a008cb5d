"""Kinds of enterprise under the names by which documents say who may file them; nothing else may stand there.

Source of the kinds: the record of an e-commerce enterprise (guide 003) and the declaring agent.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

_KINDS = "'ecommerce', 'platform', 'logistics', 'payment', 'operator', 'logistics-b2b', 'agent'"


def upgrade() -> None:
    """Rename the one kind there was, then close the list."""
    statements = [
        # the owner is under the policies, too, and no tenant is set while a schema changes
        "ALTER TABLE enterprises NO FORCE ROW LEVEL SECURITY",
        "UPDATE enterprises SET kinds = array_replace(kinds, 'e-commerce', 'ecommerce')",
        "ALTER TABLE enterprises FORCE ROW LEVEL SECURITY",
        f"ALTER TABLE enterprises ADD CONSTRAINT enterprises_kinds CHECK (kinds <@ ARRAY[{_KINDS}])",
    ]
    for statement in statements:
        op.execute(statement)
