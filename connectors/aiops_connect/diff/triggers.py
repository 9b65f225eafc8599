"""Triggers that come, go or change."""

from collections.abc import Iterator

from aiops_connect import ir
from aiops_connect.changes import Change, Severity
from aiops_connect.diff.fields import output_changes
from aiops_connect.diff.matching import pairs


def compare_triggers(old: ir.App, new: ir.App) -> Iterator[Change]:
    for before, after in pairs(old.triggers, new.triggers):
        match before, after:
            case ir.Trigger(), None:
                yield Change(Severity.MAJOR, f"trigger {before.id}", "It is gone; what it started does not start.")
            case None, ir.Trigger():
                yield Change(Severity.MINOR, f"trigger {after.id}", "It is new.")
            case ir.Trigger(), ir.Trigger():
                yield from _trigger(f"trigger {before.id}", before, after)


def _trigger(subject: str, old: ir.Trigger, new: ir.Trigger) -> Iterator[Change]:
    was, is_ = {event.value for event in old.events}, {event.value for event in new.events}
    for event in sorted(map(str, was - is_)):
        yield Change(Severity.MAJOR, subject, f"{event} does not start it any more.")
    for event in sorted(map(str, is_ - was)):
        yield Change(Severity.MINOR, subject, f"{event} can start it.")
    if old.subscription != new.subscription:
        yield Change(
            Severity.MAJOR, subject, "It is subscribed in another way; it has to be switched off and on again."
        )
    if (old.label, old.help) != (new.label, new.help):
        yield Change(Severity.PATCH, subject, "Its label or help reads differently.")
    yield from output_changes(subject, old.fields, new.fields)
