"""Answers of an API that go wrong, to see what each platform makes of them."""

from dataclasses import dataclass
from typing import Any

from aiops_connect import ir

SENTENCE = "The lamp is broken"
# What any server or proxy can answer, beside what the document says.
ANYWHERE = (400, 401, 402, 403, 404, 409, 422, 429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation is answered."""

    operation: str
    status: int
    body: Any


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
    pointer = found.message if found is not None and found.message else "/error"
    body: Any = SENTENCE
    for step in reversed(pointer.split("/")[1:]):
        body = {step: body}
    return body
