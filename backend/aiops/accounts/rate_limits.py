"""So many calls in so many seconds: a fixed window per subject and policy, one row in the database, exact across
processes. The subject is an account; where nobody is known yet, the digest of what was tried.

The window only moves forward, so two servers whose clocks differ by a second cannot reset each other's count, and
who is refused is told to wait that second longer, so that whichever server is asked next is in the next window.
"""

import math
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import Executable, bindparam, case, select
from sqlmodel import col

from aiops.database.engine import Session, dialect_of, insert_into
from aiops.database.tables import RateWindow
from aiops.errors import RateLimitExceededError

WINDOW_SECONDS = 60
SERVICES = "services"
OTHER = "other"
OTHER_REQUESTS_PER_MINUTE = 300
CLOCKS_APART_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left of a policy after a call: `remaining` calls until the window ends in `reset_seconds`."""

    policy: str
    limit: int
    remaining: int
    reset_seconds: int
    window_seconds: int = WINDOW_SECONDS

    @property
    def retry_after_seconds(self) -> int:
        """How long to wait where nothing is left: then the call is taken, by whichever server."""
        return self.reset_seconds + CLOCKS_APART_SECONDS

    def headers(self) -> dict[str, str]:
        """RateLimit and RateLimit-Policy, draft-ietf-httpapi-ratelimit-headers-11."""
        return {
            "RateLimit": f'"{self.policy}";r={self.remaining};t={self.reset_seconds}',
            "RateLimit-Policy": f'"{self.policy}";q={self.limit};w={self.window_seconds}',
        }


_LOOK = select(col(RateWindow.calls), col(RateWindow.window)).where(
    col(RateWindow.subject) == bindparam("of"),
    col(RateWindow.policy) == bindparam("by"),
    col(RateWindow.window) >= bindparam("now"),
)


@cache
def _counting(dialect: str) -> Executable:
    """One upsert: the first call of a window begins it, the others are counted as long as it is not full."""
    statement = insert_into("rate_window", dialect).values(
        subject=bindparam("of"), policy=bindparam("by"), window=bindparam("now"), calls=1
    )
    begins = statement.excluded.window > col(RateWindow.window)
    return statement.on_conflict_do_update(
        index_elements=["subject", "policy"],
        set_={
            "calls": case((begins, 1), else_=col(RateWindow.calls) + 1),
            "window": case((begins, statement.excluded.window), else_=col(RateWindow.window)),
        },
        where=begins | (col(RateWindow.calls) < bindparam("most")),
    ).returning(col(RateWindow.calls), col(RateWindow.window))


async def count(
    session: Session, subject: str, policy: str, limit: int, now: datetime, *, window_seconds: int = WINDOW_SECONDS
) -> Quota | None:
    """Counts one call; None, and nothing counted, where the window is full."""
    values = {"of": subject, "by": policy, "now": _window(now, window_seconds), "most": limit}
    row = (await session.execute(_counting(dialect_of(session)), values)).one_or_none()
    if row is None:
        return None
    return Quota(policy, limit, limit - row[0], _reset_seconds(row[1], now, window_seconds), window_seconds)


async def look(
    session: Session, subject: str, policy: str, limit: int, now: datetime, *, window_seconds: int = WINDOW_SECONDS
) -> Quota:
    """What is left, without counting a call."""
    begun = _window(now, window_seconds)
    found = await session.execute(_LOOK, {"of": subject, "by": policy, "now": begun})
    calls, window = found.one_or_none() or (0, begun)
    return Quota(policy, limit, max(limit - calls, 0), _reset_seconds(window, now, window_seconds), window_seconds)


async def admit(
    session: Session, subject: str, policy: str, limit: int, now: datetime, *, window_seconds: int = WINDOW_SECONDS
) -> tuple[Quota, RateLimitExceededError | None]:
    """Counts one call, or refuses it where the window is full; and what is left."""
    quota = await count(session, subject, policy, limit, now, window_seconds=window_seconds)
    if quota is not None:
        return quota, None
    full = await look(session, subject, policy, limit, now, window_seconds=window_seconds)
    return full, RateLimitExceededError(full.retry_after_seconds)


def _window(now: datetime, window_seconds: int) -> int:
    return int(now.timestamp()) // window_seconds


def _reset_seconds(window: int, now: datetime, window_seconds: int) -> int:
    return max(1, math.ceil((window + 1) * window_seconds - now.timestamp()))
