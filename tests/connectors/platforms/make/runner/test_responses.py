"""What becomes of a response: its type, temp, output, iterate, wrapper, and the chain of several requests."""

from pathlib import Path
from typing import Any

import pytest

from aiops_connect.platforms.make.runner import AppError, InputError, InputProblem, Limits, MakeError
from tests.connectors.platforms.make.runner.apps import NOON, one_module
from tests.connectors.platforms.make.runner.service import Answer, Service

ITEMS = {"items": [{"id": 1, "ok": True}, {"id": 2, "ok": False}, {"id": 3, "ok": True}]}


def get(body: Any, **settings: Any) -> Answer:
    return Answer("GET /a", body, **settings)


# What the documentation says, the kind of module, the response directive, the answer, and the bundles.
OUTPUTS: list[tuple[str, str, Any, Answer, list[Any]]] = [
    ("output is the body unless said otherwise", "action", {}, get({"a": 1}), [{"a": 1}]),
    ("output has only what it maps", "action", {"output": {"x": "{{body.a}}"}}, get({"a": 1, "b": 2}), [{"x": 1}]),
    ("output leaves out what is undefined", "action", {"output": {"x": "{{body.no}}", "y": 1}}, get({}), [{"y": 1}]),
    ("output false gives nothing", "action", {"output": False}, get({"a": 1}), []),
    ("output null gives nothing", "action", {"output": None}, get({"a": 1}), []),
    ("output that is undefined gives the body", "action", {"output": "{{body.no}}"}, get({"a": 1}), [{"a": 1}]),
    ("an action outputs collections only", "action", {"output": "{{body.a}}"}, get({"a": 1}), []),
    ("iterate outputs the items", "search", {"iterate": "{{body.items}}"}, get(ITEMS), ITEMS["items"]),
    ("iterate takes a path without braces", "search", {"iterate": "body.items"}, get(ITEMS), ITEMS["items"]),
    (
        "output is made for each item",
        "search",
        {"iterate": "{{body.items}}", "output": {"n": "{{item.id * 10}}"}},
        get(ITEMS),
        [{"n": 10}, {"n": 20}, {"n": 30}],
    ),
    (
        "a condition filters items",
        "search",
        {"iterate": {"container": "{{body.items}}", "condition": "{{item.ok}}"}, "output": {"n": "{{item.id}}"}},
        get(ITEMS),
        [{"n": 1}, {"n": 3}],
    ),
    ("iterate over null outputs nothing", "search", {"iterate": "{{body.no}}"}, get(ITEMS), []),
    ("limit cuts", "search", {"iterate": "{{body.items}}", "limit": "{{1 + 1}}"}, get(ITEMS), ITEMS["items"][:2]),
    (
        "limit cuts an array without iterate",
        "search",
        {"output": "{{body.items}}", "limit": 1},
        get(ITEMS),
        ITEMS["items"][:1],
    ),
    ("an action outputs the last item", "action", {"iterate": "{{body.items}}"}, get(ITEMS), ITEMS["items"][-1:]),
    (
        "wrapper comes last and has the output",
        "action",
        {
            "iterate": "{{body.items}}",
            "wrapper": {"all": "{{map(output, 'id')}}", "last": "{{iterate.container.last.id}}"},
        },
        get(ITEMS),
        [{"all": [1, 2, 3], "last": 3}],
    ),
    (
        "wrapper of a search keeps bundles apart",
        "search",
        {"iterate": "{{body.items}}", "wrapper": "{{reverse(output)}}"},
        get(ITEMS),
        ITEMS["items"][::-1],
    ),
    (
        "response.temp comes before output",
        "action",
        {"temp": {"n": "{{body.a + 1}}"}, "output": {"n": "{{temp.n}}"}},
        get({"a": 1}),
        [{"n": 2}],
    ),
    (
        "headers and status are there, and header names are found in any case",
        "action",
        {"output": {"h": "{{headers.`X-Thing`}}", "s": "{{statusCode}}", "c": "{{headers.`set-cookie`}}"}},
        get({}, headers={"X-Thing": "t", "Set-Cookie": "a=b"}, status=201),
        [{"h": "t", "s": 201, "c": ["a=b"]}],
    ),
    ("automatic: JSON", "action", {"output": {"b": "{{body}}"}}, get([1]), [{"b": [1]}]),
    ("automatic: text", "action", {"output": {"b": "{{body}}"}}, get(b"hi", content_type="text/plain"), [{"b": "hi"}]),
    (
        "automatic: urlencoded",
        "action",
        {"output": {"b": "{{body}}"}},
        get(b"a=1&b=x+y", content_type="application/x-www-form-urlencoded"),
        [{"b": {"a": "1", "b": "x y"}}],
    ),
    (
        "automatic: XML",
        "action",
        {"output": {"b": "{{body.data.text[]}}"}},
        get(b"<data><text>Hello</text></data>", content_type="application/xml"),
        [{"b": "Hello"}],
    ),
    (
        "automatic: what is not recognised stays as it came",
        "action",
        {"output": {"b": "{{body}}"}},
        get(b"\xff\xd8", content_type="image/jpeg"),
        [{"b": b"\xff\xd8"}],
    ),
    (
        "automatic: text of another charset",
        "action",
        {"output": {"b": "{{body}}"}},
        get(b"\xe9", content_type="text/plain; charset=latin-1"),
        [{"b": "é"}],
    ),
    (
        "json whatever the header says",
        "action",
        {"type": "json"},
        get(b'{"a":1}', content_type="text/html"),
        [{"a": 1}],
    ),
    ("binary", "action", {"type": "binary", "output": {"data": "{{body}}"}}, get({}), [{"data": b"{}"}]),
    (
        "the smallest range of statuses decides",
        "action",
        {"type": {"*": "json", "200-299": "text", "201": "binary"}, "output": {"b": "{{body}}"}},
        get({}, status=201),
        [{"b": b"{}"}],
    ),
    (
        "a range holds its ends",
        "action",
        {"type": {"*": "binary", "200-202": "text"}, "output": {"b": "{{body}}"}},
        get({}, status=202),
        [{"b": "{}"}],
    ),
    (
        "an empty body of JSON is null",
        "action",
        {"output": {"b": "{{ifempty(body, 'none')}}"}},
        get(b"", status=200),
        [{"b": "none"}],
    ),
    ("an rpc-like array is dropped by an action", "action", {"output": "{{body}}"}, get([{"a": 1}]), []),
]


