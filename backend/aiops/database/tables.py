"""The whole database on one page.

Credits are integers. `Account.credits` is what can be spent and `Account.held` what is set aside for open jobs;
both are sums over `Entry`, kept beside the account so that one row is locked and read. How they move is in
`aiops.ledger`; what must hold is checked by `aiops.ledger.verify`.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Index,
    Integer,
    TypeDecorator,
    false,
    text,
    true,
)
from sqlmodel import Field, SQLModel

OPEN_STATUSES = ("queued", "running")
OPEN = "status IN ('queued', 'running')"
IDEMPOTENCY_KEY_AGE = timedelta(hours=24)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC; SQLite has no time zones, so it is stored there without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite numbers rows by itself only in a column of the type INTEGER, which holds 64 bits there.
RowNumber = BigInteger().with_variant(Integer(), "sqlite")


def timestamp(**options: Any) -> Any:
    return Field(sa_type=UtcDateTime, **options)


class Account(SQLModel, table=True):
    """Who pays. `granted_period` is the last month (`2026-11`) whose credits were granted. Without `is_confirmed` none
    are granted. `password` is an argon2 hash; None where nobody can sign in with one yet.

    `customer_id` is who this is at Stripe. `is_plan_paid` where the plan is that of a paid subscription, whose periods
    bring its credits in place of the months. `billing_version` counts what was taken over from Stripe: what was fetched
    under an older one is out of date.
    """

    __table_args__ = (
        CheckConstraint("credits >= 0", name="credits_not_negative"),
        CheckConstraint("held >= 0", name="held_not_negative"),
        Index("account_by_customer", "customer_id", unique=True),
    )

    id: str = Field(primary_key=True)
    email: str = Field(unique=True)
    plan: str
    is_administrator: bool = False
    credits: int = 0
    held: int = 0
    granted_period: str | None = None
    password: str | None = None
    is_confirmed: bool = Field(default=True, sa_column_kwargs={"server_default": true()})
    customer_id: str | None = None
    is_plan_paid: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    billing_version: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    created_at: datetime = timestamp()


class ApiKey(SQLModel, table=True):
    """`digest` is the SHA-256 of the key, the only thing kept of it beside `prefix` and `last_four`. `sealed` is the
    key that came with the account, encrypted, until its owner has looked at it once."""

    __tablename__ = "api_key"

    id: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="account.id", index=True)
    name: str
    digest: str = Field(unique=True)
    prefix: str
    last_four: str
    sealed: str | None = None
    created_at: datetime = timestamp()
    expires_at: datetime | None = timestamp(default=None, nullable=True)
    revoked_at: datetime | None = timestamp(default=None, nullable=True)
    last_used_at: datetime | None = timestamp(default=None, nullable=True)


class WebSession(SQLModel, table=True):
    """Somebody who has signed in to the pages. `digest` is the SHA-256 of the cookie."""

    __tablename__ = "web_session"

    digest: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="account.id", index=True)
    created_at: datetime = timestamp()
    expires_at: datetime = timestamp(index=True)


class EmailLink(SQLModel, table=True):
    """A link that was e-mailed and works once; `purpose` is `reset` or `confirm`. `digest` is that of its token."""

    __tablename__ = "email_link"

    digest: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="account.id", index=True)
    purpose: str
    created_at: datetime = timestamp()
    expires_at: datetime = timestamp(index=True)


class RateWindow(SQLModel, table=True):
    """How many calls a subject has made in a policy's fixed window, the `window`-th since 1970. The subject is an
    account's id, or the digest of what was tried where nobody is known."""

    __tablename__ = "rate_window"

    subject: str = Field(primary_key=True)
    policy: str = Field(primary_key=True)
    window: int
    calls: int


class Subscription(SQLModel, table=True):
    """A subscription at Stripe, as it was when it was last fetched. `plan` is what it is for from the next period on;
    `paid_plan` and the period are those of its latest invoice that was paid."""

    id: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="account.id", index=True)
    status: str
    plan: str | None = None
    ends_with_period: bool = False
    paid_plan: str | None = None
    period_start: datetime | None = timestamp(default=None, nullable=True)
    period_end: datetime | None = timestamp(default=None, nullable=True)
    created_at: datetime = timestamp()


