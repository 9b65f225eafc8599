"""The operation that tests a connection, and what an account is called."""

from collections.abc import Mapping, Sequence

from aiops_connect import ir
from aiops_connect.openapi import annotations, words
from aiops_connect.openapi.nodes import Node
from aiops_connect.openapi.schemas import Schemas

_ABOUT_ONESELF = {"me", "self", "account", "whoami", "user", "profile", "viewer", "current"}
_LABELS = ("email", "username", "login", "name", "display_name", "title", "id")


def check(
    operations: Sequence[ir.Operation], nodes: Mapping[str, Node], alternatives: Sequence[tuple[str, ...]]
) -> ir.Operation | None:
    """The operation that the document names for it. Else one that asks for no input, changes nothing and takes the
    first of the `alternatives` to connect by: best about whoever calls, then of the shortest path. None where there is
    none."""
    marked = [operation for operation in operations if nodes[operation.id].flag(words.CHECK)]
    for other in marked[1:]:
        nodes[other.id].report("Another operation tests the connection already. Mark one.", at=words.CHECK)
    if marked:
        return marked[0]
    harmless = [operation for operation in operations if alternatives and _is_harmless(operation, alternatives[0])]
    return min(harmless, key=_distance, default=None)


def _is_harmless(operation: ir.Operation, alternative: tuple[str, ...]) -> bool:
    is_read = operation.method == "GET" and operation.credits is None and not operation.deprecated
    taken = {tuple(use.scheme for use in one.uses) for one in operation.security}
    return (
        is_read and alternative in taken and () not in taken and not any(field.required for field in operation.inputs)
    )


def _distance(operation: ir.Operation) -> tuple[bool, int]:
    steps = operation.path.lower().strip("/").split("/")
    return not _ABOUT_ONESELF & set(steps), len(steps)


def account_label(operation: ir.Operation | None, schemas: Schemas, nodes: Mapping[str, Node]) -> ir.Pointer | None:
    """Where the answer of the check names the account: the field that is marked, else one of a usual name."""
    if operation is None or operation.answer is None or not isinstance(operation.answer.type, ir.Group):
        return None
    names = [field.name for field in operation.answer.fields]
    marked = _marked(nodes[operation.id], schemas)
    found = marked or next((name for name in _LABELS if name in names), None)
    return f"/{found}" if found is not None else None


def _marked(operation: Node, schemas: Schemas) -> str | None:
    for entry in operation.members("responses").values():
        response = entry.follow()
        for content in response.members("content").values() if response is not None else ():
            schema = content.child("schema")
            for name, parts in schemas.facts(schema).properties.items() if schema is not None else ():
                if annotations.flag(schemas.facts(*parts).words, words.ACCOUNT_LABEL):
                    return name
    return None
