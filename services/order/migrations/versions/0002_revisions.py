"""Revisions and links of documents, exports, import tasks, column mappings."""

from alembic import op

from filing import schema
from runtime.migrate import roles

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    app_role, _ = roles()
    for statement in schema.second(app_role):
        op.execute(statement)