class Payment(SQLModel, table=True):
    """Money that was paid for credits: of a pack (`pack`) or of a period of a plan (`plan`). The id is Stripe's, of the
    payment intent or the invoice. `amount` and `amount_refunded` are in the smallest unit of the currency.

    `reversed` of its `credits` are to be taken back, because as much of the money went back; `taken` are. What is still
    owed is the difference.
    """

    __table_args__ = (
        CheckConstraint("0 <= taken AND taken <= reversed AND reversed <= credits", name="payment_reversed_in_bounds"),
        Index("payment_by_account", "account_id", "created_at", "id"),
    )

    id: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="account.id")
    kind: str
    description: str
    credits: int
    amount: int
    currency: str
    amount_refunded: int = 0
    reversed: int = 0
    taken: int = 0
    invoice_url: str | None = None
    created_at: datetime = timestamp(index=True)


class StripeEvent(SQLModel, table=True):
    """An event of Stripe that was handled."""

    __tablename__ = "stripe_event"

    id: str = Field(primary_key=True)
    type: str
    handled_at: datetime = timestamp(index=True)


class AuditRecord(SQLModel, table=True):
    """What an administrator has changed; the database refuses UPDATE and DELETE (migration 0007). `actor` is an e-mail
    address, or the command line; `account_id` whose account it was about."""

    __tablename__ = "audit_record"

    id: int | None = Field(default=None, primary_key=True, sa_type=RowNumber)
    actor: str
    action: str
    account_id: str | None = Field(default=None, foreign_key="account.id", index=True)
    detail: str
    reason: str
    created_at: datetime = timestamp()


class Entry(SQLModel, table=True):
    """One line of the ledger; the database refuses UPDATE and DELETE (migration 0001).

    `kind` is grant, purchase, adjustment, hold, capture or release. `amount` is the change of `Account.credits`: a
    hold is negative, a release gives the same amount back, a capture is 0. `balance_after` is `Account.credits` then.
    `payment_id` is what was paid for a purchase or a grant, or what an adjustment takes back.
    """

    __table_args__ = (
        Index("entry_once_per_job", "job_id", "kind", unique=True),
        Index(
            "entry_settles_once",
            "job_id",
            unique=True,
            sqlite_where=text("kind IN ('capture', 'release')"),
            postgresql_where=text("kind IN ('capture', 'release')"),
        ),
        Index("entry_grant_once_per_period", "account_id", "period", unique=True),
        Index(
            "entry_once_per_payment",
            "payment_id",
            unique=True,
            sqlite_where=text("kind IN ('purchase', 'grant')"),
            postgresql_where=text("kind IN ('purchase', 'grant')"),
        ),
        Index("entry_by_account", "account_id", "id"),
        CheckConstraint("balance_after >= 0", name="balance_not_negative"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=RowNumber)
    account_id: str = Field(foreign_key="account.id")
    kind: str
    amount: int
    balance_after: int
    job_id: str | None = Field(default=None, foreign_key="job.id")
    payment_id: str | None = Field(default=None, foreign_key="payment.id")
    period: str | None = None
    description: str | None = None
    created_at: datetime = timestamp()


class Job(SQLModel, table=True):
    """One paid piece of work, and the queue: a worker claims a queued row and holds it by a lease.

    `attempt` counts the claims and fences: only the worker that made the last claim can settle. `credits` is the
    price when the job was accepted. `outputs` names the result's fields that are files: `{"image_url": file_id}`.
    `failure` is `unprocessable` (the caller's material) or `failed` (provider or storage). The lowest `turn` is claimed
    first.
    """

    __table_args__ = (
        Index("job_by_status", "status", "created_at"),
        Index(
            "job_by_turn",
            "status",
            "turn",
            "created_at",
            "id",
            sqlite_where=text(OPEN),
            postgresql_where=text(OPEN),
        ),
        Index("job_by_account", "account_id", "created_at", "id"),
        Index("job_by_account_and_status", "account_id", "status", "created_at", "id"),
        Index("job_by_account_and_service", "account_id", "operation_id", "created_at", "id"),
    )

    id: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="account.id")
    operation_id: str
    request: dict[str, Any] = Field(sa_type=JSON)
    credits: int
    status: str = "queued"
    turn: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    attempt: int = 0
    worker: str | None = None
    lease_until: datetime | None = timestamp(default=None, nullable=True)
    deadline_at: datetime = timestamp()
    model: str | None = None
    provider: str | None = None
    paid_call: bool = False
    provider_request_id: str | None = None
    progress: float | None = None
    result: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    outputs: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    failure: str | None = None
    reason: str | None = None
    request_id: str | None = None
    created_at: datetime = timestamp()
    started_at: datetime | None = timestamp(default=None, nullable=True)
    finished_at: datetime | None = timestamp(default=None, nullable=True)


