"""People who sign in: passwords, sessions, e-mailed links; the key that waits to be revealed."""

import sqlalchemy as sa
from alembic import op

from aiops.database.tables import UtcDateTime

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("account", sa.Column("password", sa.String()))
    op.add_column("account", sa.Column("is_confirmed", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("api_key", sa.Column("sealed", sa.String()))
    _create_table("web_session")
    _create_table("email_link", sa.Column("purpose", sa.String(), nullable=False))
    _replace_rate_window("account_id", sa.Column("subject", sa.String(), primary_key=True))


def downgrade() -> None:
    op.execute("DELETE FROM rate_window WHERE subject NOT IN (SELECT id FROM account)")
    account_id = sa.Column("account_id", sa.String(), sa.ForeignKey("account.id"), primary_key=True)
    _replace_rate_window("subject", account_id)
    op.drop_table("email_link")
    op.drop_table("web_session")
    op.drop_column("api_key", "sealed")
    op.drop_column("account", "is_confirmed")
    op.drop_column("account", "password")


def _create_table(name: str, *columns: sa.Column[str]) -> None:
    op.create_table(
        name,
        sa.Column("digest", sa.String(), primary_key=True),
        sa.Column("account_id", sa.String(), sa.ForeignKey("account.id"), nullable=False, index=True),
        *columns,
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False, index=True),
    )


def _replace_rate_window(before: str, subject: sa.Column[str]) -> None:
    """Whom a window counts: an account, or also who is not known yet. SQLite cannot change a column in its place."""
    op.execute("CREATE TABLE replaced AS SELECT * FROM rate_window")
    op.drop_table("rate_window")
    op.create_table(
        "rate_window",
        subject,
        sa.Column("policy", sa.String(), primary_key=True),
        sa.Column("window", sa.Integer(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
    )
    copied = f'INSERT INTO rate_window ({subject.name}, policy, "window", calls) '
    op.execute(copied + f'SELECT {before}, policy, "window", calls FROM replaced')  # noqa: S608 - our own names
    op.drop_table("replaced")
