"""`openapi/aiops.yaml`, the one description of the API: loaded once, served as it stands, and asked what it says."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

METHODS = ("get", "post", "put", "patch", "delete")
WORDS = frozenset(
    {
        "x-credits",
        "x-connector-account-label",
        "x-connector-advanced",
        "x-connector-credits-left",
        "x-connector-check",
        "x-connector-exclude",
        "x-connector-file",
        "x-connector-job",
        "x-connector-key-prefix",
        "x-connector-multiline",
        "x-connector-options",
        "x-connector-triggers",
        "x-connector-waits-for",
    }
)
_FREE_FORM = frozenset({"example", "examples", "default", "const", "enum"})
_PATH_PARAMETER = re.compile(r"\{(\w+)\}")

_PACKAGED = Path(__file__).with_name("aiops.yaml")
_IN_REPOSITORY = Path(__file__).parents[3] / "openapi" / "aiops.yaml"
DEFAULT_PATH = _PACKAGED if _PACKAGED.exists() else _IN_REPOSITORY


class ContractError(Exception):
    """The document, the handlers and the generated models do not belong together. The message is one clear line."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a field that is chosen from a list."""

    value: str
    title: str
    description: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class Operation:
    """One API call, as the document describes it. `cost` in credits; None where the call is free and is no job.
    `success` is the first status that says so, and `response_schema` what is answered with it."""

    id: str
    method: str
    path: str
    summary: str
    cost: int | None
    is_authenticated: bool
    path_parameters: tuple[str, ...]
    has_query: bool
    request_schema: str | None
    success: int
    response_schema: str | None

    @property
    def is_service(self) -> bool:
        return self.cost is not None

    def matches(self, path: str) -> bool:
        """Whether a request's path is this operation's."""
        pattern = "".join(
            "[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", self.path)
        )
        return re.fullmatch(pattern, path) is not None


class Document:
    """An OpenAPI 3.1 document.

    Raises:
        ContractError: it cannot be read, lacks what every operation needs, or uses an unknown `x-` word.
    """

    def __init__(self, path: Path = DEFAULT_PATH) -> None:
        self.path = path
        try:
            self.source = path.read_bytes()
            self.tree: dict[str, Any] = yaml.load(self.source, Loader=yaml.CSafeLoader)
        except (OSError, yaml.YAMLError) as error:
            raise ContractError(f"{path} cannot be read: {error}") from error
        for pointer in _unknown_words(self.tree, "#"):
            raise ContractError(f"{path.name}: {pointer} is not a word of openapi/README.md.")
        self.operations: Mapping[str, Operation] = {operation.id: operation for operation in self._read_operations()}

    @cached_property
    def as_json(self) -> bytes:
        return json.dumps(self.tree, ensure_ascii=False).encode()

    def choices(self, operation: Operation, field: str) -> tuple[Choice, ...]:
        """The values of a field of an operation's body; empty where it has no such field."""
        if operation.request_schema is None:
            return ()
        schema = self.tree["components"]["schemas"][operation.request_schema]["properties"].get(field, {})
        return tuple(
            Choice(one["const"], one["title"], one.get("description", ""), one["const"] == schema.get("default"))
            for one in schema.get("oneOf", ())
        )

    @cached_property
    def job_results(self) -> frozenset[str]:
        """The schemas that the result of a job can have."""
        result = self.tree["components"]["schemas"]["Job"]["properties"]["result"]
        return frozenset(one["$ref"].rpartition("/")[2] for one in result["anyOf"] if "$ref" in one)

    @cached_property
    def events(self) -> Mapping[str, dict[str, Any]]:
        """What can be told to webhooks, by type, with an example of its `data`."""
        return {
            event_type: self._first_example(item["post"]["requestBody"])["data"]
            for event_type, item in self.tree.get("webhooks", {}).items()
        }

    def methods_of(self, path: str) -> list[str]:
        """What a path can be called with, for 405; empty where there is no such path."""
        methods = {operation.method for operation in self.operations.values() if operation.matches(path)}
        return sorted(methods | ({"HEAD"} if "GET" in methods else set()))

    def _read_operations(self) -> Iterator[Operation]:
        for path, item in self.tree["paths"].items():
            for method in METHODS:
                if method in item:
                    yield self._read_operation(path, method, item[method])

    def _read_operation(self, path: str, method: str, node: dict[str, Any]) -> Operation:
        if "operationId" not in node or "summary" not in node:
            raise ContractError(f"{self.path.name}: {method.upper()} {path} has no operationId or no summary.")
        security = node.get("security", self.tree.get("security", []))
        parameters = [self._resolve(parameter) for parameter in node.get("parameters", ())]
        success = min(status for status in node["responses"] if status.startswith("2"))
        return Operation(
            id=node["operationId"],
            method=method.upper(),
            path=path,
            summary=node["summary"],
            cost=node.get("x-credits"),
            is_authenticated=any("api_key" in requirement for requirement in security),
            path_parameters=tuple(_PATH_PARAMETER.findall(path)),
            has_query=any(parameter["in"] == "query" for parameter in parameters),
            request_schema=_schema_name(node.get("requestBody", {})),
            success=int(success),
            response_schema=_schema_name(node["responses"][success]),
        )

    def _first_example(self, body: dict[str, Any]) -> dict[str, Any]:
        examples = body["content"]["application/json"]["examples"]
        return dict(next(iter(examples.values()))["value"])

    def _resolve(self, node: dict[str, Any]) -> dict[str, Any]:
        reference = node.get("$ref")
        if reference is None:
            return node
        found: Any = self.tree
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        return dict(found)


@cache
def api_document() -> Document:
    """That of the API which is served, read once in a process.

    Raises:
        ContractError: it cannot be used.
    """
    return Document()


def _schema_name(node: dict[str, Any]) -> str | None:
    """The component that a JSON body is described by; None where there is no JSON, or no component."""
    schema = node.get("content", {}).get("application/json", {}).get("schema", {})
    reference: str | None = schema.get("$ref")
    return reference.rpartition("/")[2] if reference else None


def _unknown_words(node: Any, pointer: str, *, are_names: bool = False) -> Iterator[str]:
    """Pointers of the `x-` members nobody knows: a typing error would otherwise be a price that is silently absent.

    `are_names` says that the members of `node` are names (of fields), not words.
    """
    if isinstance(node, list):
        for index, item in enumerate(node):
            yield from _unknown_words(item, f"{pointer}/{index}")
    if not isinstance(node, dict):
        return
    for name, child in node.items():
        if not are_names and name in _FREE_FORM:
            continue
        if not are_names and str(name).startswith("x-") and name not in WORDS:
            yield f"{pointer}/{name}"
        yield from _unknown_words(child, f"{pointer}/{name}", are_names=not are_names and name == "properties")
