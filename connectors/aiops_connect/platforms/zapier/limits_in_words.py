"""What can be entered in a field, in words: Zapier's fields know no limits."""

from collections.abc import Iterator
from typing import assert_never

from aiops_connect import ir


def facts(type_: ir.FieldType) -> Iterator[str]:
    """A sentence for each limit."""
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
