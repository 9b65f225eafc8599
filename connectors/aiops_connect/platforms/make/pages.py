"""Lists: what is iterated, and how the next page is asked for."""

from typing import Any, assert_never

from aiops_connect import ir
from aiops_connect.platforms.make import dates, iml
from aiops_connect.platforms.make.connection import Connections
from aiops_connect.platforms.make.requests import Directives, Value
from aiops_connect.platforms.make.runner.iml.syntax import Node
from aiops_connect.pointers import type_at

LIMIT_DEFAULT = 10
_BODY = iml.variable("body")
_OFFSET = iml.variable("temp", "offset")
_NEXT = iml.variable("temp", "next")
_NEXT_LINK = '/^(?:.*,)?\\s*<([^>]*)>[^,]*;\\s*rel="?next"?.*$/'


def items_of(operation: ir.Operation) -> tuple[ir.Pointer, tuple[ir.Field, ...]] | None:
    """Where the items stand in the answer, and what each has; None where it is no list of objects."""
    if operation.answer is None:
        return None
    pointer = operation.pagination.items if operation.pagination is not None else ""
    match type_at(operation.answer.type, pointer):
        case ir.Array(ir.Group(fields)) if fields:
            return pointer, fields
        case ir.Array(ir.Union(variants)) if found := _shared(variants):
            return pointer, found
    return None


def _shared(variants: tuple[ir.Variant, ...]) -> tuple[ir.Field, ...]:
    found = [one.type.fields for one in variants if isinstance(one.type, ir.Group)]
    return tuple({field.name: dates.as_text(field) for fields in found for field in fields}.values())


def driven(operation: ir.Operation) -> dict[str, Value | None]:
    """The inputs that paging sets by itself, and what they hold on the first page; None for nothing."""
    pagination = operation.pagination
    if pagination is None:
        return {}
    found: dict[str, Value | None] = {}
    if pagination.limit is not None:
        limit = operation.input(pagination.limit)
        largest = limit.type.maximum if isinstance(limit.type, ir.Integer) else None
        found[pagination.limit] = ir.Literally(largest) if largest is not None else None
    match pagination:
        case ir.Cursor(field=name) | ir.Offset(field=name):
            found[name] = None
        case ir.Page(field=name, first=first):
            found[name] = ir.Literally(first)
        case ir.Link():
            pass
        case _:
            assert_never(pagination)
    return found


def limit_parameter(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "uinteger",
        "label": "Limit",
        "default": LIMIT_DEFAULT,
        "help": "The maximum number of results to return.",
        "validate": {"min": 1},
    }


def directives(
    operation: ir.Operation, pointer: ir.Pointer, limit: str | int, connections: Connections, base_url: str
) -> Directives:
    """What makes a request a list. `limit` is how many bundles, or the expression that says so."""
    container = iml.below(_BODY, pointer)
    response: Directives = {"limit": limit, "iterate": iml.whole(container), "output": "{{item}}"}
    match operation.pagination:
        case None:
            return {"response": response}
        case ir.Cursor() as cursor:
            following = (
                iml.below(iml.variable("iterate", "container", "last"), cursor.next)
                if cursor.is_of_item
                else iml.below(_BODY, cursor.next)
            )
            condition = iml.every(*([iml.below(_BODY, cursor.more)] if cursor.more else []), following)
            return _with(response, operation.input(cursor.field), following, condition)
        case ir.Page(field=name, first=first):
            page: Node = iml.variable("pagination", "page")
            if first != 1:
                page = (
                    iml.binary("-", page, iml.number(1 - first))
                    if first < 1
                    else iml.binary("+", page, iml.number(first - 1))
                )
            return _with(response, operation.input(name), page, _is_full(operation, container))
        case ir.Offset(field=name):
            passed = iml.joined(iml.call("ifempty", _OFFSET, iml.number(0)), iml.call("length", container))
            response["temp"] = {"offset": iml.whole(passed)}
            return _with(response, operation.input(name), _OFFSET, _is_full(operation, container))
        case ir.Link(next=following):
            return _by_link(response, following, connections, base_url)
    assert_never(operation.pagination)


def _is_full(operation: ir.Operation, container: Node) -> Node:
    """A page that is not full is the last, where it is known how many a page has."""
    size = driven(operation).get(operation.pagination.limit or "") if operation.pagination is not None else None
    length = iml.call("length", container)
    if isinstance(size, ir.Literally) and isinstance(size.value, int):
        return iml.binary(">=", length, iml.number(size.value))
    return iml.binary(">", length, iml.number(0))


def _with(response: Directives, field: ir.Field, value: Node, condition: Node) -> Directives:
    place = "body" if field.location is ir.Location.BODY else "qs"
    page = {place: {iml.literal(field.name): iml.whole(value)}, "condition": iml.whole(condition)}
    return {"pagination": page, "response": response}


def _by_link(response: Directives, following: ir.Pointer | None, connections: Connections, base_url: str) -> Directives:
    """The address that the answer or the header Link names, as long as it is on the API's own host. It has its own
    query, so nothing of the first request is merged into it; the credentials are said again."""
    header = iml.variable("headers", "link")
    found: Node = iml.if_set(header, iml.call("replace", header, iml.text(_NEXT_LINK), iml.text("$1")))
    if following is not None:
        found = iml.below(_BODY, following)
    origin = "/".join(base_url.split("/")[:3])
    is_path = iml.equals(iml.call("indexOf", found, iml.text("/")), iml.number(0))
    address = iml.call("if", is_path, iml.joined(iml.text(origin), found), found)
    response["temp"] = {"next": iml.whole(iml.call("ifempty", address, iml.variable("emptystring")))}
    at_home = iml.equals(iml.call("indexOf", _NEXT, iml.text(f"{origin}/")), iml.number(0))
    carried = connections.together().sent
    page = {"mergeWithParent": False, "url": iml.whole(_NEXT), "method": "GET", **carried}
    return {"pagination": {**page, "condition": iml.whole(at_home)}, "response": response}
