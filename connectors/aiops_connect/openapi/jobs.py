"""Operations whose work may outlast the call: `x-connector-waits-for` on them, `x-connector-job` on the one that looks
the job up, and the header Prefer (RFC 7240) for how long a call waits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from aiops_connect import ir
from aiops_connect.openapi import annotations, words
from aiops_connect.openapi.nodes import Node

_MEMBERS = (
    "id",
    "state",
    "succeeded",
    "failed",
    "cancelled",
    "result",
    "reason",
    "refunded",
    "charged",
    "cancel",
    "waitSecondsMax",
)
_REQUIRED = ("id", "state", "succeeded", "failed")


@dataclass(frozen=True, slots=True)
class _Statement:
    """What `x-connector-job` says at the operation `status`."""

    node: Node
    status: ir.Operation

    def pointer(self, name: str) -> ir.Pointer | None:
        return annotations.pointer(self.node, name)


def link_jobs(
    operations: Sequence[ir.Operation], nodes: Mapping[str, Node], ids: Mapping[str, str]
) -> list[ir.Operation]:
    """The operations, each that waits for a job with how it does. `nodes` are those that describe them, by id, and
    `ids` the ids by operationId."""
    by_id = {operation.id: operation for operation in operations}
    statements = {
        id_: _Statement(statement, by_id[id_])
        for id_, node in nodes.items()
        if node.has(words.JOB)
        and id_ in by_id
        and (statement := annotations.members(node, words.JOB, _MEMBERS, _REQUIRED)) is not None
    }
    return [
        _linked(operation, nodes[operation.id], statements, by_id, ids)
        if nodes[operation.id].has(words.WAITS_FOR)
        else operation
        for operation in operations
    ]


def _linked(
    operation: ir.Operation,
    node: Node,
    statements: Mapping[str, _Statement],
    by_id: Mapping[str, ir.Operation],
    ids: Mapping[str, str],
) -> ir.Operation:
    waits_for = annotations.operation_id(node, words.WAITS_FOR, ids)
    if waits_for is None:
        return operation
    if waits_for not in statements:
        node.report(
            f"The operation it names has no {words.JOB}, which says when a job has ended. Add it there.",
            at=words.WAITS_FOR,
        )
        return operation
    statement = statements[waits_for]
    cancel_id = annotations.operation_id(statement.node, "cancel", ids) if statement.node.has("cancel") else None
    job = _job(operation, node, statement, by_id.get(cancel_id or ""))
    return replace(operation, execution=job) if job is not None else operation


def _job(operation: ir.Operation, node: Node, statement: _Statement, cancel: ir.Operation | None) -> ir.Job | None:
    id_, state, result = statement.pointer("id"), statement.pointer("state"), statement.pointer("result")
    accepted = _accepted(operation)
    if id_ is None or state is None:
        return None
    if accepted is None:
        node.report("No answer of this operation is the job. Describe one, with status 202.", at=words.WAITS_FOR)
        return None
    status = _call(statement.status, id_)
    if status is None:
        statement.node.report("This operation needs one required input, which takes the id of the job.")
        return None
    return ir.Job(
        accepted_status=accepted.status,
        status=status,
        state=state,
        succeeded=tuple(statement.node.texts("succeeded")),
        failed=tuple(statement.node.texts("failed")),
        cancelled=tuple(statement.node.texts("cancelled")),
        start=_start(operation),
        cancel=_call(cancel, id_) if cancel is not None else None,
        wait=_wait(statement),
        result=result,
        reason=statement.pointer("reason"),
        refunded=statement.pointer("refunded"),
        charged=statement.pointer("charged"),
        outputs=_outputs(operation, statement.status, result, id_, status.bindings[0].field),
        callback=operation.callbacks[0].id if operation.callbacks else None,
    )


def _accepted(operation: ir.Operation) -> ir.Answer | None:
    """The answer that is the job: 202, or the only one."""
    named = [answer for answer in operation.answers if answer.status == "202"]
    return named[0] if named else operation.answer


def _call(operation: ir.Operation, id_: ir.Pointer) -> ir.Call | None:
    """The call of an operation about a job, whose one required input is the job's id."""
    required = [field for field in operation.inputs if field.required]
    return ir.Call(operation.id, (ir.Binding(required[0].id, ir.FromAnswer(id_)),)) if len(required) == 1 else None


def _start(operation: ir.Operation) -> tuple[ir.Binding, ...]:
    prefer = _prefer(operation)
    return (ir.Binding(prefer, ir.Literally("respond-async")),) if prefer is not None else ()


def _wait(statement: _Statement) -> ir.Wait | None:
    prefer = _prefer(statement.status)
    seconds = statement.node.integer("waitSecondsMax")
    if seconds is None:
        return None
    if prefer is None:
        statement.node.report(
            "Only with a header Prefer does a call wait. Describe that parameter, or leave this out.",
            at="waitSecondsMax",
        )
        return None
    return ir.Wait(prefer, "wait={seconds}", seconds)


def _prefer(operation: ir.Operation) -> str | None:
    headers = [field for field in operation.inputs if field.location is ir.Location.HEADER]
    return next((field.id for field in headers if field.name.lower() == "prefer"), None)


def _outputs(
    operation: ir.Operation, status: ir.Operation, result: ir.Pointer | None, id_: ir.Pointer, id_field: str
) -> tuple[ir.JobOutput, ...]:
    """Where each field of the usual answer stands in a job that has succeeded: in its result, or in the job itself,
    where the id has the name of the input that takes it. One that stands in neither is not among them."""
    job = {field.name: field for field in status.answer.fields} if status.answer is not None else {}
    within = _members(job[result[1:]].type) if result and result[1:] in job else set()
    answered = operation.answer.fields if operation.answer is not None else ()
    found = []
    for field in answered:
        if field.name in within:
            found.append(ir.JobOutput(field.name, f"{result}/{field.name}"))
        elif field.name in job:
            found.append(ir.JobOutput(field.name, f"/{field.name}"))
        elif field.name == status.input(id_field).name:
            found.append(ir.JobOutput(field.name, id_))
    return tuple(found)


def _members(type_: ir.FieldType) -> set[str]:
    match type_:
        case ir.Group(fields):
            return {field.name for field in fields}
        case ir.Union(variants):
            return {name for variant in variants for name in _members(variant.type)}
        case _:
            return set()
