"""What is rendered of any document: files that fit together, expressions that parse, and text that stays text."""

import json
import re
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from aiops_connect import ir
from aiops_connect.emitter import GeneratedFile
from aiops_connect.openapi import parse
from aiops_connect.platforms.make import iml
from aiops_connect.platforms.make.emitter import EMITTER
from aiops_connect.platforms.make.errors import MESSAGE_LENGTH_MAX
from aiops_connect.platforms.make.runner import (
    InputError,
    InstantClock,
    MakeError,
    Settings,
    Target,
    Trace,
    load_app,
    run,
)
from aiops_connect.platforms.make.runner.iml.template import parse as parse_template
from aiops_connect.platforms.make.runner.inputs import Inputs
from tests.connectors.openapi.test_jobs_and_triggers import combined, delivery
from tests.connectors.platforms.make.rendered import OURS, contents, emitted, ours, texts, written
from tests.connectors.platforms.make.runner.service import Answer, Received, Service
from tests.fixtures.any_document import documents
from tests.fixtures.documents import app_of, document, with_operation
from tests.fixtures.publisher import PUBLISHER

SETTINGS = settings(max_examples=100, suppress_health_check=list(HealthCheck))
HOSTILE = "{{connection.apiKey}} {{{x}}} }} ` ' \" \\ {{7*7}}{"


def assert_whole(files: dict[str, Any]) -> None:
    """The manifest names each file once, each expression parses, each sample has the members of its interface."""
    manifest = files["makecomapp.json"]
    named = [path for path in manifest["generalCodeFiles"].values() if path.endswith(".json")]
    for kind in manifest["components"].values():
        for component in kind.values():
            named += component["codeFiles"].values()
            codes = component["codeFiles"]
            if "interface" in codes:
                assert {one["name"] for one in files[codes["interface"]]} == set(files[codes["samples"]])
    assert sorted(named) == sorted(files.keys() - {"makecomapp.json"})
    grouped = [name for group in files["modules/groups.json"] for name in group["modules"]]
    assert sorted(grouped) == sorted(manifest["components"]["module"])
    for content in files.values():
        for text in texts(content):
            parse_template(text)


def test_ours_is_whole() -> None:
    assert_whole(ours())


@SETTINGS
@given(documents)
def test_any_document_becomes_a_whole_app_or_a_problem(tree: Any) -> None:
    app = parse(tree).app
    assert app is not None
    made = emitted(app)
    files = contents(made)
    assert_whole(files)
    modules = files["makecomapp.json"]["components"]["module"]
    rendered = [name for name, one in modules.items() if one["moduleType"] in ("action", "search")]
    assert len(rendered) + len(made.problems) >= len(list(app.operations))


def hostile_app() -> ir.App:
    """All that a document can say is an attack."""
    text = {"type": "string", "title": HOSTILE, "description": HOSTILE}
    return app_of(
        with_operation(
            {
                "summary": HOSTILE,
                "description": HOSTILE,
                "tags": [HOSTILE],
                "parameters": [{"name": "q", "in": "query", "description": HOSTILE, "schema": text}],
                "requestBody": {
                    "content": {
                        "application/json": {
                            "schema": {
                                "properties": {"kind": {"const": "{{connection.apiKey}}{"}, "text": text},
                                "required": ["kind"],
                            }
                        }
                    }
                },
                "responses": {"200": {"description": HOSTILE, "content": {"application/json": {"schema": text}}}},
            },
            components={"securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": HOSTILE}}},
            security=[{"key": []}],
        )
    )


def test_what_people_read_holds_no_expression() -> None:
    for path, content in contents(emitted(hostile_app())).items():
        if not path.endswith((".communication.iml.json", "base.iml.json")):
            assert [text for text in texts(content) if "{{" in text or "}}" in text] == [], path


def test_what_is_sent_is_sent_as_it_is(tmp_path: Path, service: Service) -> None:
    """A constant with an expression in it arrives as that text, and so does what somebody enters."""
    folder = written(emitted(hostile_app()), tmp_path)
    service.will_answer(Answer("POST /things?q=%7B%7Bconnection.apiKey%7D%7D", "fine"))
    outcome = run(
        load_app(folder),
        Target.parse("act"),
        Inputs(connection={"apiKey": "secret-key"}, parameters={"q": "{{connection.apiKey}}", "text": "{{1+1}}"}),
        Settings(InstantClock(), base_url=service.url),
        Trace(),
    )
    assert service.received[0].json == {"kind": "{{connection.apiKey}}{", "text": "{{1+1}}"}
    assert outcome.bundles == [{"value": "fine"}]


def test_an_option_that_make_would_evaluate_is_a_problem() -> None:
    parameter = {"name": "q", "in": "query", "schema": {"enum": ["{{connection.apiKey}}", "b"]}}
    made = emitted(app_of(with_operation({"parameters": [parameter]})))
    [problem] = made.problems
    assert "expression" in problem.message
    assert "act" not in contents(made)["makecomapp.json"]["components"]["module"]


