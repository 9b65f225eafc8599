"""The app as it is committed: the same at each rendering, and safe from what a document says."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aiops_connect.openapi import parse
from aiops_connect.platforms.zapier.emitter import EMITTER
from aiops_connect.platforms.zapier.package import PLATFORM
from tests.connectors.platforms.zapier.app_in_core import APP, running_app
from tests.connectors.platforms.zapier.test_documents import OURS, read
from tests.fixtures.publisher import PUBLISHER

HOSTILE = "'\"`*/ --> {{bundle.authData.api_key}} ${process.exit(1)} </script> \u202e\u2028 😀 \\ =1+1"


def test_it_is_what_would_be_rendered_now_and_again() -> None:
    app, publisher = read(OURS)
    first, second = EMITTER.emit(app, publisher), EMITTER.emit(app, publisher)
    assert first == second
    assert first.problems == ()
    assert {file.path: file.data for file in first.files} == {
        file.path: (APP / file.path).read_bytes() for file in first.files
    }


def test_it_needs_no_package_but_zapiers() -> None:
    package = json.loads((APP / "package.json").read_text())
    assert package["private"] is True
    assert package["dependencies"] == {"zapier-platform-core": PLATFORM}
    assert package["engines"] == {"node": ">=22"}


def test_it_names_no_host_but_those_of_the_publisher() -> None:
    """No telemetry, no stranger's address; and the lock file names no registry."""
    app, publisher = read(OURS)
    files = [file for file in EMITTER.emit(app, publisher).files if not file.path.startswith("test/")]
    told = [file.data.decode() for file in files if file.path.endswith((".js", ".json"))]
    lock = next(file.data.decode() for file in files if file.path == "package-lock.json")
    told.remove(lock)
    hosts = {host for text in told for host in re.findall(r"https?://([a-z0-9.-]+)", text)}
    assert {host for host in hosts if not host.endswith(".example")} == set()
    assert '"resolved"' not in lock


def test_no_service_of_money_is_a_step() -> None:
    app, publisher = read(OURS)
    paths = [file.path for file in EMITTER.emit(app, publisher).files]
    assert sorted(path for path in paths if path.startswith(("creates/", "searches/", "triggers/"))) == [
        "creates/cancel_job.json",
        "creates/generate_image.json",
        "creates/generate_speech.json",
        "creates/transcribe_audio.json",
        "creates/upload_file.json",
        "searches/find_account.json",
        "searches/find_job.json",
        "triggers/credits_low.json",
        "triggers/job_finished.json",
        "triggers/list_jobs.json",
    ]


def hostile() -> dict[str, Any]:
    """A document whose every text tries to be something else."""
    schema = {
        "type": "object",
        "title": HOSTILE,
        "required": ["__proto__", HOSTILE],
        "properties": {
            "__proto__": {"type": "string", "title": HOSTILE, "description": HOSTILE, "default": HOSTILE},
            HOSTILE: {"type": "string", "description": HOSTILE, "examples": [HOSTILE]},
            "choice": {"enum": [HOSTILE, "b"], "description": HOSTILE},
            "constructor": {"type": "object", "properties": {HOSTILE: {"type": "integer", "description": HOSTILE}}},
        },
    }
    body = {"content": {"application/json": {"schema": schema}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": HOSTILE, "version": HOSTILE, "description": HOSTILE},
        "servers": [{"url": "https://api.example"}],
        "tags": [{"name": HOSTILE, "description": HOSTILE}],
        "paths": {
            "/things/{id}": {
                "post": {
                    "operationId": f"act{HOSTILE}",
                    "summary": HOSTILE,
                    "description": HOSTILE,
                    "tags": [HOSTILE],
                    "parameters": [
                        {
                            "name": "id",
                            "in": "path",
                            "required": True,
                            "description": HOSTILE,
                            "schema": {"type": "string"},
                        }
                    ],
                    "requestBody": body,
                    "responses": {"200": {"description": HOSTILE, **body}},
                }
            }
        },
    }


async def test_text_of_a_document_is_only_ever_text(tmp_path: Path) -> None:
    """In no program, and in nothing that Zapier evaluates."""
    parsed = parse(hostile(), OURS)
    assert parsed.app is not None
    emitted = EMITTER.emit(parsed.app, PUBLISHER)
    for file in emitted.files:
        path = tmp_path / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.data)
        if file.path.endswith(".js"):
            assert "process.exit(1)" not in file.data.decode(), file.path
    (tmp_path / "node_modules").symlink_to(APP / "node_modules")
    async with running_app(tmp_path, {}) as running:
        definition = await running.definition()
        assert (await running.send({"command": "validate"})).results == []
    [line] = [line for line in (tmp_path / "README.md").read_text().splitlines() if " invoke create " in line]
    *command, entered, _, _ = shlex.split(line)
    assert command == ["npx", "zapier-platform", "invoke", "create", next(iter(definition["creates"])), "--inputData"]
    assert isinstance(json.loads(entered), dict)
    [step] = definition["creates"].values()
    texts = list(strings(step))
    assert [text for text in texts if "{{" in text or "}}" in text] == []
    assert any("😀" in text for text in texts)


def strings(value: Any) -> Iterator[str]:
    """All texts in a value, names of members among them."""
    if isinstance(value, str):
        yield value
    for inner in value.items() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
        yield from strings(inner)
