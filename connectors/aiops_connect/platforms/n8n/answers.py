"""What an operation answers, as the runtime is told of it: its files, what it has cost, what is kept of it."""

from collections.abc import Iterator

from aiops_connect import ir
from aiops_connect.platforms.n8n import jobs
from aiops_connect.platforms.n8n.properties import Property
from aiops_connect.pointers import type_at

# n8n's guidelines: an answer of more fields than these has a simplified form, of these at most.
SIMPLIFIED_MAX = 10


def kind_of(operation: ir.Operation) -> str:
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


def credits_of(app: ir.App, operation: ir.Operation) -> Property | None:
    """Where it stands what the work has cost; None where the operation is no paid work, and tells of none."""
    job = _job_told_of(app, operation)
    if job is None and operation.credits is None:
        return None
    name = "credits"
    while name in _item_names(operation):
        name += "_"
    found: Property = {"name": name}
    if job is not None and job.charged is not None:
        found["charged"] = job.charged
    if job is not None and job.refunded is not None:
        found["refunded"] = job.refunded
    if job is None:
        found["price"] = operation.credits
    if (left := _left(operation)) is not None:
        found["left"] = left
    if (call := balance_of(app)) is not None:
        found["balance"] = {"operation": call[0], "left": call[1]}
    return found if len(found) > 1 else None


def balance_of(app: ir.App) -> tuple[str, ir.Pointer] | None:
    """The call that tells what the account can still spend, and where its answer has it: the one that tests the
    connection, which asks for no input."""
    check = app.connection.check if app.connection is not None else None
    left = _left(app.operation(check)) if check is not None else None
    return (check, left) if check is not None and left is not None else None


def _job_told_of(app: ir.App, operation: ir.Operation) -> ir.Job | None:
    """The kind of job that the operation does, looks up, cancels or lists."""
    for doing, job in jobs.of_app(app):
        cancel = job.cancel.operation if job.cancel is not None else None
        if operation.id in (doing.id, job.status.operation, cancel) or _lists(operation, job):
            return job
    return None


def list_of(app: ir.App, job: ir.Job) -> ir.Operation | None:
    """The operation that lists such jobs."""
    return next((one for one in app.operations if _lists(one, job)), None)


def _lists(operation: ir.Operation, job: ir.Job) -> bool:
    told = {pointer.split("/")[1] for pointer in (job.state, job.charged, job.refunded) if pointer}
    return operation.effect is ir.Effect.LIST and told <= _item_names(operation)


def _left(operation: ir.Operation) -> ir.Pointer | None:
    """Where the answer says what the account can still spend."""
    fields = operation.answer.fields if operation.answer is not None else ()
    return next((f"/{_escaped(one.name)}" for one in fields if one.is_credits_left), None)


def simplified(operation: ir.Operation, cost: Property | None) -> list[Property] | None:
    """What is kept of an answer that has many fields; None where it has few, or nobody knows which.

    Files first, then what the document has first; members of objects in their place where all of it is few enough.
    What is told of credits elsewhere is not told twice.
    """
    fields = _item_fields(operation)
    if len(fields) <= SIMPLIFIED_MAX:
        return None
    told = {cost.get(name) for name in ("charged", "refunded", "left")} if cost is not None else set()
    files = {one["name"] for one in files_of(operation)}
    kept = [
        one for one in fields if not one.is_advanced and not one.deprecated and f"/{_escaped(one.name)}" not in told
    ]
    kept.sort(key=lambda one: one.name not in files)
    room = SIMPLIFIED_MAX - (0 if cost is None else 1)
    flat = [each for one in kept for each in _flattened(one)]
    whole = [_kept(one.name, f"/{_escaped(one.name)}") for one in kept]
    return flat if len(flat) <= room else whole[:room]


def names(app: ir.App, operation: ir.Operation) -> frozenset[str]:
    """The members of an output, as people get it unless they ask for all of it."""
    kept = simplified(operation, credits_of(app, operation))
    return frozenset(str(one["name"]) for one in kept) if kept is not None else _item_names(operation)


def _item_names(operation: ir.Operation) -> frozenset[str]:
    return frozenset(one.name for one in _item_fields(operation))


def _flattened(one: ir.Field) -> Iterator[Property]:
    path = f"/{_escaped(one.name)}"
    if isinstance(one.type, ir.Group) and one.type.additional is None:
        for member in one.type.fields:
            yield _kept(f"{one.name}_{member.name}", f"{path}/{_escaped(member.name)}")
    else:
        yield _kept(one.name, path)


def _kept(name: str, pointer: ir.Pointer) -> Property:
    return {"name": name, "pointer": pointer}


def _item_fields(operation: ir.Operation) -> tuple[ir.Field, ...]:
    """The members of what one item of n8n's comes of: of the answer, or of each item of a list that is paged."""
    answer, paging = operation.answer, operation.pagination
    if answer is None:
        return ()
    if paging is None or not paging.items:
        return answer.fields
    match type_at(answer.type, paging.items):
        case ir.Array(item=ir.Group(fields)):
            return fields
        case _:
            return ()


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