def test_a_list_of_what_is_wrong_is_not_taken_for_a_sentence(tmp_path: Path, service: Service) -> None:
    """FastAPI has its list where other servers have a sentence."""
    item = {"properties": {"loc": {"type": "array", "items": {"type": "string"}}, "msg": {"type": "string"}}}
    body = {"properties": {"detail": {"type": "array", "items": item}}}
    failure = {"description": "Wrong.", "content": {"application/json": {"schema": body}}}
    tree = with_operation({"responses": {"200": {"description": "Done."}, "422": failure}})
    folder = written(emitted(app_of(tree)), tmp_path)
    service.will_answer(Answer("POST /things", {"detail": [{"loc": ["body", "name"], "msg": "Field required"}]}, 422))
    with pytest.raises(MakeError) as caught:
        run(load_app(folder), Target.parse("act"), Inputs(), Settings(InstantClock(), base_url=service.url), Trace())
    assert caught.value.message == "[422] The API answered with an error. body.name: Field required."


def test_a_message_that_would_be_too_long_leaves_the_details_out() -> None:
    name = "a_name_of_many_words_that_goes_on_and_on_for_a_while"
    items = {"type": "array", "items": {"properties": {"title": {"type": "string"}, "field": {"type": "string"}}}}
    body = {"properties": {"message": {"type": "string"}, name: {"properties": {name: items}}}}
    failure = {"description": "Wrong.", "content": {"application/json": {"schema": body}}}
    app = app_of(with_operation({"responses": {"200": {"description": "Done."}, "422": failure}}))
    assert app.operation("act").errors[0].details == ir.ErrorDetails(f"/{name}/{name}", "/title", "/field")
    message = contents(emitted(app))["general/base.iml.json"]["response"]["error"]["422"]["message"]
    assert len(message) <= MESSAGE_LENGTH_MAX
    assert name not in message


def test_webhooks_of_long_names_have_ids_that_make_takes() -> None:
    """As `validate-id.ts` of Make's Apps Editor has it, which opens no app with another."""
    names = [f"customer.subscription.trial_will_end_{number}" for number in (1, 2)]
    files = contents(emitted(app_of(document(webhooks={name: delivery("It ended") for name in names}))))
    components = files["makecomapp.json"]["components"]
    for id_ in components["webhook"]:
        assert re.fullmatch(r"[a-zA-Z][0-9a-zA-Z-]{1,33}[0-9a-zA-Z]", id_), id_
    fed = {one.get("webhook") for one in components["module"].values()} - {None}
    assert fed == set(components["webhook"])
    assert len(fed) == len(names)


def test_the_secret_of_a_webhook_is_kept_and_hidden_wherever_the_answer_has_it() -> None:
    files = contents(emitted(app_of(combined(secret="/hook/signing-key"))))
    [attach] = [content for path, content in files.items() if path.endswith(".attach.iml.json")]
    assert "{{body.hook.`signing-key`}}" in attach["response"]["data"].values()
    assert "response.body.hook.`signing-key`" in attach["log"]["sanitize"]


def test_a_connection_is_tested_without_inputs_or_not_at_all() -> None:
    needed = {"name": "id", "in": "query", "required": True, "schema": {"type": "string"}}
    schemes = {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}}
    node = {"parameters": [needed], "x-connector-check": True}
    made = emitted(app_of(with_operation(node, method="get", components=schemes, security=[{"key": []}])))
    [problem] = made.problems
    assert "act cannot test a connection: it needs id." in problem.message
    assert contents(made)["connections/api-key/api-key.communication.iml.json"] == {}


@pytest.mark.parametrize("text", ["", "plain", "{", "{{", "{{{", "a{{b}}c", "}}", "{{'x'}}{", "{%", "{ {"])
def test_a_literal_comes_out_as_it_is(text: str) -> None:
    parts = [
        part if isinstance(part, str) else part.node.value  # type: ignore[union-attr]
        for part in parse_template(iml.literal(text)).parts
    ]
    assert "".join(map(str, parts)) == text


def test_an_app_has_the_logo_of_its_publisher() -> None:
    app = app_of(with_operation({}))
    assert [problem.pointer for problem in EMITTER.unpublishable(app, PUBLISHER)] == ["publisher#/logo"]
    publisher = replace(PUBLISHER, logo_png=b"a picture")
    assert list(EMITTER.unpublishable(app, publisher)) == []
    assert GeneratedFile("icon.png", b"a picture") in EMITTER.emit(app, publisher).files
    assert (OURS / "icon.png").read_bytes() == (OURS.parent / "logo.png").read_bytes()


def test_the_same_bytes_each_time() -> None:
    assert emitted(hostile_app()) == emitted(hostile_app())
    assert json.dumps(contents(emitted(hostile_app()))) == json.dumps(contents(emitted(hostile_app())))


