from typing import Annotated

from fastapi import Query

from aiops.context import Context
from aiops.contract.models import JobList, ListJobsParametersQuery
from aiops.jobs.listing import list_jobs
from aiops.jobs.presentation import present, results


async def handle(context: Context, query: Annotated[ListJobsParametersQuery, Query()]) -> JobList:
    async with context.runtime.database.read() as session:
        jobs, next_cursor = await list_jobs(session, context.caller.account_id, query.limit, query.cursor)
        shown = await results(session, jobs, context.runtime.urls)
    data = [present(job, result) for job, result in zip(jobs, shown, strict=True)]
    return JobList(data=data, next_cursor=next_cursor)
