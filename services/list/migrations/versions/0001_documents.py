"""Documents with revisions and links, messages, receipts, imports, exports, outbox and inbox."""

from alembic import op

from filing import schema
from runtime.migrate import roles

revision = "0001"
down_revision = None


def upgrade() -> None:
    app_role, relay_role = roles()
    for statement in (*schema.first(app_role, relay_role), *schema.second(app_role)):
        op.execute(statement)
