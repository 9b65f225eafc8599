"""The pages of a request and what they give: bundles by `iterate` and `output`, up to `limit`.

Source: "Pagination", `iterate`, `output`, `limit` and `response.trigger` in Make's documentation.
"""

from collections.abc import Callable
from dataclasses import dataclass

from aiops_connect.platforms.make.runner import failures
from aiops_connect.platforms.make.runner.app import Block
from aiops_connect.platforms.make.runner.blocks import Request
from aiops_connect.platforms.make.runner.errors import AppError, MakeError
from aiops_connect.platforms.make.runner.exchange import Step, call
from aiops_connect.platforms.make.runner.iml.errors import ImlError
from aiops_connect.platforms.make.runner.iml.evaluator import evaluate
from aiops_connect.platforms.make.runner.iml.parser import parse_expression
from aiops_connect.platforms.make.runner.iml.values import UNDEFINED, Value, is_missing, type_name
from aiops_connect.platforms.make.runner.run import Run

PAGE_LIMIT = 20
PAGE_LIMIT_GROWTH = 5
PAGE_LIMIT_MAX = 500
STORED = ("data", "metadata", "uid", "expires")


@dataclass(slots=True)
class Bundle:
    """One item of an `iterate`, with the id and date that a trigger goes by."""

    output: Value
    id: Value = UNDEFINED
    date: Value = UNDEFINED


@dataclass(slots=True)
class Result:
    """What a request gives: bundles of an `iterate`, else one value. `ends` where nothing after it is to run."""

    value: Value = UNDEFINED
    bundles: list[Bundle] | None = None
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Paging:
    """How far a component reads: `limited` by `response.limit`, and until `enough` of the bundles are there."""

    limited: bool = True
    enough: Callable[[list[Bundle]], bool] = lambda _bundles: False


def request_pages(run: Run, request: Request, paging: Paging, label: str) -> Result:
    """The first page and those that `pagination` asks for.

    Its condition is evaluated twice, as in Make: after a page, and before the next one with the next page's number.
    """
    run.variables["pagination"] = pagination = {"page": 1, "offset": 0, "limit": PAGE_LIMIT}
    result, current = Result(), request
    pages_max = int(run.number_of_common("maxPaginationRequestCount", run.limits.pagination_requests)) + 1
    while True:
        _respond(run, current, Step(label, int(pagination["page"])))
        limit = _limit(run, request) if paging.limited else None
        gained = _collect(run, request, result, limit)
        if result.ends or gained == 0 or not _has_pagination(request) or not _condition_holds(run, request):
            return result
        have = result.bundles or []
        if (limit is not None and len(have) >= limit) or paging.enough(have):
            return result
        if pagination["page"] >= pages_max:
            run.trace.warn(f"{label}: pagination ends after {pages_max} pages, as in Make.")
            return result
        pagination["page"] += 1
        pagination["offset"] += pagination["limit"]
        pagination["limit"] = min(pagination["limit"] * PAGE_LIMIT_GROWTH, PAGE_LIMIT_MAX)
        if not _condition_holds(run, request):
            return result
        current = request.paginated()


def _has_pagination(request: Request) -> bool:
    return request.calls and "pagination" in request.directives


def _condition_holds(run: Run, request: Request) -> bool:
    condition = request.directives["pagination"].members().get("condition")
    return condition is None or run.holds(condition)


def _respond(run: Run, request: Request, step: Step) -> None:
    """The call, and what is done with its response before it becomes output."""
    if "endpoint" in request.directives:
        run.call_endpoint(run, request)
    elif request.calls:
        call(run, request, request.get("baseUrl"), step)
    run.merge_temp(request.response.get("temp"))
    failures.check(run, request, run.variables["statusCode"] if request.calls else 0)
    for name in STORED:
        if name in request.response:
            run.results[name] = run.evaluate(request.response[name])


def _limit(run: Run, request: Request) -> int | None:
    """How many bundles at most; None for all.

    :raises MakeError: for 0, as in Make
    """
    limit = run.number(request.response.get("limit"), -1)
    if limit == 0:
        raise MakeError("InvalidConfigurationError", "The limit of bundles is 0.")
    return int(limit) if limit > 0 else None


def _collect(run: Run, request: Request, result: Result, limit: int | None) -> int:
    """Adds a page to the result; says how many items it had."""
    output = request.response.get("output")
    if output is not None and (output.value is None or output.value is False):
        result.ends = True
        return 0
    if "iterate" in request.response:
        return _iterate(run, request, result, limit)
    value = run.evaluate_optional(output)
    if value is UNDEFINED:
        value = run.variables.get("body", UNDEFINED) if request.calls else UNDEFINED
    gained = len(value) if isinstance(value, list) else 1
    if isinstance(value, list):
        value = [*(result.value if isinstance(result.value, list) else ()), *value][:limit]
    result.value = value
    return gained


def _iterate(run: Run, request: Request, result: Result, limit: int | None) -> int:
    block = request.response["iterate"]
    members = block.members() if isinstance(block.value, dict) else {"container": block}
    if "container" not in members:
        raise block.error("`iterate` lacks its container.")
    items = _container(run, members["container"])
    bundles = result.bundles = result.bundles or []
    run.variables["iterate"] = {"container": {"first": items[0], "last": items[-1]} if items else {}}
    for item in items:
        if limit is not None and len(bundles) >= limit:
            break
        if len(bundles) >= run.limits.bundles:
            raise MakeError("MaxResultsExceededError", f"The module outputs more than {run.limits.bundles} bundles.")
        run.variables["item"] = item
        if "condition" not in members or run.holds(members["condition"]):
            bundles.append(_bundle(run, request, item))
    run.variables.pop("item", None)
    return len(items)


def _container(run: Run, block: Block) -> list[Value]:
    """The array to go through: none for null. A path without braces is an expression too."""
    if isinstance(block.value, str) and "{{" not in block.value:
        try:
            value = evaluate(parse_expression(block.value), run.context(), block.value)
        except ImlError as error:
            raise AppError.of_expression(block.file, block.pointer, error) from None
    else:
        value = run.evaluate(block)
    if is_missing(value):
        return []
    if not isinstance(value, list):
        raise block.error(f"The container has to be an array, and this is {type_name(value)}.")
    return value


def _bundle(run: Run, request: Request, item: Value) -> Bundle:
    output = run.evaluate_optional(request.response.get("output"))
    trigger = request.response.get("trigger")
    members = trigger.members() if trigger else {}
    identity = [run.evaluate_optional(members.get(name)) for name in ("id", "date")]
    return Bundle(item if output is UNDEFINED else output, *identity)
