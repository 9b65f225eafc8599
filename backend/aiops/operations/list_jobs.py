from typing import Annotated

from fastapi import Query
from sqlalchemy import select
from sqlmodel import col

from aiops.context import Context
from aiops.contract.models import JobList, ListJobsParametersQuery
from aiops.database.tables import Job
from aiops.jobs.presentation import present, results
from aiops.pagination import decode_moment_and_id, encode_cursor, page


async def handle(context: Context, query: Annotated[ListJobsParametersQuery, Query()]) -> JobList:
    statement = (
        select(Job)
        .where(col(Job.account_id) == context.caller.account_id)
        .order_by(col(Job.created_at).desc(), col(Job.id).desc())
        .limit(query.limit + 1)
    )
    if query.cursor is not None:
        created_at, job_id = decode_moment_and_id(query.cursor)
        statement = statement.where(
            (col(Job.created_at) < created_at) | ((col(Job.created_at) == created_at) & (col(Job.id) < job_id))
        )
    async with context.runtime.database.read() as session:
        rows = (await session.execute(statement)).scalars().all()
        jobs, last = page(rows, query.limit)
        shown = await results(session, jobs, context.runtime.urls)
    return JobList(
        data=[present(job, result) for job, result in zip(jobs, shown, strict=True)],
        next_cursor=None if last is None else encode_cursor([last.created_at.isoformat(), last.id]),
    )
