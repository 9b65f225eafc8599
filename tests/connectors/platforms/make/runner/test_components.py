"""Everything but modules: RPCs, connections, webhooks, endpoints; and what belongs to a component."""

import hashlib
import hmac
from pathlib import Path
from typing import Any, ClassVar

import pytest

from aiops_connect.platforms.make.runner import AppError, InputError, Limits, MakeError, Payload, Reply
from tests.connectors.platforms.make.runner.apps import Tried, one_module, write_app
from tests.connectors.platforms.make.runner.service import Answer, Service

KEY = [{"name": "apiKey", "type": "password", "required": True, "editable": True}]
SECRET = "secret-key-1"


def app_of(folder: Path, base: Any = None, **components: Any) -> Tried:
    return Tried(write_app(folder, components, base))


class TestRpc:
    def test_outputs_options(self, tmp_path: Path, service: Service) -> None:
        service.will_answer(Answer("GET /voices?lang=en", {"data": [{"id": "a", "name": "Ann"}]}))
        communication = {
            "url": "/voices", "qs": {"lang": "{{parameters.lang}}"},
            "response": {"iterate": "{{body.data}}", "output": {"label": "{{item.name}}", "value": "{{item.id}}"}},
        }  # fmt: skip
        files = {"communication": communication, "params": [{"name": "lang", "type": "text"}]}
        tried = app_of(tmp_path, {"baseUrl": service.url}, rpc={"voices": {"files": files}})
        assert tried.run("rpc:voices", parameters={"lang": "en"}).bundles == [{"label": "Ann", "value": "a"}]

    def test_needs_no_request(self, tmp_path: Path) -> None:
        options = [{"label": "A", "value": "{{1 + 1}}"}]
        tried = app_of(tmp_path, rpc={"fixed": {"files": {"communication": {"response": {"output": options}}}}})
        assert tried.run("rpc:fixed").bundles == [{"label": "A", "value": 2}]

    def test_may_output_texts(self, tmp_path: Path) -> None:
        communication = {"response": {"output": "{{split('a,b', ',')}}"}}
        tried = app_of(tmp_path, rpc={"fixed": {"files": {"communication": communication}}})
        assert tried.run("rpc:fixed").bundles == ["a", "b"]


