"""Types, inputs and executions in words, for people who review a connector."""

import json
from collections.abc import Iterator
from typing import assert_never

from aiops_connect import ir
from aiops_connect.printing import code

_OPTIONS_SHOWN = 30


def type_of(type_: ir.FieldType) -> str:
    """A type and its limits."""
    match type_:
        case ir.Text():
            return ", ".join(_text(type_))
        case ir.Integer():
            return "whole number" + _range(type_.minimum, type_.maximum)
        case ir.Number():
            return "number" + _range(type_.minimum, type_.maximum) + _excluded(type_)
        case ir.Boolean():
            return "yes or no"
        case ir.DateTime(precision):
            return precision
        case ir.File():
            return _file(type_)
        case ir.Choice():
            return _choice(type_)
        case ir.Constant(value):
            return f"always {_value(value)}"
        case ir.Array():
            return f"list of {type_of(type_.item)}" + _range(type_.items_min, type_.items_max, " items")
        case ir.Group(additional=additional):
            return "object" + (f" with members of any name: {type_of(additional)}" if additional is not None else "")
        case ir.Union(selector=selector):
            return "one of several shapes" + (f", told apart by {code(selector)}" if selector else "")
        case ir.AnyJson(why):
            return f"JSON, since {why.value}"
        case _:
            assert_never(type_)


def _text(type_: ir.Text) -> Iterator[str]:
    yield "text of several lines" if type_.is_multiline else "text"
    if type_.format:
        yield code(type_.format)
    if type_.length_min is not None or type_.length_max is not None:
        yield _range(type_.length_min, type_.length_max, " characters").removeprefix(", ")
    if type_.pattern:
        yield f"like {code(type_.pattern)}"


def _file(type_: ir.File) -> str:
    forms = {ir.FileForm.BYTES: "file", ir.FileForm.BASE64: "file in base 64", ir.FileForm.URL: "link to a file"}
    media_types = f", {', '.join(map(code, type_.media_types))}" if type_.media_types else ""
    upload = f", made by {code(type_.upload.operation)} of a file" if type_.upload is not None else ""
    return forms[type_.form] + media_types + upload


def _choice(type_: ir.Choice) -> str:
    shown = [_option(option) for option in type_.options[:_OPTIONS_SHOWN]]
    if len(type_.options) > _OPTIONS_SHOWN:
        shown.append(f"{len(type_.options) - _OPTIONS_SHOWN} more")
    return ("one of " if not type_.is_open else "any text, such as ") + ", ".join(shown)


def _option(option: ir.Option) -> str:
    written = _value(option.value)
    return written if option.label == str(option.value) else f"{written} ({code(option.label)})"


def _value(value: ir.Json) -> str:
    return code(json.dumps(value, ensure_ascii=False))


def _range(minimum: float | None, maximum: float | None, unit: str = "") -> str:
    if minimum is None and maximum is None:
        return ""
    if minimum is None:
        return f", at most {maximum}{unit}"
    return f", {minimum} to {maximum}{unit}" if maximum is not None else f", at least {minimum}{unit}"


def _excluded(type_: ir.Number) -> str:
    """Which bounds are none of the values."""
    bounds = ((type_.minimum, type_.is_minimum_excluded), (type_.maximum, type_.is_maximum_excluded))
    listed = [str(bound) for bound, is_excluded in bounds if bound is not None and is_excluded]
    return f", {' and '.join(listed)} excluded" if listed else ""


def field(one: ir.Field) -> str:
    """What is to be known of a field beside its name and its help."""
    facts = [type_of(one.type)]
    facts += ["required"] if one.required else []
    facts += ["can be null"] if one.nullable else []
    facts += [f"default {_value(one.default)}"] if one.default is not ir.MISSING else []
    facts += [f"e.g. {_value(one.example)}"] if isinstance(one.example, str | int | float) else []
    facts += [f"chosen from {code(one.options.call.operation)}"] if one.options is not None else []
    facts += [
        word
        for word, holds in (
            ("secret", one.is_secret),
            ("advanced", one.is_advanced),
            ("credits left", one.is_credits_left),
            ("deprecated", one.deprecated),
        )
        if holds
    ]
    return ", ".join(facts)


def sent(one: ir.Field) -> str:
    """Where an input travels, and how."""
    if one.encoding is None:
        return "in the body"
    how = one.encoding.content_type or one.encoding.style.value + (", exploded" if one.encoding.explode else "")
    return f"in {'the body' if one.location is ir.Location.BODY else one.location.value}, {how}"


def inner(type_: ir.FieldType) -> tuple[ir.Field, ...]:
    """The fields to list below a field."""
    match type_:
        case ir.Group(fields):
            return fields
        case ir.Array(item):
            return inner(item)
        case _:
            return ()


def variants(type_: ir.FieldType) -> tuple[ir.Variant, ...]:
    """The shapes to list below a field."""
    match type_:
        case ir.Union(variants):
            return variants
        case ir.Array(item):
            return inner_variants(item)
        case _:
            return ()


def inner_variants(type_: ir.FieldType) -> tuple[ir.Variant, ...]:
    return type_.variants if isinstance(type_, ir.Union) else ()


def execution(operation: ir.Operation) -> str:
    """How an operation comes to its result."""
    match operation.execution:
        case ir.Immediate():
            return "answers with the result"
        case ir.Job() as job:
            cancel = f", cancelled by {code(job.cancel.operation)}" if job.cancel is not None else ""
            return f"a job, looked up by {code(job.status.operation)}{cancel}"
        case _:
            assert_never(operation.execution)


def pages(operation: ir.Operation) -> str:
    """How an operation goes from page to page; empty where it has one."""
    match operation.pagination:
        case None:
            return ""
        case ir.Cursor(field=name, next=following, is_of_item=is_of_item):
            return f"pages by cursor: {code(name)} from {code(following)}" + (" of the last item" if is_of_item else "")
        case ir.Offset(field=name):
            return f"pages by offset: {code(name)}"
        case ir.Page(field=name, first=first):
            return f"pages by number: {code(name)} from {first}"
        case ir.Link(next=following):
            return "pages by " + (f"the address at {code(following)}" if following is not None else "the header Link")
        case _:
            assert_never(operation.pagination)


def scheme(one: ir.SecurityScheme) -> str:
    """What a connection asks for."""
    match one:
        case ir.ApiKey():
            prefix = f" after {code(one.prefix)}" if one.prefix else ""
            return f"API key in {one.location.value} {code(one.name)}{prefix}"
        case ir.Basic():
            return "user name and password"
        case ir.Bearer():
            return "bearer token"
        case ir.OtherHttp():
            return f"HTTP authentication {code(one.scheme)}"
        case ir.OAuth2(flows=flows):
            return "OAuth 2.0, " + " or ".join(flow.grant.value for flow in flows)
        case ir.OpenIdConnect(url=url):
            return f"OpenID Connect at {code(url)}"
        case ir.MutualTls():
            return "a certificate of the client"
        case _:
            assert_never(one)
