"""Jobs by status and by service, in the order in which they are listed."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.drop_index("job_by_account_and_status", "job")
    op.create_index("job_by_account_and_status", "job", ["account_id", "status", "created_at", "id"])
    op.create_index("job_by_account_and_service", "job", ["account_id", "operation_id", "created_at", "id"])


def downgrade() -> None:
    op.drop_index("job_by_account_and_service", "job")
    op.drop_index("job_by_account_and_status", "job")
    op.create_index("job_by_account_and_status", "job", ["account_id", "status"])
