"""Operations that come, go or change."""

from collections.abc import Iterator

from aiops_connect import ir
from aiops_connect.changes import Change, Severity
from aiops_connect.diff.fields import input_changes, output_changes
from aiops_connect.diff.matching import pairs
from aiops_connect.diff.types import compare_outputs


def compare_operations(old: ir.App, new: ir.App) -> Iterator[Change]:
    for before, after in pairs(old.operations, new.operations):
        match before, after:
            case ir.Operation(), None:
                yield Change(Severity.MAJOR, f"operation {before.id}", "It is gone; steps that use it fail.")
            case None, ir.Operation():
                yield Change(Severity.MINOR, f"operation {after.id}", "It is new.")
            case ir.Operation(), ir.Operation():
                yield from _operation(f"operation {before.id}", before, after)


def _operation(subject: str, old: ir.Operation, new: ir.Operation) -> Iterator[Change]:
    if (old.method, old.path, old.body, old.servers) != (new.method, new.path, new.body, new.servers):
        yield Change(Severity.PATCH, subject, "It is called in another way, by the connector itself.")
    if old.credits != new.credits:
        severity = Severity.MAJOR if (new.credits or 0) > (old.credits or 0) else Severity.MINOR
        yield Change(severity, subject, f"It costs {new.credits or 0} credits in place of {old.credits or 0}.")
    if type(old.execution) is not type(new.execution):
        yield Change(Severity.MAJOR, subject, "Its result comes in another way: " + _comes(new.execution))
    if old.security != new.security:
        yield Change(Severity.MAJOR, subject, "It asks for other credentials or scopes.")
    if new.deprecated and not old.deprecated:
        yield Change(Severity.MINOR, subject, "It is deprecated.")
    if (old.label, old.help) != (new.label, new.help):
        yield Change(Severity.PATCH, subject, "Its label or help reads differently.")
    yield from input_changes(subject, old.inputs, new.inputs)
    yield from _answers(subject, old.answer, new.answer)


def _comes(execution: ir.Execution) -> str:
    return "by a job." if isinstance(execution, ir.Job) else "with the answer."


def _answers(subject: str, old: ir.Answer | None, new: ir.Answer | None) -> Iterator[Change]:
    before, after = old.type if old is not None else None, new.type if new is not None else None
    if before is None:
        if after is not None:
            yield Change(Severity.MINOR, f"{subject}, answer", "It has content.")
    elif after is None:
        yield Change(Severity.MAJOR, f"{subject}, answer", "It has no content any more.")
    else:
        yield from compare_outputs(f"{subject}, answer", before, after)
        yield from output_changes(subject, old.fields if old is not None else (), new.fields if new is not None else ())
