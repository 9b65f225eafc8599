"""Answers of an API that go wrong, to see what each platform makes of them."""

from dataclasses import dataclass
from typing import Any

from aiops_connect import ir

SENTENCE = "The lamp is broken"
DETAIL = "There is no such lamp"
FIELD = "lamp_name"
# What any server or proxy can answer, beside what the document says.
ANYWHERE = (400, 401, 402, 403, 404, 409, 422, 429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation is answered."""

    operation: str
    status: int
    body: Any

    def untold(self, message: str) -> frozenset[str]:
        """What a message leaves out of what people have to read."""
        said = [SENTENCE, *([DETAIL, FIELD] if DETAIL in str(self.body) else [])]
        return frozenset(one for one in said if one not in message)


def of(app: ir.App) -> list[Answer]:
    """For each operation each status, with a sentence where its errors have one."""
    return [
        Answer(operation.id, status, _body(operation, status))
        for operation in app.operations
        for status in sorted({*ANYWHERE, *(int(one.status) for one in operation.errors if one.status.isdecimal())})
    ]


def _body(operation: ir.Operation, status: int) -> Any:
    known = {error.status: error for error in operation.errors}
    found = known.get(str(status)) or known.get(f"{status // 100}XX") or known.get("default")
    body: dict[str, Any] = {}
    _put(body, found.message if found is not None and found.message else "/error", SENTENCE)
    if found is not None and found.details is not None and not found.details.is_path:
        item: dict[str, Any] = {}
        _put(item, found.details.message, DETAIL)
        _put(item, found.details.field or "/field", FIELD)
        _put(body, found.details.items, [item])
    return body


def _put(body: dict[str, Any], pointer: ir.Pointer, value: Any) -> None:
    *steps, last = pointer.split("/")[1:]
    for step in steps:
        body = body.setdefault(step, {})
    body[last] = value
