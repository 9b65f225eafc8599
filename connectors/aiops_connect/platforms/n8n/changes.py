"""What a new version of a document changes for the people whose workflows use its node.

A workflow keeps the values of resource and operation, and the names and values of the parameters that differ from their
defaults. n8n runs all workflows by the newest package that is installed: what these lead to then is what counts.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aiops_connect import ir
from aiops_connect.changes import Change, Severity
from aiops_connect.platforms.n8n import answers, naming, operations
from aiops_connect.platforms.n8n.credentials import credentials
from aiops_connect.platforms.n8n.operations import Shared
from aiops_connect.platforms.n8n.properties import Property


@dataclass(frozen=True, slots=True)
class _Step:
    """What a workflow keeps of a step, and takes from it: parameters by the path to each, and members of the output."""

    parameters: dict[str, Property]
    outputs: frozenset[str]
    credits: int


def changes(old: ir.App, new: ir.App) -> Iterator[Change]:
    for subject in sorted(_ways_in(old) - _ways_in(new)):
        yield Change(Severity.MAJOR, subject, "It is gone; people have to connect again.")
    before, after = _steps(old), _steps(new)
    for name in before | after:
        if name not in after:
            yield Change(Severity.MAJOR, name, "It is gone; nodes that use it fail.")
        elif name not in before:
            yield Change(Severity.MINOR, name, "It is new.")
        else:
            yield from _step(name, before[name], after[name])
    events, known = _events(new), _events(old)
    for event in sorted(known ^ events):
        is_gone = event in known
        message = "It is gone; workflows that wait for it do not start any more." if is_gone else "It is new."
        yield Change(Severity.MAJOR if is_gone else Severity.MINOR, f"event {event}", message)


def _ways_in(app: ir.App) -> set[str]:
    return {f"credential {one.choice}" for one in credentials(app, "", app.id, [])}


def _events(app: ir.App) -> set[str]:
    return {str(event.value) for trigger in app.triggers for event in trigger.events}


def _steps(app: ir.App) -> dict[str, _Step]:
    shared = Shared(app)
    return {
        f"{group.name}: {step.name} ({group.value}.{step.value})": _Step(
            dict(_parameters("", made.properties)), answers.names(app, step.operation), step.operation.credits or 0
        )
        for group in naming.steps(app)
        for step, made in operations.of_group(shared, group)
    }


def _parameters(above: str, ones: object) -> Iterator[tuple[str, Property]]:
    """All parameters, also those within others, by the path to each."""
    for one in ones if isinstance(ones, list | tuple) else ():
        path = f"{above}{one['name']}"
        if "type" in one:
            yield path, one
        if one.get("type") in ("collection", "fixedCollection"):
            yield from _parameters(f"{path}.", one["options"])
        yield from _parameters(f"{path}.", one.get("values"))


def _step(name: str, old: _Step, new: _Step) -> Iterator[Change]:
    if old.credits != new.credits:
        severity = Severity.MAJOR if new.credits > old.credits else Severity.MINOR
        yield Change(severity, name, f"It costs {new.credits} credits in place of {old.credits}.")
    for path in old.parameters | new.parameters:
        subject = f"{name}, parameter {path}"
        before, after = old.parameters.get(path), new.parameters.get(path)
        if after is None:
            yield Change(Severity.MAJOR, subject, "It is gone; what was entered is not sent any more.")
        elif before is None:
            severity = Severity.MAJOR if after.get("required") else Severity.MINOR
            yield Change(severity, subject, "It is new, and required." if after.get("required") else "It is new.")
        else:
            yield from _parameter(subject, before, after, is_kept="." in path)
    for output in sorted(old.outputs ^ new.outputs):
        is_gone = output in old.outputs
        message = "It is gone; expressions that use it are empty." if is_gone else "It is new."
        yield Change(Severity.MAJOR if is_gone else Severity.MINOR, f"{name}, output {output}", message)


def _parameter(subject: str, old: Property, new: Property, *, is_kept: bool) -> Iterator[Change]:
    """`is_kept`: a workflow has its value also where that is the default, as of what people add to a collection."""
    if old["type"] != new["type"]:
        yield Change(Severity.MAJOR, subject, f"It is of type {new['type']} in place of {old['type']}.")
        return
    if new.get("required") and not old.get("required"):
        yield Change(Severity.MAJOR, subject, "It is required now.")
    if not is_kept and old["default"] != new["default"]:
        yield Change(
            Severity.MAJOR, subject, "Its default is another; workflows that left it as it was send that value now."
        )
    if old["type"] in ("options", "multiOptions"):
        known, offered = _values(old), _values(new)
        for value in [one for one in known if one not in offered]:
            yield Change(Severity.MAJOR, subject, f"The choice {value!r} is gone.")
        if any(one not in known for one in offered):
            yield Change(Severity.MINOR, subject, "There are more choices.")
    if _texts(old) != _texts(new):
        yield Change(Severity.PATCH, subject, "It is shown differently.")


def _values(one: Property) -> list[object]:
    options = one["options"]
    assert isinstance(options, list)
    return [option["value"] for option in options if isinstance(option, Mapping)]


def _texts(one: Property) -> list[object]:
    return [one.get(name) for name in ("displayName", "description", "placeholder", "hint")]
