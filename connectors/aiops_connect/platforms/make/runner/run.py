"""The state of one run: variables, clock, counters and trace; and the evaluation of directives in it."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aiops_connect.platforms.make.runner.app import App, Block
from aiops_connect.platforms.make.runner.blocks import Request
from aiops_connect.platforms.make.runner.clock import Clock
from aiops_connect.platforms.make.runner.errors import AppError, MakeError
from aiops_connect.platforms.make.runner.http import Client
from aiops_connect.platforms.make.runner.iml.context import Context
from aiops_connect.platforms.make.runner.iml.template import BlockError, transform
from aiops_connect.platforms.make.runner.iml.values import (
    UNDEFINED,
    ErrorValue,
    Value,
    is_missing,
    is_number,
    is_truthy,
    to_number,
    to_text,
    type_name,
)
from aiops_connect.platforms.make.runner.limits import Limits
from aiops_connect.platforms.make.runner.trace import Trace


@dataclass
class Run:
    """`variables` are what expressions can name; `results` what a connection or a webhook stores.

    `call_endpoint` runs the endpoint that a request names in place of a URL, and leaves its output in `body`.
    """

    app: App
    clock: Clock
    client: Client
    limits: Limits
    trace: Trace
    variables: dict[str, Value]
    call_endpoint: Callable[["Run", Request], None]
    timezone: str = "UTC"
    results: dict[str, Value] = field(default_factory=dict)
    started: datetime = field(init=False)
    requests_sent: int = 0

    def __post_init__(self) -> None:
        self.started = self.clock.now()

    def context(self) -> Context:
        return Context(self.variables, self.clock, self.timezone)

    def evaluate(self, block: Block) -> Value:
        """The value of a directive.

        :raises AppError: for an expression that fails
        :raises MakeError: where it evaluates to an error of `errorFactory`
        """
        try:
            value = transform(block.value, self.context, block.pointer)
        except BlockError as error:
            raise AppError.of_expression(block.file, error.pointer, error.cause) from None
        if isinstance(value, ErrorValue):
            raise MakeError(value.type, value.message, self.variables.get("statusCode") or None)
        return value

    def evaluate_optional(self, block: Block | None) -> Value:
        """As `evaluate`; undefined where the directive is absent."""
        return UNDEFINED if block is None else self.evaluate(block)

    def holds(self, block: Block) -> bool:
        """Whether a condition is true, by JavaScript's rules."""
        return is_truthy(self.evaluate(block))

    def number(self, block: Block | None, otherwise: float) -> float:
        """The number of a directive; `otherwise` where it is absent, null or an empty text.

        :raises AppError: for a value that is no number
        """
        value = self.evaluate_optional(block)
        if block is None or is_missing(value) or value == "":
            return otherwise
        number = to_number(value) if is_number(value) or isinstance(value, str) else math.nan
        if math.isnan(number):
            raise block.error(f"A number is needed here, and this is {type_name(value)} {to_text(value)[:40]!r}.")
        return number

    def number_of_common(self, name: str, otherwise: float) -> float:
        """A limit that the app's common data may set."""
        value = self.variables["common"].get(name, UNDEFINED)
        return value if is_number(value) and value > 0 else otherwise

    def merge_temp(self, block: Block | None) -> None:
        """`temp`: evaluated as a whole, then merged into what is there."""
        value = self.evaluate_optional(block)
        if block is None or is_missing(value):
            return
        if not isinstance(value, dict):
            raise block.error(f"`temp` is a collection, and this is {type_name(value)}.")
        merge(self.variables["temp"], value)

    def check_time(self) -> None:
        """:raises MakeError: when the run has taken as long as a scenario may"""
        if (self.clock.now() - self.started).total_seconds() > self.limits.run_seconds:
            raise MakeError("ScenarioTimeoutError", f"The run takes more than {self.limits.run_seconds:.0f} s.")


def merge(target: dict[str, Any], source: dict[str, Any]) -> None:
    """As lodash's `_.merge`: collections by member, arrays by position, undefined skipped, everything else replaced."""
    for key, value in source.items():
        if value is not UNDEFINED:
            target[key] = merged(target.get(key), value)


def merged(old: Value, new: Value) -> Value:
    """The new value over the old one."""
    if isinstance(new, dict):
        result = dict(old) if isinstance(old, dict) else {}
        merge(result, new)
        return result
    if isinstance(new, list):
        kept = old if isinstance(old, list) else []
        pairs = [merged(kept[place] if place < len(kept) else None, item) for place, item in enumerate(new)]
        return pairs + kept[len(new) :]
    return new
