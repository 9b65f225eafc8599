"""Reads the reference from the document. What is added to the document stands on the page without an edit here."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

from aiops.contract import document as contract
from aiops.contract.document import Document
from aiops.web.reference.examples import Call
from aiops.web.reference.model import (
    Chapter,
    ErrorCode,
    Event,
    Example,
    Field,
    Header,
    Object,
    Operation,
    Plan,
    Reference,
    Request,
    Server,
)
from aiops.web.reference.prose import split_notes
from aiops.web.reference.schemas import FORM, JSON, Node, Schemas, as_text, slug

EXAMPLE_ADDRESS = "https://aiops.example"  # where the links in the document's examples begin
PATIENCE_SECONDS = 60  # an example waits longer for its answer than a job may take
LIMITS = "Limits"
ERROR = "Error"
UNTAGGED = "Other"
OPERATORS = "System"  # the tag of what is for those who run the service


def read_reference(document: Document, plans: tuple[Plan, ...], server: Server) -> Reference:
    """The reference for readers of a server."""
    return _Reader(document, server).read(plans)


def limit_names(document: Document) -> tuple[str, ...]:
    """The fields of a plan, in the order in which the reference has them."""
    return tuple(field.name for field in Schemas(document.tree).object_named(LIMITS).fields)


class _Reader:
    def __init__(self, document: Document, server: Server) -> None:
        self.tree: Node = document.tree
        self.document = document
        self.server = server
        self.schemas = Schemas(document.tree)
        self.described: set[str] = set()

    def read(self, plans: tuple[Plan, ...]) -> Reference:
        info = self.tree["info"]
        description, notes = split_notes(info.get("description", ""))
        scheme = self.tree["components"]["securitySchemes"]["api_key"]
        authentication, authentication_notes = split_notes(scheme.get("description", ""))
        operations = [self._operation(one.id) for one in self.document.operations.values()]
        errors = self._errors()
        events = tuple(self._events())
        return Reference(
            title=info["title"],
            version=info["version"],
            summary=info["summary"],
            description=description,
            notes=notes,
            authentication=authentication,
            authentication_notes=authentication_notes,
            chapters=tuple(self._chapters(operations)),
            shared_headers=_shared(
                field
                for one in operations
                if one.cost is not None
                for field in one.parameters
                if field.place == "header"
            ),
            error=self.schemas.object_named(ERROR),
            errors=errors,
            error_objects=self._objects(field.of for error in errors for field in error.fields),
            headers=self._headers(),
            events=events,
            event_headers=_shared(field for event in events for field in event.headers),
            event_objects=self._objects(field.of for event in events for field in event.fields),
            limits=self.schemas.object_named(LIMITS).fields,
            plans=plans,
            server=self.server,
        )

    def _chapters(self, operations: list[Operation]) -> Iterator[Chapter]:
        described = {tag["name"]: tag.get("description", "") for tag in self.tree.get("tags", ())}
        for name in dict.fromkeys([*described, *(operation.tag for operation in operations)]):
            own = [operation for operation in operations if operation.tag == name]
            services = tuple(operation for operation in own if operation.cost is not None)
            free = tuple(operation for operation in own if operation.cost is None)
            if own:
                objects = self._objects(name for operation in own for name in _names_in(operation))
                yield Chapter(f"tag-{slug(name)}", name, described.get(name, ""), services, free, objects)

    def _objects(self, names: Iterable[str | None]) -> tuple[Object, ...]:
        """The objects of these names and what they consist of, unless they have been described already."""
        below = [part for name in names if name for part in self.schemas.objects_below(name)]
        new = [name for name in dict.fromkeys(below) if name not in self.described]
        self.described |= set(new)
        return tuple(self.schemas.object_named(name) for name in new)

    def _operation(self, operation_id: str) -> Operation:
        known = self.document.operations[operation_id]
        node = self.tree["paths"][known.path][known.method.lower()]
        description, notes = split_notes(node.get("description", ""))
        parameters = tuple(self.schemas.parameter(one) for one in node.get("parameters", ()))
        successes = [(status, response) for status, response in self._responses(node) if status < "300"]
        content = successes[0][1].get("content", {}) if successes else {}
        answer = self._answer(content)
        call = self._call(known, parameters, answer) if known.is_authenticated else None
        return Operation(
            id=known.id,
            anchor=slug(known.id),
            tag=next(iter(node.get("tags", ())), UNTAGGED),
            method=known.method,
            path=known.path,
            title=known.summary,
            description=description,
            notes=notes,
            cost=known.cost,
            is_authenticated=known.is_authenticated,
            is_for_operators=OPERATORS in node.get("tags", ()),
            parameters=parameters,
            body=self._body(node),
            is_form=FORM in self.schemas.resolve(node.get("requestBody", {})).get("content", {}),
            requests=tuple(self._requests(node, call)) if call else (),
            answer=answer,
            answer_types=tuple(content),
            answers=tuple(one for status, response in successes for one in self._examples(response, status)),
        )

    def _body(self, node: Node) -> tuple[Field, ...]:
        content = self.schemas.resolve(node.get("requestBody", {})).get("content", {})
        return next((self.schemas.fields(media["schema"]) for media in content.values()), ())

    def _answer(self, content: Node) -> Object | None:
        reference = content.get(JSON, {}).get("schema", {}).get("$ref")
        return self.schemas.object_named(reference.rpartition("/")[2]) if reference else None

    def _call(self, known: contract.Operation, parameters: tuple[Field, ...], answer: Object | None) -> Call:
        """The call without its body: what has to be sent, taken from the examples of the parameters."""
        needed = {place: _needed(parameters, place) for place in ("path", "query", "header")}
        path = known.path
        for name, value in needed["path"].items():
            path = path.replace(f"{{{name}}}", quote(value))
        query = f"?{urlencode(needed['query'])}" if needed["query"] else ""
        return Call(
            method=known.method,
            url=f"{self.server.address}{path}{query}",
            headers=tuple(needed["header"].items()),
            result=answer.fields[0].name if known.is_service and answer and answer.fields else None,
            timeout_seconds=self.server.job_seconds + PATIENCE_SECONDS if known.is_service else PATIENCE_SECONDS,
        )

    def _requests(self, node: Node, call: Call) -> Iterator[Request]:
        body = self.schemas.resolve(node.get("requestBody", {}))
        if not body:
            yield Request("", call)
        for example in body.get("content", {}).get(JSON, {}).get("examples", {}).values():
            yield Request(example.get("summary", ""), replace(call, body=self._here(example["value"])))
        for example in body.get("content", {}).get(FORM, {}).get("examples", {}).values():
            yield Request(example.get("summary", ""), replace(call, files=example["value"]))

    def _examples(self, node: Node, status: str = "") -> Iterator[Example]:
        """The JSON that a response or a request shows."""
        for example in node.get("content", {}).get(JSON, {}).get("examples", {}).values():
            yield Example(example.get("summary", ""), status, _pretty(self._here(example["value"])))

    def _here(self, value: Any) -> Any:
        """An example in which links lead to this server."""
        match value:
            case str() if value.startswith(EXAMPLE_ADDRESS):
                return self.server.address + value.removeprefix(EXAMPLE_ADDRESS)
            case Mapping():
                return {name: self._here(one) for name, one in value.items()}
            case list():
                return [self._here(one) for one in value]
            case _:
                return value

    def _responses(self, node: Node) -> Iterator[tuple[str, Node]]:
        for status, response in node.get("responses", {}).items():
            yield str(status), self.schemas.resolve(response)

    def _all_responses(self) -> list[tuple[str, Node]]:
        nodes = [self.tree["paths"][one.path][one.method.lower()] for one in self.document.operations.values()]
        return [response for node in nodes for response in self._responses(node)]

    def _errors(self) -> tuple[ErrorCode, ...]:
        """Every error that any operation can answer, once, by status."""
        found: dict[str, list[tuple[str, Node, Node]]] = {}
        for status, response in self._all_responses():
            media = response.get("content", {}).get(JSON)
            for schema in self.schemas.variants(media["schema"]) if media and status >= "400" else ():
                found.setdefault(schema["properties"]["code"]["const"], []).append((status, media, schema))
        errors = [self._error(code, places) for code, places in found.items()]
        return tuple(sorted(errors, key=lambda error: error.statuses))

    def _error(self, code: str, places: list[tuple[str, Node, Node]]) -> ErrorCode:
        always = {field.name for field in self.schemas.object_named(ERROR).fields}
        schema = places[0][2]
        return ErrorCode(
            code=code,
            anchor=f"error-{slug(code)}",
            statuses=tuple(sorted({status for status, _, _ in places})),
            title=schema.get("title", code),
            description=schema.get("description", ""),
            fields=tuple(field for field in self.schemas.fields(schema) if field.name not in always),
            example=next((text for _, media, _ in places for text in _examples_of(media, code)), ""),
        )

    def _headers(self) -> tuple[Header, ...]:
        """Every header of an answer; where it is described in several ways, as in most answers."""
        found: dict[str, list[tuple[str, Node]]] = {}
        responses = self._all_responses()
        for status, response in responses:
            for name, node in response.get("headers", {}).items():
                found.setdefault(name, []).append((status, self.schemas.resolve(node)))
        return tuple(_header(name, nodes, len(nodes) == len(responses)) for name, nodes in found.items())

    def _events(self) -> Iterator[Event]:
        """What is told to webhooks, then what to the URL that a call names."""
        for name, item in self.tree.get("webhooks", {}).items():
            yield self._event(name, item["post"])
        for callback in self.tree["components"].get("callbacks", {}).values():
            for expression, item in callback.items():
                yield self._event(expression.rpartition("/")[2].rstrip("}"), item["post"])

    def _event(self, name: str, node: Node) -> Event:
        body = self.schemas.resolve(node.get("requestBody", {}))
        return Event(
            name=name,
            anchor=f"event-{slug(name)}",
            title=node.get("summary", name),
            description=node.get("description", ""),
            headers=tuple(self.schemas.parameter(one) for one in node.get("parameters", ())),
            fields=self._body(node),
            examples=tuple(self._examples(body)),
        )


def _names_in(operation: Operation) -> Iterator[str | None]:
    """The objects that a reader of the operation asks for. The answer of a service stands with the service."""
    if operation.answer and operation.cost is None and not operation.is_for_operators:
        yield operation.answer.name
    yield from (field.of for field in operation.body)
    if operation.answer and operation.cost is not None:
        yield from (field.of for field in operation.answer.fields)


def _needed(parameters: tuple[Field, ...], place: str) -> dict[str, str]:
    return {one.name: one.example or one.name for one in parameters if one.place == place and one.is_required}


def _shared(fields: Iterable[Field]) -> tuple[Field, ...]:
    """What several operations have, each once."""
    return tuple({field.name: field for field in fields}.values())


def _header(name: str, nodes: list[tuple[str, Node]], is_everywhere: bool) -> Header:
    descriptions = Counter(node.get("description", "") for _, node in nodes)
    example = next((as_text(node["example"]) for _, node in nodes if "example" in node), None)
    statuses = tuple(sorted({status for status, _ in nodes}))
    return Header(name, descriptions.most_common(1)[0][0], example, statuses, is_everywhere)


def _examples_of(media: Node, code: str) -> list[str]:
    values = [example["value"] for example in media.get("examples", {}).values()]
    return [_pretty(value) for value in values if value.get("code") == code]


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
