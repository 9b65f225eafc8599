"""Documents made to take all time or memory: read or refused within bounds, by the command line that people use."""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.documents import OK, document, with_body

SECONDS_MAX = 30
MEMORY_BYTES_MAX = 1_500_000_000
TEXT = {"type": "string"}


def reference(name: object) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def in_components(schemas: dict[str, Any], body: Any) -> str:
    return json.dumps(with_body(body, components={"schemas": schemas}))


def doubling() -> str:
    """Written out, it would have 2 to the power of 200 fields."""
    schemas = {f"S{n}": {"properties": {"a": reference(f"S{n + 1}"), "b": reference(f"S{n + 1}")}} for n in range(200)}
    return in_components({**schemas, "S200": TEXT}, reference("S0"))


def doubling_shapes() -> str:
    schemas = {
        f"S{n}": {"oneOf": [reference(f"S{n + 1}"), {"allOf": [reference(f"S{n + 1}"), {"title": "x"}]}]}
        for n in range(200)
    }
    return in_components({**schemas, "S200": TEXT}, reference("S0"))


def everything_contains_everything() -> str:
    names = range(150)
    schemas = {f"S{n}": {"properties": {f"p{m}": reference(f"S{m}") for m in names}} for n in names}
    return in_components(schemas, {"properties": {f"p{m}": reference(f"S{m}") for m in names}})


def a_chain_of_references() -> str:
    schemas = {f"S{n}": reference(f"S{n + 1}") for n in range(50_000)}
    return in_components({**schemas, "S50000": TEXT}, reference("S0"))


def a_chain_of_all_of() -> str:
    schemas: dict[str, Any] = {f"S{n}": {"allOf": [reference(f"S{n + 1}")]} for n in range(20_000)}
    return in_components({**schemas, "S20000": TEXT}, reference("S0"))


def a_chain_of_shapes() -> str:
    schemas: dict[str, Any] = {f"S{n}": {"anyOf": [reference(f"S{n + 1}"), {"type": "null"}]} for n in range(20_000)}
    return in_components({**schemas, "S20000": TEXT}, reference("S0"))


def a_large_enum() -> str:
    return json.dumps(
        with_body({"properties": {f"p{n}": {"enum": [f"value {m}" for m in range(40_000)]} for n in range(5)}})
    )


def many_references() -> str:
    """72,500 of them, each to be read."""
    schemas = {f"S{n}": {"properties": {f"p{m}": reference("A") for m in range(290)}} for n in range(250)}
    return in_components({**schemas, "A": TEXT}, {"properties": {f"p{n}": reference(f"S{n}") for n in range(250)}})


def an_object_of_many_members() -> str:
    return in_components({"A": TEXT}, {"properties": {f"p{n}": reference("A") for n in range(100_000)}})


def too_many_references() -> str:
    return in_components({}, {"allOf": [{"$ref": "#a"}] * 1_000_001})


def many_operations_of_one_large_schema() -> str:
    large = {"properties": {f"p{n}": {"properties": {f"q{m}": TEXT for m in range(20)}} for n in range(100)}}
    answer = {"description": "It.", "content": {"application/json": {"schema": reference("Large")}}}
    paths = {
        f"/p{n}": {"get": {"operationId": f"o{n}", "responses": {"200": answer, **OK, "201": answer}}}
        for n in range(300)
    }
    return json.dumps(document(paths, components={"schemas": {"Large": large}}))


def a_yaml_bomb() -> str:
    lines = ["openapi: 3.1.0", "a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 10)}]" for n in range(20)]
    return "\n".join(lines)


def deep_nesting() -> str:
    return '{"openapi": "3.1.0", "paths": ' + "[" * 1_000_000


def deep_schemas() -> str:
    schema: dict[str, Any] = TEXT
    for _ in range(40):
        schema = {"properties": {"a": schema}}
    return json.dumps(with_body(schema))


def a_pattern_of_names() -> str:
    return json.dumps(with_body({"properties": {"A" * 200_000 + "!": TEXT, "_" * 200_000: TEXT, "aA" * 100_000: TEXT}}))


def prototypes() -> str:
    properties = {
        name: {**TEXT, "description": name} for name in ("__proto__", "constructor", "toString", "hasOwnProperty")
    }
    return json.dumps(with_body({"properties": properties, "default": {"__proto__": {"polluted": True}}}))


DOCUMENTS: list[tuple[Callable[[], str], str]] = [
    (doubling, "0 problems"),
    (doubling_shapes, "0 problems"),
    (everything_contains_everything, "0 problems"),
    (a_chain_of_references, "More than 1000 schemas hold for this one value"),
    (a_chain_of_all_of, "More than 1000 schemas hold for this one value"),
    (a_chain_of_shapes, "0 problems"),
    (a_large_enum, "0 problems"),
    (many_references, "0 problems"),
    (an_object_of_many_members, "0 problems"),
    (too_many_references, "more than 1,000,000 values"),
    (many_operations_of_one_large_schema, "0 problems"),
    (a_yaml_bomb, "more than 1,000,000 values"),
    (deep_nesting, "nested more than 100 levels deep"),
    (deep_schemas, "0 problems"),
    (a_pattern_of_names, "0 problems"),
    (prototypes, "0 problems"),
]


def bound() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS_MAX, SECONDS_MAX))


@pytest.mark.parametrize(("make", "expected"), DOCUMENTS, ids=[make.__name__ for make, _ in DOCUMENTS])
def test_a_hostile_document_is_read_or_refused_within_bounds(
    tmp_path: Path, make: Callable[[], str], expected: str
) -> None:
    path = tmp_path / ("api.yaml" if make in (a_yaml_bomb, deep_nesting) else "api.json")
    path.write_text(make())
    command = [sys.executable, "-m", "aiops_connect", "inspect", str(path)]
    started = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, preexec_fn=bound, check=False)
    assert expected in done.stdout + done.stderr, (done.returncode, done.stderr[-2000:])
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 1)
    print(f"{make.__name__}: {time.monotonic() - started:.1f} s")
