"""What every platform adds to the texts of a document: what can be entered, and what a call costs."""

from collections.abc import Iterator
from typing import assert_never

from aiops_connect import ir


def price(operation: ir.Operation) -> str:
    """A sentence; empty where a call is free."""
    if not operation.credits:
        return ""
    return f"Costs {operation.credits:,} credit{'s' if operation.credits > 1 else ''}."


def limits(type_: ir.FieldType, told: str = "") -> str:
    """A sentence for each limit that is not told already."""
    return " ".join(one for one in _limits(type_) if one.rstrip(".").lower() not in told.lower())


def _limits(type_: ir.FieldType) -> Iterator[str]:
    match type_:
        case ir.Text(length_min=least, length_max=most):
            least = None if least == 1 else least
            yield from _between(least, most, " characters")
        case ir.Integer(minimum, maximum) | ir.Number(minimum, maximum):
            yield from _between(minimum, maximum, "")
        case ir.Array(items_min=least, items_max=most):
            yield from _between(least if (least or 0) > 1 else None, most, " items")
        case ir.File(form, media_types):
            if media_types and form is not ir.FileForm.URL:
                yield f"A file of the type {', '.join(media_types)}."
        case ir.Boolean() | ir.DateTime() | ir.Choice() | ir.Constant() | ir.Group() | ir.Union() | ir.AnyJson():
            return
        case _:
            assert_never(type_)


def _between(minimum: float | None, maximum: float | None, unit: str) -> Iterator[str]:
    if minimum is not None and maximum is not None:
        yield f"From {minimum:,} to {maximum:,}{unit}."
    elif maximum is not None:
        yield f"At most {maximum:,}{unit}."
    elif minimum is not None:
        yield f"At least {minimum:,}{unit}."
