"""Whose turn it is: accounts take turns, so that one with a thousand jobs does not hold up the first of another.

Each queued job has a turn, given when it is queued, and the lowest is claimed first. An account's jobs have turns one
after the other; its first stands level with the work that goes on at that moment, or one after the account's last job
where that stood there already. That is fair queueing by start tags (Goyal, Vin, Cheng: Start-time Fair Queuing, 1996)
with jobs of one length: nothing is kept but a number a job, and a claim is the first row of an index. Nobody starves:
each account comes once a turn, whether it has its jobs queued at once or calls again when it is answered.
"""

from dataclasses import dataclass

from sqlalchemy import bindparam, func, select, text
from sqlmodel import col

from aiops.database.engine import Session
from aiops.database.tables import OPEN, Job

# Written out: the index of open jobs is used only where the database sees that nothing else is asked for, and SQLite
# sees it only where the words are those of the index.
IS_QUEUED = text(f"job.status = 'queued' AND job.{OPEN}")
IS_RUNNING = text(f"job.status = 'running' AND job.{OPEN}")
ORDER = (col(Job.turn), col(Job.created_at), col(Job.id))

_AT_WORK = select(func.max(Job.turn)).where(IS_RUNNING).scalar_subquery()
_NEXT = select(func.min(Job.turn)).where(IS_QUEUED).scalar_subquery()
_LATEST = (
    select(col(Job.turn))
    .where(col(Job.account_id) == bindparam("of"))
    .order_by(col(Job.created_at).desc(), col(Job.id).desc())
    .limit(1)
    .scalar_subquery()
)
_LINE = select(func.count(), func.max(Job.turn), _LATEST, _AT_WORK, _NEXT).where(
    col(Job.account_id) == bindparam("of"), col(Job.status) == "queued"
)


@dataclass(frozen=True, slots=True)
class Line:
    """How many jobs an account has queued, and the turn of one more."""

    queued: int
    next_turn: int


async def line_of(session: Session, account_id: str) -> Line:
    """The account's row has to be locked, so that no other job of its own gets the same turn."""
    queued, last, latest, at_work, following = (await session.execute(_LINE, {"of": account_id})).one()
    # What runs may all be old. But what was claimed last stood level with the lowest that is queued, or one before it:
    # so the level is that of the last claim or one less, and whoever has had either turn comes one later.
    level = max(at_work or 0, (following or 1) - 1)
    first = latest + 1 if latest in (level, level + 1) else level
    return Line(queued, first if last is None else max(first, last + 1))
