"""Inputs and outputs that come, go or change."""

from collections.abc import Iterable, Iterator

from aiops_connect import ir
from aiops_connect.changes import Change, Severity
from aiops_connect.diff.matching import pairs
from aiops_connect.diff.types import compare_inputs, compare_outputs


def input_changes(subject: str, old: Iterable[ir.Field], new: Iterable[ir.Field]) -> Iterator[Change]:
    """What people have to enter differently."""
    for before, after in pairs(old, new):
        match before, after:
            case ir.Field(), None:
                yield Change(
                    Severity.MAJOR, f"{subject}, input {before.id}", "It is gone; what was entered is not sent."
                )
            case None, ir.Field():
                yield _added(f"{subject}, input {after.id}", after)
            case ir.Field(), ir.Field():
                yield from _input(f"{subject}, input {before.id}", before, after)


def _added(subject: str, field: ir.Field) -> Change:
    if field.required and not isinstance(field.type, ir.Constant):
        return Change(Severity.MAJOR, subject, "It is new, and required.")
    return Change(Severity.MINOR, subject, "It is new.")


def _input(subject: str, old: ir.Field, new: ir.Field) -> Iterator[Change]:
    if new.required and not old.required:
        yield Change(Severity.MAJOR, subject, "It is required now.")
    if old.required and not new.required:
        yield Change(Severity.MINOR, subject, "It is not required any more.")
    if old.nullable and not new.nullable:
        yield Change(Severity.MAJOR, subject, "It cannot be null any more.")
    if (old.name, old.location, old.encoding) != (new.name, new.location, new.encoding):
        yield Change(Severity.PATCH, subject, "It is sent in another way, by the connector itself.")
    if old.default != new.default:
        yield Change(Severity.MAJOR, subject, "Another value is taken where none is entered.")
    if new.deprecated and not old.deprecated:
        yield Change(Severity.MINOR, subject, "It is deprecated.")
    if (old.label, old.help) != (new.label, new.help):
        yield Change(Severity.PATCH, subject, "Its label or help reads differently.")
    yield from compare_inputs(subject, old.type, new.type)
    if isinstance(old.type, ir.Group) and isinstance(new.type, ir.Group):
        yield from input_changes(subject, old.type.fields, new.type.fields)


def output_changes(subject: str, old: Iterable[ir.Field], new: Iterable[ir.Field]) -> Iterator[Change]:
    """What later steps that use an answer find differently."""
    for before, after in pairs(old, new):
        match before, after:
            case ir.Field(), None:
                yield Change(
                    Severity.MAJOR, f"{subject}, output {before.id}", "It is gone; steps that use it find nothing."
                )
            case None, ir.Field():
                yield Change(Severity.MINOR, f"{subject}, output {after.id}", "It is new.")
            case ir.Field(), ir.Field():
                yield from _output(f"{subject}, output {before.id}", before, after)


def _output(subject: str, old: ir.Field, new: ir.Field) -> Iterator[Change]:
    if old.name != new.name:
        yield Change(Severity.MAJOR, subject, f"It is called {new.name} in place of {old.name}.")
    if new.nullable and not old.nullable:
        yield Change(Severity.MAJOR, subject, "It can be null now.")
    if old.required and not new.required:
        yield Change(Severity.MAJOR, subject, "It can be absent now.")
    if (old.label, old.help) != (new.label, new.help):
        yield Change(Severity.PATCH, subject, "Its label or help reads differently.")
    yield from compare_outputs(subject, old.type, new.type)
    if isinstance(old.type, ir.Group) and isinstance(new.type, ir.Group):
        yield from output_changes(subject, old.type.fields, new.type.fields)
