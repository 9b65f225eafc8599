from aiops.context import CallContext, Context
from aiops.contract import models
from aiops.database.engine import Session
from aiops.database.tables import Job
from aiops.errors import NotFoundError
from aiops.identifiers import is_id
from aiops.jobs.presentation import find_job, present, results
from aiops.jobs.service_call import LOOK_AGAIN_SECONDS
from aiops.preferences import read_preferences


async def handle(context: Context, job_id: str) -> models.Job:
    runtime = context.runtime
    preferred = read_preferences(context.request.headers.getlist("prefer"))
    if preferred.wait_seconds is not None and await _is_open(context, job_id):
        with runtime.waiters.looking(context.caller.account_id) as may_wait:
            if may_wait:
                await runtime.waiters.wait(runtime.database, job_id, preferred.wait_seconds, is_new=False)
                context.headers.update(preferred.applied(is_accepted=False))
    async with runtime.database.read() as session:
        job = await _find(session, context, job_id)
        (result,) = await results(session, [job], runtime.urls)
    if job.finished_at is None:
        context.headers["Retry-After"] = str(LOOK_AGAIN_SECONDS)
    return present(job, result)


async def _is_open(context: CallContext, job_id: str) -> bool:
    async with context.runtime.database.read() as session:
        return (await _find(session, context, job_id)).finished_at is None


async def _find(session: Session, context: CallContext, job_id: str) -> Job:
    job = await find_job(session, context.caller.account_id, job_id) if is_id(job_id, "job") else None
    if job is None:
        raise NotFoundError("There is no such job in this account.")
    return job
