"""Who is next once a job has ended: its account may have had jobs queued that no worker could take before."""

import structlog
from sqlalchemy.exc import SQLAlchemyError

from aiops.database.tables import Job
from aiops.jobs import queue
from aiops.runtime import Runtime

log = structlog.get_logger()


async def wake_successors(runtime: Runtime, ended: Job, *, looks_itself: bool = False) -> None:
    """Wakes workers of the services of which the account has jobs queued, where the job that ended was at work. Who
    `looks_itself` for those of its own services wakes the others. This only hastens what is looked for anyway."""
    if ended.worker is None:
        return
    try:
        services = await queue.queued_services(runtime.database, ended.account_id)
    except (SQLAlchemyError, OSError) as error:
        log.warning("successors_not_woken", error=type(error).__name__)
        return
    for service in services:
        if not (looks_itself and runtime.settings.works_on(service)):
            runtime.job_arrived(service)
