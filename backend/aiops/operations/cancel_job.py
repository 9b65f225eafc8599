from aiops.context import Context
from aiops.contract import models
from aiops.identifiers import is_id
from aiops.jobs import service_call
from aiops.operations import get_job


async def handle(context: Context, job_id: str) -> models.Job:
    if is_id(job_id, "job"):
        await service_call.cancel(context.runtime, context.caller.account_id, job_id)
    return await get_job.handle(context, job_id)
