"""Work that outlasts its call, and word that comes from the other side."""

from typing import Any

import pytest

from aiops_connect import ir
from tests.fixtures.documents import OK, app_of, document, problems_of

TEXT = {"type": "string"}
PREFER = {"name": "Prefer", "in": "header", "schema": TEXT}
RESULT = {"properties": {"url": TEXT}}
JOB = {"properties": {"id": TEXT, "status": TEXT, "cost": {"type": "integer"}, "result": RESULT}}
# Usual answers of which such a job has nothing.
NOT_OF_A_JOB: list[dict[str, Any]] = [{"audio/mpeg": {}}, {"text/plain": {}}, {"application/json": {}}]
STATEMENT = {
    "id": "/id",
    "state": "/status",
    "succeeded": ["done"],
    "failed": ["failed"],
    "cancelled": ["cancelled"],
    "result": "/result",
    "reason": "/reason",
    "refunded": "/refunded",
    "charged": "/cost",
    "cancel": "stop",
    "waitSecondsMax": 60,
}


def answer(schema: Any) -> dict[str, Any]:
    return {"description": "It.", "content": {"application/json": {"schema": schema}}}


def of_job(operation_id: str, **members: Any) -> dict[str, Any]:
    parameter = {"name": "job_id", "in": "path", "required": True, "schema": TEXT}
    return {"operationId": operation_id, "parameters": [parameter], "responses": {"200": answer(JOB)}, **members}


def jobs(statement: Any = STATEMENT, **work: Any) -> dict[str, Any]:
    look_up = of_job("look_up", **{"x-connector-job": statement})
    look_up["parameters"].append(PREFER)
    receipt = {"properties": {"url": TEXT, "cost": {"type": "integer"}, "job_id": TEXT, "left": {"type": "integer"}}}
    act = {
        "operationId": "act",
        "x-connector-waits-for": "look_up",
        "parameters": [PREFER],
        "responses": {"200": answer(receipt), "202": answer(JOB)},
        **work,
    }
    paths = {"/act": {"post": act}, "/jobs/{job_id}": {"get": look_up}, "/jobs/{job_id}/stop": {"post": of_job("stop")}}
    return document(paths)


JOB_CALL = (ir.Binding("job_id", ir.FromAnswer("/id")),)


def test_a_job_is_looked_up_waited_for_and_cancelled() -> None:
    assert app_of(jobs()).operation("act").execution == ir.Job(
        accepted_status="202",
        status=ir.Call("look_up", JOB_CALL),
        state="/status",
        succeeded=("done",),
        failed=("failed",),
        cancelled=("cancelled",),
        start=(ir.Binding("prefer", ir.Literally("respond-async")),),
        cancel=ir.Call("stop", JOB_CALL),
        wait=ir.Wait("prefer", "wait={seconds}", 60),
        result="/result",
        reason="/reason",
        refunded="/refunded",
        charged="/cost",
        outputs=(ir.JobOutput("url", "/result/url"), ir.JobOutput("cost", "/cost"), ir.JobOutput("job_id", "/id")),
    )


def test_a_job_needs_no_more_than_its_id_and_its_states() -> None:
    statement = {name: STATEMENT[name] for name in ("id", "state", "succeeded", "failed")}
    tree = jobs(statement, parameters=[], responses={"201": answer(JOB)})
    assert app_of(tree).operation("act").execution == ir.Job(
        accepted_status="201",
        status=ir.Call("look_up", JOB_CALL),
        state="/status",
        succeeded=("done",),
        failed=("failed",),
        outputs=(
            ir.JobOutput("id", "/id"),
            ir.JobOutput("status", "/status"),
            ir.JobOutput("cost", "/cost"),
            ir.JobOutput("result", "/result"),
        ),
    )


EVENT = {"properties": {"type": {"enum": ["thing.made", "thing.lost"]}, "id": {**TEXT, "example": "t1"}}}
PAYLOAD = ir.Group(
    (
        ir.Field(
            "type",
            "type",
            "Type",
            ir.Choice((ir.Option("thing.made", "thing.made"), ir.Option("thing.lost", "thing.lost"))),
        ),
        ir.Field("id", "id", "ID", ir.Text(), example="t1"),
    )
)
SAMPLE: ir.Json = {"type": "thing.made", "id": "t1"}


