"""For administrators: accounts and what is changed about them, everybody's jobs, providers, ledger, revenue, and the
list of all changes. Whoever is no administrator finds nothing at these addresses."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlmodel import col
from starlette.responses import Response

from aiops.accounts.accounts import AccountError
from aiops.accounts.plans import limits_of
from aiops.administration import audit, changes, reports
from aiops.administration.audit import Act
from aiops.billing.shop import latest_payments, list_subscriptions
from aiops.database.engine import Session, ran_out_of_time
from aiops.database.tables import OPEN_STATUSES, Account, Job
from aiops.errors import InvalidInputError
from aiops.identifiers import is_id
from aiops.jobs.listing import list_entries, list_jobs
from aiops.jobs.presentation import present_entry
from aiops.ledger import ledger
from aiops.ledger.verify import verify
from aiops.web.visits import PageError, Visit, see

PAGE_SIZE = 50
RECENT = 10
SEARCH_LENGTH_MAX = 254
AMOUNT_LENGTH_MAX = 20
RECORD_LENGTH_MAX = 18  # below the largest number of a row
HEALTH_HOURS = 24
REVENUE_DAYS = 30
NO_PAGE = PageError(404, "There is no such page", "Begin with the newest.")

Change = Callable[[Session, Act, str], Awaitable[object]]


async def show(visit: Visit) -> Response:
    """How things stand."""
    runtime, now = visit.runtime, visit.runtime.clock()
    async with runtime.database.read() as session:
        accounts = (await session.execute(select(func.count()).select_from(Account))).scalar_one()
        is_open = col(Job.status).in_(OPEN_STATUSES)
        by_status = select(col(Job.status), func.count()).where(is_open).group_by(col(Job.status))
        open_jobs: dict[str, int] = dict((await session.execute(by_status)).all())
        health = await _health(visit, session)
        revenue = await reports.revenue_by_day(session, now, REVENUE_DAYS)
        records, _ = await audit.list_records(session, RECENT)
    return visit.render(
        "administration/overview.html",
        accounts=accounts,
        open_jobs=open_jobs,
        health=health,
        revenue=revenue,
        days=REVENUE_DAYS,
        hours=HEALTH_HOURS,
        records=records,
        is_sold=runtime.payments is not None,
    )


async def show_users(visit: Visit) -> Response:
    query = visit.request.query_params
    search = query.get("search", "")[:SEARCH_LENGTH_MAX].replace("\0", "")
    async with visit.runtime.database.read() as session:
        try:
            accounts, next_cursor = await reports.list_accounts(session, PAGE_SIZE, query.get("cursor"), search)
        except InvalidInputError:
            raise NO_PAGE from None
    return visit.render("administration/users.html", accounts=accounts, next_cursor=next_cursor, search=search)


async def show_user(visit: Visit) -> Response:
    return await _user(visit)


async def change_credits(visit: Visit) -> Response:
    """Gives or, with a minus, takes credits; once, however often the form of a page is sent."""
    typed, seen = visit.form.value("amount").strip().replace(",", ""), visit.form.value("seen")
    if not seen.isdecimal() or len(seen) > RECORD_LENGTH_MAX:
        raise PageError(400, "The form cannot be read", "Go back, reload the page, and send it again.")
    if not typed.removeprefix("-").isdecimal() or len(typed) > AMOUNT_LENGTH_MAX:
        visit.form.errors["amount"] = f"Write a whole number of up to {ledger.CREDITS_MAX:,}, such as 100 or -100."
        return await _user(visit, 422)
    change = partial(changes.change_credits_once, amount=int(typed), seen=int(seen))
    return await _changed(visit, change)


async def change_plan(visit: Visit) -> Response:
    plans, plan = visit.runtime.plans, visit.form.value("plan")
    return await _changed(
        visit, lambda session, act, account_id: changes.set_plan(session, plans, act, account_id, plan)
    )


async def change_administrator(visit: Visit) -> Response:
    is_one = visit.form.value("administrator") == "yes"
    return await _changed(
        visit,
        lambda session, act, account_id: changes.set_administrator(session, act, account_id, is_administrator=is_one),
    )


async def show_jobs(visit: Visit) -> Response:
    query = visit.request.query_params
    status = query.get("status") if query.get("status") in reports.JOB_STATUSES else None
    email = query.get("email", "")[:SEARCH_LENGTH_MAX].replace("\0", "") or None
    async with visit.runtime.database.read() as session:
        try:
            jobs, next_cursor = await reports.list_all_jobs(
                session, PAGE_SIZE, query.get("cursor"), status=status, email=email
            )
        except InvalidInputError:
            raise NO_PAGE from None
    return visit.render(
        "administration/jobs.html",
        jobs=jobs,
        titles=_titles(visit),
        next_cursor=next_cursor,
        statuses=reports.JOB_STATUSES,
        chosen=status or "",
        email=email or "",
    )


async def show_ledger(visit: Visit) -> Response:
    """Computes every balance anew, as `aiops ledger verify` does; that also looks for every file, and may take
    longer than a page."""
    runtime, now = visit.runtime, visit.runtime.clock()
    findings: list[str] | None
    try:
        findings = await verify(runtime.database, now, runtime.settings.reaper_seconds)
    except DBAPIError as error:
        if not ran_out_of_time(error):
            raise
        findings = None
    return visit.render("administration/ledger.html", findings=findings, now=now)


async def show_audit(visit: Visit) -> Response:
    async with visit.runtime.database.read() as session:
        try:
            records, next_cursor = await audit.list_records(
                session, PAGE_SIZE, visit.request.query_params.get("cursor")
            )
        except InvalidInputError:
            raise NO_PAGE from None
    return visit.render("administration/audit.html", records=records, next_cursor=next_cursor)


async def _health(visit: Visit, session: Session) -> list[reports.Health]:
    since = visit.runtime.clock() - timedelta(hours=HEALTH_HOURS)
    return await reports.provider_health(session, visit.runtime.document, visit.runtime.providers, since)


async def _changed(visit: Visit, change: Change) -> Response:
    """Makes a change, in one transaction with its record, and shows the account again."""
    async with visit.runtime.database.read() as session:
        account = await _find(visit, session)
    act = Act(visit.account.email, visit.form.value("reason"), visit.runtime.clock())
    try:
        async with visit.runtime.database.write() as session:
            await change(session, act, account.id)
    except audit.ReasonError as error:
        visit.form.errors["reason"] = str(error)
    except (AccountError, ValueError) as error:
        visit.form.errors[""] = str(error)
    else:
        return see(f"/admin/users/{account.id}?changed=1")
    return await _user(visit, 422)


async def _find(visit: Visit, session: Session) -> Account:
    account_id = visit.request.path_params["account_id"]
    account = await session.get(Account, account_id) if is_id(account_id, "acc") else None
    if account is None:
        raise PageError(404, "There is no such account", "Look for it in the list of users.")
    return account


async def _user(visit: Visit, status: int = 200) -> Response:
    async with visit.runtime.database.read() as session:
        account = await _find(visit, session)
        entries, _ = await list_entries(session, account.id, RECENT, None)
        jobs, _ = await list_jobs(session, account.id, RECENT, None)
        payments = await latest_payments(session, account.id)
        records, _ = await audit.list_records(session, RECENT, account_id=account.id)
        subscriptions = await list_subscriptions(session, account.id)
        owed = await ledger.owed(session, account.id)
    return visit.render(
        "administration/user.html",
        status=status,
        form=visit.form,
        user=account,
        limits=limits_of(visit.runtime.plans, account.plan),
        plans=list(visit.runtime.plans),
        subscriptions=subscriptions,
        owed=owed,
        transactions=[present_entry(entry) for entry in entries],
        jobs=[(job, account.email) for job in jobs],
        titles=_titles(visit),
        payments=payments[:RECENT],
        records=records,
        seen=records[0][0].id if records else 0,
        is_changed="changed" in visit.request.query_params,
    )


def _titles(visit: Visit) -> dict[str, str]:
    """The names of the services."""
    return {one.id: one.summary for one in visit.runtime.document.operations.values()}
