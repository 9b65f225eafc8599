"""Dates in what modules put out: the interface says `date` where the value is one, and `text` where it stays a text."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from aiops_connect import ir
from aiops_connect.openapi import parse
from aiops_connect.platforms.make.review import review
from aiops_connect.platforms.make.runner import InstantClock, Payload, Settings, Target, Trace, load_app, run
from aiops_connect.platforms.make.runner.inputs import Inputs
from tests.connectors.platforms.make.rendered import contents, emitted, written
from tests.connectors.platforms.make.runner.service import Answer, Service
from tests.fixtures.any_document import documents
from tests.fixtures.documents import app_of, document, with_operation

TEXT = "2026-03-04T10:00:00.123456Z"
DATE = datetime(2026, 3, 4, 10, 0, 0, 123_000, tzinfo=UTC)
AT = {"type": "string", "format": "date-time"}
SHAPE: dict[str, Any] = {"type": "object", "properties": {"at": AT, "day": {"type": "string", "format": "date"}}}
THING = {
    "type": "object",
    "required": ["owner", "maker"],
    "properties": {
        "at": AT,
        "until": {"type": ["string", "null"], "format": "date-time"},
        "day": {"type": "string", "format": "date"},
        "clock": {"type": "string", "format": "time"},
        "the `odd` name": AT,
        "owner": {**SHAPE, "required": ["of"], "properties": {**SHAPE["properties"], "of": SHAPE}},
        "maker": {**SHAPE, "type": ["object", "null"]},
        "place": SHAPE,
        "moves": {"type": "array", "items": SHAPE},
        "seen": {"type": "array", "items": AT},
        "either": {"oneOf": [SHAPE, {"type": "object", "properties": {"at": {"type": "string"}}}]},
    },
}
INNER = {"at": TEXT, "day": "2026-03-04"}
GIVEN = {
    "at": TEXT,
    "until": None,
    "day": "2026-03-04",
    "clock": "10:00:00Z",
    "the `odd` name": TEXT,
    "owner": {**INNER, "of": INNER},
    "maker": None,
    "place": INNER,
    "moves": [INNER],
    "seen": [TEXT],
    "either": {"at": "never"},
    "unheard of": TEXT,
}
PUT_OUT = {**GIVEN, "at": DATE, "owner": {**INNER, "at": DATE, "of": {**INNER, "at": DATE}}}
TYPES = {
    "at": "date",
    "until": "date",
    "day": "text",
    "clock": "text",
    "the `odd` name": "text",
    "owner.at": "date",
    "owner.day": "text",
    "owner.of.at": "date",
    "owner.of.day": "text",
    "maker.at": "text",
    "maker.day": "text",
    "place.at": "text",
    "place.day": "text",
    "moves.at": "text",
    "moves.day": "text",
    "seen": "array",
    "either.at": "text",
    "either.day": "text",
}


def answering(schema: Any) -> ir.App:
    content = {"application/json": {"schema": schema}}
    return app_of(with_operation({"responses": {"200": {"description": "It.", "content": content}}}, method="get"))


def bundles(app: ir.App, folder: Path, service: Service, answer: Any) -> list[Any]:
    service.will_answer(Answer("GET /things", answer))
    settings_ = Settings(InstantClock(), base_url=service.url)
    return run(load_app(written(emitted(app), folder)), Target.parse("act"), Inputs(), settings_, Trace()).bundles


def code(app: ir.App, name: str) -> Any:
    return contents(emitted(app))[f"modules/act/act.{name}.iml.json"]


def types(interface: list[Any], above: str = "") -> dict[str, str]:
    """The types of what is no collection, by their paths."""
    found: dict[str, str] = {}
    for one in interface:
        inner = one.get("spec")
        if isinstance(inner, list):
            found |= types(inner, f"{above}{one['name']}.")
        else:
            found[f"{above}{one['name']}"] = one["type"]
    return found


def test_dates_of_an_object_are_parsed_and_all_else_comes_out_as_it_is(tmp_path: Path, service: Service) -> None:
    app = answering(THING)
    assert bundles(app, tmp_path, service, GIVEN) == [PUT_OUT]
    assert types(code(app, "interface")) == TYPES
    assert code(app, "interface")[9]["spec"]["type"] == "text"


def test_those_of_the_items_of_a_list_are_parsed(tmp_path: Path, service: Service) -> None:
    app = answering({"type": "array", "items": THING})
    assert bundles(app, tmp_path, service, [GIVEN, {"owner": {}}]) == [PUT_OUT, {"owner": {"of": {}}}]
    assert types(code(app, "interface")) == TYPES


@pytest.mark.parametrize(
    ("schema", "exchange", "type_"),
    [
        (THING, ({"at": None}, {"at": None, "owner": {"of": {}}}), "date"),
        (THING, ({"at": ""}, {"at": "", "owner": {"of": {}}}), "date"),
        (AT, (TEXT, {"value": DATE}), "date"),
        ({"type": "array", "items": AT}, ([TEXT], {"items": [TEXT]}), "array"),
        ({"anyOf": [SHAPE, {"type": "object", "properties": {"of": AT}}]}, ({"at": TEXT}, {"at": TEXT}), "text"),
    ],
    ids=["null", "empty", "a date alone", "dates alone", "several shapes"],
)
def test_what_else_can_be_answered(
    tmp_path: Path, service: Service, schema: Any, exchange: tuple[Any, Any], type_: str
) -> None:
    answer, put_out = exchange
    app = answering(schema)
    assert bundles(app, tmp_path, service, answer) == [put_out]
    assert code(app, "interface")[0]["type"] == type_
    assert code(app, "samples").keys() == {one["name"] for one in code(app, "interface")}


def test_those_of_a_call_of_a_webhook_are_parsed(tmp_path: Path) -> None:
    delivery = {"requestBody": {"content": {"application/json": {"schema": THING}}}, "responses": {}}
    app = app_of(document(webhooks={"made": {"post": {"summary": "A thing was made", **delivery}}}))
    loaded = load_app(written(emitted(app), tmp_path))
    inputs = Inputs(payload=Payload(GIVEN))
    assert run(loaded, Target.parse("watchMade"), inputs, Settings(InstantClock()), Trace()).bundles == [PUT_OUT]
    files = contents(emitted(app))
    assert types(files["modules/watch-made/watch-made.interface.iml.json"]) == TYPES
    assert review(files, ["R15"]) == []


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(documents)
def test_the_review_finds_no_date_of_any_document(tree: Any) -> None:
    app = parse(tree).app
    assert app is not None
    assert review(contents(emitted(app)), ["R15"]) == []