def delivery(summary: str, *headers: str) -> dict[str, Any]:
    parameters = [{"name": name, "in": "header", "schema": TEXT} for name in headers]
    body = {"content": {"application/json": {"schema": EVENT}}}
    return {
        "post": {
            "summary": summary,
            "description": "Help.",
            "parameters": parameters,
            "requestBody": body,
            "responses": OK,
        }
    }


def test_a_webhook_is_a_trigger() -> None:
    app = app_of(document(webhooks={"thing.made": delivery("A thing was made")}))
    assert app.triggers == (
        ir.Trigger(
            id="thing_made",
            label="A thing was made",
            events=(ir.Option("thing.made", "A thing was made", "Help."),),
            payload=PAYLOAD,
            help="Help.",
            event="/type",
            sample=SAMPLE,
        ),
    )
    assert [field.id for field in app.triggers[0].fields] == ["type", "id"]


SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature")
SUBSCRIBING = {
    "/hooks": {
        "post": {
            "operationId": "subscribe",
            "requestBody": {
                "content": {
                    "application/json": {
                        "schema": {"properties": {"url": TEXT, "events": {"type": "array", "items": TEXT}}}
                    }
                }
            },
            "responses": {"201": answer({"properties": {"id": TEXT, "secret": TEXT}})},
        },
        "get": {"operationId": "list_hooks", "responses": {"200": answer({"type": "array", "items": TEXT})}},
    },
    "/hooks/{id}": {
        "delete": {
            "operationId": "unsubscribe",
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": TEXT}],
            "responses": {"204": {"description": "Gone."}},
        }
    },
}
COMBINED = {
    "summary": "Thing changed",
    "description": "Made or lost.",
    "webhooks": ["thing.made", "thing.lost"],
    "event": "/type",
    "subscribe": {"operationId": "subscribe", "parameters": {"url": "$url", "events": "$events"}},
    "unsubscribe": {"operationId": "unsubscribe", "parameters": {"id": "$response.body#/id"}},
    "list": {"operationId": "list_hooks"},
    "secret": "/secret",
    "samples": {"operationId": "list_hooks", "items": "", "at": "/data"},
}


def combined(**changes: Any) -> dict[str, Any]:
    webhooks = {"thing.made": delivery("Made", *SIGNED), "thing.lost": delivery("Lost", *SIGNED)}
    return document(SUBSCRIBING, webhooks=webhooks, **{"x-connector-triggers": {"changed": {**COMBINED, **changes}}})


def test_several_webhooks_can_be_one_trigger_that_subscribes_by_itself() -> None:
    assert app_of(combined()).triggers == (
        ir.Trigger(
            id="changed",
            label="Thing changed",
            events=(ir.Option("thing.made", "Made", "Help."), ir.Option("thing.lost", "Lost", "Help.")),
            payload=PAYLOAD,
            help="Made or lost.",
            event="/type",
            sample=SAMPLE,
            subscription=ir.Subscription(
                subscribe=ir.Call(
                    "subscribe",
                    (ir.Binding("url", ir.FromPlatform.URL), ir.Binding("events", ir.FromPlatform.EVENTS)),
                ),
                unsubscribe=ir.Call("unsubscribe", (ir.Binding("id", ir.FromAnswer("/id")),)),
                list=ir.Call("list_hooks"),
            ),
            samples=ir.Samples(ir.Call("list_hooks"), "", "/data"),
            signature=ir.Signature(ir.SignatureScheme.STANDARD_WEBHOOKS, "/secret"),
            delivery="webhook-id",
        ),
    )


