"""Accounts, API keys, rate windows, jobs, Idempotency-Keys, ledger entries, files."""

import sqlalchemy as sa
from alembic import op

from aiops.database.tables import RowNumber, UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    _create_accounts()
    _create_jobs()
    _create_entries()
    _create_files()
    _make_entries_append_only()


def downgrade() -> None:
    for table in ("file", "entry", "idempotency_key", "job", "rate_window", "api_key", "account"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")


def _create_accounts() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("email", sa.String(), nullable=False, unique=True),
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column("is_administrator", sa.Boolean(), nullable=False),
        sa.Column("credits", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("granted_period", sa.String()),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("credits >= 0", name="credits_not_negative"),
        sa.CheckConstraint("held >= 0", name="held_not_negative"),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("account_id", sa.String(), sa.ForeignKey("account.id"), nullable=False, index=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False, unique=True),
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("last_four", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime()),
        sa.Column("revoked_at", UtcDateTime()),
        sa.Column("last_used_at", UtcDateTime()),
    )
    op.create_table(
        "rate_window",
        sa.Column("account_id", sa.String(), sa.ForeignKey("account.id"), primary_key=True),
        sa.Column("policy", sa.String(), primary_key=True),
        sa.Column("window", sa.Integer(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
    )


def _create_jobs() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("account_id", sa.String(), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("operation_id", sa.String(), nullable=False),
        sa.Column("request", sa.JSON(), nullable=False),
        sa.Column("credits", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String()),
        sa.Column("lease_until", UtcDateTime()),
        sa.Column("deadline_at", UtcDateTime(), nullable=False),
        sa.Column("model", sa.String()),
        sa.Column("provider", sa.String()),
        sa.Column("paid_call", sa.Boolean(), nullable=False),
        sa.Column("provider_request_id", sa.String()),
        sa.Column("progress", sa.Float()),
        sa.Column("result", sa.JSON()),
        sa.Column("outputs", sa.JSON(), nullable=False),
        sa.Column("failure", sa.String()),
        sa.Column("reason", sa.String()),
        sa.Column("request_id", sa.String()),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime()),
        sa.Column("finished_at", UtcDateTime()),
    )
    op.create_index("job_by_status", "job", ["status", "created_at"])
    op.create_index("job_by_account", "job", ["account_id", "created_at", "id"])
    op.create_index("job_by_account_and_status", "job", ["account_id", "status"])
    op.create_table(
        "idempotency_key",
        sa.Column("account_id", sa.String(), sa.ForeignKey("account.id"), primary_key=True),
        sa.Column("key", sa.String(), primary_key=True),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("job_id", sa.String(), sa.ForeignKey("job.id"), nullable=False),
        sa.Column("claimed_at", UtcDateTime(), nullable=False, index=True),
    )


def _create_entries() -> None:
    op.create_table(
        "entry",
        sa.Column("id", RowNumber, primary_key=True),
        sa.Column("account_id", sa.String(), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("balance_after", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.String(), sa.ForeignKey("job.id")),
        sa.Column("period", sa.String()),
        sa.Column("description", sa.String()),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("balance_after >= 0", name="balance_not_negative"),
    )
    op.create_index("entry_once_per_job", "entry", ["job_id", "kind"], unique=True)
    settles = sa.text("kind IN ('capture', 'release')")
    op.create_index(
        "entry_settles_once", "entry", ["job_id"], unique=True, sqlite_where=settles, postgresql_where=settles
    )
    op.create_index("entry_grant_once_per_period", "entry", ["account_id", "period"], unique=True)
    op.create_index("entry_by_account", "entry", ["account_id", "id"])


def _create_files() -> None:
    op.create_table(
        "file",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("account_id", sa.String(), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("job_id", sa.String(), sa.ForeignKey("job.id"), nullable=False, index=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False, index=True),
    )


def _make_entries_append_only() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'ledger entries are append-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entry "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        return
    refuse = "BEGIN SELECT RAISE(ABORT, 'ledger entries are append-only'); END"
    for action in ("UPDATE", "DELETE"):
        op.execute(f"CREATE TRIGGER entry_no_{action.lower()} BEFORE {action} ON entry {refuse}")
    # INSERT OR REPLACE deletes the row in its way without a DELETE trigger.
    in_its_way = " OR ".join(
        f"EXISTS (SELECT 1 FROM entry WHERE {condition})"  # noqa: S608 - the conditions stand below
        for condition in (
            "id = NEW.id",
            "job_id = NEW.job_id AND kind = NEW.kind",
            "job_id = NEW.job_id AND kind IN ('capture', 'release') AND NEW.kind IN ('capture', 'release')",
            "account_id = NEW.account_id AND period = NEW.period",
        )
    )
    op.execute(f"CREATE TRIGGER entry_no_replace BEFORE INSERT ON entry WHEN {in_its_way} {refuse}")
