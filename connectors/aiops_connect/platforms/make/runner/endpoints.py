"""`endpoint` in place of a URL: a module runs an endpoint of the same app."""

from dataclasses import replace
from zoneinfo import ZoneInfo

from aiops_connect.platforms.make.runner.blocks import Request, read_requests
from aiops_connect.platforms.make.runner.chain import execute
from aiops_connect.platforms.make.runner.errors import InputError
from aiops_connect.platforms.make.runner.iml.values import is_missing
from aiops_connect.platforms.make.runner.inputs import specifications
from aiops_connect.platforms.make.runner.pages import Paging
from aiops_connect.platforms.make.runner.parameters import prepare
from aiops_connect.platforms.make.runner.rebase import Rebased
from aiops_connect.platforms.make.runner.run import Run


def call_endpoint(run: Run, request: Request, blocks: Rebased) -> None:
    """Runs the sibling endpoint that a request names, with the values of its `input`; `body` is its output."""
    block = request.directives["endpoint"]
    name = run.evaluate(block.at("name") if isinstance(block.value, dict) else block)
    component = run.app.component("endpoint", str(name))
    communication = blocks.code(component, "communication")
    if communication is None:
        raise block.error(f"The endpoint {name!r} has no communication.")
    given = run.evaluate_optional(request.get("input"))
    zone = ZoneInfo(run.timezone)
    try:
        parameters = prepare(list(specifications(run.app, component)), {} if is_missing(given) else given, zone)
    except InputError as error:
        raise block.error(f"The endpoint {name!r} does not take the input. {error}".replace("\n", " ")) from None
    requests = read_requests(communication, blocks.base())
    if any("endpoint" in one.directives for one in requests):
        raise communication.error("An endpoint cannot call another endpoint.")
    inner = replace(run, variables={**run.variables, "parameters": parameters, "temp": {}})
    result = execute(inner, requests, Paging())
    value = [bundle.output for bundle in result.bundles] if result.bundles is not None else result.value
    run.requests_sent = inner.requests_sent
    run.variables.update(
        body=value, headers=inner.variables.get("headers", {}), statusCode=inner.variables.get("statusCode", 200)
    )
