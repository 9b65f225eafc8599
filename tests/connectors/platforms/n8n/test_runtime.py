"""The hand-written part of the package, as it is compiled: how values are written, and which deliveries are genuine."""

import json
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.fixtures.n8n import PACKAGE, node_environment

pytestmark = pytest.mark.n8n

RUNTIME = PACKAGE / "dist" / "nodes" / "runtime"
CALLS = """
const { folder, calls } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const made = calls.map(({ file, name, args }) => require(`${folder}/${file}.js`)[name](...args));
process.stdout.write(JSON.stringify(made));
"""

COLOURS = ["blue", "black"]
RGB = {"R": 100, "G": 200}
# The table of OpenAPI 3.1, section 4.8.12.4, and what has to be escaped.
WRITTEN: list[tuple[str, dict[str, Any], Any, Any]] = [
    ("inPath", {"style": "simple"}, "blue", "blue"),
    ("inPath", {"style": "simple"}, COLOURS, "blue,black"),
    ("inPath", {"style": "simple"}, RGB, "R,100,G,200"),
    ("inPath", {"style": "simple", "explode": True}, RGB, "R=100,G=200"),
    ("inPath", {"style": "label"}, "blue", ".blue"),
    ("inPath", {"style": "label", "explode": True}, COLOURS, ".blue.black"),
    ("inPath", {"style": "matrix"}, "blue", ";color=blue"),
    ("inPath", {"style": "matrix"}, COLOURS, ";color=blue,black"),
    ("inPath", {"style": "matrix", "explode": True}, COLOURS, ";color=blue;color=black"),
    ("inPath", {"style": "matrix", "explode": True}, RGB, ";R=100;G=200"),
    ("inPath", {"style": "simple"}, "../a b/ü?", "..%2Fa%20b%2F%C3%BC%3F"),
    ("inQuery", {"style": "form", "explode": True}, COLOURS, [["color", "blue"], ["color", "black"]]),
    ("inQuery", {"style": "form", "explode": False}, COLOURS, [["color", "blue,black"]]),
    ("inQuery", {"style": "form", "explode": True}, RGB, [["R", "100"], ["G", "200"]]),
    ("inQuery", {"style": "form", "explode": False}, RGB, [["color", "R,100,G,200"]]),
    ("inQuery", {"style": "spaceDelimited", "explode": False}, COLOURS, [["color", "blue%20black"]]),
    ("inQuery", {"style": "pipeDelimited", "explode": False}, COLOURS, [["color", "blue|black"]]),
    ("inQuery", {"style": "deepObject", "explode": True}, RGB, [["color[R]", "100"], ["color[G]", "200"]]),
    ("inQuery", {"style": "form", "explode": True}, "a&b=c/d", [["color", "a%26b%3Dc%2Fd"]]),
    ("inQuery", {"style": "form", "explode": True, "allowReserved": True}, "a&b=c/d", [["color", "a&b=c/d"]]),
    ("inQuery", {"contentType": "application/json"}, {"a": 1}, [["color", "%7B%22a%22%3A1%7D"]]),
    ("inHeader", {"style": "simple"}, "two\r\nX-Evil: lines", "two X-Evil: lines"),
]


def called(*calls: dict[str, Any]) -> list[Any]:
    """What the functions of the compiled runtime return."""
    asked = json.dumps({"folder": str(RUNTIME), "calls": calls})
    done = subprocess.run(
        ["node", "-e", CALLS], input=asked, env=node_environment(), capture_output=True, text=True, check=True
    )
    made: list[Any] = json.loads(done.stdout)
    return made


@pytest.fixture(scope="module", autouse=True)
def _built() -> None:
    subprocess.run(["npm", "run", "--silent", "build"], cwd=PACKAGE, env=node_environment(), check=True)


def test_values_are_written_as_openapi_says() -> None:
    calls = [
        {"file": "encoding", "name": name, "args": [{"name": "color", **how}, value]} for name, how, value, _ in WRITTEN
    ]
    assert called(*calls) == [written for *_, written in WRITTEN]


