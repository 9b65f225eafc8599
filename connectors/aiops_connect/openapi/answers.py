"""Responses into what comes back: successes, and errors."""

from collections.abc import Iterator
from dataclasses import replace

from aiops_connect import ir
from aiops_connect.openapi.examples import first_example, sample
from aiops_connect.openapi.facts import Facts
from aiops_connect.openapi.media_types import ANY_TYPE, Family, preferred
from aiops_connect.openapi.nodes import Node
from aiops_connect.openapi.schemas import OUTPUT, Schemas

_RETRYABLE = frozenset({"408", "425", "429", "500", "502", "503", "504", "5XX"})
_MESSAGES = ("message", "error", "detail", "error_description", "title", "description", "errorMessage", "msg", "reason")
_CODES = ("code", "error_code", "errorCode", "type", "error")
_CODES_MAX = 100
_FIELDS = ("field", "param", "parameter", "loc", "path", "pointer", "property", "name", "location", "attribute")


def answers(operation: Node, schemas: Schemas) -> tuple[ir.Answer, ...]:
    """What successes look like, the lowest status first. Where only `default` is described, that is one."""
    responses = dict(_responses(operation))
    successes = sorted(status for status in responses if status.startswith("2"))
    if not successes and not any(status.startswith("3") for status in responses):
        successes = [status for status in responses if status == "default"]
    return tuple(_answer(status, responses[status], schemas) for status in successes)


def errors(operation: Node, schemas: Schemas) -> tuple[ir.ApiError, ...]:
    """What failures look like, by their status."""
    responses = dict(_responses(operation))
    has_success = any(status.startswith(("2", "3")) for status in responses)
    return tuple(
        _error(status, response, schemas)
        for status, response in sorted(responses.items())
        if status.startswith(("4", "5")) or (status == "default" and has_success)
    )


def headers(operation: Node, status: str) -> set[str]:
    """The names of the headers that a response has, in lower case."""
    response = dict(_responses(operation)).get(status)
    return {name.lower() for name in response.members("headers")} if response is not None else set()


def _responses(operation: Node) -> Iterator[tuple[str, Node]]:
    for status, entry in operation.members("responses").items():
        if status.startswith("x-"):
            continue
        response = entry.follow()
        if response is not None:
            yield status.upper() if status != "default" else status, response


def _answer(status: str, response: Node, schemas: Schemas) -> ir.Answer:
    text = response.text("description")
    found = preferred(response)
    if found is None:
        return ir.Answer(status, help=text)
    media_type, family, content = found
    type_ = _type(media_type, family, content, schemas)
    example = first_example(content)
    if example is ir.MISSING and family is Family.JSON:
        example = sample(type_)
    return ir.Answer(status, media_type, type_, example, text)


def _type(media_type: str, family: Family, content: Node, schemas: Schemas) -> ir.FieldType:
    schema = content.child("schema")
    match family:
        case Family.JSON | Family.FORM | Family.MULTIPART:
            return schemas.type_of(schema, OUTPUT).type if schema is not None else ir.AnyJson()
        case Family.TEXT | Family.STREAM | Family.OTHER:
            return ir.Text(is_multiline=True)
        case Family.BYTES:
            return ir.File(ir.FileForm.BYTES, () if media_type in ANY_TYPE else (media_type,))


def _error(status: str, response: Node, schemas: Schemas) -> ir.ApiError:
    found = preferred(response)
    schema = found[2].child("schema") if found is not None and found[1] is Family.JSON else None
    body = schemas.type_of(schema, OUTPUT).type if schema is not None else None
    says_when = "retry-after" in {name.lower() for name in response.members("headers")}
    return ir.ApiError(
        status=status,
        help=response.text("description"),
        message=_pointer_to(body, _MESSAGES),
        code=_pointer_to(body, _CODES, is_code=True),
        codes=tuple(_codes(schemas.facts(schema), schemas))[:_CODES_MAX] if schema is not None else (),
        is_retryable=says_when or status in _RETRYABLE,
        has_retry_after=says_when,
        details=_details(body),
    )


def _pointer_to(body: ir.FieldType | None, names: tuple[str, ...], *, is_code: bool = False) -> ir.Pointer | None:
    """Where the first text of one of these names stands, also in an object within. Of several shapes, the first."""
    match body:
        case ir.Union(variants):
            return _pointer_to(variants[0].type, names, is_code=is_code)
        case ir.Group(fields):
            by_name = {field.name: field.type for field in fields}
        case _:
            return None
    for name in names:
        match by_name.get(name):
            case ir.Text() | ir.Choice() | ir.Constant() if not (is_code and name == "error"):
                return f"/{name}"
            case ir.Group() as inner if (below := _pointer_to(inner, names, is_code=is_code)) is not None:
                return f"/{name}{below}"
    return None


def _details(body: ir.FieldType | None) -> ir.ErrorDetails | None:
    """The first list of objects that have a sentence each, also in an object within; of several shapes, of the first
    that has one."""
    match body:
        case ir.Union(variants):
            return next(filter(None, (_details(variant.type) for variant in variants)), None)
        case ir.Group(fields):
            return next(filter(None, map(_details_in, fields)), None)
        case _:
            return None


def _details_in(member: ir.Field) -> ir.ErrorDetails | None:
    match member.type:
        case ir.Array(ir.Group(fields) as item) if (sentence := _pointer_to(item, _MESSAGES)) is not None:
            by_name = {field.name: field.type for field in fields}
            name = next((one for one in _FIELDS if isinstance(by_name.get(one), ir.Text | ir.Array | ir.Choice)), None)
            is_path = name is not None and isinstance(by_name[name], ir.Array)
            return ir.ErrorDetails(f"/{member.name}", sentence, f"/{name}" if name else None, is_path)
        case ir.Group() as inner if (found := _details(inner)) is not None:
            return replace(found, items=f"/{member.name}{found.items}")
        case _:
            return None


def _codes(facts: Facts, schemas: Schemas) -> Iterator[ir.ErrorCode]:
    """The words that the member `code` can hold, in each shape that the body can have."""
    for alternatives in facts.alternatives:
        for branch in alternatives.branches[:_CODES_MAX]:
            below = schemas.facts(branch)
            yield from () if below.alternatives else _codes(below, schemas)
    for name in _CODES[:3]:
        if name in facts.properties:
            values = schemas.facts(*facts.properties[name]).values or []
            text = facts.texts.get("description", "") if len(values) == 1 else ""
            yield from (ir.ErrorCode(value, text) for value in values if isinstance(value, str))
            return
