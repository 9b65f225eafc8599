"""The rule for dates: formatted where they are sent, parsed where they are put out."""

from collections.abc import Iterator, Mapping
from typing import Any

from aiops_connect.platforms.make.review.expressions import children, expressions, names, parts
from aiops_connect.platforms.make.review.source import Part, Source, mapping, objects
from aiops_connect.platforms.make.runner.iml.syntax import Call, Node
from aiops_connect.platforms.make.runner.iml.template import SPREAD

Found = Iterator[tuple[str, str]]
Spec = Mapping[str, Any]

_CHOOSING = frozenset(("if", "ifempty", "switch", "get", "pick", "omit", "first", "last"))
_ANSWERS = (("body",), ("item",), ("payload",))


def are_formatted_and_parsed(source: Source) -> Found:
    """R15."""
    for module in source.modules("action", "search"):
        yield from _sent(module)
    webhooks = {one.id: one for one in source.parts("webhook")}
    for module in source.modules():
        answering = webhooks.get(str(module.metadata.get("webhook")), module)
        for name in _unparsed("", module.items("interface"), _put_out(answering)):
            yield answering.path("communication"), f"The date {name} is parsed by parseDate, or its type is text."


def _sent(module: Part) -> Found:
    dates = {str(one["name"]) for one in module.parameters if one.get("type") == "date" and "name" in one}
    for request in module.requests:
        sent = [request.get("url"), request.get("qs"), request.get("headers"), request.get("body")]
        for name in sorted(dates & {found for node in expressions(sent) for found in _unformatted(node)}):
            yield module.path("communication"), f"The date {name} is formatted by formatDate."


def _unformatted(node: Node) -> Iterator[str]:
    """The parameters whose value comes out of an expression without formatDate. What a condition asks for does not."""
    match node:
        case Call(name="formatDate"):
            return
        case Call(name="if", arguments=(_, *values)):
            for value in values:
                yield from _unformatted(value)
            return
    path = names(node)
    if path[:1] == ("parameters",) and len(path) > 1:
        yield path[1]
    for one in children(node):
        yield from _unformatted(one)


def _put_out(part: Part) -> Any:
    """The directive `output` of a module or a webhook; without one, what is answered comes out as it is."""
    if part.kind == "webhook":
        return mapping(part.code("communication")).get("output", "{{body}}")
    response = mapping(part.requests[-1].get("response")) if part.requests else {}
    return response.get("output", "{{item}}" if "iterate" in response else "{{body}}")


def _unparsed(above: str, interface: list[Spec], output: Any) -> Iterator[str]:
    """The dates of an interface that the output takes from the answer as they are."""
    members = mapping(output)
    for one in interface:
        name, spec = str(one.get("name", "[]")), one.get("spec")
        value = members.get(name, members.get(SPREAD)) if members else output
        if one.get("type") == "date" and _is_as_answered(value):
            yield f"{above}{name}"
        yield from _unparsed(f"{above}{name}.", objects(spec), value)


def _is_as_answered(value: Any) -> bool:
    """Whether no function has changed what is answered, but chosen among it at most."""
    found = [part for node in expressions(value) for part in parts(node)]
    is_changed = any(isinstance(part, Call) and part.name not in _CHOOSING for part in found)
    return isinstance(value, str) and not is_changed and any(names(part)[:1] in _ANSWERS for part in found)
