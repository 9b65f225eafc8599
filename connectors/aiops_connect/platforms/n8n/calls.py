"""Calls that lead to one another, as the runtime is told of them."""

from collections.abc import Iterable
from typing import assert_never

from aiops_connect import ir
from aiops_connect.platforms.n8n.literals import Value, of_json
from aiops_connect.platforms.n8n.properties import Property


def call(one: ir.Call) -> Property:
    return {"operation": one.operation, "bindings": bindings(one.bindings)}


def bindings(ones: Iterable[ir.Binding]) -> list[Value]:
    return [{"field": one.field, "source": _source(one.source)} for one in ones]


def _source(source: ir.Source) -> Property:
    match source:
        case ir.FromAnswer(pointer):
            return {"pointer": pointer}
        case ir.Literally(value):
            return {"value": of_json(value)}
        case ir.FromPlatform():
            return {"platform": source.value}
        case _:
            assert_never(source)


def pages(one: ir.Pagination) -> Property:
    found: Property
    match one:
        case ir.Cursor():
            found = {"kind": "cursor", "field": one.field, "next": one.next, "isOfItem": one.is_of_item}
            if one.more is not None:
                found["more"] = one.more
        case ir.Offset():
            found = {"kind": "offset", "field": one.field}
        case ir.Page():
            found = {"kind": "page", "field": one.field, "first": one.first}
        case ir.Link():
            found = {"kind": "link"}
            if one.next is not None:
                found["next"] = one.next
        case _:
            assert_never(one)
    if one.limit is not None:
        found["limit"] = one.limit
    return found | {"items": one.items}
