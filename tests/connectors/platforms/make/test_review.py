"""The rules of Make's review: ours keep them all, and each of them finds what breaks it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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
        *steps, last = [int(step) if step.lstrip("-").isdecimal() else step for step in pointer.split("/")]
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

TRIGGER = {"url": "/things", "response": {"trigger": {"type": "id", "id": "{{item.id}}", "order": "asc"}}}
EPOCH = {"response": {"limit": 300, "output": {"label": "{{item.name}}", "date": "{{item.at}}"}}}

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

KEY = "connections/api-key/api-key"
UNIVERSAL = code("make-api-call", "mappable-params")
JOBS = code("list-jobs", "communication")
HOOK = "webhooks/watch-credits-low-hook/watch-credits-low-hook"
ATTACH = f"{HOOK}.attach.iml.json"


def verified_by(condition: str) -> Callable[[Files], None]:
    """A webhook that keeps a token of its answer, and takes calls on this condition."""

    def change(files: Files) -> None:
        files[f"{HOOK}.communication.iml.json"]["condition"] = condition
        files[ATTACH]["response"]["data"] = {"token": "{{body.hook.`the-token`}}", "external_id": "{{body.id}}"}

    return change


FINISHED = "webhooks/watch-job-finished-hook/watch-job-finished-hook.communication.iml.json"


def dates_in_an_array(files: Files) -> None:
    spec = [{"name": "at", "type": "date", "label": "At"}]
    files[code("get-account", "interface")].append({"name": "calls", "type": "array", "label": "Calls", "spec": spec})


MORE_BROKEN = [
    ("R1", "not encrypted", put(BASE, "baseUrl", "http://aiops.example")),
    ("R2", "none", take(MANIFEST, f"{MODULES}/makeApiCall")),
    ("R2", "a method of its own", put(code("make-api-call", "communication"), "method", "GET")),
    ("R2", "no example", put(UNIVERSAL, "0/help", "Enter a path.")),
    ("R2", "no default method", take(UNIVERSAL, "1/default")),
    ("R2", "other pairs", put(UNIVERSAL, "2/spec/0/name", "header")),
    ("R3", "a test", add("module", "testThings", {"moduleType": "action"})),
    ("R4", "no such module", put("modules/groups.json", "1/modules/0", "nothing")),
    ("R4", "another last", put("modules/groups.json", "-1/label", "More")),
    ("R4", "no groups", put(MANIFEST, "generalCodeFiles/groups", None)),
    ("R5", "the wrong header is hidden", put(BASE, "log/sanitize", ["request.headers.x-authorization"])),
    ("R5", "the secret of a webhook", put(ATTACH, "log/sanitize", ["request.headers.authorization"])),
    ("R5", "the secret that a header repeats", verified_by("{{headers.`x-token` == webhook.token}}")),
    ("R6", "no status", put(BASE, "response/error/message", "{{ifempty(body.error, 'It failed')}}")),
    (
        "R6",
        "nothing of the API",
        put(BASE, "response/error/message", "[{{statusCode}}] {{ifempty(temp.a, 'It failed')}}"),
    ),
    ("R6", "no fallback", put(BASE, "response/error/message", "[{{statusCode}}] {{body.error}}")),
    (
        "R6",
        "the whole body, in a function",
        put(BASE, "response/error/message", "[{{statusCode}}] {{ifempty(createJSON(body), body.a)}}"),
    ),
    (
        "R7",
        "in a webhook",
        take(ATTACH, "response/error/429"),
    ),
    ("R8", "the key is in the log", put(f"{KEY}.communication.iml.json", "log/sanitize", [])),
    ("R8", "the key is not sent", take(f"{KEY}.communication.iml.json", "headers/authorization")),
    ("R8", "nobody's name", take(f"{KEY}.communication.iml.json", "response/metadata")),
    ("R8", "no secret", put(f"{KEY}.params.iml.json", "0/type", "text")),
    ("R8", "no link", put(f"{KEY}.params.iml.json", "0/help", "Your key.")),
    ("R8", "not editable", take(f"{KEY}.params.iml.json", "0/editable")),
    ("R9", "no full stop", put(MANIFEST, f"{MODULES}/getAccount/description", "Gets the account")),
    ("R9", "not what it does", put(MANIFEST, f"{MODULES}/getAccount/description", "Get the account.")),
    ("R9", "title case", put(MANIFEST, f"{MODULES}/getAccount/label", "Get The Account")),
    ("R9", "a verb alone", put(MANIFEST, f"{MODULES}/getAccount/label", "Get")),
    ("R9", "a trigger", put(MANIFEST, f"{MODULES}/watchCreditsLow/label", "See credits")),
    ("R11", "within", take(code("get-job", "samples"), "result/image_url")),
    ("R11", "another type", put(code("get-account", "samples"), "credits", "many")),
    ("R12", "pages", put(code("get-account", "communication"), "pagination", {})),
    ("R13", "too many", put(code("list-jobs", "mappable-params"), "4/default", 100)),
    ("R13", "not the last", lambda files: files[code("list-jobs", "mappable-params")].reverse()),
    ("R13", "sent to the API", put(JOBS, "qs/limit", "{{parameters.limit}}")),
    ("R13", "people page", put(code("list-jobs", "mappable-params"), "0/name", "page")),
    ("R14", "a query", put(code("get-account", "communication"), "url", "/api/account?a=b")),
    ("R14", "no slash", put(code("get-account", "communication"), "url", "api/account")),
    ("R15", "in a function", put(JOBS, "qs/created_from", "{{ifempty(parameters.created_from, undefined)}}")),
    ("R15", "put out as it is", put(code("get-job", "communication"), "response/output", "{{body}}")),
    ("R15", "nothing said of what is put out", take(JOBS, "response/output")),
    ("R15", "one of several", take(code("get-job", "communication"), "response/output/started_at")),
    ("R15", "chosen only", put(JOBS, "response/output/created_at", "{{ifempty(item.created_at, item.started_at)}}")),
    ("R15", "within, of a webhook", take(FINISHED, "output/data/created_at")),
    ("R15", "within an array", dates_in_an_array),
    ("R16", "an acronym", put(IMAGE, "0/label", "Prompt url")),
    ("R16", "too long", put(IMAGE, "0/label", "What you want drawn")),
    ("R16", "no sentence", put(IMAGE, "0/help", "What the image shows")),
    ("R16", "e.g.", put(IMAGE, "0/help", "What it shows, e.g. a boat.")),
    ("R16", "no such type", put(IMAGE, "0/type", "String")),
    ("R16", "a number without limits", take(code("list-jobs", "mappable-params"), "4/validate")),
    ("R16", "raw options", put(IMAGE, "1/options/0", {"label": "wide_image", "value": "wide_image"})),
    ("R16", "half a file", take(code("upload-file", "mappable-params"), "1/semantic")),
    ("R16", "order", lambda files: files[IMAGE].reverse()),
    ("R16", "advanced within", put(UNIVERSAL, "2/spec/0/advanced", value=True)),
    ("R16", "no button", take(UNIVERSAL, "2/labels")),
    ("R17", "within", put(code("get-job", "interface"), "6/spec/0/label", "")),
    ("R20", "no limit", take("rpcs/list-jobs-options/list-jobs-options.communication.iml.json", "response/limit")),
    ("R22", "no condition", take(code("generate-image", "communication"), "1/repeat/condition")),
    ("R25", "counted from 0", put(code("get-account", "communication"), "response/output", "{{body.data[0]}}")),
    ("R25", "a hyphen", put(code("get-account", "communication"), "response/output", "{{headers.content-type}}")),
    ("R25", "a literal", put(code("get-account", "communication"), "response/output", "{{ {} }}")),
    (
        "R27",
        "the oldest first",
        add("module", "watchThings", {"moduleType": "trigger"}, communication=TRIGGER, epoch=EPOCH),
    ),
]


def test_ours_keeps_them_all() -> None:
    assert review(read_source(OURS)) == []


def test_each_rule_has_a_fixture() -> None:
    assert list(BROKEN) == list(RULES) == [f"R{number}" for number in range(1, 28)]


CASES = [
    *(pytest.param(*row, id=row[0]) for row in BROKEN.items()),
    *(pytest.param(rule, change, id=f"{rule}: {why}") for rule, why, change in MORE_BROKEN),
]


@pytest.mark.parametrize(("rule", "change"), CASES)
def test_what_breaks_a_rule_is_found_by_it(rule: str, change: Callable[[Files], None]) -> None:
    files = read_source(OURS)
    change(files)
    assert {finding.rule for finding in review(files, [rule])} == {rule}


@pytest.mark.parametrize(
    "value", ["{{parseDate(body.created_at, 'X')}}", "{{addHours(body.created_at, 1)}}", "{{now}}", "{{temp.at}}", None]
)
def test_a_date_can_be_had_by_any_function(value: str | None) -> None:
    files = read_source(OURS)
    put(code("get-job", "communication"), "response/output/created_at", value)(files)
    assert review(files, ["R15"]) == []


@pytest.mark.parametrize("path", ["response.body.hook.`the-token`", "response.body.hook", "response.body"])
def test_a_secret_is_hidden_by_its_path_or_one_above(path: str) -> None:
    files = read_source(OURS)
    verified_by("{{headers.`x-token` = webhook.token & body.hook = webhook.external_id}}")(files)
    files[ATTACH]["log"]["sanitize"] = [path]
    assert review(files, ["R5"]) == []


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


def placed(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """All places in a JSON value."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [above, *(place for name, one in members for place in placed(one, (*above, name)))]


@settings(max_examples=150)
@given(st.data())
def test_an_app_that_is_wrong_anywhere_can_be_reviewed(data: st.DataObject) -> None:
    """Whatever stands in the place of something: there are findings or none, and never a crash."""
    files = read_source(OURS)
    path = data.draw(st.sampled_from(sorted(files)))
    place = data.draw(st.sampled_from(placed(files[path])))
    value: Any = data.draw(
        st.sampled_from([None, True, 3, "text", "{{", [], [1], ["a"], {}, {"a": 1}, [[{}]], {"name": []}])
    )
    if not place:
        files[path] = value
    else:
        *steps, last = place
        target = files[path]
        for step in steps:
            target = target[step]
        target[last] = value
    review(files)
