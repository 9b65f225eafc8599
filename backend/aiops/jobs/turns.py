"""Whose turn it is: accounts take turns, so that one with a thousand jobs does not hold up the first of another.

Each queued job has a turn, given when it is queued, and the lowest is claimed first. An account's jobs have turns one
after the other; its first stands level with the work that goes on at that moment. That is fair queueing by start tags
(Goyal, Vin, Cheng: Start-time Fair Queuing, 1996) with jobs of one length: nothing is kept but a number a job, and a
claim is the first row of an index. Nobody starves, since newcomers never stand before what is being worked on.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, bindparam, func, literal_column, select
from sqlmodel import col

from aiops.database.engine import Session
from aiops.database.tables import Job

# Written out: the database uses the index of open jobs only where it sees that nothing else is asked for.
QUEUED: ColumnElement[str] = literal_column("'queued'")
RUNNING: ColumnElement[str] = literal_column("'running'")
ORDER = (col(Job.turn), col(Job.created_at), col(Job.id))

_AT_WORK = select(func.max(Job.turn)).where(col(Job.status) == RUNNING).scalar_subquery()
_NEXT = select(func.min(Job.turn)).where(col(Job.status) == QUEUED).scalar_subquery()
_LINE = select(func.count(), func.max(Job.turn), _AT_WORK, _NEXT).where(
    col(Job.account_id) == bindparam("of"), col(Job.status) == "queued"
)


@dataclass(frozen=True, slots=True)
class Line:
    """How many jobs an account has queued, and the turn of one more."""

    queued: int
    next_turn: int


async def line_of(session: Session, account_id: str) -> Line:
    """The account's row has to be locked, so that no other job of its own gets the same turn."""
    queued, last, at_work, following = (await session.execute(_LINE, {"of": account_id})).one()
    level = at_work if at_work is not None else following or 0
    return Line(queued, level if last is None else max(level, last + 1))
