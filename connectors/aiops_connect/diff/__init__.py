"""What a new version of a document changes for the people who use a connector of the old one."""

from collections.abc import Iterable

from aiops_connect import ir
from aiops_connect.changes import Change
from aiops_connect.diff.connections import compare_connections
from aiops_connect.diff.operations import compare_operations
from aiops_connect.diff.triggers import compare_triggers
from aiops_connect.emitter import Emitter, JudgesChanges


def compare(old: ir.App, new: ir.App) -> list[Change]:
    """What changes on every platform."""
    return [*compare_connections(old, new), *compare_operations(old, new), *compare_triggers(old, new)]


def compare_by_platform(old: ir.App, new: ir.App, emitters: Iterable[Emitter]) -> dict[str, list[Change]]:
    """What changes on each platform: by its own rules where it has any."""
    for_all = compare(old, new)
    return {
        emitter.name: list(emitter.changes(old, new)) if isinstance(emitter, JudgesChanges) else for_all
        for emitter in emitters
    }
