"""How a platform's connector differs from the document, and where it may, since the platform cannot do otherwise."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from aiops_connect import ir
from tests.connectors.conformance.table import Connector, Input, Outcome, Step, written

DOWN = (502, 503, 504)
KEY_LENGTH = 64  # a SHA-256 in hexadecimal


@dataclass(frozen=True, slots=True)
class Difference:
    """`what` is the kind of difference, `where` the operation and what in it. `step` is that of the document."""

    platform: str
    what: str
    operation: str
    where: str
    wanted: Any
    found: Any
    step: Step | None = None
    input: Input | None = None

    def __str__(self) -> str:
        return f"{self.platform}: {self.operation} {self.where}: {self.what} is {self.found}, and not {self.wanted}"


def differences(platform: str, wanted: Connector, found: Connector) -> Iterator[Difference]:
    """All of them."""
    if wanted.events != found.events:
        yield Difference(platform, "events", "", "", wanted.events, found.events)
    for name in sorted(wanted.steps.keys() | found.steps.keys()):
        if name not in wanted.steps or name not in found.steps:
            yield Difference(platform, "operation", name, "", name in wanted.steps, name in found.steps)
            continue
        yield from _of_step(platform, name, wanted.steps[name], found.steps[name])
    for name, failures in found.failures.items():
        for status, failure in failures.items():
            outcome = _outcome(status)
            if failure.outcome != outcome:
                yield Difference(platform, "outcome", name, str(status), outcome, failure.outcome, wanted.steps[name])
            elif failure.untold:
                yield Difference(platform, "message", name, str(status), failure.untold, None)


def _outcome(status: int) -> Outcome:
    return {401: "asks to connect again", 429: "is tried again"}.get(status, "stops")  # type: ignore[return-value]


def _of_step(platform: str, name: str, wanted: Step, found: Step) -> Iterator[Difference]:
    for what in ("price", "is_charged_once"):
        if getattr(wanted, what) != getattr(found, what):
            yield Difference(platform, what, name, "", getattr(wanted, what), getattr(found, what))
    for own in sorted(found.own):
        yield Difference(platform, "own input", name, own, False, True, wanted)
    wholes = [each for each, one in found.inputs.items() if one.is_whole]
    for place in sorted(wanted.inputs.keys() | found.inputs.keys()):
        expected, actual = wanted.inputs.get(place), found.inputs.get(place)
        if any(place.startswith(f"{whole}/") for whole in wholes):
            continue  # entered as one value, with the rest of it
        if expected is None or actual is None:
            yield Difference(platform, "input", name, place, expected is not None, actual is not None, wanted)
            continue
        yield from _of_input(platform, name, place, expected, actual)


def _of_input(platform: str, name: str, place: str, wanted: Input, found: Input) -> Iterator[Difference]:
    for what in ("required", "default") if wanted.is_loose else ("required", "default", "choices", "limits"):
        expected, actual = getattr(wanted, what), getattr(found, what)
        if expected != actual:
            yield Difference(platform, what, name, place, expected, actual, input=found)


@dataclass(frozen=True, slots=True)
class Allowance:
    """A difference that a platform leaves no choice about."""

    platform: str
    what: str
    why: str
    holds: Callable[[ir.App, Difference], bool] = lambda _app, _one: True

    def covers(self, app: ir.App, one: Difference) -> bool:
        return (one.platform, one.what) == (self.platform, self.what) and self.holds(app, one)


def _fills_a_list(app: ir.App, one: Difference) -> bool:
    inputs = (field for operation in app.operations for field in operation.inputs)
    return one.operation in {field.options.call.operation for field in inputs if field.options is not None}


def _is_called_back(app: ir.App, one: Difference) -> bool:
    return one.where in {callback.field for callback in app.operation(one.operation).callbacks}


def _is_placeholder(_app: ir.App, one: Difference) -> bool:
    """One of the choices, the least number, no, or the name of the field that a file is in."""
    if one.wanted is not None or one.input is None:
        return False
    least = written(one.input.limits.least) or "0"
    return one.found in {*one.input.choices, least, "false"} or one.input.is_whole


def _is_charged_once(_app: ir.App, one: Difference) -> bool:
    """Whoever tries again by himself must not pay again."""
    assert one.step is not None
    return int(one.where) in DOWN and (one.step.price is None or one.step.is_charged_once)


def _is_hashed(app: ir.App, one: Difference) -> bool:
    least, most = one.wanted.least or 0, one.wanted.most or KEY_LENGTH
    return one.where == app.operation(one.operation).idempotency and least <= KEY_LENGTH <= most


def _named(*names: str) -> Callable[[ir.App, Difference], bool]:
    return lambda _app, one: one.where in names


def _is_page_size(app: ir.App, one: Difference) -> bool:
    pagination = app.operation(one.operation).pagination
    return pagination is not None and one.where == pagination.limit


def _has_no_default(_app: ir.App, one: Difference) -> bool:
    return one.found is None and one.input is not None and (one.input.is_loose or one.input.is_whole)


def _only_reads(app: ir.App, one: Difference) -> bool:
    return app.operation(one.operation).effect in (ir.Effect.READ, ir.Effect.LIST)


def _is_not_found(app: ir.App, one: Difference) -> bool:
    return one.found == "finds nothing" and one.where == "404" and _only_reads(app, one)


def _answers_a_file(app: ir.App, one: Difference) -> bool:
    answer = app.operation(one.operation).answer
    return one.found == "is not called yet" and answer is not None and isinstance(answer.type, ir.File)


ALLOWED = (
    Allowance(
        "n8n", "default", "A parameter of n8n always has a default; it is sent only where it is added.", _is_placeholder
    ),
    Allowance("n8n", "default", "Where one of several shapes is chosen, none is filled in.", _has_no_default),
    Allowance("n8n", "outcome", "n8n has one kind of error; it says to check the credential.", _named("401")),
    Allowance("n8n", "own input", "Lists of n8n's own nodes ask how many.", _named("limit", "returnAll")),
    Allowance("n8n", "own input", "Work may outlast a node.", _named("waitForCompletion", "maximumWait")),
    Allowance("n8n", "own input", "Files travel beside the fields of an item.", _named("output", "binaryPropertyName")),
    Allowance("n8n", "own input", "An answer of many fields has a simplified form.", _named("simplify")),
    Allowance("n8n", "own input", "A node with several kinds of credentials asks which.", _named("authentication")),
    Allowance("zapier", "operation", "A list that fills a dropdown is no step of its own.", _fills_a_list),
    Allowance("zapier", "input", "The app itself is called back.", _is_called_back),
    Allowance("zapier", "input", "A search answers one page, and asks how large it is.", _is_page_size),
    Allowance("zapier", "limits", "A key of any length is hashed, by step.", _is_hashed),
    Allowance("zapier", "default", "A list, and what is entered as JSON, has no default.", _has_no_default),
    Allowance(
        "zapier", "own input", "The editor tests each step; a test need not be paid.", _named("test_with_sample")
    ),
    Allowance("zapier", "own input", "What cannot be undone is said beside the fields.", _named("warning")),
    Allowance("zapier", "own input", "A search asks for something, even where the API does not.", _only_reads),
    Allowance("zapier", "outcome", "What a search does not find is no error.", _is_not_found),
    Allowance("zapier", "outcome", "A file is fetched when a later step takes it.", _answers_a_file),
    Allowance("make", "outcome", "Make tries again by itself where the service is down.", _is_charged_once),
    Allowance("make", "own input", "Lists ask how many.", _named("limit", "results_limit")),
    Allowance("make", "own input", "Work may outlast a module.", _named("wait_for_completion", "download_file")),
)
