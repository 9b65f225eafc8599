"""What an account sees first: what is left, what it was used for, and what happens now."""

from datetime import timedelta

from starlette.responses import Response

from aiops.accounts.accounts import get_account
from aiops.accounts.plans import limits_of
from aiops.jobs.listing import use_since
from aiops.web.chart import draw
from aiops.web.jobs import recent_jobs
from aiops.web.visits import Visit

CHART_DAYS = 30


async def show(visit: Visit) -> Response:
    runtime, account, now = visit.runtime, visit.account, visit.runtime.clock()
    await visit.grant_month()
    first_day = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=CHART_DAYS - 1)
    async with runtime.database.read() as session:
        use = await use_since(session, account.id, first_day)
        credits_left = (await get_account(session, account.id)).credits
    services = {one.id: one.summary for one in runtime.document.operations.values() if one.is_service}
    return visit.render(
        "dashboard.html",
        credits_left=credits_left,
        limits=limits_of(runtime.plans, account.plan),
        used=sum(one.credits for one in use),
        chart=draw(use, services, first_day.date(), CHART_DAYS),
        days=CHART_DAYS,
        jobs=await recent_jobs(visit),
    )
