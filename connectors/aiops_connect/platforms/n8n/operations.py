"""An operation as the parameters of a step, and as what the runtime calls."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import assert_never

from aiops_connect import ir
from aiops_connect.platforms.n8n import fields, naming, prose
from aiops_connect.platforms.n8n.fields import Property, Searches
from aiops_connect.platforms.n8n.literals import Code, Value, of_json
from aiops_connect.problem import Problem

_COLLECTIONS = {
    ir.Effect.CREATE: ("additionalFields", "Additional Fields"),
    ir.Effect.UPDATE: ("updateFields", "Update Fields"),
    ir.Effect.LIST: ("filters", "Filters"),
    ir.Effect.READ: ("options", "Options"),
    ir.Effect.DELETE: ("options", "Options"),
}
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
WAIT_SECONDS = 600

Shown = dict[str, list[str]]


@dataclass
class Errors:
    """The tables of errors, each once however many operations share it."""

    tables: list[Property] = field(default_factory=list)

    def of(self, table: Property) -> Code:
        if table not in self.tables:
            self.tables.append(table)
        return Code(f"errors{self.tables.index(table) + 1}")


@dataclass(frozen=True, slots=True)
class Shared:
    """What all operations of a node share: the app, the tables of errors, and the lists to search in."""

    app: ir.App
    errors: Errors = field(default_factory=Errors)
    searches: Searches = field(default_factory=Searches)


@dataclass(frozen=True, slots=True)
class Made:
    """What came of an operation."""

    properties: tuple[Property, ...]
    facts: Property
    problems: tuple[Problem, ...] = ()


def answers_as(operation: ir.Operation) -> str:
    answer = operation.answer
    if answer is None or answer.type is None:
        return "none" if answer is None or answer.media_type is None else "json"
    if isinstance(answer.type, ir.File) and answer.type.form is ir.FileForm.BYTES:
        return "bytes"
    return "json" if "json" in (answer.media_type or "json") else "text"


def files_of(operation: ir.Operation) -> list[Property]:
    """The files that an answer has, by their names."""
    found: list[Property] = []
    answer = operation.answer
    if answer is None or not isinstance(answer.type, ir.Group):
        return found
    for one in answer.type.fields:
        if isinstance(one.type, ir.File) and one.type.form is not ir.FileForm.BYTES:
            made: Property = {"name": one.name, "form": one.type.form.value}
            if one.type.media_types:
                made["mediaType"] = one.type.media_types[0]
            found.append(made)
    return found


def step(shared: Shared, operation: ir.Operation, resource: str, value: str) -> Made:
    """An operation that people choose."""
    asked, constants, hidden = _sorted_out(shared.app, operation)
    names = dict(zip((one.id for one in asked), naming.parameters(one.id for one in asked), strict=True))
    shown = {"resource": [resource], "operation": [value]}
    top: list[Property] = []
    collected: dict[str, list[Property]] = {}
    inputs: list[Value] = []
    for one in operation.inputs:
        if one.id in hidden or one.id in constants:
            inputs.append(_input(one, constant=constants.get(one.id)))
            continue
        is_top = one.required or one.location is ir.Location.PATH
        made = fields.rendered(one, names[one.id], shared.searches)
        if is_top:
            if isinstance(one.type, ir.File) and one.type.upload is not None:
                top += _link(one, made, names[one.id], shown)
                inputs.append(_input(one, _link_shape(one.type.upload, names[one.id]), names[one.id]))
                continue
            top.append(_required(made.property) | _show(shown))
            inputs.append(_input(one, made.shape, names[one.id]))
        else:
            collection = "options" if one.is_advanced else _COLLECTIONS[operation.effect][0]
            collected.setdefault(collection, []).append(made.property)
            inputs.append(_input(one, made.shape, names[one.id], collection))
    is_job = isinstance(operation.execution, ir.Job)
    if is_job:
        top.append(_wait_for_completion() | _show(shown))
        collected.setdefault("options", []).append(_maximum_wait())
    top += _pages(shown) if operation.pagination is not None else []
    top += _files(files_of(operation), answers_as(operation), shown)
    for name, label in (*_COLLECTIONS.values(), ("options", "Options")):
        if name in collected:
            top.append(_collection(name, label, collected.pop(name)) | _show(shown))
    return Made(tuple(top), facts(shared, operation, inputs), tuple(_problems(operation)))


def internal(shared: Shared, operation: ir.Operation) -> Property:
    """An operation that only the connector calls."""
    return facts(shared, operation, [_input(one, _shape(one), constant=_constant(one)) for one in operation.inputs])


def facts(shared: Shared, operation: ir.Operation, inputs: list[Value]) -> Property:
    """What the runtime needs to know."""
    found: Property = {
        "id": operation.id,
        "label": prose.inert(operation.label),
        "method": operation.method.upper(),
        "path": operation.path,
        "inputs": inputs,
        "answer": answers_as(operation),
        "files": list(files_of(operation)),
        "errors": shared.errors.of(_errors(operation)),
    }
    if operation.servers not in ((), shared.app.servers) and not operation.servers[0].is_relative:
        found["server"] = address(operation.servers[0])
    if operation.body is not None:
        found["body"] = {
            "mediaType": operation.body.media_type,
            "format": operation.body.format.value,
            "required": operation.body.required,
            "isWhole": operation.body.is_whole,
        }
    if operation.answer is not None and operation.answer.media_type:
        found["accept"] = operation.answer.media_type
    if isinstance(operation.execution, ir.Job):
        found["job"] = job(shared.app, operation, operation.execution)
    if operation.pagination is not None:
        found["pages"] = pages(operation.pagination)
        limit = operation.pagination.limit
        if limit is not None and isinstance(type_ := operation.input(limit).type, ir.Integer) and type_.maximum:
            found["pageSizeMax"] = type_.maximum
    if operation.idempotency is not None:
        found["idempotency"] = operation.idempotency
    if operation.effect is ir.Effect.DELETE:
        found["isDelete"] = True
    return found


def address(server: ir.Server) -> str:
    url = server.url
    for variable in server.variables:
        url = url.replace(f"{{{variable.name}}}", variable.default)
    return url


def job(app: ir.App, operation: ir.Operation, one: ir.Job) -> Property:
    """How the runtime waits."""
    found: Property = {
        "acceptedStatus": int(one.accepted_status) if one.accepted_status.isdigit() else 202,
        "status": call(one.status),
        "state": one.state,
        "succeeded": list(one.succeeded),
        "failed": list(one.failed),
        "cancelled": list(one.cancelled),
        "start": bindings(one.start),
        "outputs": [{"name": output.name, "pointer": output.pointer} for output in one.outputs],
        "isRepeated": operation.idempotency is not None and bool(_missing(operation, one)),
        "resume": f"The operation Wait for Completion of {prose.title(_resource_of(app, one.status.operation))}",
    }
    if one.cancel is not None:
        found["cancel"] = call(one.cancel)
    if one.wait is not None:
        found["wait"] = {"field": one.wait.field, "text": one.wait.text, "secondsMax": one.wait.seconds_max}
    for name, pointer in (("reason", one.reason), ("refunded", one.refunded)):
        if pointer is not None:
            found[name] = pointer
    return found


def _missing(operation: ir.Operation, one: ir.Job) -> set[str]:
    """What the operation answers and the job does not have."""
    answer = operation.answer
    return {each.name for each in answer.fields} - {output.name for output in one.outputs} if answer else set()


def _resource_of(app: ir.App, operation: str) -> str:
    for group in naming.steps(app):
        if any(each.operation.id == operation for each in group.steps):
            return group.name
    return "Job"


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


def _sorted_out(app: ir.App, operation: ir.Operation) -> tuple[list[ir.Field], dict[str, ir.Scalar], set[str]]:
    """The inputs that people are asked for, those that are always the same, and those the runtime fills."""
    constants = {one.id: value for one in operation.inputs if (value := _constant(one)) is not None}
    hidden = set()
    if isinstance(operation.execution, ir.Job):
        hidden |= {binding.field for binding in operation.execution.start}
    for other in app.operations:
        if (
            isinstance(other.execution, ir.Job)
            and other.execution.wait
            and other.execution.status.operation == operation.id
        ):
            hidden.add(other.execution.wait.field)
    if (paging := operation.pagination) is not None:
        hidden |= {paging.limit} if paging.limit is not None else set()
        hidden |= set() if isinstance(paging, ir.Link) else {paging.field}
    return [one for one in operation.inputs if one.id not in hidden and one.id not in constants], constants, hidden


def _constant(one: ir.Field) -> ir.Scalar | None:
    return one.type.value if isinstance(one.type, ir.Constant) else None


def _shape(one: ir.Field) -> Property:
    return fields.rendered(one, "value", None).shape


def _input(
    one: ir.Field,
    shape: Property | None = None,
    parameter: str = "",
    collection: str = "",
    constant: ir.Scalar | None = None,
) -> Property:
    made: Property = {"id": one.id, "name": one.name, "label": prose.title(one.label), "location": one.location.value}
    made["shape"] = {"kind": "json"} if constant is not None else (shape or _shape(one))
    if parameter:
        made["parameter"] = parameter
    if collection:
        made["collection"] = collection
    if constant is not None:
        made["constant"] = constant
    if one.encoding is not None:
        made |= {"style": one.encoding.style.value, "explode": one.encoding.explode}
        if one.encoding.allow_reserved:
            made["allowReserved"] = True
        if one.encoding.content_type is not None:
            made["contentType"] = one.encoding.content_type
    return made


def _show(shown: Shown, **more: Value) -> Property:
    return {"displayOptions": {"show": {**shown, **more}}}


def _required(made: Property) -> Property:
    """`required` beside the type, as n8n's own nodes have it."""
    found: Property = {}
    for name, value in made.items():
        found[name] = value
        if name == "type" and made["type"] != "boolean":
            found["required"] = True
    return found


