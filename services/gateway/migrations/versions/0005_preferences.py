"""What a person has set up for themselves: columns, keys, density …; in the tenant that employs them."""

from __future__ import annotations

from alembic import op

from runtime.migrate import roles
from runtime.rls import protect

revision = "0005"
down_revision = "0004"

# value: JSON as text; nothing here ever looks into it, and the order of its names is kept
_PREFERENCES = """CREATE TABLE preferences (
    tenant_id uuid NOT NULL,
    user_id uuid NOT NULL,
    name text NOT NULL,
    value text NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant_id, user_id, name),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users ON DELETE CASCADE)"""


def upgrade() -> None:
    """One table, under the tenant's policy."""
    app, _ = roles()
    for statement in (_PREFERENCES, *protect("preferences", app)):
        op.execute(statement)
