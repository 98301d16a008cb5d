"""Documents, messages, receipts, imports, outbox and inbox."""

from alembic import op

from filing import schema
from runtime.migrate import roles

revision = "0001"
down_revision = None


def upgrade() -> None:
    for statement in schema.first(*roles()):
        op.execute(statement)