def _link(one: ir.Field, made: fields.Rendered, name: str, shown: Shown) -> list[Property]:
    """A file that people have a link to, or in a field of the item."""
    label = prose.title(one.label)
    source: Property = {
        "displayName": f"{label} Source",
        "name": f"{name}Source",
        "type": "options",
        "options": [
            {"name": "URL", "value": "url", "description": "A link to the file"},
            {"name": "Input File", "value": "file", "description": "A file in the data of the item, which is uploaded"},
        ],
        "default": "url",
    }
    data: Property = {
        "displayName": "Input Data Field Name",
        "name": f"{name}Data",
        "type": "string",
        "required": True,
        "default": "data",
        "hint": "The name of the input field that holds the file",
    }
    by_url = _required(made.property) | _show(shown, **{f"{name}Source": ["url"]})
    return [source | _show(shown), by_url, data | _show(shown, **{f"{name}Source": ["file"]})]


def _link_shape(upload: ir.Upload, name: str) -> Property:
    target: Property = {"operation": upload.operation, "field": upload.field, "url": upload.url}
    return {"kind": "link", "source": f"{name}Source", "data": f"{name}Data", "upload": target}


def _wait_for_completion() -> Property:
    return {
        "displayName": "Wait for Completion",
        "name": "waitForCompletion",
        "type": "boolean",
        "default": True,
        "description": "Whether to go on when the result is there. Otherwise the job is given at once, for later.",
    }


