"""Billing: customers, subscriptions, payments, the events of Stripe; and what administrators have changed."""

import sqlalchemy as sa
from alembic import op

from aiops.database.tables import RowNumber, UtcDateTime

revision = "0007"
down_revision = "0006"

IN_ITS_WAY = (
    "id = NEW.id",
    "job_id = NEW.job_id AND kind = NEW.kind",
    "job_id = NEW.job_id AND kind IN ('capture', 'release') AND NEW.kind IN ('capture', 'release')",
    "account_id = NEW.account_id AND period = NEW.period",
)
SAME_PAYMENT = "payment_id = NEW.payment_id AND kind IN ('purchase', 'grant') AND NEW.kind IN ('purchase', 'grant')"


def upgrade() -> None:
    _add_to_account()
    _create_subscription()
    _create_payment()
    op.create_table(
        "stripe_event",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("handled_at", UtcDateTime(), nullable=False, index=True),
    )
    _create_audit_record()
    op.add_column("entry", sa.Column("payment_id", sa.String(), sa.ForeignKey("payment.id")), inline_references=True)
    buys = sa.text("kind IN ('purchase', 'grant')")
    op.create_index(
        "entry_once_per_payment", "entry", ["payment_id"], unique=True, sqlite_where=buys, postgresql_where=buys
    )
    _refuse_to_replace(*IN_ITS_WAY, SAME_PAYMENT)


def downgrade() -> None:
    _refuse_to_replace(*IN_ITS_WAY)
    op.drop_index("entry_once_per_payment", "entry")
    op.drop_column("entry", "payment_id")
    for table in ("audit_record", "stripe_event", "payment", "subscription"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_audit_change()")
    op.drop_index("account_by_customer", "account")
    for column in ("billing_version", "is_plan_paid", "customer_id"):
        op.drop_column("account", column)


def _add_to_account() -> None:
    op.add_column("account", sa.Column("customer_id", sa.String()))
    op.create_index("account_by_customer", "account", ["customer_id"], unique=True)
    op.add_column("account", sa.Column("is_plan_paid", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("account", sa.Column("billing_version", sa.Integer(), nullable=False, server_default="0"))


def _create_subscription() -> None:
    op.create_table(
        "subscription",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("account_id", sa.String(), sa.ForeignKey("account.id"), nullable=False, index=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("plan", sa.String()),
        sa.Column("ends_with_period", sa.Boolean(), nullable=False),
        sa.Column("paid_plan", sa.String()),
        sa.Column("period_start", UtcDateTime()),
        sa.Column("period_end", UtcDateTime()),
        sa.Column("created_at", UtcDateTime(), nullable=False),
    )


def _create_payment() -> None:
    op.create_table(
        "payment",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("account_id", sa.String(), sa.ForeignKey("account.id"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("credits", sa.Integer(), nullable=False),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("amount_refunded", sa.Integer(), nullable=False),
        sa.Column("reversed", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("invoice_url", sa.String()),
        sa.Column("created_at", UtcDateTime(), nullable=False, index=True),
        sa.CheckConstraint(
            "0 <= taken AND taken <= reversed AND reversed <= credits", name="payment_reversed_in_bounds"
        ),
    )
    op.create_index("payment_by_account", "payment", ["account_id", "created_at", "id"])


def _create_audit_record() -> None:
    op.create_table(
        "audit_record",
        sa.Column("id", RowNumber, primary_key=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("account_id", sa.String(), sa.ForeignKey("account.id"), index=True),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'the audit list is append-only'; END $$"
        )
        op.execute(
            "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_record "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()"
        )
        return
    refuse = "BEGIN SELECT RAISE(ABORT, 'the audit list is append-only'); END"
    for action in ("UPDATE", "DELETE"):
        op.execute(f"CREATE TRIGGER audit_no_{action.lower()} BEFORE {action} ON audit_record {refuse}")
    is_there = "EXISTS (SELECT 1 FROM audit_record WHERE id = NEW.id)"
    op.execute(f"CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit_record WHEN {is_there} {refuse}")


def _refuse_to_replace(*conditions: str) -> None:
    """On SQLite, INSERT OR REPLACE deletes the row in its way without a DELETE trigger (migration 0001)."""
    if op.get_bind().dialect.name == "postgresql":
        return
    op.execute("DROP TRIGGER entry_no_replace")
    in_its_way = " OR ".join(
        f"EXISTS (SELECT 1 FROM entry WHERE {condition})"  # noqa: S608 - the conditions stand above
        for condition in conditions
    )
    refuse = "BEGIN SELECT RAISE(ABORT, 'ledger entries are append-only'); END"
    op.execute(f"CREATE TRIGGER entry_no_replace BEFORE INSERT ON entry WHEN {in_its_way} {refuse}")