class TestConnection:
    def connection(self, service: Service) -> dict[str, Any]:
        return {
            "url": f"{service.url}/account",
            "headers": {"Authorization": "Bearer {{parameters.apiKey}}"},
            "response": {
                "metadata": {"type": "email", "value": "{{body.email}}"},
                "data": {"plan": "{{body.plan}}"},
                "uid": "{{body.id}}",
                "error": {
                    "message": "{{body.error}}",
                    "401": {"message": "Bad key", "type": "InvalidAccessTokenError"},
                },
            },
            "log": {"sanitize": ["request.headers.authorization"]},
        }

    def tried(self, tmp_path: Path, service: Service, **more: Any) -> Tried:
        files = {"communication": self.connection(service), "params": KEY, **more}
        base = {"baseUrl": "http://unused.example", "headers": {"x-base": "b"}}
        return app_of(tmp_path, base, connection={"key": {"connectionType": "basic", "files": files}})

    def test_is_checked_and_named_without_the_base(self, tmp_path: Path, service: Service) -> None:
        service.will_answer(Answer("GET /account", {"email": "a@b.example", "plan": "pro", "id": 5}))
        tried = self.tried(tmp_path, service)
        assert tried.run("connection:key", connection={"apiKey": SECRET}).stored == {
            "metadata": {"type": "email", "value": "a@b.example"},
            "data": {"plan": "pro"},
            "uid": 5,
        }
        assert service.received[0].headers["authorization"] == f"Bearer {SECRET}"
        assert "x-base" not in service.received[0].headers
        assert SECRET not in str(tried.trace.exchanges)
        assert tried.trace.warnings == []

    def test_a_bad_key(self, tmp_path: Path, service: Service) -> None:
        service.will_answer(Answer("GET /account", {"error": "no"}, 401))
        with pytest.raises(MakeError, match=r"^InvalidAccessTokenError: Bad key$"):
            self.tried(tmp_path, service).run("connection:key", connection={"apiKey": SECRET})

    def test_a_missing_key(self, tmp_path: Path, service: Service) -> None:
        with pytest.raises(InputError, match=r"^connection\.apiKey: It is required\.$"):
            self.tried(tmp_path, service).run("connection:key")

    def test_data_have_a_limit(self, tmp_path: Path, service: Service) -> None:
        service.will_answer(Answer("GET /account", {"plan": "x" * 70_000}))
        with pytest.raises(MakeError, match=r"^RuntimeError: The stored data have 700\d\d bytes; 65536 are allowed\.$"):
            self.tried(tmp_path, service).run("connection:key", connection={"apiKey": SECRET})

    def test_sections_of_oauth(self, tmp_path: Path, service: Service) -> None:
        service.will_answer(Answer("GET /me", {"name": "Ann"}), Answer("POST /token", {"access_token": "t2"}))
        communication = {
            "info": {"url": f"{service.url}/me", "response": {"metadata": {"type": "text", "value": "{{body.name}}"}}},
            "refresh": {
                "url": f"{service.url}/token", "method": "POST", "type": "urlencoded",
                "body": {"refresh_token": "{{connection.refreshToken}}"},
                "response": {"data": {"accessToken": "{{body.access_token}}"}, "expires": "{{addDays(now, 30)}}"},
            },
        }  # fmt: skip
        component = {"connectionType": "oauth", "files": {"communication": communication}}
        tried = app_of(tmp_path, connection={"oauth": component})
        assert tried.run("connection:oauth").stored["metadata"] == {"type": "text", "value": "Ann"}
        refreshed = tried.run("connection:oauth/refresh", connection={"refreshToken": "r1"})
        assert refreshed.stored["data"] == {"accessToken": "t2"}
        assert refreshed.stored["expires"].isoformat() == "2026-04-03T12:00:00+00:00"
        assert service.received[1].body == b"refresh_token=r1"
        with pytest.raises(AppError, match=r"no section 'authorize'. It has info, refresh"):
            tried.run("connection:oauth/authorize")

    def test_a_module_has_the_values_of_its_connection(self, tmp_path: Path, service: Service) -> None:
        service.will_answer(Answer("GET /a", {}))
        module = {"url": f"{service.url}/a", "headers": {"x-key": "{{connection.apiKey}}-{{connection.plan}}"}}
        tried = app_of(
            tmp_path,
            connection={"key": {"connectionType": "basic", "files": {"params": KEY}}},
            module={"try": {"moduleType": "action", "connection": "key", "files": {"communication": module}}},
        )
        tried.run(connection={"apiKey": SECRET, "plan": "pro"})
        assert service.received[0].headers["x-key"] == f"{SECRET}-pro"
        assert tried.trace.exchanges[0].request["headers"]["x-key"] == "[sanitized]-pro"
        assert tried.trace.warnings == [
            "modules/try/try.communication.iml.json: log.sanitize does not hide connection.apiKey in the request; "
            "Make would log it."
        ]


class TestWebhook:
    HOOK: ClassVar[dict[str, Any]] = {
        "attach": {
            "url": "{{parameters.host}}/hooks", "method": "POST", "body": {"url": "{{webhook.url}}"},
            "response": {"data": {"externalHookId": "{{body.id}}"}},
        },
        "detach": {"url": "{{parameters.host}}/hooks/{{webhook.externalHookId}}", "method": "DELETE"},
        "params": [{"name": "host", "type": "url", "required": True}],
        "communication": {
            "verification": {
                "condition": "{{body.challenge}}",
                "respond": {"status": 202, "type": "json", "body": {"challenge": "{{body.challenge}}"}},
            },
            "condition": "{{headers.`X-Signature` = sha256(body.id, 'hex', 'k')}}",
            "iterate": "{{body.events}}",
            "output": {"id": "{{item.id}}"},
            "respond": {"status": 201, "type": "text", "body": "Thanks for {{length(body.events)}}"},
        },
    }  # fmt: skip

    def tried(self, tmp_path: Path, communication: Any = HOOK["communication"]) -> Tried:
        files = {**self.HOOK, "communication": communication}
        return app_of(
            tmp_path,
            webhook={"jobs": {"webhookType": "web", "files": files}},
            module={"watch": {"moduleType": "instant_trigger", "webhook": "jobs", "files": {}}},
        )

    def test_is_attached_and_detached(self, tmp_path: Path, service: Service) -> None:
        service.will_answer(Answer("POST /hooks", {"id": "h1"}), Answer("DELETE /hooks/h1", None, 204))
        tried = self.tried(tmp_path)
        attached = tried.run("attach:jobs", parameters={"host": service.url}, webhook={"url": "https://hook.example/1"})
        assert attached.stored == {"data": {"externalHookId": "h1"}}
        assert service.received[0].json == {"url": "https://hook.example/1"}
        tried.run("detach:jobs", parameters={"host": service.url}, webhook={"externalHookId": "h1"})

    def test_cuts_a_payload_into_bundles(self, tmp_path: Path) -> None:
        body = {"id": "e", "events": [{"id": 1}, {"id": 2}]}
        tried = self.tried(tmp_path)
        refused = tried.run("module:watch", payload=Payload(body, {"x-signature": "f" * 64}))
        assert (refused.bundles, refused.reply) == ([], Reply(201, {}, "Thanks for 2"))
        signature = hmac.new(b"k", b"e", hashlib.sha256).hexdigest()
        taken = tried.run("module:watch", payload=Payload(body, {"X-Signature": signature}))
        assert taken.bundles == [{"id": 1}, {"id": 2}]
        assert taken.reply == Reply(201, {}, "Thanks for 2")

    def test_answers_a_verification(self, tmp_path: Path) -> None:
        outcome = self.tried(tmp_path).run("webhook:jobs", payload=Payload({"challenge": "c"}))
        assert outcome.bundles == []
        assert outcome.reply == Reply(202, {"content-type": "application/json"}, '{"challenge":"c"}')

    @pytest.mark.parametrize(
        ("communication", "body", "bundles"),
        [
            ({}, {"a": 1}, [{"a": 1}]),
            ({"output": {"b": "{{body.a}}"}}, {"a": 1}, [{"b": 1}]),
            ({"condition": {"condition": False, "default": {"d": 1}}}, {"a": 1}, [{"d": 1}]),
            ({"condition": False}, {"a": 1}, []),
            ({}, "text", []),
        ],
    )
    def test_without_iterate(self, tmp_path: Path, communication: Any, body: Any, bundles: list[Any]) -> None:
        outcome = self.tried(tmp_path, communication).run("webhook:jobs", payload=Payload(body))
        assert (outcome.bundles, outcome.reply) == (bundles, Reply())

    def test_needs_a_payload(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"^payload: A webhook needs one"):
            self.tried(tmp_path).run("webhook:jobs")


