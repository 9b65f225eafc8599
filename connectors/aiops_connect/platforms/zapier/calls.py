"""How an operation is called: what the runtime part of an app reads to make the request and to take its answer."""

from typing import Any, assert_never

from aiops_connect import ir
from aiops_connect.platforms.zapier.fields import Inputs
from aiops_connect.pointers import pointer

Call = dict[str, Any]
_PROTOCOL_HEADERS = frozenset(("prefer", "accept", "content-type", "content-length", "host", "user-agent"))


def asked_for(operation: ir.Operation) -> list[ir.Field]:
    """The inputs that people are asked for: not those that the app sets by itself for a job, a key or a page, and no
    headers of the protocol."""
    own = _set_by_the_app(operation)
    return [
        one
        for one in operation.inputs
        if one.id not in own
        and not (one.location is ir.Location.HEADER and one.name.lower() in _PROTOCOL_HEADERS and not one.required)
    ]


def _set_by_the_app(operation: ir.Operation) -> set[str]:
    own = {operation.idempotency} if operation.idempotency is not None else set()
    match operation.execution:
        case ir.Immediate():
            pass
        case ir.Job() as job:
            own |= {binding.field for binding in job.start}
            own |= {job.wait.field} if job.wait is not None else set()
            own |= {one.field for one in operation.callbacks if one.id == job.callback and one.field is not None}
        case _:
            assert_never(operation.execution)
    match operation.pagination:
        case None | ir.Link():
            pass
        case ir.Cursor(field=field) | ir.Offset(field=field) | ir.Page(field=field):
            own.add(field)
        case _:
            assert_never(operation.pagination)
    return own


def call(operation: ir.Operation, app: ir.App, inputs: Inputs) -> Call:
    """`own` are inputs that nobody is asked for, by their ids."""
    made: Call = {"method": operation.method, "path": operation.path, "inputs": inputs.nodes}
    own = {one.id: own_node(one) for one in operation.inputs if one.id in _set_by_the_app(operation)}
    if own:
        made["own"] = own
    if (server := app.own_server(operation)) is not None:
        made["server"] = server.address
    if operation.body is not None:
        made["body"] = _body(operation.body)
    messages = sorted({error.message for error in operation.errors if error.message})
    if messages:
        made["messages"] = messages
    lists = dict.fromkeys(error.details for error in operation.errors if error.details is not None)
    if lists:
        made["details"] = [_error_list(one) for one in lists]
    if operation.credits is not None:
        made["isPaid"] = True
    return made | {"answer": answer_form(operation.answer)}


def _error_list(found: ir.ErrorDetails) -> dict[str, ir.Pointer]:
    made = {"items": found.items, "message": found.message}
    return made | ({"field": found.field} if found.field is not None else {})


def own_node(one: ir.Field) -> dict[str, Any]:
    node: dict[str, Any] = {
        "name": one.name,
        "key": one.id,
        "label": one.label,
        "type": "as-is",
        "in": one.location.value,
    }
    if one.encoding is not None:
        node |= {"style": one.encoding.style.value, "explode": one.encoding.explode}
    return node


def _body(body: ir.Body) -> dict[str, Any]:
    made: dict[str, Any] = {"format": body.format.value, "mediaType": body.media_type}
    if body.required:
        made["required"] = True
    if body.is_whole:
        made["whole"] = True
    return made


def answer_form(answer: ir.Answer | None) -> str:
    """Whether what comes back is JSON, a file, or text; nothing where there is no content."""
    if answer is None or answer.media_type is None:
        return "none"
    kind = answer.media_type.partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json") or kind == "*/*":
        return "json"
    return "text" if kind.startswith("text/") or kind.endswith(("xml", "sdp")) else "file"


def items_of(operation: ir.Operation) -> ir.Pointer | None:
    """Where the items stand in the answer to a list; None where the answer is one thing."""
    if operation.pagination is not None:
        return operation.pagination.items
    answered = operation.answer.type if operation.answer is not None else None
    match answered:
        case ir.Array():
            return ""
        case ir.Group(fields):
            lists = [field.name for field in fields if isinstance(field.type, ir.Array)]
            return pointer(lists) if len(lists) == 1 and operation.effect is ir.Effect.LIST else None
        case _:
            return None