@pytest.mark.parametrize(("says", "kind", "response", "answer", "bundles"), OUTPUTS, ids=[row[0] for row in OUTPUTS])
def test_output(
    tmp_path: Path, service: Service, *, says: str, kind: str, response: Any, answer: Answer, bundles: list[Any]
) -> None:
    service.will_answer(answer)
    tried = one_module(tmp_path, {"url": f"{service.url}/a", "response": response}, kind)
    assert tried.run().bundles == bundles


# What the documentation says, the communication without URLs of its own, the answers, and the bundles.
CHAINS: list[tuple[str, list[dict[str, Any]], list[Answer], list[Any]]] = [
    (
        "requests run in turn, and the last one's output counts",
        [{"url": "/a", "response": {"temp": {"id": "{{body.id}}"}}}, {"url": "/b/{{temp.id}}"}],
        [get({"id": 7}), Answer("GET /b/7", {"b": 1})],
        [{"b": 1}],
    ),
    (
        "temp is merged, not replaced",
        [
            {"temp": {"foo": "bar"}, "response": {"temp": {"foo": "baz", "hello": "world"}}},
            {"temp": {"one": "bar-{{temp.foo}}"}, "response": {"output": "{{temp}}"}},
        ],
        [],
        [{"foo": "baz", "hello": "world", "one": "bar-baz"}],
    ),
    (
        "variables of one temp do not see each other",
        [{"temp": {"a": 1, "b": "{{ifempty(temp.a, 'old')}}"}, "response": {"output": "{{temp}}"}}],
        [],
        [{"a": 1, "b": "old"}],
    ),
    (
        "arrays in temp are merged by position",
        [
            {"temp": {"list": "{{split('a,b,c', ',')}}", "kept": "x"}},
            {"temp": {"list": "{{split('z', ',')}}", "kept": "{{ignore}}"}, "response": {"output": "{{temp}}"}},
        ],
        [],
        [{"list": ["z", "b", "c"], "kept": "x"}],
    ),
    (
        "a false condition skips the request",
        [{"response": {"output": {"n": 1}}}, {"condition": "{{false}}", "url": "/b", "response": {"output": {"n": 2}}}],
        [],
        [{"n": 1}],
    ),
    (
        "only one of two conditions decides",
        [
            {"condition": "{{1 = 1}}", "response": {"output": {"text": "same"}}},
            {"condition": "{{1 != 1}}", "response": {"output": {"text": "other"}}},
        ],
        [],
        [{"text": "same"}],
    ),
    (
        "a skipped request may have a default",
        [{"condition": {"condition": "{{temp.no}}", "default": {"n": "{{1 + 1}}"}}, "url": "/b"}],
        [],
        [{"n": 2}],
    ),
    ("a skipped request without default gives nothing", [{"condition": False, "url": "/b"}], [], []),
    (
        "output false ends the chain",
        [{"url": "/a", "response": {"output": False}}, {"url": "/b"}],
        [get({})],
        [],
    ),
    (
        "without URL it computes only",
        [{"response": {"output": {"n": "{{2 * 3}}"}}}],
        [],
        [{"n": 6}],
    ),
]


