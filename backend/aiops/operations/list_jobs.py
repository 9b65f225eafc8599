import re
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query

from aiops.context import CallContext, Context
from aiops.contract.models import JobList, ListJobsParametersQuery
from aiops.errors import InvalidInputError
from aiops.jobs.listing import JobFilter, list_jobs
from aiops.jobs.presentation import present, results

# Pydantic also takes numbers, as seconds since 1970.
DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}.*", re.ASCII)


async def handle(context: Context, query: Annotated[ListJobsParametersQuery, Query()]) -> JobList:
    only = JobFilter(
        status=query.status,
        service=query.service,
        created_from=_in_utc(context, "created_from", query.created_from),
        created_before=_in_utc(context, "created_before", query.created_before),
    )
    async with context.runtime.database.read() as session:
        jobs, next_cursor = await list_jobs(session, context.caller.account_id, query.limit, query.cursor, only)
        shown = await results(session, jobs, context.runtime.urls)
    data = [present(job, result) for job, result in zip(jobs, shown, strict=True)]
    return JobList(data=data, next_cursor=next_cursor)


def _in_utc(context: CallContext, field: str, moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    if DATE_TIME.fullmatch(context.request.query_params[field]) is None:
        raise InvalidInputError([(field, "Input should be a date and time such as 2026-01-05T10:15:00Z")])
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise InvalidInputError([(field, "Input should be a time of the years 1 to 9999 in UTC")]) from None
