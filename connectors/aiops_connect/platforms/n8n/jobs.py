"""Work that outlasts a call, as the runtime is told of it."""

from collections.abc import Iterator

from aiops_connect import ir
from aiops_connect.platforms.n8n import calls, naming
from aiops_connect.platforms.n8n.properties import Property


def waiting_for(app: ir.App, status: str) -> list[ir.Operation]:
    """The operations whose jobs this one looks up."""
    return [one for one, job in of_app(app) if job.status.operation == status]


def of_app(app: ir.App) -> Iterator[tuple[ir.Operation, ir.Job]]:
    """The operations that are jobs, and how each of them is one."""
    for one in app.operations:
        if isinstance(one.execution, ir.Job):
            yield one, one.execution


def facts(app: ir.App, operation: ir.Operation, one: ir.Job) -> Property:
    """How the runtime waits."""
    found: Property = {
        "acceptedStatus": int(one.accepted_status) if one.accepted_status.isdigit() else 202,
        "status": calls.call(one.status),
        "state": one.state,
        "succeeded": list(one.succeeded),
        "failed": list(one.failed),
        "cancelled": list(one.cancelled),
        "start": calls.bindings(one.start),
        "outputs": [{"name": output.name, "pointer": output.pointer} for output in one.outputs],
        "isRepeated": _is_repeated(operation, one),
    }
    if (resume := step(app, one.status.operation, is_waiting=True)) is not None:
        found["resume"] = resume
    if one.cancel is not None:
        found["cancel"] = calls.call(one.cancel)
    if one.wait is not None:
        found["wait"] = {"field": one.wait.field, "text": one.wait.text, "secondsMax": one.wait.seconds_max}
    if one.reason is not None:
        found["reason"] = one.reason
    return found


def is_result_lost(operation: ir.Operation, one: ir.Job) -> bool:
    """Whether what the operation answers comes neither of the job nor of the call under its key: a file, for one."""
    answers = operation.answer is not None and operation.answer.type is not None
    return answers and not one.outputs and not _is_repeated(operation, one)


def _is_repeated(operation: ir.Operation, one: ir.Job) -> bool:
    """Whether the call is made again under its key, for what the operation answers and the job does not have."""
    answered = {each.name for each in operation.answer.fields} if operation.answer is not None else set()
    return operation.idempotency is not None and bool(answered - {output.name for output in one.outputs})


def step(app: ir.App, operation: str, *, is_waiting: bool = False) -> str | None:
    """What people find an operation by; None where it is not for them."""
    for group in naming.steps(app):
        for each in group.steps:
            if (each.operation.id, each.is_waiting) == (operation, is_waiting):
                return f"The operation {each.name} of {group.name}"
    return None
