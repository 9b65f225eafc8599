"""What `a.b[1]` reaches."""

import math

from aiops_connect.platforms.make.runner.iml.values import UNDEFINED, Value


class Headers(dict[str, Value]):
    """Header fields by their lower-case names, reached by any spelling."""


def reach(value: Value, name: str) -> Value:
    """The member of that name; a number reaches into an array, counted from 1. Undefined where there is none."""
    if isinstance(value, dict):
        return value.get(name.lower() if isinstance(value, Headers) else name, UNDEFINED)
    if isinstance(value, list) and name.isdecimal():
        return reach_index(value, int(name))
    return UNDEFINED


def reach_index(value: Value, position: float) -> Value:
    """The item at a position counted from 1, or from the end by a negative one; what is no array stays what it is."""
    if not isinstance(value, list):
        return value
    if not math.isfinite(position) or position != int(position) or position == 0 or abs(position) > len(value):
        return UNDEFINED
    return value[int(position) - 1 if position > 0 else int(position)]


def follow(value: Value, path: str) -> Value:
    """What a path in dot notation reaches, such as `author.names[2]`; names may stand between backticks."""
    for segment in path.replace("[", ".[").split("."):
        if segment.startswith("[") and segment.endswith("]"):
            digits = segment[1:-1] or "1"
            value = reach_index(value, int(digits)) if digits.lstrip("-").isdecimal() else UNDEFINED
        elif segment:
            value = reach(value, segment.strip("`"))
    return value
