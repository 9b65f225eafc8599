"""What the runtime part has to know to start a job, wait for it, and make it the answer."""

from typing import Any

from aiops_connect import ir
from aiops_connect.pointers import pointer


def job(operation: ir.Operation, execution: ir.Job, app: ir.App) -> dict[str, Any]:
    made: dict[str, Any] = {
        "acceptedStatus": execution.accepted_status,
        "start": {binding.field: source_value(binding.source) for binding in execution.start},
        "status": call_of(execution.status),
        "state": execution.state,
        "succeeded": list(execution.succeeded),
        "failed": list(execution.failed),
        "cancelled": list(execution.cancelled),
        "outputs": [{"name": output.name, "pointer": output.pointer} for output in execution.outputs],
    }
    for name in ("reason", "refunded"):
        where = getattr(execution, name)
        if where is not None:
            made[name] = where
    callback = next((one for one in operation.callbacks if one.id == execution.callback), None)
    if callback is not None and callback.field is not None:
        made["callback"] = {"field": callback.field, "job": _job_in(callback.payload, execution, app)}
    return made


def call_of(call: ir.Call) -> dict[str, Any]:
    """An operation and what fills its inputs: a pointer into the body before, or a value."""
    return {
        "operation": call.operation,
        "inputs": {binding.field: source_value(binding.source) for binding in call.bindings},
    }


def source_value(source: ir.Source) -> dict[str, ir.Json]:
    match source:
        case ir.FromAnswer(where):
            return {"from": where}
        case ir.Literally(value):
            return {"value": value}
        case ir.FromPlatform():
            return {"platform": source.value}


def _job_in(payload: ir.FieldType | None, execution: ir.Job, app: ir.App) -> ir.Pointer:
    """Where the job stands in what is called back: where the members are those of a job."""
    answered = app.operation(execution.status.operation).answer
    members = {field.name for field in answered.fields} if answered is not None else set()
    if isinstance(payload, ir.Group):
        for field in payload.fields:
            if isinstance(field.type, ir.Group) and {inner.name for inner in field.type.fields} == members:
                return pointer((field.name,))
    return ""


def outputs_of(operation: ir.Operation, execution: ir.Job) -> tuple[ir.Field, ...]:
    """The fields of the answer that a job has too: what an action that waits can answer."""
    answered = operation.answer.fields if operation.answer is not None else ()
    known = {output.name for output in execution.outputs}
    return tuple(field for field in answered if field.name in known)


def is_result_lost(operation: ir.Operation) -> bool:
    """Whether the operation answers something of which a job has nothing: a file, for one."""
    answers = operation.answer is not None and operation.answer.type is not None
    return answers and isinstance(operation.execution, ir.Job) and not operation.execution.outputs
