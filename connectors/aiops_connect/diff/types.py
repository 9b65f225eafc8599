"""What it means that a value can be something else now. What is asked for may take more, never less; what is answered
may be less, never more."""

from collections.abc import Iterator

from aiops_connect import ir
from aiops_connect.changes import Change, Severity

_LOWER = ("minimum", "length_min", "items_min")
_UPPER = ("maximum", "length_max", "items_max")


def compare_inputs(subject: str, old: ir.FieldType, new: ir.FieldType) -> Iterator[Change]:
    """Changes of the type of an input."""
    if type(old) is not type(new):
        widened = isinstance(new, ir.AnyJson) or (isinstance(old, ir.Integer) and isinstance(new, ir.Number))
        severity = Severity.MINOR if widened else Severity.MAJOR
        yield Change(severity, subject, f"It takes {_kind(new)} in place of {_kind(old)}.")
        return
    match old, new:
        case ir.Choice(), ir.Choice():
            yield from _choices(subject, old, new)
        case ir.Constant(before), ir.Constant(after) if before != after:
            yield Change(Severity.MINOR, subject, f"{after!r} is sent in place of {before!r}.")
        case ir.Array(item=before_item), ir.Array(item=after_item):
            yield from compare_inputs(f"{subject}, items", before_item, after_item)
        case ir.Text(), ir.Text() if old.pattern != new.pattern and new.pattern is not None:
            yield Change(Severity.MAJOR, subject, "It has to follow another pattern.")
        case ir.File(form=before_form), ir.File(form=after_form) if before_form is not after_form:
            yield Change(Severity.MAJOR, subject, "The file travels in another way.")
        case ir.Union(), ir.Union() if len(new.variants) < len(old.variants):
            yield Change(Severity.MAJOR, subject, "It takes fewer shapes.")
    yield from _bounds(subject, old, new)


def compare_outputs(subject: str, old: ir.FieldType, new: ir.FieldType) -> Iterator[Change]:
    """Changes of the type of an output."""
    if type(old) is not type(new):
        is_same_to_people = {type(old), type(new)} <= {ir.Text, ir.Choice, ir.Constant}
        if not is_same_to_people:
            yield Change(Severity.MAJOR, subject, f"It is {_kind(new)} in place of {_kind(old)}.")
        return
    match old, new:
        case ir.Choice(), ir.Choice() if added := _values(new) - _values(old):
            yield Change(Severity.MINOR, subject, f"It can be {_listed(added)} too.")
        case ir.Array(item=before), ir.Array(item=after):
            yield from compare_outputs(f"{subject}, items", before, after)


def _choices(subject: str, old: ir.Choice, new: ir.Choice) -> Iterator[Change]:
    removed, added = _values(old) - _values(new), _values(new) - _values(old)
    if removed and not new.is_open:
        yield Change(Severity.MAJOR, subject, f"{_listed(removed)} cannot be chosen any more.")
    if added:
        yield Change(Severity.MINOR, subject, f"{_listed(added)} can be chosen.")
    if old.is_open and not new.is_open:
        yield Change(Severity.MAJOR, subject, "Only what is listed is taken.")


def _bounds(subject: str, old: ir.FieldType, new: ir.FieldType) -> Iterator[Change]:
    for name in (*_LOWER, *_UPPER):
        before, after = getattr(old, name, None), getattr(new, name, None)
        if before == after:
            continue
        is_tighter = after is not None and (before is None or (after > before if name in _LOWER else after < before))
        word = "at least" if name in _LOWER else "at most"
        what = f"It has to be {word} {after}." if after is not None else f"It has no limit of {word} {before} any more."
        yield Change(Severity.MAJOR if is_tighter else Severity.MINOR, subject, what)


def _values(choice: ir.Choice) -> set[tuple[str, ir.Scalar]]:
    return {(type(option.value).__name__, option.value) for option in choice.options}


def _listed(values: set[tuple[str, ir.Scalar]]) -> str:
    return ", ".join(sorted(str(value) for _, value in values))


def _kind(type_: ir.FieldType) -> str:
    names = {
        ir.Text: "a text",
        ir.Integer: "a whole number",
        ir.Number: "a number",
        ir.Boolean: "yes or no",
        ir.DateTime: "a date",
        ir.File: "a file",
        ir.Choice: "a choice",
        ir.Constant: "a constant",
        ir.Array: "a list",
        ir.Group: "an object",
        ir.Union: "one of several shapes",
        ir.AnyJson: "JSON",
    }
    return names[type(type_)]
