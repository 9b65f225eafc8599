"""Webhooks: subscriptions, their secrets, callback URLs, and the outbox of events and deliveries."""

import sqlalchemy as sa
from alembic import op

from aiops.database.tables import UtcDateTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("account_id", sa.String(), sa.ForeignKey("account.id"), nullable=False, index=True),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("disabled_at", UtcDateTime()),
        sa.Column("disabled_reason", sa.String()),
    )
    op.create_table(
        "signing_secret",
        sa.Column("owner_id", sa.String(), primary_key=True),
        sa.Column("sealed", sa.String(), nullable=False),
        sa.Column("previous_sealed", sa.String()),
        sa.Column("previous_until", UtcDateTime()),
        sa.Column("created_at", UtcDateTime(), nullable=False),
    )
    op.create_table(
        "callback",
        sa.Column("job_id", sa.String(), sa.ForeignKey("job.id"), primary_key=True),
        sa.Column("url", sa.String(), primary_key=True),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("account_id", sa.String(), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("job_id", sa.String(), sa.ForeignKey("job.id")),
        sa.Column("data", sa.JSON()),
        sa.Column("note", sa.String()),
        sa.Column("created_at", UtcDateTime(), nullable=False, index=True),
    )
    op.create_index("event_once_per_job", "event", ["job_id"], unique=True)
    _create_delivery()


def _create_delivery() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("event_id", sa.String(), sa.ForeignKey("event.id"), nullable=False, index=True),
        sa.Column("account_id", sa.String(), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("webhook_id", sa.String()),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("answered", sa.Integer()),
        sa.Column("error", sa.String()),
        sa.Column("ended_at", UtcDateTime()),
        sa.Column("created_at", UtcDateTime(), nullable=False),
    )
    pending = sa.text("status = 'pending'")
    op.create_index("delivery_due", "delivery", ["due_at"], sqlite_where=pending, postgresql_where=pending)
    op.create_index("delivery_by_account", "delivery", ["account_id", "created_at", "id"])
    op.create_index("delivery_by_webhook", "delivery", ["webhook_id"])


def downgrade() -> None:
    for table in ("delivery", "event", "callback", "signing_secret", "webhook"):
        op.drop_table(table)
