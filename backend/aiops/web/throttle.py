"""Refuses, with a page, whoever tries too often."""

from aiops.accounts import attempts, rate_limits
from aiops.web.visits import PageError, Visit

PAYMENTS = "payments"
PAYMENTS_PER_MINUTE = 30  # each asks Stripe several times, and Stripe takes 100 calls a second from all


async def admit(visit: Visit, email: str) -> None:
    """Counts an attempt on an e-mail address.

    Raises:
        PageError: there were too many.
    """
    host = visit.request.client.host if visit.request.client else ""
    async with visit.runtime.database.write() as session:
        seconds = await attempts.admit(session, email, host, visit.runtime.clock())
    if seconds is not None:
        raise _too_many(seconds)


async def admit_to_payments(visit: Visit) -> None:
    """Counts a page that asks Stripe.

    Raises:
        PageError: there were too many.
    """
    account_id, now = visit.account.id, visit.runtime.clock()
    async with visit.runtime.database.write() as session:
        quota, refusal = await rate_limits.admit(session, account_id, PAYMENTS, PAYMENTS_PER_MINUTE, now)
    if refusal is not None:
        raise _too_many(quota.retry_after_seconds)


def _too_many(seconds: int) -> PageError:
    minutes = -(-seconds // 60)
    sentence = f"Wait {minutes} minute{'s' if minutes > 1 else ''}, then try again."
    return PageError(429, "Too many attempts", sentence, retry_after_seconds=seconds)