def _maximum_wait() -> Property:
    return {
        "displayName": "Maximum Wait",
        "name": "maximumWait",
        "type": "number",
        "typeOptions": {"minValue": 1, "maxValue": 86400},
        "default": WAIT_SECONDS,
        "description": "How many seconds to wait for the result. The job goes on then, and can be taken up again.",
    }


def _pages(shown: Shown) -> list[Property]:
    all_: Property = {"displayName": "Return All", "name": "returnAll", "type": "boolean", "default": False}
    all_["description"] = "Whether to return all results or only up to a given limit"
    limit: Property = {"displayName": "Limit", "name": "limit", "type": "number", "typeOptions": {"minValue": 1}}
    limit |= {"default": 50, "description": "Max number of results to return"}
    return [all_ | _show(shown), limit | _show(shown, returnAll=[False])]


def _files(files: list[Property], answer: str, shown: Shown) -> list[Property]:
    name: Property = {
        "displayName": "Put Output File in Field",
        "name": "binaryPropertyName",
        "type": "string",
        "required": True,
        "default": "data",
        "hint": "The name of the output field to put the file in",
    }
    if answer == "bytes":
        return [name | _show(shown)]
    if not files:
        return []
    is_link = any(one["form"] == "url" for one in files)
    options: list[Value] = [
        {"name": "URL" if is_link else "Text", "value": "url", "description": "Only what the service answers"},
        {"name": "File", "value": "file", "description": "The file, in a field of the output"},
    ]
    if is_link:
        options.append({"name": "File and URL", "value": "both", "description": "The file, and the link to it"})
    output: Property = {
        "displayName": "Output",
        "name": "output",
        "type": "options",
        "options": options,
        "default": "both" if is_link else "file",
        "description": "What to give to the next node. A tool of an agent always gives what the service answers.",
    }
    return [output | _show(shown), name | _show(shown, output=["file", "both"])]


