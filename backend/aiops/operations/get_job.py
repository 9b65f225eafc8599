from aiops.context import Context
from aiops.contract import models
from aiops.errors import NotFoundError
from aiops.identifiers import is_id
from aiops.jobs.presentation import find_job, present, results


async def handle(context: Context, job_id: str) -> models.Job:
    async with context.runtime.database.read() as session:
        job = await find_job(session, context.caller.account_id, job_id) if is_id(job_id, "job") else None
        if job is None:
            raise NotFoundError("There is no such job in this account.")
        (result,) = await results(session, [job], context.runtime.urls)
    return present(job, result)
