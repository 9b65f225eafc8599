"""The API reference says what the document and the plans say, whole, inert and in little space."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import jsonschema_rs
import pytest
import pytest_asyncio
import yaml

from aiops.accounts.plans import load_plans
from aiops.contract.document import Document, api_document
from aiops.web.reference.model import Plan, Server
from aiops.web.reference.reading import limit_names
from aiops.web.reference.rendering import Rendered, rendered
from tests.fixtures.page import Page
from tests.fixtures.service import BASE_URL, Service, running_service

pytestmark = pytest.mark.asyncio(loop_scope="module")

SIZE_MAX = 100_000
SENT_MAX = 40_000
DOCUMENT = api_document()
TREE: dict[str, Any] = DOCUMENT.tree
SERVER = Server("https://aiops.test", True, 240, 72, 300)


def visitor(service: Service) -> httpx.AsyncClient:
    """A client for pages: the document does not describe them."""
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=service.app), base_url=BASE_URL)
    service.clients.append(client)
    return client


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def answers(shared_service: Service) -> AsyncIterator[dict[str, httpx.Response]]:
    client = visitor(shared_service)
    yield {path: await client.get(path) for path in ("/docs", "/docs.md", "/llms.txt")}


@pytest.fixture
def page(answers: dict[str, httpx.Response]) -> Page:
    return Page(answers["/docs"].text)


def render(tree: dict[str, Any], folder: Path) -> Rendered:
    """The reference of another document."""
    path = folder / "aiops.yaml"
    path.write_text(yaml.safe_dump(tree))
    document, names = Document(path), limit_names(DOCUMENT)
    plans = [Plan(name, tuple(getattr(limits, one) for one in names)) for name, limits in load_plans(None).items()]
    return rendered(document, tuple(plans), SERVER)


def copy() -> dict[str, Any]:
    tree: dict[str, Any] = json.loads(DOCUMENT.as_json)
    return tree


def plain(text: str) -> str:
    """A text without the marks of CommonMark, and without stops, which the beginning of a tip has or not."""
    return " ".join(re.sub(r"[`*\\.]", "", text).split())


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in TREE["paths"].items():
        for method, node in item.items():
            yield f"{method.upper()} {path}", node


def facts() -> Iterator[tuple[str, str]]:
    """What has to be said, by where it stands in the document; told by its own walk, not by the code under test."""
    for name, node in operations():
        yield from operation_facts(name, node)
    for name, schema in TREE["components"]["schemas"].items():
        if name.endswith("Error") and "allOf" in schema:
            yield from error_facts(name, schema)
        elif name != "Health":  # the answer of /health, which is told in a line
            yield from field_facts(name, schema)
    for name, header in {**TREE["components"]["headers"], **TREE["components"]["parameters"]}.items():
        yield name, header["description"]
    for name, limits in load_plans(None).items():
        yield from (
            (f"plan {name}", text) for text in (name, *(f"{value:,}" for value in limits.model_dump().values()))
        )
    yield "authentication", TREE["components"]["securitySchemes"]["api_key"]["description"].split("\n\n")[1]


def operation_facts(name: str, node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    bodies = node.get("requestBody", {}).get("content", {}).values()
    examples = [example["summary"] for body in bodies for example in body.get("examples", {}).values()]
    price = [f"{node['x-credits']} credits"] if "x-credits" in node else []
    texts = (name.split()[1], node["summary"], *node["description"].split("\n\n"), *examples, *price)
    yield from ((name, text) for text in texts)


def error_facts(name: str, schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    own = schema["allOf"][1]
    yield name, own["properties"]["code"]["const"]
    yield name, schema["description"]
    yield from field_facts(
        name, {"properties": {field: one for field, one in own["properties"].items() if field != "code"}}
    )


def field_facts(name: str, schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield from choices(name, schema)
    for field, one in schema.get("properties", {}).items():
        yield f"{name}.{field}", field
        yield f"{name}.{field}", one.get("description", "")
        yield from choices(f"{name}.{field}", one)


def choices(pointer: str, schema: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for one in schema.get("oneOf", ()):
        for word in ("const", "title", "description"):
            yield pointer, one.get(word, "")


def missing(text: str) -> list[tuple[str, str]]:
    said = plain(text)
    return [(where, fact) for where, fact in facts() if plain(fact) not in said]


async def test_every_fact_of_the_document_stands_on_the_page(page: Page) -> None:
    assert len(list(facts())) > 300
    assert missing(page.text) == []


async def test_every_fact_of_the_document_stands_in_the_markdown(answers: dict[str, httpx.Response]) -> None:
    assert missing(answers["/docs.md"].text) == []


async def test_limits_and_defaults_stand_with_their_fields(answers: dict[str, httpx.Response]) -> None:
    """In the rows of the Markdown table, whose cells are told apart easily."""
    rows = [[cell.strip(" `") for cell in line.split("|")] for line in answers["/docs.md"].text.splitlines()]
    told = {row[1]: row[2:6] for row in rows if len(row) == 8}
    assert told["prompt"] == ["string", "yes", "1 to 2,000 characters", ""]
    assert told["aspect_ratio"] == ["string", "no", "", "1:1"]
    assert told["audio_url"] == ["URL", "yes", "8 to 2,048 characters", ""]
    assert told["limit"] == ["integer, in the query", "no", "1 to 100", "20"]
    assert told["job_id"] == ["string, in the path", "yes", "1 to 64 characters", ""]


async def test_required_fields_are_marked_in_words(answers: dict[str, httpx.Response]) -> None:
    marks = dict(
        re.findall(
            r'<th scope="row"><code>([\w-]+)</code> <span class="[\w ]+">(required|optional)</span>',
            answers["/docs"].text,
        )
    )
    assert {name for name, mark in marks.items() if mark == "required"} == {
        "prompt", "text", "audio_url", "job_id", "file_id", "webhook_id", "url", "events", "file",
    }  # fmt: skip
    assert {"aspect_ratio", "voice", "language", "limit", "cursor"} <= marks.keys()


async def test_the_page_is_small(shared_service: Service, answers: dict[str, httpx.Response], page: Page) -> None:
    """HTML, and with stylesheet and scripts as a browser is sent them; it asks for nothing else but an icon."""
    files = [one["href"] for one in page.of("link") if one["rel"] == "stylesheet"]
    files += [one["src"] for one in page.of("script")]
    client = visitor(shared_service)
    sizes = {path: (await client.get(path)).num_bytes_downloaded for path in ("/docs", *map(str, files))}
    assert len(sizes) == 4
    assert sum(sizes.values()) < SENT_MAX, sizes
    assert len(answers["/docs"].content) < SIZE_MAX
    assert page.of("img") == []


async def test_the_page_reads_without_javascript(page: Page) -> None:
    assert [tag for tag, attributes in page.tags if "hidden" in attributes and tag != "button"] == []
    assert all(one.get("src") for one in page.of("script"))
    assert len(page.of("button")) == len(page.code) > 20


async def test_every_block_of_code_can_be_copied(page: Page) -> None:
    assert [one["data-copy"] for one in page.of("button")] == list(page.code)


async def test_headings_are_in_order_and_in_the_table_of_contents(
    answers: dict[str, httpx.Response], page: Page
) -> None:
    levels = [level for level, _ in page.headings]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    anchored = [attributes["id"] for tag, attributes in page.tags if tag in ("h2", "h3")]
    assert len(anchored) > 25
    contents = re.search(r'<nav class="toc".*?</nav>', answers["/docs"].text, re.DOTALL)
    assert contents is not None
    assert {f"#{one}" for one in anchored} == set(Page(contents[0]).links)


async def test_ids_are_unique_and_links_lead_somewhere(page: Page) -> None:
    assert sorted(page.ids) == sorted(set(page.ids))
    assert {link[1:] for link in page.links if link.startswith("#")} - set(page.ids) == set()
    outside = {link for link in page.links if not link.startswith(("#", "/"))}
    assert outside == set()


async def test_tables_have_captions_and_scopes(page: Page) -> None:
    assert len(page.of("caption")) == len(page.of("table")) > 5
    assert all(one.get("scope") in ("col", "row") for one in page.of("th"))


async def test_nothing_is_styled_or_scripted_in_place(page: Page) -> None:
    names = {name for _, attributes in page.tags for name in attributes}
    assert not {name for name in names if name == "style" or name.startswith("on")}
    assert page.unclosed == []


async def test_the_contents_are_in_the_order_in_which_they_are_needed(page: Page) -> None:
    titles = [text for level, text in page.headings if level == 2]
    order = ["Quick start", "Authentication", "Services", "Voices", "Headers you may send", "Jobs", "Account", "Errors",
             "Rate limits", "Use it in n8n", "Use it in Zapier", "Use it in Make"]  # fmt: skip
    assert [title for title in titles if title in order] == order


async def test_examples_lead_to_this_server(answers: dict[str, httpx.Response], page: Page) -> None:
    assert "aiops.example" not in answers["/docs"].text + answers["/docs.md"].text
    urls = re.findall(r"https?://[^\s'\"<>)`]+", "\n".join(page.code.values()))
    assert {f"{urlsplit(url).scheme}://{urlsplit(url).netloc}" for url in urls} == {
        BASE_URL,
        "https://media.example",
        "https://hooks.example",
    }


async def test_it_is_sent_once(shared_service: Service, answers: dict[str, httpx.Response]) -> None:
    client = visitor(shared_service)
    for path, answer in answers.items():
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-cache")
        again = await client.get(path, headers={"If-None-Match": f'"other", {answer.headers["etag"]}'})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == answer.headers["etag"]
        assert (await client.get(path, headers={"If-None-Match": '"other"'})).status_code == 200
    assert len({answer.headers["etag"] for answer in answers.values()}) == 3


async def test_each_form_has_its_type(answers: dict[str, httpx.Response]) -> None:
    types = {path: answer.headers["content-type"] for path, answer in answers.items()}
    assert types == {
        "/docs": "text/html; charset=utf-8",
        "/docs.md": "text/markdown; charset=utf-8",
        "/llms.txt": "text/plain; charset=utf-8",
    }
    assert all("default-src 'none'" in answer.headers["content-security-policy"] for answer in answers.values())


async def test_where_nobody_can_sign_up_nobody_is_told_to(tmp_path: Path, sqlite_template: Path) -> None:
    database = tmp_path / "aiops.sqlite3"
    database.write_bytes(sqlite_template.read_bytes())
    async with running_service(tmp_path, f"sqlite:///{database}", signup="closed") as service:
        client = visitor(service)
        for path in ("/docs", "/docs.md"):
            text = (await client.get(path)).text
            assert "/sign-up" not in text
            assert "/sign-in" in text


async def test_llms_txt_follows_the_convention(shared_service: Service, answers: dict[str, httpx.Response]) -> None:
    lines = [line for line in answers["/llms.txt"].text.splitlines() if line]
    assert lines[0] == f"# {TREE['info']['title']}"
    assert lines[1] == f"> {TREE['info']['summary']}"
    links = re.findall(r"^- \[[^\]]+\]\((\S+)\): \S", answers["/llms.txt"].text, re.MULTILINE)
    assert {urlsplit(link).path for link in links} == {"/docs", "/docs.md", "/openapi.yaml", "/openapi.json"}
    assert len(links) == len([line for line in lines if line.startswith("- ")])
    client = visitor(shared_service)
    assert {(await client.get(link)).status_code for link in links} == {200}


async def test_the_markdown_is_well_formed(answers: dict[str, httpx.Response]) -> None:
    assert answers["/docs.md"].text.startswith("# aiops API ")
    assert_well_formed(answers["/docs.md"].text)


def assert_well_formed(text: str) -> None:
    """Fences come in pairs, and the rows of each table have as many cells as its head."""
    assert len(re.findall("^```", text, re.MULTILINE)) % 2 == 0
    tables = re.findall(
        r"(?:^\|.*\n)+", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE
    )
    assert len(tables) > 10
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1, table


def with_more(tree: dict[str, Any]) -> dict[str, Any]:
    """The document with a service, an object, an error, a tag, a free operation and an event more."""
    schemas, paths = tree["components"]["schemas"], tree["paths"]
    text = {"type": "string", "title": "Text", "description": "What to summarize.", "minLength": 1, "maxLength": 9000}
    tone = {
        "type": "string",
        "title": "Tone",
        "description": "How it sounds.",
        "default": "dry",
        "oneOf": [{"const": "dry", "title": "Dry", "description": "Plainly."}, {"const": "warm", "title": "Warm"}],
    }
    part = {"type": "object", "title": "Part", "description": "One part.", "properties": {"heading": text}}
    parts = {
        "type": "array",
        "title": "Parts",
        "description": "In order.",
        "items": {"$ref": "#/components/schemas/Part"},
    }
    schemas["Part"] = part
    schemas["Digest"] = {
        "type": "object",
        "title": "Digest",
        "required": ["digest"],
        "properties": {"digest": text, "parts": parts},
    }
    schemas["BoredError"] = {
        "title": "Bored",
        "description": "Send something better.",
        "allOf": [
            {"$ref": "#/components/schemas/Error"},
            {
                "type": "object",
                "properties": {"code": {"const": "bored"}, "yawns": {"type": "integer", "description": "How many."}},
            },
        ],
    }
    example = {"digest": "Short.", "parts": []}
    reference = {"$ref": "#/components/schemas/Digest"}
    answer = {
        "description": "Done.",
        "content": {"application/json": {"schema": reference, "examples": {"one": {"value": example}}}},
    }
    bored = {"application/json": {"schema": {"$ref": "#/components/schemas/BoredError"}}}
    body = {"type": "object", "required": ["text"], "properties": {"text": text, "tone": tone}}
    examples = {"one": {"summary": "A long text", "value": {"text": 'It\'s long, "very" long.', "tone": "warm"}}}
    paths["/api/services/summarize"] = {
        "post": {
            "operationId": "summarize_text",
            "tags": ["Texts"],
            "summary": "Summarize a text",
            "description": "Makes it short.\n\n**Hint.** Shorter is better.",
            "x-credits": 7,
            "requestBody": {"content": {"application/json": {"schema": body, "examples": examples}}},
            "responses": {"200": answer, "418": {"description": "No.", "content": bored}},
        }
    }
    paths["/api/digests/{digest_id}"] = {
        "get": {
            "operationId": "get_digest",
            "tags": ["Digests"],
            "summary": "Get a digest",
            "parameters": [
                {"name": "digest_id", "in": "path", "required": True, "schema": {"type": "string"}, "example": "dig_1"}
            ],
            "responses": {"200": answer},
        }
    }
    event = {"summary": "A digest is ready", "description": "Sent once.", "requestBody": {"content": answer["content"]}}
    tree["webhooks"] = {"digest.ready": {"post": event}}
    return tree


MORE = [
    "Summarize a text", "/api/services/summarize", "7 credits", "Makes it short.", "Hint", "Shorter is better.",
    "What to summarize.", "1 to 9,000 characters", "How it sounds.", "Plainly.", "warm", "A long text",
    "list of Part", "One part.", "heading", "bored", "418", "Send something better.", "yawns", "How many.",
    "Texts", "Get a digest", "/api/digests/{digest_id}", "/api/digests/dig_1", "digest.ready", "A digest is ready",
    "Sent once.", "{{ $json.digest }}",
]  # fmt: skip


async def test_what_is_added_to_the_document_stands_on_the_page_whole(tmp_path: Path) -> None:
    reference = render(with_more(copy()), tmp_path)
    page = Page(reference.content)
    assert [fact for fact in MORE if fact not in page.text] == []
    assert [fact for fact in MORE if plain(fact) not in plain(reference.markdown)] == []
    assert "Summarize a text" in reference.llms
    assert "It'\"'\"'s long" in page.code["summarize_text-1-curl"]
    assert '"text": "It\'s long, \\"very\\" long."' in page.code["summarize_text-1-python"]
    titles = [(str(entry.title), [str(child.title) for child in entry.children]) for entry in reference.contents]
    assert ("Texts", ["Summarize a text"]) in titles
    assert ("Digests", ["Get a digest"]) in titles
    assert {link[1:] for link in page.links if link.startswith("#")} - set(page.ids) == set()
    assert sorted(page.ids) == sorted(set(page.ids))


HOSTILE = (
    "\"'></code></pre></td></table><script>alert(1)</script><img src=x onerror=alert(1)>"
    "[x](javascript:alert(1)) [x](data:text/html,x) <javascript:alert(1)> {{ 7*7 }} {% raw %} &lt;b&gt; | |"
)
TEXTS = {"title", "summary", "description"}


def made_hostile(node: Any) -> Any:
    """A copy in which every text for people, and every string of an example, ends in mischief."""
    if isinstance(node, list):
        return [made_hostile(one) for one in node]
    if not isinstance(node, dict):
        return node
    return {
        name: value.rstrip() + f" {HOSTILE}"
        if name in TEXTS and isinstance(value, str)
        else spoilt(value)
        if name == "value"
        else made_hostile(value)
        for name, value in node.items()
    }


def spoilt(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: one if name == "code" else spoilt(one) for name, one in value.items()}
    if isinstance(value, list):
        return [spoilt(one) for one in value]
    return value + HOSTILE if isinstance(value, str) else value


async def test_hostile_texts_are_only_text(tmp_path: Path) -> None:
    """The page is built of the same tags in the same order, so nothing in a text has become one."""
    (tmp_path / "hostile").mkdir()
    usual, hostile = render(copy(), tmp_path), render(made_hostile(copy()), tmp_path / "hostile")
    page, tame = Page(hostile.content), Page(usual.content)
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in tame.tags]
    assert page.text.count("<script>alert(1)</script>") > 200
    assert page.unclosed == []
    assert page.ids == tame.ids
    names = {name for _, attributes in page.tags for name in attributes}
    assert names == {name for _, attributes in tame.tags for name in attributes}
    assert page.links == tame.links
    contents = "".join(str(entry.title) for entry in hostile.contents)
    assert "<" not in contents.replace("&lt;", "")
    assert_well_formed(hostile.markdown)


async def test_hostile_names_are_only_names(tmp_path: Path) -> None:
    tree = copy()
    name = '"><script>alert(1)</script>`|'
    tree["components"]["schemas"]["ImageRequest"]["properties"][name] = {
        "type": "string", "description": "Nothing.", "default": name, "oneOf": [{"const": name, "title": name}],
    }  # fmt: skip
    tree["components"]["schemas"]["ImageResult"]["properties"] = {
        name: {"type": "string", "description": "Nothing."},
        **tree["components"]["schemas"]["ImageResult"]["properties"],
    }
    tree["components"]["schemas"]["ImageResult"]["required"].append(name)
    page = Page(render(tree, tmp_path).content)
    assert page.of("script") == []
    assert page.unclosed == []
    last = json.loads(page.code["n8n-workflow-json"])["nodes"][-1]
    (assignment,) = last["parameters"]["assignments"]["assignments"]
    assert assignment["value"] == f"={{{{ $json[{json.dumps(name)}] }}}}"


async def test_the_workflow_is_one_that_n8n_imports(page: Page) -> None:
    workflow = json.loads(page.code["n8n-workflow-json"])
    jsonschema_rs.Draft202012Validator(WORKFLOW).validate(workflow)
    names = [node["name"] for node in workflow["nodes"]]
    assert len(names) == len(set(names))
    assert len({node["id"] for node in workflow["nodes"]}) == len(names)
    links = [(source, one["node"]) for source, to in workflow["connections"].items() for one in to["main"][0]]
    assert links == list(pairwise(names))


async def test_the_workflow_makes_the_call_and_uses_the_result(shared_service: Service, page: Page) -> None:
    """What n8n would send, sent: the key comes from the credential, and the next node's link leads to the file."""
    trigger, call, last = json.loads(page.code["n8n-workflow-json"])["nodes"]
    sent = call["parameters"]
    assert (trigger["type"], trigger["typeVersion"]) == ("n8n-nodes-base.manualTrigger", 1)
    assert (call["type"], call["typeVersion"]) == ("n8n-nodes-base.httpRequest", 4.2)
    assert (sent["authentication"], sent["genericAuthType"]) == ("genericCredentialType", "httpHeaderAuth")
    assert "Bearer" not in json.dumps(call)
    ada = await shared_service.customer(email="n8n@example.com")
    (header,) = sent["headerParameters"]["parameters"]
    key = header["value"].removeprefix("=").replace("{{ $execution.id }}", "231").replace("{{ $itemIndex }}", "0")
    assert (header["name"], key) == ("Idempotency-Key", "231-generate_image-0")
    for _ in range(2):
        answer = await ada.client.request(
            sent["method"], sent["url"], json=json.loads(sent["jsonBody"]), headers={header["name"]: key}
        )
        assert answer.status_code == 200
    assert await ada.credits() == 4995
    (field,) = re.fullmatch(r"=\{\{ \$json\.(\w+) \}\}", last["parameters"]["url"]).groups()  # type: ignore[union-attr]
    picture = await ada.client.get(answer.json()[field])
    assert picture.headers["content-type"] == "image/png"


WORKFLOW = {
    "type": "object",
    "required": ["name", "nodes", "connections"],
    "properties": {
        "name": {"type": "string"},
        "nodes": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "name", "type", "typeVersion", "position", "parameters"],
                "properties": {
                    "id": {"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
                    "name": {"type": "string", "minLength": 1},
                    "type": {"type": "string", "pattern": "^n8n-nodes-base\\."},
                    "typeVersion": {"type": "number"},
                    "position": {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "number"}},
                    "parameters": {"type": "object"},
                },
            },
        },
        "connections": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["main"],
                "properties": {
                    "main": {
                        "type": "array",
                        "items": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "required": ["node", "type", "index"],
                                "properties": {"node": {"type": "string"}, "type": {"const": "main"}},
                            },
                        },
                    }
                },
            },
        },
    },
}
