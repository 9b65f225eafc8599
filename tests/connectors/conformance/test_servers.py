"""An operation with a server of its own is called there, on each platform."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiops_connect import ir
from aiops_connect.discovery import discover
from aiops_connect.writer import write
from tests.connectors.conformance import node
from tests.fixtures.documents import app_of, document
from tests.fixtures.publisher import PUBLISHER

PREFIX = "https://api.example"
THINGS = {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "string"}}}}
LIST = {"operationId": "list_far", "items": "", "value": "/id", "label": "/id"}
ADDRESSES = {
    "/things": f"{PREFIX}/v1/things",
    "/far": "https://eu.far.example/v2/far",
    "/near": f"{PREFIX}/v3/near",
    "/top": f"{PREFIX}/top",
    "/checks": "https://check.example/checks",
}


def answered(schema: dict[str, Any]) -> dict[str, Any]:
    return {"200": {"description": "It.", "content": {"application/json": {"schema": schema}}}}


def app() -> ir.App:
    far = {"url": "https://{region}.far.example/v2", "variables": {"region": {"default": "eu", "enum": ["eu", "us"]}}}
    choice = {"type": "string", "x-connector-options": LIST}
    act = {"operationId": "act", "parameters": [{"name": "kind", "in": "query", "schema": choice}]}
    paths = {
        "/things": {"post": {**act, "responses": {"204": {"description": "Done."}}}},
        "/far": {"servers": [far], "get": {"operationId": "list_far", "responses": answered(THINGS)}},
        "/near": {"get": {"operationId": "get_near", "servers": [{"url": "/v3"}], "responses": answered(THINGS)}},
        "/top": {"get": {"operationId": "get_top", "servers": [{"url": "/"}], "responses": answered(THINGS)}},
        "/checks": {
            "get": {
                "operationId": "check",
                "servers": [{"url": "https://check.example/"}],
                "x-connector-check": True,
                "responses": answered({"type": "object", "properties": {"name": {"type": "string"}}}),
            }
        },
    }
    schemes = {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}}
    return app_of(document(paths, servers=[{"url": f"{PREFIX}/v1"}], components=schemes, security=[{"key": []}]))


def rendered(platform: str, folder: Path) -> Path:
    write(folder, discover()[platform].emit(app(), PUBLISHER).files)
    return folder


def test_n8n(tmp_path: Path) -> None:
    asked = [[operation.id, 200, {}] for operation in app().operations]
    outcomes = node.run("n8n.mjs", rendered("n8n", tmp_path), asked)["outcomes"]
    assert sorted(one["url"] for one in outcomes) == sorted(ADDRESSES.values())


def test_zapier(tmp_path: Path) -> None:
    """With the credentials, also to servers of their own."""
    folder = rendered("zapier", tmp_path)
    plans = node.run("zapier.mjs", folder, [])["plans"]
    steps = [(kind, key) for kind in ("creates", "searches", "triggers") for key in plans[kind]]
    outcomes = node.run("zapier.mjs", folder, [[*step, {}, 200, []] for step in steps])["outcomes"]
    assert sorted(one["url"] for one in outcomes) == sorted(ADDRESSES.values())
    assert all(one["isOwn"] for one in outcomes)


def test_make(tmp_path: Path) -> None:
    """Also where a list is fetched and where a connection is tested."""
    folder = rendered("make", tmp_path)
    base = json.loads(next(folder.rglob("base*.iml.json")).read_text())["baseUrl"]
    blocks = [json.loads(path.read_text()) for path in sorted(folder.rglob("*communication*.iml.json"))]
    called = [url if "://" in url else f"{base}{url}" for block in blocks for url in urls(block) if "{{" not in url]
    assert sorted(called) == sorted([*ADDRESSES.values(), ADDRESSES["/far"], ADDRESSES["/checks"]])


def urls(block: Any) -> Iterator[str]:
    for one in block if isinstance(block, list) else [block]:
        if "url" in one:
            yield one["url"]


def test_an_address_is_no_expression_in_make(tmp_path: Path) -> None:
    hostile = ir.Server("https://a.example/{v}", variables=(ir.ServerVariable("v", "{{connection.key}}"),))
    known = app()
    operations = tuple(replace(one, servers=(hostile,)) for one in known.operations)
    resources = tuple(replace(one, operations=operations) for one in known.resources[:1])
    emitted = discover()["make"].emit(replace(known, servers=(hostile,), resources=resources), PUBLISHER)
    texts = [file.data.decode() for file in emitted.files if file.path.endswith(".iml.json")]
    assert not [text for text in texts if "a.example/{{connection" in text]
