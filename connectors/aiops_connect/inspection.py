"""What `inspect` prints of an app."""

from collections.abc import Iterator

from aiops_connect import ir, wording
from aiops_connect.printing import one_line


def lines(app: ir.App) -> Iterator[str]:
    """An overview, then each operation with its inputs and what it answers."""
    yield f"{one_line(app.title)} {one_line(app.version)}"
    for scheme in app.connection.schemes if app.connection is not None else ():
        yield f"  connects with {scheme.id}: {one_line(wording.scheme(scheme))}"
    if app.connection is not None and app.connection.check is not None:
        yield f"  tested by {app.connection.check}, called after {app.connection.account_label or 'nothing'}"
    for resource in app.resources:
        yield f"\n{one_line(resource.label)}"
        for operation in resource.operations:
            yield from _operation(operation)
    for trigger in app.triggers:
        yield f"\n  trigger {trigger.id}: {', '.join(str(event.value) for event in trigger.events)}"
        yield from (f"    gives {_field(one)}" for one in trigger.fields)


def _operation(operation: ir.Operation) -> Iterator[str]:
    cost = f", {operation.credits} credits" if operation.credits is not None else ""
    pages = f", {wording.pages(operation)}" if operation.pagination is not None else ""
    call = f"{operation.method} {one_line(operation.path)}"
    yield f"\n  {operation.id}: {call}, {wording.execution(operation)}{cost}{pages}"
    yield from (f"    takes {_field(field)}; {one_line(wording.sent(field))}" for field in operation.inputs)
    answered = operation.answer.fields if operation.answer is not None else ()
    yield from (f"    gives {_field(field)}" for field in answered)


def _field(field: ir.Field) -> str:
    return f"{one_line(field.name)}: {one_line(wording.field(field))}"