ADDRESSED = """
const { folder, path, style, value, base, server } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const { request } = require(`${folder}/request.js`);
const inputs = [{ id: 'id', name: 'id', label: 'Thing', location: 'path', style, shape: { kind: 'text' } }];
const values = new Map(value === null ? [] : [['id', value]]);
const sender = { node: {}, itemIndex: 3, base };
request({ method: 'DELETE', path, inputs, server: server ?? undefined }, values, sender)
  .then(({ url }) => ({ url }), ({ message, description }) => ({ message, description }))
  .then((found) => process.stdout.write(JSON.stringify(found)));
"""
ADDRESSES: list[tuple[str, str, str, str]] = [
    ("/things/{id}", "simple", "..a", "/things/..a"),
    ("/things/{id}", "simple", "...", "/things/..."),
    ("/things/{id}", "simple", "../jobs", "/things/..%2Fjobs"),
    ("/things/{id}", "simple", "%2e%2e", "/things/%252e%252e"),
    ("/things/{id}.json", "simple", "..", "/things/...json"),
    ("/things/{id}/parts", "label", "a", "/things/.a/parts"),
    ("/things/{id}", "matrix", "..", "/things/;id=.."),
    ("/things/{id}?from=/..", "simple", "a", "/things/a?from=/.."),
]


BASE = "https://things.example/api/"


def addressed(path: str, style: str, value: str | None, base: str = BASE, server: str | None = None) -> dict[str, str]:
    """The address of a call that deletes a thing, or why there is none."""
    asked = {"path": path, "style": style, "value": value, "base": base, "server": server}
    given = json.dumps({"folder": str(RUNTIME), **asked})
    done = subprocess.run(
        ["node", "-e", ADDRESSED], input=given, env=node_environment(), capture_output=True, text=True, check=True
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(("path", "style", "value", "sent"), ADDRESSES)
def test_a_value_stays_in_its_step_of_the_path(path: str, style: str, value: str, sent: str) -> None:
    assert addressed(path, style, value) == {"url": f"https://things.example/api{sent}"}


@pytest.mark.parametrize(
    ("path", "style", "value", "now"),
    [
        ("/things/{id}", "simple", "..", ".."),
        ("/things/{id}?expand=true", "simple", "..", ".."),
        ("/things/{id}#part", "simple", ".", "."),
        ("/things/{id}/parts", "simple", ".", "."),
        ("/things/.{id}/parts", "simple", ".", "."),
        ("/things/%2E{id}", "simple", ".", "."),
        ("/things/{id}", "label", ".", ".."),
    ],
)
def test_a_value_that_leads_to_another_path_is_refused(path: str, style: str, value: str, now: str) -> None:
    """A client takes such steps out of an address, also where their dots are escaped (URL standard, path state)."""
    refused = addressed(path, style, value)
    assert refused["message"] == "Thing would lead to another address [item 3]"
    assert refused["description"] == f"Enter what the service knows it by. What is there now: {now}"


@pytest.mark.parametrize("value", ["", None], ids=["empty", "not set"])
def test_a_step_of_the_path_is_not_left_out(value: str | None) -> None:
    assert addressed("/things/{id}", "simple", value) == {
        "message": "Thing is empty [item 3]",
        "description": "Enter what the service knows it by.",
    }


@pytest.mark.parametrize(
    ("base", "server", "sent"),
    [
        (BASE, "/v2", "https://things.example/v2/things/1"),
        (BASE, "v2/", "https://things.example/api/v2/things/1"),
        (BASE, "https://files.example/v2", "https://files.example/v2/things/1"),
        ("things.example", "https://files.example/v2", "https://files.example/v2/things/1"),
    ],
)
def test_an_operation_may_have_a_server_of_its_own(base: str, server: str, sent: str) -> None:
    assert addressed("/things/{id}", "simple", "1", base, server) == {"url": sent}


@pytest.mark.parametrize("server", [None, "/v2"])
@pytest.mark.parametrize("base", ["", "things.example/api", "localhost:8000"])
def test_a_base_url_that_is_no_address_is_told(base: str, server: str | None) -> None:
    assert addressed("/things/{id}", "simple", "1", base, server) == {
        "message": "The base URL of the credential is no address [item 3]",
        "description": f"Enter it in the credential with https:// before it. What is there now: {base}",
    }


# What n8n gives for the parameters of an item, in a workflow of another time zone than that of the process.
ENTERED = """
const { folder, inputs, parameters } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const { values } = require(`${folder}/inputs.js`);
const { DateTime } = require(require.resolve('luxon', { paths: [require.resolve(`${folder}/inputs.js`)] }));
const asGiven = (text) => (/^luxon:/.test(text) ? DateTime.fromISO(text.slice(6), { setZone: true }) : text);
const context = {
  getNode: () => ({}),
  getTimezone: () => 'Asia/Tokyo',
  getNodeParameter: (name) => asGiven(parameters[name]),
};
values(context, {}, { inputs }, 3)
  .then((found) => Object.fromEntries(found), ({ message, description }) => ({ message, description }))
  .then((found) => process.stdout.write(JSON.stringify(found)));
"""


def entered(shape: dict[str, Any], given: Any, **more: Any) -> dict[str, Any]:
    """What is sent of the value of an input, by its id; or what is said of it."""
    one = {"id": "one", "name": "one", "label": "One", "location": "body", "shape": shape, "parameter": "one", **more}
    asked = json.dumps({"folder": str(RUNTIME), "inputs": [one], "parameters": {"one": given}})
    environment = {**node_environment(), "TZ": "UTC"}
    done = subprocess.run(
        ["node", "-e", ENTERED], input=asked, env=environment, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("2026-01-31T10:00:00", "2026-01-31T01:00:00.000Z"),
        ("2026-01-31 10:00", "2026-01-31T01:00:00.000Z"),
        ("2026-01-31", "2026-01-30T15:00:00.000Z"),
        ("2026-01-31T10:00:00Z", "2026-01-31T10:00:00Z"),
        ("2026-01-31T10:00:00.5+02:00", "2026-01-31T10:00:00.5+02:00"),
        ("luxon:2026-01-31T10:00:00-05:00", "2026-01-31T10:00:00.000-05:00"),
        ("Sat, 31 Jan 2026 10:00:00 +0100", "2026-01-31T09:00:00.000Z"),
    ],
)
def test_a_moment_without_an_offset_is_one_of_the_workflows_time_zone(given: str, sent: str) -> None:
    """n8n's date picker gives no offset."""
    assert entered({"kind": "dateTime"}, given) == {"one": sent}


