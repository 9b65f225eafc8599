"""Each directive, with what Make's documentation says of it."""

import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme

from aiops_connect.platforms.make.runner import MakeError
from aiops_connect.platforms.make.runner.blocks import PAGINATION_DIRECTIVES, REQUEST_DIRECTIVES, RESPONSE_DIRECTIVES
from tests.connectors.platforms.make.runner.apps import one_module
from tests.connectors.platforms.make.runner.service import HOST, Answer, Service, serving

PARAMETERS = [{"name": "name", "type": "text"}, {"name": "no", "type": "text"}]

# What the documentation says, the base, the communication, the request line, and what it is sent besides.
REQUESTS: list[tuple[str, dict[str, Any], dict[str, Any], str, dict[str, Any]]] = [
    ("GET is the default", {}, {"url": "/jobs"}, "GET /jobs", {}),
    (
        "method may be an expression",
        {},
        {"url": "/jobs", "method": "{{if(true, 'DELETE', 'PUT')}}"},
        "DELETE /jobs",
        {},
    ),
    ("slashes that follow each other are one", {}, {"url": "//jobs//{{'/a'}}"}, "GET /jobs/a", {}),
    ("a trailing slash stays", {}, {"url": "/jobs/"}, "GET /jobs/", {}),
    ("the path is encoded", {}, {"url": "/jobs/{{'a b/ü'}}"}, "GET /jobs/a%20b/%C3%BC", {}),
    ("what is encoded is encoded twice", {}, {"url": "/jobs/{{encodeURL('a/b')}}"}, "GET /jobs/a%252Fb", {}),
    (
        "encodeUrl false leaves it alone",
        {},
        {"url": "/jobs/{{encodeURL('a/b')}}", "encodeUrl": False},
        "GET /jobs/a%2Fb",
        {},
    ),
    ("the URL keeps its own query", {}, {"url": "/jobs?a=1"}, "GET /jobs?a=1", {}),
    ("qs takes the place of the URL's query", {}, {"url": "/jobs?a=1", "qs": {"b": "2"}}, "GET /jobs?b=2", {}),
    ("an empty qs takes it away", {}, {"url": "/jobs?a=1", "qs": {}}, "GET /jobs", {}),
    (
        "an array in qs repeats its name",
        {},
        {"url": "/jobs", "qs": {"a": "{{split('x,y', ',')}}"}},
        "GET /jobs?a=x&a=y",
        {},
    ),
    (
        "undefined is left out of qs",
        {},
        {"url": "/jobs", "qs": {"a": "{{parameters.no}}", "b": 1}},
        "GET /jobs?b=1",
        {},
    ),
    ("qs is encoded", {}, {"url": "/jobs", "qs": {"a&b": "c d+é"}}, "GET /jobs?a%26b=c%20d%2B%C3%A9", {}),
    ("qs of the base is inherited", {"qs": {"v": "1"}}, {"url": "/jobs", "qs": {"a": "b"}}, "GET /jobs?v=1&a=b", {}),
    (
        "headers are inherited, and names are case-insensitive",
        {"headers": {"X-Key": "base", "X-Other": "o"}},
        {"url": "/jobs", "headers": {"x-KEY": "own"}},
        "GET /jobs",
        {"headers": {"x-key": "own", "x-other": "o"}},
    ),
    (
        "an undefined header takes away the inherited one",
        {"headers": {"X-Key": "base"}},
        {"url": "/jobs", "headers": {"X-Key": "{{ignore}}"}},
        "GET /jobs",
        {"headers": {"x-key": None}},
    ),
    (
        "headers in one expression replace those of the base",
        {"headers": {"X-Key": "base"}},
        {"url": "/jobs", "headers": "{{pick(parameters, 'none')}}"},
        "GET /jobs",
        {"headers": {"x-key": None}},
    ),
    (
        "JSON is the default type; undefined is left out, null and empty text are not",
        {},
        {"url": "/jobs", "method": "POST", "body": {"a": "{{parameters.no}}", "b": None, "c": "", "d": "{{1 + 1}}"}},
        "POST /jobs",
        {"headers": {"content-type": "application/json"}, "body": b'{"b":null,"c":"","d":2}'},
    ),
    (
        "a date in JSON is ISO 8601",
        {},
        {"url": "/jobs", "method": "POST", "body": {"at": "{{now}}"}},
        "POST /jobs",
        {"body": b'{"at":"2026-03-04T12:00:00.000Z"}'},
    ),
    (
        "the body of the base is inherited",
        {"body": {"v": 1}},
        {"url": "/jobs", "method": "POST", "body": {"a": 2}},
        "POST /jobs",
        {"body": b'{"v":1,"a":2}'},
    ),
    (
        "a spread puts a collection into its parent",
        {},
        {
            "url": "/jobs",
            "method": "POST",
            "body": {"a": 1, "{{...}}": "{{toCollection(toArray(parameters), 'key', 'value')}}"},
        },
        "POST /jobs",
        {"body": b'{"a":1,"name":"n"}'},
    ),
    (
        "null and an empty text spread nothing",
        {},
        {
            "url": "/jobs",
            "method": "POST",
            "body": {"{{...}}": "{{emptystring}}", "a": {"{{...}}": "{{null}}", "b": 1}},
        },
        "POST /jobs",
        {"body": b'{"a":{"b":1}}'},
    ),
    (
        "GET has no body",
        {},
        {"url": "/jobs", "body": {"a": 1}},
        "GET /jobs",
        {"headers": {"content-type": None}, "body": b""},
    ),
    (
        "urlencoded leaves out null",
        {},
        {"url": "/jobs", "method": "POST", "type": "urlencoded", "body": {"a": "x y", "b": None, "c": ["1", "2"]}},
        "POST /jobs",
        {"headers": {"content-type": "application/x-www-form-urlencoded"}, "body": b"a=x%20y&c%5B0%5D=1&c%5B1%5D=2"},
    ),
    (
        "text is sent as it is",
        {},
        {"url": "/jobs", "method": "PUT", "type": "text", "body": "<a>{{parameters.name}}</a>"},
        "PUT /jobs",
        {"headers": {"content-type": None}, "body": b"<a>n</a>"},
    ),
    (
        "raw converts what is no text",
        {},
        {"url": "/jobs", "method": "PUT", "type": "raw", "body": 12},
        "PUT /jobs",
        {"body": b"12"},
    ),
    (
        "binary is a buffer",
        {},
        {"url": "/jobs", "method": "PUT", "type": "binary", "body": "{{toBinary('AAH/', 'base64')}}"},
        "PUT /jobs",
        {"body": b"\x00\x01\xff"},
    ),
    ("gzip asks for it", {}, {"url": "/jobs", "gzip": True}, "GET /jobs", {"headers": {"accept-encoding": "gzip"}}),
    ("else nothing compressed", {}, {"url": "/jobs"}, "GET /jobs", {"headers": {"accept-encoding": "identity"}}),
    ("temp comes first", {}, {"temp": {"id": "{{1 + 1}}"}, "url": "/jobs/{{temp.id}}"}, "GET /jobs/2", {}),
]


