"""The rules of Make's review: ours keep them all, and each of them finds what breaks it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from aiops_connect.platforms.make.cli import app
from aiops_connect.platforms.make.review import RULES, read_source, review
from tests.connectors.platforms.make.rendered import OURS

BASE = "general/base.iml.json"
MANIFEST = "makecomapp.json"
Files = dict[str, Any]


def code(module: str, name: str) -> str:
    return f"modules/{module}/{module}.{name}.iml.json"


def put(path: str, pointer: str, value: Any) -> Callable[[Files], None]:
    """A change of one value in one file."""

    def change(files: Files) -> None:
        *steps, last = [int(step) if step.isdecimal() else step for step in pointer.split("/")]
        place = files[path]
        for step in steps:
            place = place[str(step) if isinstance(place, dict) else step]
        place[str(last) if isinstance(place, dict) else last] = value

    return change


def take(path: str, *pointers: str) -> Callable[[Files], None]:
    """Values taken out of one file."""

    def change(files: Files) -> None:
        for pointer in pointers:
            *steps, last = pointer.split("/")
            place = files[path]
            for step in steps:
                place = place[int(step) if isinstance(place, list) else step]
            del place[int(last) if isinstance(place, list) else last]

    return change


def add(kind: str, name: str, component: Files, **codes: Any) -> Callable[[Files], None]:
    """One more component."""

    def change(files: Files) -> None:
        paths = {key: f"{kind}s/{name}.{key}.iml.json" for key in codes}
        files[MANIFEST]["components"][kind][name] = {**component, "codeFiles": paths}
        files.update({paths[key]: content for key, content in codes.items()})

    return change


MODULES = "components/module"
IMAGE = code("generate-image", "mappable-params")
BANNER = {"name": "note", "type": "banner", "label": "Note", "theme": "info", "text": "Short."}

BROKEN = {
    "R1": put(BASE, "baseUrl", "https://dev.aiops.example"),
    "R2": put(code("make-api-call", "communication"), "url", "{{parameters.url}}"),
    "R3": put(code("get-account", "samples"), "email", "sk-abcdefghijklmnopqrstuvwxyz"),
    "R4": put("modules/groups.json", "1/modules", ["generateImage", "generateSpeech"]),
    "R5": take(BASE, "log"),
    "R6": put(BASE, "response/error/404/message", "[{{statusCode}}] {{body}}"),
    "R7": put(BASE, "response/error/429/type", "RuntimeError"),
    "R8": take("connections/api-key/api-key.communication.iml.json", "url"),
    "R9": put(MANIFEST, f"{MODULES}/listJobs/label", "List jobs"),
    "R10": add("module", "delete", {"moduleType": "action", "label": "Delete", "description": "Deletes."}),
    "R11": take(code("get-account", "samples"), "email"),
    "R12": put(code("get-account", "communication"), "response/iterate", "{{body.data}}"),
    "R13": take(code("list-jobs", "communication"), "response/limit"),
    "R14": put(code("get-job", "communication"), "url", "/api/jobs/{{parameters.job_id}}"),
    "R15": put(code("list-jobs", "communication"), "qs/created_from", "{{parameters.created_from}}"),
    "R16": put(IMAGE, "0/label", "The Prompt Of The Image"),
    "R17": put(code("get-account", "interface"), "0/label", "The Id"),
    "R18": put(code("get-account", "static-params"), "", None),
    "R19": put(code("get-account", "communication"), "response/output", "{{first(body.data)}}"),
    "R20": put(code("get-job", "mappable-params"), "0/type", "text"),
    "R21": put(IMAGE, "3/options/0/label", "black-forest-labs/FLUX.1-schnell"),
    "R22": take(code("generate-image", "communication"), "1/repeat/limit"),
    "R23": take(BASE, "timeout"),
    "R24": add("function", "shorten", {}, code={}),
    "R25": put(code("get-account", "communication"), "response/output", "{{append(body, 1)}}"),
    "R26": lambda files: files[IMAGE].append(BANNER),
    "R27": add("module", "watchThings", {"moduleType": "trigger"}, communication={"url": "/things"}),
}
BROKEN["R18"] = lambda files: files[code("get-account", "static-params")].append({"name": "a", "type": "text"})

ALSO_BROKEN = {
    "R2": take(MANIFEST, f"{MODULES}/makeApiCall"),
    "R13": put(code("list-jobs", "mappable-params"), "4/default", 100),
    "R25": put(code("get-account", "communication"), "response/output", "{{body.data[0]}}"),
    "R9": put(MANIFEST, f"{MODULES}/getAccount/description", "no full stop"),
    "R20": take("rpcs/list-jobs-options/list-jobs-options.communication.iml.json", "response/limit"),
}


def test_ours_keeps_them_all() -> None:
    assert review(read_source(OURS)) == []


def test_each_rule_has_a_fixture() -> None:
    assert list(BROKEN) == list(RULES) == [f"R{number}" for number in range(1, 28)]


@pytest.mark.parametrize(("rule", "change"), [*BROKEN.items(), *ALSO_BROKEN.items()])
def test_what_breaks_a_rule_is_found_by_it(rule: str, change: Callable[[Files], None]) -> None:
    files = read_source(OURS)
    change(files)
    assert {finding.rule for finding in review(files, [rule])} == {rule}


def test_the_command_tells_file_and_rule(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["review", str(OURS)])
    assert (result.exit_code, result.stdout) == (0, "")
    files = read_source(OURS)
    BROKEN["R22"](files)
    for path, content in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(json.dumps(content))
    result = CliRunner().invoke(app, ["review", str(tmp_path)])
    assert result.exit_code == 1
    assert result.stdout == (
        "modules/generate-image/generate-image.communication.iml.json: R22: "
        "A repeat has a condition, and a limit of at most 1000.\n"
    )
    assert CliRunner().invoke(app, ["review", str(tmp_path / "modules")]).exit_code == 3