@pytest.mark.parametrize("given", ["tomorrow", "10:00", "2026-13-31T10:00:00", 20])
def test_what_is_no_moment_is_told(given: Any) -> None:
    assert entered({"kind": "dateTime"}, given)["message"] == "One is not a date [item 3]"


@pytest.mark.parametrize("given", ["2026-01-31", "2026-01-31T23:30:00", "luxon:2026-01-31T23:30:00-05:00"])
def test_a_day_is_that_which_is_entered(given: str) -> None:
    assert entered({"kind": "date"}, given) == {"one": "2026-01-31"}


TEXT: dict[str, Any] = {"kind": "text"}
LISTED: dict[str, Any] = {"kind": "list", "item": TEXT}


MEMBERS: dict[str, Any] = {
    "kind": "group",
    "members": [
        {"parameter": kind, "name": kind, "label": kind, "shape": {"kind": kind}, "optional": False}
        for kind in ("text", "number", "boolean", "json")
    ],
    "constants": {},
    "wrapped": True,
    "many": False,
}


@pytest.mark.parametrize(
    ("shape", "given", "sent"),
    [
        (TEXT, {"__rl": True, "mode": "id"}, {}),
        (TEXT, {"__rl": True, "mode": "id", "value": None}, {}),
        (TEXT, {"__rl": True, "mode": "id", "value": "a"}, {"one": "a"}),
        (LISTED, ["a", None, "b"], {"one": ["a", "b"]}),
        (MEMBERS, {"values": {"text": None, "number": None, "boolean": None, "json": None}}, {"one": {"json": None}}),
        (
            MEMBERS,
            {"values": {"text": "", "number": 0, "boolean": False}},
            {"one": {"text": "", "number": 0, "boolean": False}},
        ),
    ],
)
def test_what_an_expression_does_not_find_is_not_sent(shape: dict[str, Any], given: Any, sent: Any) -> None:
    assert entered(shape, given) == sent