@pytest.mark.parametrize(("says", "requests", "answers", "bundles"), CHAINS, ids=[row[0] for row in CHAINS])
def test_chain(
    tmp_path: Path,
    service: Service,
    *,
    says: str,
    requests: list[dict[str, Any]],
    answers: list[Answer],
    bundles: list[Any],
) -> None:
    service.will_answer(*answers)
    assert one_module(tmp_path, requests, base={"baseUrl": service.url}).run().bundles == bundles


def test_cookies_are_not_kept(tmp_path: Path, service: Service) -> None:
    service.will_answer(get({}, headers={"Set-Cookie": "session=1"}), get({}))
    one_module(tmp_path, [{"url": "/a"}, {"url": "/a"}], base={"baseUrl": service.url}).run()
    assert "cookie" not in service.received[1].headers


def test_a_body_that_is_too_large_is_not_sent(tmp_path: Path) -> None:
    tried = one_module(tmp_path, {"url": "http://a.example", "method": "POST", "body": {"a": "b" * 1000}})
    with pytest.raises(AppError, match=r"The body is larger than 1000 bytes\."):
        tried.run(limits=Limits(request_bytes=1000))


class TestRepeat:
    """`repeat`: a request under a condition with a delay in milliseconds, bounded by `limit`."""

    def poll(self, limit: int | None) -> dict[str, Any]:
        repeat = {"condition": "{{body.status != 'done'}}", "delay": 1500, **({"limit": limit} if limit else {})}
        return {"url": "/a", "repeat": repeat, "response": {"output": {"status": "{{body.status}}", "at": "{{now}}"}}}

    def test_goes_on_until_the_condition_is_false(self, tmp_path: Path, service: Service) -> None:
        service.will_answer(*(get({"status": status}) for status in ("queued", "running", "done")))
        tried = one_module(tmp_path, self.poll(None), base={"baseUrl": service.url})
        assert tried.run().bundles == [{"status": "done", "at": NOON.replace(second=3)}]
        assert tried.clock.waits == [1.5, 1.5]

    def test_ends_at_its_limit_without_an_error(self, tmp_path: Path, service: Service) -> None:
        service.will_answer(*(get({"status": "running"}) for _ in range(3)))
        tried = one_module(tmp_path, self.poll(3), base={"baseUrl": service.url})
        assert tried.run().bundles[0]["status"] == "running"
        assert tried.clock.waits == [1.5, 1.5]

    def test_runs_temp_again_and_not_at_all_when_skipped(self, tmp_path: Path) -> None:
        count = {"temp": {"n": "{{ifempty(temp.n, 0) + 1}}"}, "repeat": {"condition": "{{temp.n < 4}}"}}
        request = {**count, "response": {"output": "{{temp}}"}}
        assert one_module(tmp_path, request).run().bundles == [{"n": 4}]
        assert one_module(tmp_path, {**request, "condition": False}).run().bundles == []

    def test_is_never_more_than_make_allows(self, tmp_path: Path) -> None:
        tried = one_module(tmp_path, {"repeat": {"condition": True, "delay": 1, "limit": 10**9}})
        tried.run()
        assert len(tried.clock.waits) == 999

    def test_the_scenario_has_an_end(self, tmp_path: Path) -> None:
        tried = one_module(tmp_path, {"repeat": {"condition": True, "delay": 300_000}})
        with pytest.raises(MakeError, match=r"^ScenarioTimeoutError: The run takes more than 2400 s\.$"):
            tried.run()


