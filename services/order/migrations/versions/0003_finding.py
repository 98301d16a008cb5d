"""Numbers of any kind and batches are found by their indexes."""

from alembic import op

from filing import schema

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for statement in schema.third():
        op.execute(statement)