def test_null_is_sent_where_it_is_a_value() -> None:
    assert entered(TEXT, {"__rl": True, "mode": "id", "value": None}, isNullable=True) == {"one": None}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (7, "7"),
        (True, "true"),
        (["a", "b"], "a,b"),
        ("luxon:2026-01-31T10:00:00-05:00", "2026-01-31T10:00:00.000-05:00"),
    ],
)
def test_what_has_a_text_is_sent_as_it(given: Any, sent: str) -> None:
    assert entered(TEXT, given) == {"one": sent}


@pytest.mark.parametrize("given", [{"about": "a boat"}, [{"about": "a boat"}]])
def test_an_object_in_place_of_a_text_is_told(given: Any) -> None:
    """It would be sent, and charged, as the words [object Object]."""
    told = entered(TEXT, given)
    assert told["message"] == "One is not a text [item 3]"
    assert told["description"].endswith(f"What is there now: {json.dumps(given, separators=(',', ':'))}")


def test_only_genuine_deliveries_are_taken() -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = '{"type":"job.succeeded"}'
    sent = 1767607200
    signature = Webhook(secret).sign("msg_1", datetime.fromtimestamp(sent, UTC), body)
    good = {"webhook-id": "msg_1", "webhook-timestamp": str(sent), "webhook-signature": signature}
    cases: list[tuple[str, dict[str, str], str, int, bool]] = [
        (secret, good, body, sent, True),
        (secret, {**good, "webhook-signature": f"v1,AAAA v2,BBBB {signature}"}, body, sent, True),
        (secret, good, body + " ", sent, False),
        (secret, {**good, "webhook-id": "msg_2"}, body, sent, False),
        ("whsec_" + "A" * 32, good, body, sent, False),
        (secret, good, body, sent + 301, False),
        (secret, good, body, sent - 301, False),
        (secret, {**good, "webhook-timestamp": f"{sent}x"}, body, sent, False),
        (secret, {**good, "webhook-signature": "v1,"}, body, sent, False),
        (secret, {}, body, sent, False),
    ]
    calls = [
        {"file": "signature", "name": "isGenuine", "args": [key, headers, text, now * 1000]}
        for key, headers, text, now, _ in cases
    ]
    assert called(*calls) == [genuine for *_, genuine in cases]


# A service with things 1 to 25, ten of them on a page at most, in each of the ways of paging. {place} in its links is
# where the next page begins.
PAGED = """
const { folder, pages, limit, links, base, total, gaps = [] } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const { items, page } = require(`${folder}/pages.js`);
const things = Array.from({ length: 25 }, (_, index) => ({ id: index + 1 }));
const sizes = [];
async function answer(_, { url }) {
  const { origin, pathname, searchParams: query } = new URL(url);
  if (origin !== 'https://things.example') throw new Error('The key has gone elsewhere.');
  const size = Number(query.get('size') ?? 10);
  sizes.push(size);
  const asked = query.get('at') ?? query.get('after') ?? pathname.split('/from/')[1];
  const start = pages.kind === 'page' ? (asked ?? 1) * size - size : Number(asked ?? 0);
  const data = gaps.includes(start) ? [] : things.slice(start, start + size);
  const isLast = start + size >= total;
  const next = isLast ? null : (links ?? '{place}').replace('{place}', String(start + size));
  const headers = { 'content-type': 'application/json', ...(isLast ? {} : { link: `<${next}>; rel="next"` }) };
  return { statusCode: 200, headers, body: JSON.stringify({ data, next }) };
}
const context = {
  getCredentials: async () => ({ baseUrl: base }),
  getNode: () => ({}),
  helpers: { httpRequestWithAuthentication: answer },
};
const input = (id, name) => ({ id, name, label: name, location: 'query', shape: { kind: 'text' } });
const operation = {
  id: 'list', label: 'List', method: 'GET', path: '/', inputs: [input('place', 'at'), input('many', 'size')],
  answer: 'json', files: [], errors: {}, pages, pageSizeMax: 10,
};
const api = { title: 'Things', credentials: ['thingsApi'], operations: { list: operation } };
(async () => {
  const found = (await items(context, api, operation, new Map(), 0, limit)).map(({ id }) => id);
  const listed = [];
  let token;
  do {
    const one = await page(context, api, operation, new Map(), token, '/data');
    listed.push(...one.items.map(({ id }) => id));
    token = one.token;
  } while (token !== undefined);
  return { found, listed, sizes: [...new Set(sizes)] };
})().catch(({ message }) => ({ message })).then((done) => process.stdout.write(JSON.stringify(done)));
"""
PAGES: list[dict[str, Any]] = [
    {"kind": "cursor", "field": "place", "next": "/next", "isOfItem": False},
    {"kind": "offset", "field": "place"},
    {"kind": "page", "field": "place", "first": 1},
]
# Links to the next page: parameters that are declared, and that are not, at other paths, and at another host.
LINKS = [
    "https://things.example/?size=10&at={place}",
    "https://things.example/?size=10&after={place}&token=a%2Fb",
    "?size=10&after={place}",
    "/from/{place}?size=10",
    "http://behind.the.proxy/things?size=10&at={place}",
    "http://behind.the.proxy/things?size=10&after={place}",
    "http://things.example/?size=10&at={place}",
    "http://things.example/from/{place}?size=10",
    "http://things.example:8080/from/{place}?size=10",
]


