"""Which processes work on jobs: each says from time to time that it is there, and for what.

Nothing depends on it but what people and `/ready` are told; a job's lease alone says who may settle it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version

from sqlalchemy import delete, exists, select
from sqlmodel import col

from aiops.database.engine import Database, Session, dialect_of, insert_into
from aiops.database.tables import WorkerProcess

WORKING, STOPPING, STOPPED = "working", "stopping", "stopped"
BEAT_SECONDS = 5
ALIVE = timedelta(seconds=3 * BEAT_SECONDS)
MISSED = timedelta(seconds=60)  # so long may none be there, as while they are exchanged, before a server is not ready
KEPT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Presence:
    """A process that works. `services` is empty where it works on all."""

    name: str
    host: str
    services: Sequence[str]
    slots: int
    started_at: datetime

    async def note(self, database: Database, now: datetime, state: str) -> None:
        """Says that the process is there, and forgets those that have long been silent."""
        seen = {"seen_at": now, "state": state}
        row = {
            "name": self.name,
            "host": self.host,
            "version": version("aiops"),
            "services": list(self.services),
            "slots": self.slots,
            "started_at": self.started_at,
            **seen,
        }
        async with database.write() as session:
            insert = insert_into("worker_process", dialect_of(session)).values(row)
            await session.execute(insert.on_conflict_do_update(index_elements=["name"], set_=seen))
            await session.execute(delete(WorkerProcess).where(col(WorkerProcess.seen_at) < now - KEPT))


async def alive(session: Session, now: datetime) -> list[WorkerProcess]:
    """Those that have been there just now, the oldest first."""
    is_there = (col(WorkerProcess.seen_at) > now - ALIVE) & (col(WorkerProcess.state) != STOPPED)
    found = select(WorkerProcess).where(is_there).order_by(col(WorkerProcess.started_at), col(WorkerProcess.name))
    return list((await session.execute(found)).scalars())


async def any_lately(session: Session, now: datetime) -> bool:
    """Whether one was there within the last minute."""
    return bool((await session.execute(select(exists().where(col(WorkerProcess.seen_at) > now - MISSED)))).scalar_one())
