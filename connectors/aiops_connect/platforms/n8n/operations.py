"""An operation as the parameters of a step, and as what the runtime calls."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from aiops_connect import ir
from aiops_connect.platforms.n8n import answers, calls, fields, jobs, naming, prose, standard
from aiops_connect.platforms.n8n.literals import Code, Value
from aiops_connect.platforms.n8n.properties import Property, Searches
from aiops_connect.problem import Problem

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
_LOST = (
    "Nothing of its usual answer stands in the job that it waits for, whose result n8n would lose. Describe JSON with "
    "members of the job's result as that answer, or exclude the operation."
)


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


def of_group(shared: Shared, group: naming.Steps) -> Iterator[tuple[naming.Step, Made]]:
    """The steps of a resource."""
    for one in group.steps:
        make = waiting if one.is_waiting else step
        yield one, make(shared, one.operation, group.value, one.value)


def step(shared: Shared, operation: ir.Operation, resource: str, value: str) -> Made:
    """An operation that people choose."""
    asked = shared.app.asked(operation)
    names = dict(zip((one.id for one in asked), naming.parameters(one.id for one in asked), strict=True))
    shown = {"resource": [resource], "operation": [value]}
    top: list[Property] = []
    collected: dict[str, list[Property]] = {}
    inputs: list[Value] = []
    for one in operation.inputs:
        if one.id not in names:
            inputs.append(_input(one, constant=_constant(one)))
            continue
        is_top = one.required or one.location is ir.Location.PATH
        made = fields.rendered(one, names[one.id], shared.searches)
        if is_top:
            if isinstance(one.type, ir.File) and one.type.upload is not None:
                top += standard.link(one, made, names[one.id], shown)
                inputs.append(_input(one, standard.link_shape(one.type.upload, names[one.id]), names[one.id]))
                continue
            top.append(standard.required(made.property) | standard.show(shown))
            inputs.append(_input(one, made.shape, names[one.id]))
        else:
            collection = "options" if one.is_advanced else standard.COLLECTIONS[operation.effect][0]
            collected.setdefault(collection, []).append(made.property)
            inputs.append(_input(one, made.shape, names[one.id], collection))
    is_job = isinstance(operation.execution, ir.Job)
    if is_job:
        top.append(standard.wait_for_completion() | standard.show(shown))
        collected.setdefault("options", []).append(standard.maximum_wait())
    top += standard.pages(shown) if operation.pagination is not None else []
    files, kind = answers.files_of(operation), answers.kind_of(operation)
    top += standard.files(files, kind, shown, is_upload=_is_upload(operation))
    if answers.simplified(operation, answers.credits_of(shared.app, operation)) is not None:
        top.append(standard.simplify() | standard.show(shown))
    for name, label in (*standard.COLLECTIONS.values(), ("options", "Options")):
        if name in collected:
            top.append(standard.collection(name, label, collected.pop(name)) | standard.show(shown))
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
        "answer": answers.kind_of(operation),
        "files": list(answers.files_of(operation)),
        "errors": shared.errors.of(_errors(operation)),
    }
    if (server := shared.app.own_server(operation)) is not None:
        found["server"] = server.address
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
        found["job"] = _job(shared.app, operation, operation.execution)
    if operation.pagination is not None:
        found["pages"] = calls.pages(operation.pagination)
        limit = operation.pagination.limit
        if limit is not None and isinstance(type_ := operation.input(limit).type, ir.Integer) and type_.maximum:
            found["pageSizeMax"] = type_.maximum
    if operation.idempotency is not None:
        found["idempotency"] = operation.idempotency
        if isinstance(key := operation.input(operation.idempotency).type, ir.Text) and key.length_max is not None:
            found["keyLengthMax"] = key.length_max
    if operation.effect is ir.Effect.DELETE:
        found["isDelete"] = True
    return found | _told(shared.app, operation)


def _job(app: ir.App, operation: ir.Operation, job: ir.Job) -> Property:
    """How the runtime waits, and where people see whether the work goes on."""
    listing = answers.list_of(app, job)
    place = jobs.step(app, listing.id) if listing is not None else None
    return jobs.facts(app, operation, job) | ({} if place is None else {"list": place})


def _told(app: ir.App, operation: ir.Operation) -> Property:
    """What an answer says of credits, and what is kept of it where it is simplified."""
    cost = answers.credits_of(app, operation)
    kept = answers.simplified(operation, cost)
    found: Property = {} if cost is None else {"credits": cost}
    return found if kept is None else found | {"simplified": list(kept)}


def _is_upload(operation: ir.Operation) -> bool:
    """Whether it takes a file, and makes no other of it."""
    is_work = operation.credits is not None or isinstance(operation.execution, ir.Job)
    takes = (one.type.form for one in operation.inputs if isinstance(one.type, ir.File))
    return not is_work and any(form is not ir.FileForm.URL for form in takes)


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
    if one.nullable:
        made["isNullable"] = True
    if constant is not None:
        made["constant"] = constant
    if one.encoding is not None:
        made |= {"style": one.encoding.style.value, "explode": one.encoding.explode}
        if one.encoding.allow_reserved:
            made["allowReserved"] = True
        if one.encoding.content_type is not None:
            made["contentType"] = one.encoding.content_type
    return made


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


def waiting(shared: Shared, operation: ir.Operation, resource: str, value: str) -> Made:
    """The operation that takes jobs up again: the one that looks them up, until they have ended."""
    made = step(shared, operation, resource, value)
    work = jobs.waiting_for(shared.app, operation.id)
    told = [jobs.facts(shared.app, one, one.execution) for one in work if isinstance(one.execution, ir.Job)]
    outputs: dict[str, Value] = {}
    for each in (each for one in told for each in one["outputs"]):  # type: ignore[union-attr]
        outputs.setdefault(each["name"], each)  # type: ignore[index, call-overload, arg-type]
    files = {str(each["name"]): each for one in work for each in answers.files_of(one)}
    shown = {"resource": [resource], "operation": [value]}
    properties = [one for one in made.properties if one["name"] not in ("options", "output", "binaryPropertyName")]
    properties += standard.files(list(files.values()), "json", shown)
    properties.append(standard.collection("options", "Options", [standard.maximum_wait()]) | standard.show(shown))
    job = told[0] | {"outputs": list(outputs.values()), "isRepeated": False, "start": []}
    facts: Property = {**made.facts, "label": "Wait for completion", "job": job, "isWaiting": True}
    return Made(tuple(properties), facts | {"files": list(files.values())})


def _problems(operation: ir.Operation) -> Iterable[Problem]:
    if operation.method.upper() not in _METHODS:
        yield Problem(operation.source, f"n8n makes no calls by the method {operation.method}. Exclude the operation.")
    if isinstance(operation.execution, ir.Job) and jobs.is_result_lost(operation, operation.execution):
        yield Problem(operation.source, _LOST)