def in_pages(
    limit: int = 14,
    links: str | None = None,
    gaps: Sequence[int] = (),
    base: str = "https://things.example",
    total: int = 25,
    **pages: Any,
) -> dict[str, Any]:
    """The things that are output, and those to choose from."""
    whole = {**pages, "limit": "many", "items": "/data"}
    asked = {"limit": limit, "links": links, "gaps": gaps, "base": base, "total": total, "pages": whole}
    asked_for = json.dumps({"folder": str(RUNTIME), **asked})
    done = subprocess.run(
        ["node", "-e", PAGED], input=asked_for, env=node_environment(), capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("pages", PAGES, ids=lambda pages: pages["kind"])
def test_lists_are_read_page_by_page(pages: dict[str, Any]) -> None:
    assert in_pages(**pages) == {"found": [*range(1, 15)], "listed": [*range(1, 26)], "sizes": [10]}


@pytest.mark.parametrize("pages", [{}, {"next": "/next"}], ids=["header", "body"])
@pytest.mark.parametrize("links", LINKS)
def test_lists_are_read_link_by_link(links: str, pages: dict[str, Any]) -> None:
    found = in_pages(limit=100, links=links, kind="link", **pages)
    assert found == {"found": [*range(1, 26)], "listed": [*range(1, 26)], "sizes": [10]}


@pytest.mark.parametrize(
    "links",
    [
        "https://things.example/api/from/{place}?size=10",
        "https://things.example/things?size=10&at={place}",
        "/apis/from/0?size=10&at={place}",
        "http://behind.the.proxy/from/0?size=10&at={place}",
    ],
)
def test_of_a_link_out_of_the_api_only_the_query_counts(links: str) -> None:
    """Where a proxy leaves a part of the path away, services do not know of it."""
    found = in_pages(limit=100, links=links, base="https://things.example/api", kind="link")
    assert found == {"found": [*range(1, 26)], "listed": [*range(1, 26)], "sizes": [10]}


@pytest.mark.parametrize("links", ["https://other.example/from/{place}?size=10", "/from/{place}?size=10"])
def test_a_list_does_not_end_at_a_link_that_is_not_followed(links: str) -> None:
    base = "https://things.example/api"
    assert in_pages(limit=100, links=links, base=base, kind="link") == {
        "message": "The link to the next page leads out of the service, and is not followed [item 0]"
    }


def test_a_list_whose_link_leads_back_to_the_same_page_ends() -> None:
    assert in_pages(links="https://things.example/?size=10", kind="link")["found"] == [*range(1, 11)]


@pytest.mark.parametrize("pages", [PAGES[0], {"kind": "link"}], ids=lambda pages: pages["kind"])
def test_an_empty_page_is_not_the_last_where_the_answer_tells_of_more(pages: dict[str, Any]) -> None:
    """Services that filter what they have read answer such pages."""
    links = "?size=10&at={place}" if pages["kind"] == "link" else None
    whole = [*range(1, 11), *range(21, 26)]
    assert in_pages(limit=100, links=links, gaps=[10], **pages) == {"found": whole, "listed": whole, "sizes": [10]}


def test_a_list_without_an_end_is_told() -> None:
    """Three pages have the things. A hundred that are empty may follow."""
    assert in_pages(limit=100, total=1030, **PAGES[0])["found"] == [*range(1, 26)]
    assert in_pages(limit=100, total=1040, **PAGES[0]) == {
        "message": "The service has answered 100 empty pages one after another [item 0]"
    }


def test_a_cursor_that_stays_ends_the_list() -> None:
    assert in_pages(limit=100, links="10", **PAGES[0])["found"] == [*range(1, 21)]


def test_a_link_that_is_no_address_is_told() -> None:
    assert in_pages(links="https://[", kind="link") == {"message": "The link to the next page is no address [item 0]"}


# A service that sends each call for /1 on, as it is told.
MOVED = """
const { folder, method, status, location } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const { followed } = require(`${folder}/redirects.js`);
const sent = [];
const answers = (who) => async (http) => {
  sent.push([who, http.method, http.url, http.body ?? null, Object.keys(http.headers)]);
  const isMoved = new URL(http.url).pathname === '/1';
  return isMoved ? { statusCode: status, headers: { location } } : { statusCode: 200, headers: {} };
};
const withKey = answers('key');
const helpers = { httpRequest: answers('nobody'), httpRequestWithAuthentication: (_, http) => withKey(http) };
const body = method === 'GET' ? undefined : 'a boat';
const headers = { Accept: 'a/b', ...(body && { 'Content-Type': 'text/plain' }), 'Idempotency-Key': 'one' };
const http = { method, url: 'https://things.example/1', body, headers };
followed({ helpers }, 'thingsApi', http, true).then(({ statusCode }) =>
  process.stdout.write(JSON.stringify([statusCode, sent.slice(1)])));
"""
HERE = "https://things.example/2"
OTHER = "https://files.example/2"
KEPT = ["Accept", "Idempotency-Key"]
WHOLE = ["Accept", "Content-Type", "Idempotency-Key"]
# How it is asked for /1, how it is sent on, and what is asked then.
MOVES: list[tuple[str, int, str, list[Any] | None]] = [
    ("GET", 301, "/2", ["key", "GET", HERE, None, KEPT]),
    ("GET", 308, "2", ["key", "GET", HERE, None, KEPT]),
    ("POST", 301, "/2", ["key", "GET", HERE, None, KEPT]),
    ("POST", 302, "/2", ["key", "GET", HERE, None, KEPT]),
    ("POST", 303, "/2", ["key", "GET", HERE, None, KEPT]),
    ("POST", 307, "/2", ["key", "POST", HERE, "a boat", WHOLE]),
    ("POST", 308, HERE, ["key", "POST", HERE, "a boat", WHOLE]),
    ("DELETE", 302, "/2", ["key", "DELETE", HERE, "a boat", WHOLE]),
    ("DELETE", 303, "/2", ["key", "GET", HERE, None, KEPT]),
    ("GET", 302, OTHER, ["nobody", "GET", OTHER, None, ["Accept"]]),
    ("POST", 303, OTHER, None),
    ("POST", 307, OTHER, None),
    ("DELETE", 303, OTHER, None),
    ("GET", 302, "http://things.example/2", ["nobody", "GET", "http://things.example/2", None, ["Accept"]]),
    ("GET", 308, "http://things.example/1", None),
    ("GET", 308, "https://things.example:8443/1", None),
    ("GET", 302, "file:///etc/passwd", None),
    ("GET", 302, "https://[", None),
    ("GET", 304, "/2", None),
]


@pytest.mark.parametrize(("method", "status", "location", "then"), MOVES)
def test_redirects_are_followed(method: str, status: int, location: str, then: list[Any] | None) -> None:
    given = json.dumps({"folder": str(RUNTIME), "method": method, "status": status, "location": location})
    done = subprocess.run(
        ["node", "-e", MOVED], input=given, env=node_environment(), capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == ([status, []] if then is None else [200, [then]])


# A job that ends at the sixth look, each of which takes some seconds. Time passes by itself: how long n8n was asked
# to wait is noted.
WAITED = """
const { folder, job, retryAfter, looks } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const Module = require('module');
const { _load: load } = Module;
const pauses = [];
let now = 0;
Date.now = () => now;
const passed = (milliseconds) => void (now += milliseconds);
const sleep = async (milliseconds) => passed(milliseconds) ?? void pauses.push(milliseconds / 1000);
Module._load = (name, ...rest) => (name === 'n8n-workflow' ? { ...load(name, ...rest), sleep } : load(name, ...rest));
const { ended } = require(`${folder}/jobs.js`);
const asked = [];
async function answer(_, { headers }) {
  passed(looks[asked.push(headers.Prefer ?? null) - 1] * 1000);
  const body = JSON.stringify({ id: 'job_1', status: asked.length < 6 ? 'running' : 'done' });
  const told = retryAfter !== null && asked.length === 1 ? { 'retry-after': retryAfter } : {};
  return { statusCode: 200, headers: { 'content-type': 'application/json', ...told }, body };
}
const context = {
  getCredentials: async () => ({ baseUrl: 'https://things.example' }),
  getExecutionCancelSignal: () => undefined,
  getNode: () => ({}),
  helpers: { httpRequestWithAuthentication: answer },
  onExecutionCancellation: () => {},
};
const input = (id, name, location) => ({ id, name, label: name, location, shape: { kind: 'text' } });
const look = {
  id: 'look', label: 'Look', method: 'GET', path: '/jobs/{id}', answer: 'json', files: [], errors: {},
  inputs: [input('id', 'id', 'path'), input('prefer', 'Prefer', 'header')],
};
const api = { title: 'Things', credentials: ['thingsApi'], operations: { look } };
const waiting = { context, api, operation: look, job, itemIndex: 0, secondsMax: 600 };
ended(waiting, { id: 'job_1', status: 'running' }).then(() => process.stdout.write(JSON.stringify({ asked, pauses })));
"""
JOB: dict[str, Any] = {
    "acceptedStatus": 202,
    "status": {"operation": "look", "bindings": [{"field": "id", "source": {"pointer": "/id"}}]},
    "state": "/status",
    "succeeded": ["done"],
    "failed": [],
    "cancelled": [],
    "start": [],
    "outputs": [],
}


LONG_POLLING = {"wait": {"field": "prefer", "text": "wait={seconds}", "secondsMax": 240}}


@pytest.mark.parametrize(
    ("more", "looks", "retry_after", "asked", "pauses"),
    [
        ({}, [0] * 6, None, None, [1, 1.5, 2.25, 3.375, 5.0625]),
        ({}, [0] * 6, "7", None, [7, 10.5, 15, 15, 15]),
        (LONG_POLLING, [25] * 6, None, "wait=25", []),
        (LONG_POLLING, [0] * 6, None, "wait=25", [1, 1.5, 2.25, 3.375, 5.0625]),
        (LONG_POLLING, [0, 25, 0, 25, 25, 25], "5", "wait=25", [5, 7.5]),
    ],
    ids=["backs off", "as it is told to", "long polling", "answered at once", "answered at once now and then"],
)
def test_a_job_is_waited_for(
    more: Any, looks: list[int], retry_after: str | None, asked: str | None, pauses: list[float]
) -> None:
    job = {**JOB, **more}
    given = json.dumps({"folder": str(RUNTIME), "job": job, "retryAfter": retry_after, "looks": looks})
    done = subprocess.run(
        ["node", "-e", WAITED], input=given, env=node_environment(), capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == {"asked": [asked] * 6, "pauses": pauses}
