"""Refuses, with a page, whoever tries too often."""

from starlette.responses import Response

from aiops.accounts import attempts
from aiops.web.visits import Visit


async def throttled(visit: Visit, email: str) -> Response | None:
    """Counts an attempt on an e-mail address; what to answer where there were too many."""
    host = visit.request.client.host if visit.request.client else ""
    async with visit.runtime.database.write() as session:
        seconds = await attempts.admit(session, email, host, visit.runtime.clock())
    return None if seconds is None else _too_many(visit, seconds)


def _too_many(visit: Visit, seconds: int) -> Response:
    minutes = -(-seconds // 60)
    response = visit.render(
        "error.html",
        status=429,
        title="Too many attempts",
        sentence=f"Wait {minutes} minute{'s' if minutes > 1 else ''}, then try again.",
    )
    response.headers["Retry-After"] = str(seconds)
    return response
