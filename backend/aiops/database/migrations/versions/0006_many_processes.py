"""The turns in which queued jobs are claimed, processes that say that they work, and which code can use a database."""

import sqlalchemy as sa
from alembic import op

from aiops.database.tables import UtcDateTime

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("job", sa.Column("turn", sa.BigInteger(), nullable=False, server_default="0"))
    is_open = sa.text("status IN ('queued', 'running')")
    op.create_index(
        "job_by_turn", "job", ["status", "turn", "created_at", "id"], sqlite_where=is_open, postgresql_where=is_open
    )
    compatibility = op.create_table("schema_compatibility", sa.Column("oldest_code", sa.String(), primary_key=True))
    op.bulk_insert(compatibility, [{"oldest_code": "0005"}])
    op.create_table(
        "worker_process",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("services", sa.JSON(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=False, index=True),
        sa.Column("state", sa.String(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("worker_process")
    op.drop_table("schema_compatibility")
    op.drop_index("job_by_turn", "job")
    op.drop_column("job", "turn")
