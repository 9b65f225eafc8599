"""What is put right from time to time: jobs whose worker has gone silent, and files that nobody needs any more."""

import structlog

from aiops.background import Background
from aiops.jobs import queue
from aiops.jobs.succession import wake_successors
from aiops.runtime import Runtime
from aiops.storage.files import StorageError
from aiops.storage.sweep import sweep, sweep_downloads

log = structlog.get_logger()

SWEEP_SECONDS = 600


class Upkeep:
    """Every process reaps, so that what waits is refunded in time even where no worker lives. Those that work sweep;
    one that only serves sweeps its own folder, where uploads arrive."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self._background = Background(runtime.draining)

    def start(self) -> None:
        self._background.start(self._reap, self._sweep)

    async def stop(self) -> None:
        """Waits for the step that is being taken."""
        await self._background.stop()

    async def _reap(self) -> None:
        for job in await queue.reap(self.runtime.database, self.runtime.clock()):
            log.warning("job_reaped", job_id=job.id, reason=job.reason)
            self.runtime.job_ended(job.id, job.operation_id, job.status)
            await wake_successors(self.runtime, job)
        self.runtime.arrivals.elsewhere()  # what was not ended may be queued again
        await self._background.pause(self.runtime.settings.reaper_seconds)

    async def _sweep(self) -> None:
        folder, now = self.runtime.settings.downloads_dir, self.runtime.clock()
        try:
            if self.runtime.settings.works:
                deleted = await sweep(self.runtime.database, self.runtime.store, folder, now)
            else:
                deleted = await sweep_downloads(folder, now)
        except StorageError as error:
            log.warning("files_not_swept", reason=str(error))
        else:
            if deleted:
                log.info("files_swept", files=deleted)
        await self._background.pause(SWEEP_SECONDS)
