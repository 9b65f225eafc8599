"""Values that are listed: enumerations, constants, and alternatives that are nothing else."""

from collections.abc import Sequence
from typing import Any

from aiops_connect import ir
from aiops_connect.limits import ALTERNATIVES_DEPTH_MAX, OPTIONS_MAX
from aiops_connect.openapi.facts import Alternatives, Facts
from aiops_connect.openapi.gathering import Gatherer


def choice_of_values(facts: Facts) -> ir.FieldType | None:
    """What a list of values comes to: a choice, or a constant where it has one value. None where it cannot be a choice:
    something in it is no scalar, or there are too many."""
    values = facts.values or []
    if not values or len(values) > OPTIONS_MAX or not all(_is_scalar(value) for value in values):
        return None
    if len(values) == 1:
        return ir.Constant(values[0])
    return _choice([ir.Option(value, option_label(value)) for value in values])


def choice_of_alternatives(
    alternatives: Alternatives, gatherer: Gatherer, depth: int = 0
) -> tuple[ir.Choice | None, bool]:
    """The choice that alternatives are, where each is a list of values or takes any text; and whether null is one."""
    if depth == ALTERNATIVES_DEPTH_MAX:
        return None, False
    options: list[ir.Option] = []
    is_open = nullable = False
    for branch in alternatives.branches:
        facts = gatherer.gather((branch,))
        nullable |= facts.nullable
        if facts.values:
            options += _options(facts)
        elif (
            facts.kinds == {"string"}
            and not facts.alternatives
            and not facts.texts.keys() & {"format", "contentEncoding"}
        ):
            is_open = True
        elif facts.alternatives and facts.kinds in (None, {"string"}):
            choice, with_null = choice_of_alternatives(facts.alternatives[0], gatherer, depth + 1)
            if choice is None:
                return None, nullable
            options += choice.options
            is_open |= choice.is_open
            nullable |= with_null
        elif facts.kinds != {"null"}:
            return None, nullable
        if len(options) > OPTIONS_MAX:
            return None, nullable
    if not options or not all(_is_scalar(option.value) for option in options):
        return None, nullable
    return _choice(options, is_open=is_open), nullable


def option_label(value: Any) -> str:
    """A value as it is, in place of a label: whatever it is called, people will find it so in the API's own pages."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return str(value) or "(empty)"


def _options(facts: Facts) -> list[ir.Option]:
    """The options that one branch adds. A title and a description are of one value, not of several."""
    values = facts.values or []
    if len(values) > 1:
        return [ir.Option(value, option_label(value)) for value in values]
    title = facts.texts.get("title", "")
    return [ir.Option(value, title or option_label(value), facts.texts.get("description", "")) for value in values]


def _choice(options: Sequence[ir.Option], *, is_open: bool = False) -> ir.Choice:
    """A value that is listed twice is one option, by its first label."""
    unique = {(type(option.value), option.value): option for option in reversed(options)}
    kept = [option for option in options if unique.pop((type(option.value), option.value), None) is not None]
    return ir.Choice(tuple(kept), is_open)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, bool | int | float | str)
