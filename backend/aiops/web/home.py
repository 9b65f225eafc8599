"""The start page: what this is, and the two ways in."""

from starlette.responses import Response

from aiops.web.reference import examples
from aiops.web.reference.pages import reference_of
from aiops.web.visits import Visit


async def show(visit: Visit) -> Response:
    reference = reference_of(visit.runtime)
    first = reference.services[0]
    return visit.render(
        "home.html",
        summary=reference.summary,
        services=reference.services,
        plans=visit.runtime.plans,
        command=examples.curl(first.requests[0].call),
        answer=first.answers[0].text if first.answers else "",
    )
