"""Path items into operations."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from aiops_connect import ir, naming
from aiops_connect.openapi import annotations, security, servers, words
from aiops_connect.openapi.answers import answers, errors, headers
from aiops_connect.openapi.bodies import UnrenderableError, body
from aiops_connect.openapi.callbacks import METHODS, callbacks
from aiops_connect.openapi.nodes import Node
from aiops_connect.openapi.pagination import items_of, pagination
from aiops_connect.openapi.parameters import parameters
from aiops_connect.openapi.schemas import Schemas

_IDEMPOTENCY = "idempotency-key"  # draft-ietf-httpapi-idempotency-key-header


@dataclass(frozen=True, slots=True)
class Described:
    """An operation of the document, before it is read."""

    path: str
    method: str
    item: Node
    node: Node

    @property
    def is_excluded(self) -> bool:
        return self.node.flag(words.EXCLUDE) or self.item.flag(words.EXCLUDE)


def described(root: Node) -> Iterator[Described]:
    """Every operation of a document, in its order."""
    for path, entry in root.members("paths").items():
        if path.startswith("x-"):
            continue
        item = entry.follow()
        for method in METHODS if item is not None else ():
            node = item.child(method) if item is not None else None
            if item is None or node is None:
                continue
            if not isinstance(node.value, dict):
                node.report("It has to be an object.")
                continue
            yield Described(path, method, item, node)


def named(operations: Sequence[Described]) -> list[tuple[Described, str]]:
    """Each operation with the id it has in the connector: of its operationId, or of method and path where it has none
    of its own."""
    given = Counter(one.node.text("operationId") for one in operations)
    names = [
        name if given[name := one.node.text("operationId")] == 1 and name else _of_address(one) for one in operations
    ]
    ids = naming.identifiers(names, otherwise="operation")
    return list(zip(operations, ids, strict=True))


def _of_address(one: Described) -> str:
    return f"{one.method} {one.path.replace('{', 'by ')}"


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the operations of one document."""

    root: Node
    schemas: Schemas
    schemes: Mapping[str, ir.SecurityScheme]

    def operation(self, one: Described, id_: str) -> ir.Operation | None:
        """None, and a problem, where it cannot be rendered."""
        try:
            sent, in_body = body(one.node, self.schemas)
        except UnrenderableError:
            return None
        inputs = _in_order([*parameters(one.path, one.item, one.node, self.schemas), *in_body])
        answered = answers(one.node, self.schemas)
        first = answered[0] if answered else None
        found_headers = headers(one.node, first.status) if first is not None else set()
        return ir.Operation(
            id=id_,
            label=naming.title(one.node.text("summary"), id_),
            method=one.method.upper(),
            path=one.path,
            effect=_effect(one.method, first),
            help=one.node.text("description"),
            inputs=inputs,
            body=sent,
            answers=answered,
            errors=errors(one.node, self.schemas),
            pagination=pagination(inputs, first, found_headers) if one.method in ("get", "post") else None,
            idempotency=_idempotency(inputs),
            credits=annotations.credits_of(one.node),
            callbacks=callbacks(one.node, inputs, self.schemas),
            security=security.requirements(one.node, self.root, self.schemes),
            servers=servers.servers(self.root, one.item, one.node),
            deprecated=one.node.flag("deprecated"),
            source=one.node.pointer,
        )


def _in_order(fields: Sequence[ir.Field]) -> tuple[ir.Field, ...]:
    """Required ones first, advanced ones last, else as the document has them; each with an id of its own. Where a field
    of the body has the name of a parameter, it is the body's that gets a number."""
    ids = naming.identifiers(field.name for field in fields)
    unique = [replace(field, id=id_) for field, id_ in zip(fields, ids, strict=True)]
    return tuple(sorted(unique, key=lambda field: (not field.required, field.is_advanced, field.deprecated)))


def _effect(method: str, answer: ir.Answer | None) -> ir.Effect:
    match method:
        case "get" | "head" | "options" | "trace":
            is_list = answer is not None and answer.type is not None and items_of(answer.type) is not None
            return ir.Effect.LIST if is_list else ir.Effect.READ
        case "put" | "patch":
            return ir.Effect.UPDATE
        case "delete":
            return ir.Effect.DELETE
        case _:
            return ir.Effect.CREATE


def _idempotency(inputs: Sequence[ir.Field]) -> str | None:
    headers_ = (field for field in inputs if field.location is ir.Location.HEADER)
    return next((field.id for field in headers_ if field.name.lower() == _IDEMPOTENCY), None)