def test_a_directive_that_make_does_not_have_is_told(tmp_path: Path) -> None:
    tried = one_module(tmp_path, {"respons": {}, "response": {"outputs": 1}, "headers": {"x": 1}})
    tried.run()
    assert tried.trace.warnings == [
        "modules/try/try.communication.iml.json: /respons: Make has no such directive; it is ignored.",
        "modules/try/try.communication.iml.json: /response/outputs: Make has no such directive; it is ignored.",
    ]


def test_an_error_of_error_factory_ends_the_module(tmp_path: Path) -> None:
    tried = one_module(tmp_path, {"temp": {}, "response": {"output": "{{errorFactory('DataError', 'No ' + 'luck')}}"}})
    with pytest.raises(MakeError, match=r"^DataError: No luck$"):
        tried.run()


# A mistake in the app: the communication, and what is said of it; FILE is that of the communication.
MISTAKES: list[tuple[Any, str]] = [
    (
        {"url": "/a"},
        "FILE: /url\n  The URL '/a' is relative, and there is no baseUrl.",
    ),
    (
        {"response": {"output": {"a": ["x", "{{formatDat(now, 'X')}}"]}}},
        "FILE: /response/output/a/1\n  {{formatDat(now, 'X')}}\n    ^^^^^^^^^\n"
        "  Unknown function `formatDat`. Did you mean `formatDate`?",
    ),
    (
        {"temp": {"a/b": "{{upper('x'}}"}},
        "FILE: /temp/a~1b\n  {{upper('x'}}\n             ^^\n  A comma or a closing ) is missing here.",
    ),
    (
        [{"temp": {}}, {"temp": "{{1}}"}],
        "FILE: /1/temp\n  `temp` is a collection, and this is number.",
    ),
    (
        {"response": {"iterate": "{{'text'}}"}},
        "FILE: /response/iterate\n  The container has to be an array, and this is text.",
    ),
    (
        {"response": {"iterate": {"condition": True}}},
        "FILE: /response/iterate\n  `iterate` lacks its container.",
    ),
    (
        {"repeat": {"condition": True, "delay": "soon"}},
        "FILE: /repeat/delay\n  A number is needed here, and this is text 'soon'.",
    ),
    (
        {"url": "http://a.example", "type": "yaml"},
        "FILE: /type\n  Unknown type 'yaml'. "
        "Make has json, urlencoded, multipart/form-data, text, string, raw, binary.",
    ),
    (
        {"url": "http://a.example", "method": "GET IT"},
        "FILE: /method\n  'GET IT' is not an HTTP method.",
    ),
    (
        {"url": "http://a.example", "aws": {"key": "k"}},
        "FILE: /aws\n  This runner does not sign requests for AWS.",
    ),
    (
        {"url": "http://a.example", "headers": {"a": "x\ny"}},
        "FILE: /headers\n  The header 'a' has characters that a header cannot have.",
    ),
    (
        {"url": "http://a.example", "qs": {"a": {"b": 1}}},
        "FILE: /qs\n  `qs` is flat, and 'a' holds a collection.",
    ),
    (
        {"url": "http://a.example", "method": "POST", "type": "urlencoded", "body": [1]},
        "FILE: /body\n  The body cannot be sent: a body of type urlencoded is a collection.",
    ),
    ("text", "FILE\n  A collection is needed here."),
    ([], "FILE\n  There is no request here."),
]


@pytest.mark.parametrize(("communication", "message"), MISTAKES, ids=[row[1].splitlines()[-1][:40] for row in MISTAKES])
def test_a_mistake_names_file_pointer_and_expression(tmp_path: Path, communication: Any, message: str) -> None:
    content = '"text"' if communication == "text" else communication
    with pytest.raises(AppError) as raised:
        one_module(tmp_path, content).run()
    assert str(raised.value) == message.replace("FILE", "modules/try/try.communication.iml.json")


def test_no_exchange_without_its_parameters(tmp_path: Path) -> None:
    tried = one_module(
        tmp_path, {"url": "http://a.example"}, mappableParams=[{"name": "a", "type": "text", "required": True}]
    )
    with pytest.raises(InputError) as raised:
        tried.run()
    assert raised.value.problems == [InputProblem("a", "It is required.")]
    assert tried.trace.exchanges == []
