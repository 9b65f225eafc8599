"""The chain of a component's requests: each is repeated, has its condition, and gives a result; then comes the wrapper.

Source: "Multiple requests" and the directives `temp`, `condition`, `repeat` and `wrapper` in Make's documentation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from aiops_connect.platforms.make.runner.blocks import Request
from aiops_connect.platforms.make.runner.iml.values import UNDEFINED, Value
from aiops_connect.platforms.make.runner.pages import Bundle, Paging, Result, request_pages
from aiops_connect.platforms.make.runner.run import Run


@dataclass(frozen=True, slots=True)
class Skipped:
    """A request whose condition is false; `default` is its output, undefined where it has none."""

    default: Value


def execute(run: Run, requests: Sequence[Request], paging: Paging) -> Result:
    """Runs the requests in turn; the result is that of the last one that was not skipped.

    :raises MakeError: where the app ends in an error
    :raises AppError: where the app is at fault
    """
    result = Result()
    for place, request in enumerate(requests):
        for block in request.unknown:
            run.trace.warn(f"{block.file}: {block.pointer}: Make has no such directive; it is ignored.")
        label = f"{request.block.file}{f' request {place + 1}' if len(requests) > 1 else ''}"
        outcome = _repeated(run, request, paging, label)
        if isinstance(outcome, Result):
            result = outcome
            if result.ends:
                return result
        elif outcome.default is not UNDEFINED:
            result = Result(outcome.default)
    return _wrapped(run, requests, result)


def _wrapped(run: Run, requests: Sequence[Request], result: Result) -> Result:
    wrapper = requests[-1].response.get("wrapper") if requests else None
    if wrapper is None:
        return result
    run.variables["output"] = result.value if result.bundles is None else [bundle.output for bundle in result.bundles]
    value = run.evaluate(wrapper)
    if result.bundles is not None and isinstance(value, list):
        return Result(bundles=[Bundle(item) for item in value])
    return Result(value)


def _repeated(run: Run, request: Request, paging: Paging, label: str) -> Result | Skipped:
    """`repeat`: again while its condition holds, at most `limit` times in all; then it goes on as it is."""
    repeat = request.get("repeat")
    members = repeat.members() if repeat else {}
    limit = min(run.number(members.get("limit"), run.limits.repeats), run.limits.repeats)
    count = 0
    while True:
        outcome = _once(run, request, paging, label)
        count += 1
        if isinstance(outcome, Skipped) or "condition" not in members or count >= limit:
            return outcome
        if not run.holds(members["condition"]):
            return outcome
        run.clock.wait(min(max(0.0, run.number(members.get("delay"), 0) / 1000), run.limits.run_seconds))
        run.check_time()


def _once(run: Run, request: Request, paging: Paging, label: str) -> Result | Skipped:
    run.merge_temp(request.get("temp"))
    condition = request.get("condition")
    if condition is not None:
        members = condition.members() if isinstance(condition.value, dict) else {"condition": condition}
        if "condition" in members and not run.holds(members["condition"]):
            return Skipped(run.evaluate_optional(members.get("default")))
    return request_pages(run, request, paging, label)