@pytest.mark.parametrize(
    ("examples", "state", "events"),
    [
        (
            [{"id": "t1", "state": "new"}, {"id": "t2", "state": "gone"}],
            "/state",
            {"new": "thing.made", "gone": "thing.lost"},
        ),
        ([{"id": "t1", "state": "new"}, {"id": "t2", "state": "new"}], None, {}),
        ([{"id": "t1", "state": "new"}, {"id": "t2"}], None, {}),
    ],
    ids=["one for each", "one for both", "none for one"],
)
def test_examples_tell_of_which_event_an_item_is(
    examples: list[dict[str, str]], state: str | None, events: dict[str, str]
) -> None:
    """By a choice alone: an id has another value in each example as well."""
    tree = combined()
    item = {"properties": {"id": TEXT, "state": {"enum": ["new", "gone", "hidden"]}}}
    for name, example in zip(("thing.made", "thing.lost"), examples, strict=True):
        content = tree["webhooks"][name]["post"]["requestBody"]["content"]["application/json"]
        content |= {"schema": {"properties": {"type": TEXT, "data": item}}, "example": {"type": name, "data": example}}
    samples = app_of(tree).triggers[0].samples
    assert samples is not None
    assert (samples.state, dict(samples.events)) == (state, events)


def test_an_input_of_a_call_can_always_be_the_same() -> None:
    subscribe = {"operationId": "subscribe", "parameters": {"url": "$url", "events": ["thing.made"]}}
    subscription = app_of(combined(subscribe=subscribe)).triggers[0].subscription
    assert subscription is not None
    assert subscription.subscribe.bindings[1] == ir.Binding("events", ir.Literally(["thing.made"]))


POINTER = "#/x-connector-triggers/changed"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        pytest.param(
            {"webhooks": ["thing.made", "thing.gone"]},
            (f"{POINTER}/webhooks/1", "The document has no webhook of this name. Mend it, or add the webhook."),
            id="no such webhook",
        ),
        pytest.param(
            {"subscribe": {"operationId": "subscribe", "parameters": {"uri": "$url"}}},
            (f"{POINTER}/subscribe/parameters/uri", "subscribe has no input of this name. It has url, events."),
            id="no such input",
        ),
        pytest.param(
            {"unsubscribe": {"operationId": "leave"}},
            (
                f"{POINTER}/unsubscribe/operationId",
                "No operation, or more than one, has this operationId. Name one that stands once.",
            ),
            id="no such operation",
        ),
        pytest.param(
            {"secret": "secret"},
            (f"{POINTER}/secret", "It has to be a JSON pointer such as /data, or empty for the whole."),
            id="no pointer",
        ),
    ],
)
def test_a_trigger_that_does_not_fit_is_a_problem(changes: dict[str, Any], problem: tuple[str, str]) -> None:
    assert problem in problems_of(combined(**changes))


def test_webhooks_of_different_payloads_are_not_one_trigger() -> None:
    tree = combined()
    other = {"content": {"application/json": {"schema": {"properties": {"other": TEXT}}}}}
    tree["webhooks"]["thing.lost"]["post"]["requestBody"] = other
    message = "This webhook has another payload than the first. Make it a trigger of its own."
    assert problems_of(tree) == [(f"{POINTER}/webhooks/1", message)]


@pytest.mark.parametrize(
    ("expression", "field"),
    [
        pytest.param("{$request.body#/callbackUrl}", "callback_url", id="in the body"),
        pytest.param("$request.query.back", "back", id="in the query"),
        pytest.param("https://fixed.example", None, id="always the same"),
    ],
)
def test_a_callback_is_called_at_an_input(expression: str, field: str | None) -> None:
    act = {
        "operationId": "act",
        "parameters": [{"name": "back", "in": "query", "schema": TEXT}],
        "requestBody": {"content": {"application/json": {"schema": {"properties": {"callbackUrl": TEXT}}}}},
        "callbacks": {"onEnd": {expression: delivery("It ended")}},
        "responses": OK,
    }
    callback = ir.Callback("on_end", "It ended", PAYLOAD, SAMPLE, field, help="Help.")
    assert app_of(document({"/act": {"post": act}})).operation("act").callbacks == (callback,)


def test_a_job_tells_of_its_end_by_the_callback_of_its_operation() -> None:
    callbacks = {"onEnd": {"{$request.query.back}": delivery("It ended")}}
    parameters = [PREFER, {"name": "back", "in": "query", "schema": TEXT}]
    execution = app_of(jobs(parameters=parameters, callbacks=callbacks)).operation("act").execution
    assert isinstance(execution, ir.Job)
    assert execution.callback == "on_end"
