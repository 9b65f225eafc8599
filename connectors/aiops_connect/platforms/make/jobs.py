"""Waiting for a job inside a module, by a bounded `repeat`; then its file.

The steps: start, look it up until it has ended, judge how it ended, fetch the file, put out. The last one is always
taken, since Make does not say what comes of a chain whose last step is skipped.
"""

from dataclasses import dataclass
from typing import Any

from aiops_connect import ir
from aiops_connect.platforms.make import base, dates, iml, requests
from aiops_connect.platforms.make.requests import Directives, Value
from aiops_connect.platforms.make.runner.iml.syntax import Node, Unary

WAIT_SECONDS = 270
DELAY_MILLISECONDS = 3000
POLLS_MAX = 90

_JOB = iml.variable("temp", "job")
_IS_JOB = iml.variable("temp", "is_job")
_LINK = iml.variable("temp", "link")
_WAITS = iml.variable("parameters", "wait_for_completion")
_FETCHES = iml.variable("parameters", "download_file")


@dataclass(frozen=True, slots=True)
class JobModule:
    """An operation that starts a job, as a module shows it. `link` is the output that leads to its file, None where
    there is none or it cannot be fetched without giving credentials away."""

    operation: ir.Operation
    execution: ir.Job
    status: ir.Operation
    link: ir.JobOutput | None

    @property
    def fields(self) -> tuple[ir.Field, ...]:
        """What comes out: the outputs of the document, how the job stands, and the file."""
        answered = {one.name: one for one in self.operation.answer.fields} if self.operation.answer else {}
        outputs = [answered[one.name] for one in self.execution.outputs if one.name in answered]
        if not outputs:
            return self.status.answer.fields if self.status.answer is not None else ()
        found = [*outputs, self._state(answered)]
        if self.link is not None:
            found += [
                ir.Field("file_name", "file_name", "File name", ir.Text()),
                ir.Field("data", "data", "Data", ir.File(ir.FileForm.BYTES)),
            ]
        return tuple(found)

    def _state(self, answered: dict[str, ir.Field]) -> ir.Field:
        name = "status" if "status" not in answered else "job_status"
        words = (*self.execution.succeeded, *self.execution.failed, *self.execution.cancelled)
        return ir.Field(name, name, "Job status", ir.Text(), example=words[0])


def read(app: ir.App, operation: ir.Operation, execution: ir.Job, *, can_fetch: bool) -> JobModule:
    status = app.operation(execution.status.operation)
    answered = {one.name: one.type for one in operation.answer.fields} if operation.answer is not None else {}
    links = [one for one in execution.outputs if isinstance(answered.get(one.name), ir.File)] if can_fetch else []
    return JobModule(operation, execution, status, links[0] if links else None)


def parameters(module: JobModule) -> list[dict[str, Any]]:
    """What is asked for beside the inputs of the operation."""
    found: list[dict[str, Any]] = [
        {
            "name": "wait_for_completion",
            "type": "boolean",
            "label": "Wait for completion",
            "default": True,
            "help": f"Waits for the result, at most {WAIT_SECONDS} seconds. Otherwise the job is put out at once.",
        }
    ]
    if module.link is not None:
        help_text = "Puts out the file itself beside its link, so that other modules can take it."
        found.append(
            {"name": "download_file", "type": "boolean", "label": "Download the file", "default": True}
            | {"help": help_text}
        )
    return found


def steps(module: JobModule, values: dict[str, Value], host: str, status_host: str) -> list[Directives]:
    """The communication."""
    started = {one.field: _bound(one.source, _JOB) for one in module.execution.start}
    start = requests.request(module.operation, {**values, **started}, host)
    held = {"job": "{{body}}", "is_job": iml.whole(_accepted(module)), "started": "{{now}}"}
    chain = [{**start, "response": {"temp": held}}, _wait(module, status_host), _verdict(module)]
    if module.link is not None:
        chain.append(_download())
    return [*chain, {"response": {"output": output(module)[0]}}]


def _bound(source: ir.Source, root: Any) -> Value:
    match source:
        case ir.FromAnswer(pointer):
            return iml.below(root, pointer)
        case ir.Literally():
            return source
    raise iml.InexpressibleError("A job is looked up by what its start was answered, not by what Make has.")


def _accepted(module: JobModule) -> Node:
    """Whether the answer is a job; a repeated call can be answered with the result itself."""
    status = module.execution.accepted_status
    if not status.isdecimal():
        return iml.variable("true")
    return iml.equals(iml.variable("statusCode"), iml.number(int(status)))


def _state(module: JobModule) -> Node:
    return iml.below(_JOB, module.execution.state)


def _is_one_of(state: Node, words: tuple[str, ...]) -> Node:
    return iml.some(*(iml.equals(state, iml.text(word)) for word in words)) if words else iml.variable("false")


