"""Requests per minute: a fixed window per account and policy, one row in the database, exact across processes.

The window only moves forward, so two servers whose clocks differ by a second cannot reset each other's count.
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


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left of a policy after a call: `remaining` calls until the window ends in `reset_seconds`."""

    policy: str
    limit: int
    remaining: int
    reset_seconds: int

    def headers(self) -> dict[str, str]:
        """RateLimit and RateLimit-Policy, draft-ietf-httpapi-ratelimit-headers-11."""
        return {
            "RateLimit": f'"{self.policy}";r={self.remaining};t={self.reset_seconds}',
            "RateLimit-Policy": f'"{self.policy}";q={self.limit};w={WINDOW_SECONDS}',
        }


_LOOK = select(col(RateWindow.calls), col(RateWindow.window)).where(
    col(RateWindow.account_id) == bindparam("of"),
    col(RateWindow.policy) == bindparam("by"),
    col(RateWindow.window) >= bindparam("now"),
)


@cache
def _counting(dialect: str) -> Executable:
    """One upsert: the first call of a window begins it, the others are counted as long as it is not full."""
    statement = insert_into("rate_window", dialect).values(
        account_id=bindparam("of"), policy=bindparam("by"), window=bindparam("now"), calls=1
    )
    begins = statement.excluded.window > col(RateWindow.window)
    return statement.on_conflict_do_update(
        index_elements=["account_id", "policy"],
        set_={
            "calls": case((begins, 1), else_=col(RateWindow.calls) + 1),
            "window": case((begins, statement.excluded.window), else_=col(RateWindow.window)),
        },
        where=begins | (col(RateWindow.calls) < bindparam("most")),
    ).returning(col(RateWindow.calls), col(RateWindow.window))


async def count(session: Session, account_id: str, policy: str, limit: int, now: datetime) -> Quota | None:
    """Counts one call; None, and nothing counted, where the window is full."""
    values = {"of": account_id, "by": policy, "now": _window(now), "most": limit}
    row = (await session.execute(_counting(dialect_of(session)), values)).one_or_none()
    return None if row is None else Quota(policy, limit, limit - row[0], _reset_seconds(row[1], now))


async def look(session: Session, account_id: str, policy: str, limit: int, now: datetime) -> Quota:
    """What is left, without counting a call."""
    found = await session.execute(_LOOK, {"of": account_id, "by": policy, "now": _window(now)})
    calls, window = found.one_or_none() or (0, _window(now))
    return Quota(policy, limit, max(limit - calls, 0), _reset_seconds(window, now))


def exceeded(quota: Quota) -> RateLimitExceededError:
    """The refusal; its Retry-After is when the window ends, so that a client that waits is taken."""
    return RateLimitExceededError(quota.reset_seconds)


def _window(now: datetime) -> int:
    return int(now.timestamp()) // WINDOW_SECONDS


def _reset_seconds(window: int, now: datetime) -> int:
    return max(1, math.ceil((window + 1) * WINDOW_SECONDS - now.timestamp()))
