"""`/docs`, and the same for machines under `/docs.md` and `/llms.txt`. All three change only with a new process."""

import hashlib

from starlette.responses import Response

from aiops.accounts.rate_limits import OTHER_REQUESTS_PER_MINUTE
from aiops.runtime import Runtime
from aiops.web.reference.model import Plan, Reference, Server
from aiops.web.reference.reading import limit_names
from aiops.web.reference.rendering import Rendered, rendered
from aiops.web.visits import Visit


def reference_of(runtime: Runtime) -> Reference:
    """The reference of this server as data, for pages that show parts of it."""
    return _rendered(runtime).reference


async def show(visit: Visit) -> Response:
    reference = _rendered(visit.runtime)
    page = visit.render("reference/page.html", content=reference.content, contents=reference.contents)
    return _unless_known(visit, page)


async def show_markdown(visit: Visit) -> Response:
    return _unless_known(visit, Response(_rendered(visit.runtime).markdown, media_type="text/markdown"))


async def show_llms(visit: Visit) -> Response:
    return _unless_known(visit, Response(_rendered(visit.runtime).llms, media_type="text/plain"))


def _rendered(runtime: Runtime) -> Rendered:
    settings, names = runtime.settings, limit_names(runtime.document)
    plans = [Plan(name, tuple(getattr(limits, one) for one in names)) for name, limits in runtime.plans.items()]
    server = Server(
        address=settings.address,
        is_signup_open=settings.signup == "open",
        job_seconds=round(settings.job_seconds),
        file_hours=settings.file_hours,
        other_requests_per_minute=OTHER_REQUESTS_PER_MINUTE,
    )
    return rendered(runtime.document, tuple(plans), server)


def _unless_known(visit: Visit, response: Response) -> Response:
    """The answer with its mark; without its body for a browser that has it already."""
    mark = f'"{hashlib.sha256(response.body).hexdigest()[:32]}"'
    known = [one.strip().removeprefix("W/") for one in visit.request.headers.get("if-none-match", "").split(",")]
    if mark in known:
        response = Response(status_code=304)
    response.headers["ETag"] = f"W/{mark}"  # compressed or not
    return response
