"""The package that is rendered: golden trees, and text of a document that stays text."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from aiops_connect import ir
from aiops_connect.openapi import parse, parse_file
from aiops_connect.platforms.n8n.emitter import EMITTER
from tests.connectors.openapi.test_jobs_and_triggers import JOB, NOT_OF_A_JOB, answer, jobs
from tests.fixtures.documents import app_of, with_operation
from tests.fixtures.n8n import ROOT
from tests.fixtures.publisher import PUBLISHER

FIXTURES = Path(__file__).parents[3] / "fixtures"
GOLDEN = Path(__file__).parents[3] / "golden" / "n8n" / "every_construct"
# What does not depend on the document is held by the tree of ours, which `make check` holds.
SAME_FOR_ALL = (
    "nodes/runtime/",
    "package-lock.json",
    "LICENSE.md",
    "CHANGELOG.md",
    "icons/",
    ".",
    "tsconfig",
    "eslint",
)


def every_construct() -> ir.App:
    parsed = parse_file(FIXTURES / "every_construct.yaml")
    assert parsed.problems == ()
    assert parsed.app is not None
    return parsed.app


def rendered(app: ir.App) -> dict[str, str]:
    emitted = EMITTER.emit(app, PUBLISHER)
    assert emitted.problems == ()
    return {file.path: file.data.decode() for file in emitted.files}


def test_a_document_with_every_construct_is_rendered_as_it_was() -> None:
    """Set UPDATE_GOLDEN=1 to accept what is rendered now, then read the difference."""
    files = {path: text for path, text in rendered(every_construct()).items() if not path.startswith(SAME_FOR_ALL)}
    if "UPDATE_GOLDEN" in os.environ:
        for path, text in files.items():
            (GOLDEN / path).parent.mkdir(parents=True, exist_ok=True)
            (GOLDEN / path).write_text(text)
    golden = {path.relative_to(GOLDEN).as_posix(): path.read_text() for path in GOLDEN.rglob("*") if path.is_file()}
    assert files == golden


@pytest.mark.parametrize("content", NOT_OF_A_JOB)
def test_a_job_whose_result_nobody_would_get_is_told(content: dict[str, Any]) -> None:
    """Its node would end with the answer that the work has begun, or with nothing, and the work is paid for."""
    responses = {"200": {"description": "It.", "content": content}, "202": answer(JOB)}
    (problem,) = EMITTER.emit(app_of(jobs(responses=responses)), PUBLISHER).problems
    assert problem.pointer == "#/paths/~1act/post"
    assert "whose result n8n would lose" in problem.message


def test_a_job_whose_result_is_asked_for_again_under_the_key_is_rendered() -> None:
    key = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"}}
    other = {"200": answer({"properties": {"advice": {"type": "string"}}}), "202": answer(JOB)}
    assert EMITTER.emit(app_of(jobs(responses=other, parameters=[key])), PUBLISHER).problems == ()


def test_it_is_rendered_the_same_twice() -> None:
    assert rendered(every_construct()) == rendered(every_construct())


def test_each_operation_is_a_step_and_a_call() -> None:
    app = every_construct()
    files = rendered(app)
    table = "".join(text for path, text in files.items() if "/operations/" in path)
    for operation in (*app.operations, *app.internal):
        assert f"id: '{operation.id}'," in table


HOSTILE = [
    "'); process.exit(1); ('",
    '"double" and `backtick` ${7 * 7}',
    "={{ $env.PATH }}",
    "=1+1",
    "{{ $json.secret }}",
    "*/ alert(1) /*",
    "in </script><img src=x onerror=alert(1)> out",
    "two\nlines\r\n\u2028and\u2029more",
    "\u202eright to left\u202c",
    "back\\slash \\' \\u0027",
    "{% raw %}{{ header }}{% endraw %}",
    "__proto__",
]


def hostile_document(text: str, tag: str | None = None) -> dict[str, Any]:
    """The text wherever a document can hold one."""
    schema = {
        "type": "object",
        "required": [text, "fixed"],
        "properties": {
            text: {"type": "string", "title": text, "description": text, "default": text, "examples": [text]},
            "choice": {"type": "string", "enum": [text, "other"], "default": text, "description": text},
            "fixed": {"const": text},
            "group": {"type": "object", "required": ["x"], "properties": {"x": {"type": "string", "title": text}}},
            "any": {"default": {text: text}, "description": text},
        },
    }
    operation = {
        "summary": text,
        "description": text,
        "tags": [tag or text],
        "parameters": [{"name": "q", "in": "query", "description": text, "schema": {"type": "string"}}],
        "requestBody": {"content": {"application/json": {"schema": schema}}},
        "responses": {"200": {"description": text}, "400": {"description": text}},
    }
    key = {"type": "apiKey", "in": "query", "name": text, "description": text}
    document = with_operation(operation, components={"securitySchemes": {"key": key}}, security=[{"key": []}])
    document["info"] |= {"title": text, "description": text}
    return document


def hostile_app(text: str, tag: str | None = None) -> ir.App:
    parsed = parse(hostile_document(text, tag))
    assert parsed.app is not None
    return parsed.app


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_a_document_is_always_in_quotes(text: str) -> None:
    """Beside the literals there is the same code, whatever the text. The compiler's word on it is in test_toolchain."""
    files, plain = rendered(hostile_app(text, "Things")), rendered(hostile_app("two words", "Things"))
    for path in ("nodes/Things/Things.node.ts", "nodes/Things/api.ts", "credentials/ThingsApi.credentials.ts"):
        assert code_of(files[path]) == code_of(plain[path])


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_document_becomes_an_expression(text: str) -> None:
    ours = {'={{ $parameter["operation"] + ": " + $parameter["resource"] }}'}
    for path, source in rendered(hostile_app(text)).items():
        if (path.startswith("nodes/Things/") and path.endswith("/act.ts")) or "/properties/" in path:
            assert [one for one in literals(source) if one.startswith("=") and one not in ours] == []


