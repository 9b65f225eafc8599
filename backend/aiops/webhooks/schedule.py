"""When a delivery that failed is tried again: the schedule of the Standard Webhooks scheme, with jitter."""

import random
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

HOUR = 3600
# Seconds between one attempt and the next; three days and a few hours in all.
PAUSES_SECONDS = (5, 300, HOUR // 2, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)
ATTEMPTS_MAX = 1 + len(PAUSES_SECONDS)
JITTER = 0.1  # so that what failed together does not come back together
RETRY_AFTER_MAX = timedelta(hours=24)


def next_attempt(attempts: int, retry_after: str | None, now: datetime) -> datetime | None:
    """When to try again after so many attempts; None where that was the last. Not before what `Retry-After` says."""
    if attempts >= ATTEMPTS_MAX:
        return None
    pause = PAUSES_SECONDS[attempts - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - no secret
    return max(now + timedelta(seconds=pause), min(_moment(retry_after, now), now + RETRY_AFTER_MAX))


def _moment(retry_after: str | None, now: datetime) -> datetime:
    """RFC 9110, section 10.2.3: seconds or a date. What cannot be read is left aside."""
    stated = (retry_after or "").strip()
    if stated.isascii() and stated.isdigit():
        return now + min(timedelta(seconds=int(stated[:9])), RETRY_AFTER_MAX)
    try:
        moment = parsedate_to_datetime(stated)
    except (ValueError, OverflowError):  # what is no date, and a year of twenty digits
        return now
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