class IdempotencyKey(SQLModel, table=True):
    """Which job an account's Idempotency-Key stands for, until 24 hours after the key was claimed."""

    __tablename__ = "idempotency_key"

    account_id: str = Field(primary_key=True, foreign_key="account.id")
    key: str = Field(primary_key=True)
    fingerprint: str
    job_id: str = Field(foreign_key="job.id")
    claimed_at: datetime = timestamp(index=True)


class File(SQLModel, table=True):
    """A stored file. Of a job, the row is written in the transaction that captures it, so it means: paid and fetchable.
    Without `job_id` the account has uploaded it."""

    __table_args__ = (
        Index(
            "file_uploaded_by_account",
            "account_id",
            sqlite_where=text("job_id IS NULL"),
            postgresql_where=text("job_id IS NULL"),
        ),
    )

    id: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="account.id")
    job_id: str | None = Field(default=None, foreign_key="job.id", index=True)
    name: str
    content_type: str
    size_bytes: int
    sha256: str
    created_at: datetime = timestamp()
    expires_at: datetime = timestamp(index=True)


class Webhook(SQLModel, table=True):
    """A subscription: events of these types go to this URL. `disabled_reason` says why it ended by itself."""

    id: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="account.id", index=True)
    url: str
    events: list[str] = Field(sa_type=JSON)
    created_at: datetime = timestamp()
    disabled_at: datetime | None = timestamp(default=None, nullable=True)
    disabled_reason: str | None = None


class SigningSecret(SQLModel, table=True):
    """What a webhook's deliveries are signed with, or, under an account's id, those to its callback URLs; encrypted.
    The one before signs along until `previous_until`."""

    __tablename__ = "signing_secret"

    owner_id: str = Field(primary_key=True)
    sealed: str
    previous_sealed: str | None = None
    previous_until: datetime | None = timestamp(default=None, nullable=True)
    created_at: datetime = timestamp()


class Callback(SQLModel, table=True):
    """A URL that a call named to be told when its job has ended."""

    job_id: str = Field(primary_key=True, foreign_key="job.id")
    url: str = Field(primary_key=True)


class Event(SQLModel, table=True):
    """What has happened, if anybody is to be told. Written in the transaction in which it happened, so it is there if
    and only if it did. `data` is None where it is the job, which is then read when it is sent."""

    __table_args__ = (Index("event_once_per_job", "job_id", unique=True),)

    id: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="account.id")
    type: str
    job_id: str | None = Field(default=None, foreign_key="job.id")
    data: dict[str, Any] | None = Field(default=None, sa_type=JSON(none_as_null=True))
    note: str | None = None
    created_at: datetime = timestamp(index=True)


class Delivery(SQLModel, table=True):
    """An event on its way to a URL; without `webhook_id` that of a callback. `status` is pending, delivered or failed.

    `due_at` is when it is to be tried; who tries moves it on first, so that nobody else does meanwhile. `error` says
    in our words why the last try failed, `answered` with which status.
    """

    __table_args__ = (
        Index(
            "delivery_due",
            "due_at",
            sqlite_where=text("status = 'pending'"),
            postgresql_where=text("status = 'pending'"),
        ),
        Index("delivery_by_account", "account_id", "created_at", "id"),
        Index("delivery_by_webhook", "webhook_id"),
    )

    id: str = Field(primary_key=True)
    event_id: str = Field(foreign_key="event.id", index=True)
    account_id: str = Field(foreign_key="account.id")
    webhook_id: str | None = None
    url: str
    host: str
    status: str = "pending"
    attempts: int = 0
    due_at: datetime = timestamp()
    answered: int | None = None
    error: str | None = None
    ended_at: datetime | None = timestamp(default=None, nullable=True)
    created_at: datetime = timestamp()


class SchemaCompatibility(SQLModel, table=True):
    """One row: the oldest revision whose code can use this database. A migration that only adds leaves it as it is; one
    that takes away what older code needs moves it on."""

    __tablename__ = "schema_compatibility"

    oldest_code: str = Field(primary_key=True)


class WorkerProcess(SQLModel, table=True):
    """A process that works on jobs, or has until lately. It says from time to time that it is there; `services` is
    empty where it works on all, `state` is working, stopping or stopped."""

    __tablename__ = "worker_process"

    name: str = Field(primary_key=True)
    host: str
    version: str
    services: list[str] = Field(sa_type=JSON)
    slots: int
    started_at: datetime = timestamp()
    seen_at: datetime = timestamp(index=True)
    state: str