def _is_open(module: JobModule) -> Node:
    job = module.execution
    words = (*job.succeeded, *job.failed, *job.cancelled)
    return iml.every(*(iml.differs(_state(module), iml.text(word)) for word in words))


def _wait(module: JobModule, host: str) -> Directives:
    bindings = {one.field: _bound(one.source, _JOB) for one in module.execution.status.bindings}
    deadline = iml.call("addSeconds", iml.variable("temp", "started"), iml.number(WAIT_SECONDS))
    before = iml.binary("<", iml.variable("now"), deadline)
    return {
        **requests.request(module.status, bindings, host),
        "condition": iml.whole(iml.every(_WAITS, _IS_JOB, _is_open(module))),
        "repeat": {
            "condition": iml.whole(iml.every(_is_open(module), before)),
            "delay": DELAY_MILLISECONDS,
            "limit": POLLS_MAX,
        },
        "response": {"temp": {"job": "{{body}}"}},
    }


def _verdict(module: JobModule) -> Directives:
    """Ends the module in an error unless the job succeeded, or nobody waits for it."""
    fine = iml.some(_not(_WAITS), _not(_IS_JOB), _is_one_of(_state(module), module.execution.succeeded))
    valid = {"condition": iml.whole(fine), "message": _message(module), "type": "DataError"}
    link = {} if module.link is None else {"temp": {"link": iml.whole(_output_node(module.link))}}
    return {"response": {**link, "valid": valid}}


def _not(node: Node) -> Node:
    return Unary("!", node, iml.UNDEFINED.span, 1 + node.depth)


def _message(module: JobModule) -> str:
    job = module.execution
    pointers = [one.source.pointer for one in job.status.bindings if isinstance(one.source, ir.FromAnswer)]
    name = iml.joined(iml.text("The job "), *(iml.below(_JOB, one) for one in pointers[:1]))
    failed = iml.joined(name, iml.text(" failed"))
    if job.reason is not None:
        reason = iml.below(_JOB, job.reason)
        why = iml.joined(iml.text(": "), iml.as_sentence(reason))
        failed = iml.joined(failed, iml.call("if", reason, why, iml.text(".")))
    late = iml.joined(
        name,
        iml.text(f" has not ended within {WAIT_SECONDS} seconds. It goes on; look it up later: {module.status.label}."),
    )
    cancelled = iml.joined(name, iml.text(" was cancelled."))
    state = _state(module)
    ending = iml.call(
        "if",
        _is_one_of(state, job.failed),
        failed,
        iml.call("if", _is_one_of(state, job.cancelled), cancelled, late),
    )
    return iml.whole(ending) + _refund(job)


def _refund(job: ir.Job) -> str:
    if job.refunded is None:
        return ""
    credits_ = iml.below(_JOB, job.refunded)
    return iml.whole(iml.if_set(credits_, iml.joined(iml.text(" Refunded: "), credits_, iml.text(" credits."))))


def _download() -> Directives:
    """The file, from wherever it lies, without credentials."""
    failure = "[{{statusCode}}] The job succeeded, but its file cannot be fetched: {{temp.link}}"
    return {
        "url": iml.whole(_LINK),
        "encodeUrl": False,
        "method": "GET",
        "temp": {base.FOREIGN: True},
        "condition": iml.whole(iml.every(_FETCHES, _LINK)),
        "response": {
            "type": "binary",
            "temp": {"data": "{{body}}", "file_name": iml.whole(file_name(_LINK))},
            "error": {"message": failure, "type": "DataError", "401": {"message": failure, "type": "DataError"}},
        },
    }


def file_name(link: Node) -> Node:
    """The last part of an address, without the query."""
    address = iml.call("first", iml.call("split", link, iml.text("?")))
    return iml.call("last", iml.call("split", address, iml.text("/")))


def _output_node(output: ir.JobOutput) -> Node:
    direct, of_job = iml.variable("temp", "job", output.name), iml.below(_JOB, output.pointer)
    return direct if direct == of_job else iml.call("if", _IS_JOB, of_job, direct)


def output(module: JobModule) -> tuple[ir.Json, tuple[ir.Field, ...]]:
    """What is put out at the end, and its fields."""
    known = {one.name: one for one in module.execution.outputs}
    if not any(one.name in known for one in module.fields):
        return dates.collection(_JOB, module.fields)
    found: dict[str, ir.Json] = {}
    fields: list[ir.Field] = []
    for one in module.fields:
        if one.name in known:
            found[iml.literal(one.name)], field = dates.member(_output_node(known[one.name]), one)
        else:
            found[one.name], field = iml.whole(_added_node(module, one.name)), one
        fields.append(field)
    return found, tuple(fields)


def _added_node(module: JobModule, name: str) -> Node:
    """What a module puts out beside the outputs of the document: the file, and how the job stands."""
    if name in ("file_name", "data"):
        return iml.variable("temp", name)
    return iml.call("if", _IS_JOB, _state(module), iml.text(module.execution.succeeded[0]))
