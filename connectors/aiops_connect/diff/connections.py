"""What people connect with, and where to."""

from collections.abc import Iterator

from aiops_connect import ir
from aiops_connect.changes import Change, Severity
from aiops_connect.diff.matching import pairs


def compare_connections(old: ir.App, new: ir.App) -> Iterator[Change]:
    before = old.connection.schemes if old.connection is not None else ()
    after = new.connection.schemes if new.connection is not None else ()
    for was, is_ in pairs(before, after):
        if was is None and is_ is not None:
            is_only = not before
            yield Change(Severity.MAJOR if is_only else Severity.MINOR, f"connection {is_.id}", "It is new.")
        elif was is not None and is_ is None:
            yield Change(Severity.MAJOR, f"connection {was.id}", "It is gone; people have to connect again.")
        elif was != is_ and was is not None:
            yield Change(
                Severity.MAJOR, f"connection {was.id}", "It works in another way; people have to connect again."
            )
    if [server.url for server in old.servers] != [server.url for server in new.servers]:
        yield Change(Severity.MINOR, "servers", "The API is at another address.")