def test_a_responder_answers(tmp_path: Path) -> None:
    response = {"status": "{{200 + 4}}", "type": "urlencoded", "headers": {"X-A": "b"}, "body": {"a": "{{1 + 1}} b"}}
    outcome = one_module(tmp_path, {"response": response}, "responder").run()
    assert outcome.reply == Reply(204, {"x-a": "b", "content-type": "application/x-www-form-urlencoded"}, "a=2%20b")


class TestEndpoint:
    def tried(self, tmp_path: Path, service: Service, step: Any) -> Tried:
        output = {"job": "{{body.id}}", "outer": "{{temp.a}}"}
        communication = {"url": "/jobs/{{parameters.id}}", "response": {"output": output}}
        inputs = [{"name": "id", "type": "text", "required": True}]
        endpoint = {"files": {"communication": communication, "inputParameters": inputs}}
        module = {"moduleType": "action", "files": {"communication": step}}
        return app_of(tmp_path, {"baseUrl": service.url}, endpoint={"getJob": endpoint}, module={"try": module})

    @pytest.mark.parametrize("named", ["getJob", {"name": "getJob"}])
    def test_a_module_calls_it(self, tmp_path: Path, service: Service, named: Any) -> None:
        service.will_answer(Answer("GET /jobs/7", {"id": 7, "more": 1}))
        step = {
            "temp": {"a": 1},
            "endpoint": named,
            "input": {"id": "{{3 + 4}}"},
            "response": {"output": {"got": "{{body}}"}},
        }
        assert self.tried(tmp_path, service, step).run().bundles == [{"got": {"job": 7}}]

    def test_counts_as_a_request(self, tmp_path: Path, service: Service) -> None:
        service.will_answer(Answer("GET /jobs/7", {"id": 7}))
        steps = [{"endpoint": "getJob", "input": {"id": 7}}, {"url": "/jobs/8"}]
        with pytest.raises(MakeError, match="The run sends more than 1 requests"):
            self.tried(tmp_path, service, steps).run(limits=Limits(calls=1))

    def test_runs_by_itself(self, tmp_path: Path, service: Service) -> None:
        service.will_answer(Answer("GET /jobs/8", {"id": 8}))
        tried = self.tried(tmp_path, service, {})
        assert tried.run("endpoint:getJob", parameters={"id": "8"}).bundles == [{"job": 8}]

    def test_says_which_input_it_lacks(self, tmp_path: Path, service: Service) -> None:
        tried = self.tried(tmp_path, service, {"endpoint": "getJob"})
        with pytest.raises(AppError, match=r"The endpoint 'getJob' does not take the input\. id: It is required\."):
            tried.run()


def test_a_name_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(AppError) as raised:
        one_module(tmp_path, {}).run("module:tri")
    assert (
        str(raised.value) == "makecomapp.json: /components/module\n  The app has no module 'tri'. Did you mean 'try'?"
    )


def test_a_component_without_communication(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="The module 'try' has no epoch"):
        one_module(tmp_path, {}).run("epoch:try")