def _collection(name: str, label: str, ones: list[Property]) -> Property:
    return {
        "displayName": label,
        "name": name,
        "type": "collection",
        "placeholder": "Add Filter" if name == "filters" else "Add Option" if name == "options" else "Add Field",
        "default": {},
        "options": list(fields.in_order(ones, "displayName")),
    }


def _errors(operation: ir.Operation) -> Property:
    table: Property = {}
    for one in operation.errors:
        facts: Property = {"help": prose.inert(one.help)}
        if one.message is not None:
            facts["message"] = one.message
        if one.code is not None:
            facts["code"] = one.code
        facts["codes"] = {code.value: prose.inert(code.help) for code in one.codes}
        facts["isRetryable"] = one.is_retryable
        table[one.status] = facts
    return table


def waiting(shared: Shared, status: str, jobs: list[ir.Operation], resource: str) -> Made:
    """The operation that takes jobs up again: the one that looks them up, until they have ended."""
    operation = shared.app.operation(status)
    made = step(shared, operation, resource, "wait")
    outputs: dict[str, Property] = {}
    files: dict[str, Property] = {}
    for one in jobs:
        assert isinstance(one.execution, ir.Job)
        for each in job(shared.app, one, one.execution)["outputs"]:  # type: ignore[union-attr]
            outputs.setdefault(each["name"], each)  # type: ignore[index, call-overload, arg-type]
        files |= {str(each["name"]): each for each in files_of(one)}
    first = jobs[0]
    assert isinstance(first.execution, ir.Job)
    told = job(shared.app, first, first.execution) | {
        "outputs": list(outputs.values()),
        "isRepeated": False,
        "start": [],
    }
    shown = {"resource": [resource], "operation": ["wait"]}
    properties = [one for one in made.properties if one["name"] not in ("options", "output", "binaryPropertyName")]
    properties += _files(list(files.values()), "json", shown)
    properties.append(_collection("options", "Options", [_maximum_wait()]) | _show(shown))
    facts: Property = {**made.facts, "label": "Wait for completion", "job": told, "isWaiting": True}
    return Made(tuple(properties), facts | {"files": list(files.values())})


def _problems(operation: ir.Operation) -> Iterable[Problem]:
    if operation.method.upper() not in _METHODS:
        yield Problem(operation.source, f"n8n makes no calls by the method {operation.method}. Exclude the operation.")