def test_a_path_is_encoded_once_and_its_query_goes_into_the_query(tmp_path: Path, service: Service) -> None:
    app = app_of(with_operation({}, path="/things with spaces?beta=true", method="get"))
    folder = written(emitted(app), tmp_path)
    service.will_answer(Answer("GET /things%20with%20spaces?beta=true", {}))
    run(load_app(folder), Target.parse("act"), Inputs(), Settings(InstantClock(), base_url=service.url), Trace())


@pytest.mark.parametrize("step", [".", ".."])
def test_dots_lead_to_no_other_operation(tmp_path: Path, service: Service, step: str) -> None:
    parameter = {"name": "part", "in": "path", "required": True, "schema": {"type": "string"}}
    operation = with_operation({"parameters": [parameter]}, path="/things/parts/{part}", method="delete")
    app = load_app(written(emitted(app_of(operation)), tmp_path))
    with pytest.raises(InputError, match="pattern"):
        run(app, Target.parse("act"), Inputs({"part": step}), Settings(InstantClock(), base_url=service.url), Trace())
    assert service.received == []


@pytest.mark.parametrize(
    ("pattern", "is_kept"), [(r"^\w+$", True), ("(?i)^a", False), ("^(?P<n>a)", False), ("(", False)]
)
def test_a_pattern_that_javascript_cannot_read_is_not_given_to_make(pattern: str, is_kept: bool) -> None:
    parameter = {"name": "q", "in": "query", "schema": {"type": "string", "pattern": pattern}}
    app = parse(with_operation({"parameters": [parameter]})).app
    assert app is not None
    [asked] = contents(emitted(app))["modules/act/act.mappable-params.iml.json"]
    assert asked.get("validate", {}) == ({"pattern": pattern} if is_kept else {})


FORM = {
    "type": "object",
    "properties": {
        "tags": {"type": "array", "items": {"type": "string"}},
        "is_new": {"type": "boolean"},
        "count": {"type": "integer"},
        "note": {"type": "string"},
    },
}


@pytest.mark.parametrize(
    ("parameters", "sent"),
    [
        ({"tags": ["a b", "c&d"], "is_new": False, "count": 0}, "tags=a%20b&tags=c%26d&is_new=false&count=0"),
        ({"note": "50 % {{off}}"}, "note=50%20%25%20%7B%7Boff%7D%7D"),
        ({"tags": []}, ""),
    ],
)
def test_a_list_in_a_form_is_repeated_under_its_name(
    tmp_path: Path, service: Service, parameters: dict[str, Any], sent: str
) -> None:
    body = {"content": {"application/x-www-form-urlencoded": {"schema": FORM}}}
    received = sent_by(app_of(with_operation({"requestBody": body})), tmp_path, service, parameters)
    assert received.headers["content-type"] == "application/x-www-form-urlencoded"
    assert received.body.decode() == sent


def test_several_files_go_into_one_part_each(tmp_path: Path, service: Service) -> None:
    files = {"type": "array", "items": {"type": "string", "format": "binary"}}
    schema = {"type": "object", "required": ["images"], "properties": {"images": files, "note": {"type": "string"}}}
    body = {"content": {"multipart/form-data": {"schema": schema}}}
    given = [{"options": "a.png", "value": b"first"}, {"options": "b.png", "value": b"second"}]
    received = sent_by(app_of(with_operation({"requestBody": body})), tmp_path, service, {"images": given})
    message = message_from_bytes(
        b"Content-Type: " + received.headers["content-type"].encode() + b"\n\n" + received.body
    )
    assert [(part.get_filename(), part.get_payload(decode=True)) for part in message.walk() if part.get_filename()] == [
        ("a.png", b"first"),
        ("b.png", b"second"),
    ]


def sent_by(app: ir.App, folder: Path, service: Service, parameters: dict[str, Any]) -> Received:
    """What the operation `act` sends."""
    service.will_answer(Answer("POST /things", {}))
    settings = Settings(InstantClock(), base_url=service.url)
    run(load_app(written(emitted(app), folder)), Target.parse("act"), Inputs(parameters=parameters), settings, Trace())
    return service.received[0]


def test_a_text_that_is_a_whole_body_is_sent_as_json(tmp_path: Path, service: Service) -> None:
    body = {"required": True, "content": {"application/json": {"schema": {"type": "string"}}}}
    app = app_of(with_operation({"requestBody": body}))
    folder = written(emitted(app), tmp_path)
    [field] = app.operation("act").inputs
    service.will_answer(Answer("POST /things", {}))
    inputs = Inputs(parameters={field.id: 'a "quoted" text'})
    run(load_app(folder), Target.parse("act"), inputs, Settings(InstantClock(), base_url=service.url), Trace())
    assert service.received[0].json == 'a "quoted" text'