@pytest.mark.parametrize(("says", "base", "communication", "line", "sent"), REQUESTS, ids=[row[0] for row in REQUESTS])
def test_request(
    tmp_path: Path,
    service: Service,
    *,
    says: str,
    base: dict[str, Any],
    communication: dict[str, Any],
    line: str,
    sent: dict[str, Any],
) -> None:
    service.will_answer(Answer(line, {"ok": True}))
    tried = one_module(tmp_path, communication, base={"baseUrl": service.url, **base}, mappableParams=PARAMETERS)
    assert tried.run(parameters={"name": "n"}).bundles == [{"ok": True}]
    (received,) = service.received
    for name, value in sent.get("headers", {}).items():
        assert received.headers.get(name) == value
    if "body" in sent:
        assert received.body == sent["body"]


def test_a_certificate_of_ones_own_is_trusted_where_the_app_says_so(tmp_path: Path) -> None:
    authority, service = trustme.CA(), Service()
    encrypted = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(encrypted)
    with serving(service, encrypted):
        service.will_answer(Answer("GET /jobs", {"ok": True}))
        request = {"url": f"{service.url}/jobs", "ca": authority.cert_pem.bytes().decode()}
        assert one_module(tmp_path, request).run().bundles == [{"ok": True}]
        for wrong, message in (({}, "certificate verify failed"), ({"ca": "none"}, "`ca` is not a certificate")):
            with pytest.raises(MakeError, match=message):
                one_module(tmp_path, {"url": f"{service.url}/jobs", **wrong}).run()


@pytest.mark.parametrize("name", sorted(REQUEST_DIRECTIVES | RESPONSE_DIRECTIVES | PAGINATION_DIRECTIVES))
def test_each_directive_is_in_a_test(name: str) -> None:
    """One that is added without a test is told."""
    assert any(f'"{name}"' in path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
