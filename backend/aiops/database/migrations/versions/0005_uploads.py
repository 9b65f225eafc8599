"""Files that belong to no job: their account has uploaded them."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    with op.batch_alter_table("file") as table:
        table.alter_column("job_id", existing_type=sa.String(), nullable=True)
    uploaded = sa.text("job_id IS NULL")
    op.create_index(
        "file_uploaded_by_account", "file", ["account_id"], sqlite_where=uploaded, postgresql_where=uploaded
    )


def downgrade() -> None:
    """An older version knows no such files: their rows go, and its sweep finds their content."""
    op.drop_index("file_uploaded_by_account", "file")
    op.execute("DELETE FROM file WHERE job_id IS NULL")
    with op.batch_alter_table("file") as table:
        table.alter_column("job_id", existing_type=sa.String(), nullable=False)
