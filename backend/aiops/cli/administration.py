"""`aiops admin` and `aiops billing`: what administrators look at, from a terminal."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, TypeVar

import typer

from aiops.accounts.plans import load_plans
from aiops.administration import audit, reports
from aiops.app import create_runtime
from aiops.billing.events import CaughtUp, catch_up
from aiops.billing.gateway import PaymentsError, connect
from aiops.billing.prices import money
from aiops.billing.takeover import Takeover
from aiops.cli.running import refuse, with_database
from aiops.database.engine import Database, Session
from aiops.logs import configure_logs
from aiops.runtime import utc_now
from aiops.settings import Settings

T = TypeVar("T")

admin = typer.Typer(no_args_is_help=True, help="What administrators look at.")
billing_ = typer.Typer(no_args_is_help=True, help="Payments through Stripe.")

Limit = Annotated[int, typer.Option(help="How many, the newest first.", min=1, max=1000)]


@admin.command("jobs")
def admin_jobs(
    status: Annotated[
        str | None, typer.Option(help="Only queued, running, succeeded, failed or cancelled ones.")
    ] = None,
    email: Annotated[str | None, typer.Option(help="Only those of this account.")] = None,
    limit: Limit = 20,
) -> None:
    """Lists everybody's jobs, the newest first."""
    if status not in (None, *reports.JOB_STATUSES):
        raise ValueError(f"A job is {', '.join(reports.JOB_STATUSES)}, not {status}.")
    rows, _ = _read(lambda session: reports.list_all_jobs(session, limit, status=status, email=email))
    for job, owner in rows:
        columns = (job.id, f"{job.created_at:%Y-%m-%d %H:%M:%S}", f"{job.status:<9}", f"{job.credits:>4}")
        line = "  ".join((*columns, job.operation_id, job.provider or "-", owner, job.reason or ""))
        print(line.rstrip(), flush=True)


@admin.command("providers")
def admin_providers(
    hours: Annotated[int, typer.Option(help="Over how many hours.", min=1, max=720)] = 24,
) -> None:
    """Says how each provider does."""
    runtime, since = create_runtime(Settings()), utc_now() - timedelta(hours=hours)
    health = _read(lambda session: reports.provider_health(session, runtime.document, runtime.providers, since))
    for one in health:
        counts = f"{one.ended.succeeded} succeeded, {one.ended.failed} failed"
        reason = f"; the last because: {one.last_reason}" if one.last_reason else ""
        print(f"{one.service:<18}  {one.provider:<12}  {one.state:<8}  {counts}{reason}", flush=True)


@admin.command("revenue")
def admin_revenue(
    days: Annotated[int, typer.Option(help="Over how many days, today among them.", min=1, max=3660)] = 30,
) -> None:
    """Lists what was paid by day (UTC), and what of that was returned since."""
    rows = _read(lambda session: reports.revenue_by_day(session, utc_now(), days))
    for one in rows:
        paid, returned = money(one.amount, one.currency), money(one.refunded, one.currency)
        print(f"{one.day}  {one.payments:>5} payments  {paid:>12} paid  {returned:>12} returned", flush=True)
    if not rows:
        print("No payments.", flush=True)


@admin.command("changes")
def admin_changes(limit: Limit = 20) -> None:
    """Lists what administrators have changed, the newest first."""
    rows, _ = _read(lambda session: audit.list_records(session, limit))
    for record, email in rows:
        columns = (f"{record.created_at:%Y-%m-%d %H:%M:%S}", record.actor, f"{record.action}: {record.detail}")
        print("  ".join((*columns, email or "", record.reason)), flush=True)


@billing_.command("catch-up")
def billing_catch_up(
    days: Annotated[int, typer.Option(help="How far back; Stripe keeps events for 30 days.", min=1, max=30)] = 7,
) -> None:
    """Asks Stripe for the events that did not arrive, and handles them; and for what every subscription is now."""
    settings = Settings()
    configure_logs(settings.log_format)
    gateway, plans = connect(settings), load_plans(settings.plans_file)
    if gateway is None:
        refuse("Stripe is not configured. Set AIOPS_STRIPE_SECRET_KEY and AIOPS_STRIPE_WEBHOOK_SECRET.")

    async def act(database: Database) -> CaughtUp:
        try:
            return await catch_up(Takeover(database, gateway, plans), utc_now(), days)
        finally:
            await gateway.close()

    try:
        done = with_database(act)
    except PaymentsError as error:
        refuse(str(error))
    print(f"{done.events} events were handled that had not arrived.", flush=True)
    print(f"{done.customers} customers have the subscriptions that they have at Stripe.", flush=True)
    if done.failed:
        refuse(f"{len(done.failed)} could not be taken over, the log says why: {', '.join(done.failed)}. Try again.")


def _read(ask: Callable[[Session], Awaitable[T]]) -> T:
    async def act(database: Database) -> T:
        async with database.read() as session:
            return await ask(session)

    return with_database(act)
