"""When customs cleared a document and why it refused one can be counted and queried."""

from alembic import op

from filing import schema

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for statement in schema.fourth():
        op.execute(statement)