def code_of(source: str) -> str:
    """A file without what is in its quotes, and without the names that come of the tags."""
    found, rest = [], source.partition("\n")[2]
    while "'" in rest:
        before, _, rest = rest.partition("'")
        _, rest = _literal(rest)
        found.append(before)
    return "''".join([*found, rest]).replace("['']", "''")  # a computed name is in quotes too


def literals(source: str) -> Iterator[str]:
    rest = source.partition("\n")[2]
    while "'" in rest:
        _, _, rest = rest.partition("'")
        one, rest = _literal(rest)
        yield one


def _literal(rest: str) -> tuple[str, str]:
    """The literal that begins here, and what is after it."""
    place = 0
    while rest[place] != "'":
        assert rest[place] not in "\n\r\u2028\u2029"
        place += 2 if rest[place] == "\\" else 1
    return rest[:place], rest[place + 1 :]


def test_the_readme_names_the_n8n_that_the_package_is_tested_with() -> None:
    server = json.loads((ROOT / "tests" / "n8n" / "server" / "package.json").read_text())
    readme = rendered(every_construct())["README.md"]
    assert f"Tested with n8n {server['dependencies']['n8n']}." in readme


def test_the_manifest_is_what_n8n_verifies() -> None:
    manifest = json.loads(rendered(every_construct())["package.json"])
    assert (manifest["license"], manifest["n8n"]["strict"]) == ("MIT", True)
    assert "dependencies" not in manifest
    assert manifest["peerDependencies"] == {"n8n-workflow": "*"}
    assert manifest["files"] == ["dist"]
    lock = json.loads(rendered(every_construct())["package-lock.json"])
    assert lock["packages"][""]["devDependencies"] == manifest["devDependencies"]
    assert not any("resolved" in one for one in lock["packages"].values())


@pytest.mark.parametrize("token", ["", "npm_one"])
def test_a_tag_publishes_with_a_token_only_where_there_is_one(tmp_path: Path, token: str) -> None:
    """The first version takes one: npm knows no trusted publisher of what it does not have."""
    workflow = yaml.safe_load(rendered(every_construct())[".github/workflows/publish.yml"])
    job = workflow["jobs"]["publish"]
    assert job["permissions"]["id-token"] == "write"  # npm takes it for a statement of provenance
    publish = job["steps"][-1]
    assert publish["env"] == {"NPM_TOKEN": "${{ secrets.NPM_TOKEN }}"}
    npm = tmp_path / "npm"
    npm.write_text('#!/bin/sh\n[ "$2" = get ] && echo https://registry.example/ || echo "$@" >> called\n')
    npm.chmod(0o755)
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "NPM_TOKEN": token}
    subprocess.run(["bash", "-e", "-o", "pipefail", "-c", publish["run"]], cwd=tmp_path, env=env, check=True)
    login = [f"config set //registry.example/:_authToken {token}"] if token else []
    assert (tmp_path / "called").read_text().splitlines() == [*login, "run release"]
