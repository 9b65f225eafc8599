"""The document itself: complete, true of its own examples, and the same as the routes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from aiops.app import create_app
from aiops.contract.document import DEFAULT_PATH, ContractError, Document, api_document
from aiops.contract.router import routes_of
from tests.fixtures.service import Service

DOCUMENT = api_document()
SCHEMAS: dict[str, dict[str, Any]] = DOCUMENT.tree["components"]["schemas"]


def walk(node: Any, pointer: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object of the document with its pointer."""
    if isinstance(node, dict):
        yield pointer, node
        for name, child in node.items():
            yield from walk(child, f"{pointer}/{name}")
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from walk(child, f"{pointer}/{index}")


def fields() -> list[tuple[str, dict[str, Any]]]:
    """Every field of every component, by pointer."""
    return [
        (f"{pointer}/{name}", field)
        for pointer, node in walk(SCHEMAS, "#/components/schemas")
        if isinstance(node.get("properties"), dict)
        for name, field in node["properties"].items()
    ]


def validate(schema: dict[str, Any], value: Any) -> None:
    whole = {"components": DOCUMENT.tree["components"], **schema}
    jsonschema_rs.Draft202012Validator(whole, validate_formats=True).validate(value)


def test_the_routes_are_those_of_the_document(sqlite_service: Service) -> None:
    described = {(operation.method, operation.path) for operation in DOCUMENT.operations.values()}
    assert routes_of(create_app(sqlite_service.runtime)) == described


def test_every_field_has_a_label_and_help() -> None:
    bare = [
        pointer for pointer, field in fields() if "$ref" not in field and not {"title", "description"} <= field.keys()
    ]
    assert bare == []


def test_every_field_of_a_request_and_a_result_has_an_example() -> None:
    named = [name for name in SCHEMAS if name.endswith(("Request", "Result"))] + ["Receipt", "Job", "Account"]
    bare = [
        f"{name}.{field}"
        for name in named
        for field, schema in SCHEMAS[name]["properties"].items()
        if not schema.keys() & {"examples", "$ref", "anyOf"}
    ]
    assert bare == []


def test_every_string_number_and_list_has_a_limit() -> None:
    limits = {"string": "maxLength", "integer": "maximum", "number": "maximum", "array": "maxItems"}
    limitless = [
        pointer
        for pointer, field in fields()
        for kind in ([field.get("type")] if isinstance(field.get("type"), str) else field.get("type", []))
        if kind in limits and limits[kind] not in field
        if not field.keys() & {"const", "enum", "oneOf"} and field.get("format") != "date-time"
    ]
    assert limitless == []


EXAMPLES = [
    (f"{pointer}/{name}", node["schema"], example["value"])
    for pointer, node in walk(DOCUMENT.tree)
    if "schema" in node and isinstance(node.get("examples"), dict)
    for name, example in node["examples"].items()
]
FIELD_EXAMPLES = [(pointer, field, value) for pointer, field in fields() for value in field.get("examples", ())]


@pytest.mark.parametrize(
    ("pointer", "schema", "value"), EXAMPLES + FIELD_EXAMPLES, ids=[one[0] for one in EXAMPLES + FIELD_EXAMPLES]
)
def test_every_example_is_valid(pointer: str, schema: dict[str, Any], value: Any) -> None:
    validate(schema, value)


def test_every_operation_and_error_has_an_example() -> None:
    bare = [
        pointer
        for pointer, node in walk(DOCUMENT.tree)
        if pointer.endswith("/application/json")
        if "examples" not in node
    ]
    assert bare == []


def test_the_tips_of_the_reference_page_are_there() -> None:
    text = " ".join(DEFAULT_PATH.read_text().split())
    for tip in (
        "`1:1` for profile pictures, `9:16` for mobile wallpapers and `16:9` for desktop",
        "Carter and James are male, Emily and Sarah female. Carter and Emily speak a neutral American English",
        "James is deeper, Sarah softer",
        "The source must be a direct public URL",
        "or an uploaded file",
    ):
        assert tip in text


@pytest.mark.parametrize(
    ("pointer", "word"), [("/api/account", "x-credit"), ("/health", "x-connector-exlude")], ids=["price", "exclusion"]
)
def test_an_unknown_word_is_refused(tmp_path: Path, pointer: str, word: str) -> None:
    tree = json.loads(DOCUMENT.as_json)
    tree["paths"][pointer]["get"][word] = 5
    path = tmp_path / "aiops.yaml"
    path.write_text(yaml.safe_dump(tree))
    with pytest.raises(ContractError, match=f"#/paths/{pointer}/get/{word} is not a word of openapi/README.md"):
        Document(path)


def test_a_document_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    path = tmp_path / "aiops.yaml"
    path.write_text("paths: [")
    with pytest.raises(ContractError, match="cannot be read"):
        Document(path)
