"""What a connector offers, in one neutral table: by the document, or as it is read back of a platform's files."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from aiops_connect import ir

Choices = frozenset[str]
Outcome = Literal["stops", "is tried again", "asks to connect again", "finds nothing", "is not called yet"]
_NUMBER = r"(-?[\d,]+(?:\.\d+)?)"
_LIMITS = re.compile(
    rf"(?:(?:From {_NUMBER} to|At least) {_NUMBER}|At most {_NUMBER}) (?:characters|items)", re.IGNORECASE
)
_PRICE = re.compile(r"\bCosts ([\d,]+) credits?\b")


@dataclass(frozen=True, slots=True)
class Limits:
    """The least and the most: of a number its value, of a text its characters, of a list its items. A text or a list
    that is there is never empty, so a least of 1 says nothing."""

    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """`default` and `choices` are as text, since some platforms know nothing else. `is_whole`: it is entered as one
    value, such as JSON or a file, and its members are not asked for. `is_loose`: it takes values of several kinds, of
    which a platform may offer or check some."""

    required: bool = False
    default: str | None = None
    choices: Choices = frozenset()
    limits: Limits = Limits()
    is_whole: bool = False
    is_loose: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """What people choose. `inputs` are by the id of the input, then the names of members: `size/width`. `own` are what
    the platform asks for beside them. `price` is what it says that a call costs, and `is_charged_once` whether it makes
    a repeat known as such."""

    inputs: Mapping[str, Input]
    price: int | None = None
    is_charged_once: bool = False
    own: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Failure:
    """What becomes of a status, and what people do not read though the answer says it."""

    outcome: Outcome
    untold: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Connector:
    """`steps` and `failures` are by the operation's id; `events` are the kinds of events that start a workflow."""

    steps: Mapping[str, Step]
    events: frozenset[str]
    failures: Mapping[str, Mapping[int, Failure]] = field(default_factory=dict)


def written(value: Any) -> str | None:
    """A value as text; None where there is none, or it is empty."""
    if value is ir.MISSING or value in (None, "", [], {}):
        return None
    match value:
        case str():
            return value
        case float() if value.is_integer():
            return str(int(value))
    return json.dumps(value, ensure_ascii=False)


def written_json(text: str) -> str | None:
    """As `written`, of a value that is given in JSON."""
    return written(json.loads(text)) if text else None


def price_in(text: str) -> int | None:
    found = _PRICE.search(text)
    return int(found[1].replace(",", "")) if found else None


def limits_in(text: str) -> Limits:
    """Those that a help tells of, at its end."""
    found = list(_LIMITS.finditer(text))
    if not found:
        return Limits()
    low, high, most = (float(number.replace(",", "")) if number else None for number in found[-1].groups())
    return Limits(low, high) if low is not None else Limits(high, most)


def without(step: Step, names: Iterable[str]) -> Step:
    """The step as if it did not ask for these, nor for their members."""
    kept = {
        name: one for name, one in step.inputs.items() if not any(f"{name}/".startswith(f"{each}/") for each in names)
    }
    return replace(step, inputs=kept)


def of_document(app: ir.App) -> Connector:
    """What every platform should offer."""
    steps = {operation.id: _step(app, operation) for operation in app.operations}
    return Connector(steps, frozenset(str(option.value) for trigger in app.triggers for option in trigger.events))


def _step(app: ir.App, operation: ir.Operation) -> Step:
    inputs = {name: one for field_ in app.asked(operation) for name, one in _inputs(field_)}
    return Step(inputs, operation.credits or None, operation.idempotency is not None)


def _inputs(field_: ir.Field, above: str = "") -> Iterator[tuple[str, Input]]:
    name = f"{above}/{field_.name}" if above else field_.id
    type_ = field_.type
    item = type_.item if isinstance(type_, ir.Array) else type_
    if isinstance(type_, ir.Constant):
        return
    choices = frozenset(str(written(one.value)) for one in item.options) if isinstance(item, ir.Choice) else frozenset()
    is_loose = isinstance(item, ir.Union) or (isinstance(item, ir.Choice) and item.is_open)
    yield name, Input(field_.required, written(field_.default), choices, _limits(type_), is_loose=is_loose)
    if isinstance(item, ir.Group):
        for member in item.fields:
            yield from _inputs(member, name)


def _limits(type_: ir.FieldType) -> Limits:
    match type_:
        case ir.Text(length_min=least, length_max=most) | ir.Array(items_min=least, items_max=most):
            return Limits(least if least != 1 else None, most)
        case ir.Integer(least, most) | ir.Number(least, most):
            return Limits(least, most)
    return Limits()
