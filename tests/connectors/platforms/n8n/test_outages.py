"""What becomes of paid work when the service, the way to it or n8n itself fails on the way: the compiled node against a
service that does as it is told, without n8n."""

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures.n8n import PACKAGE, node_environment

pytestmark = pytest.mark.n8n

EXECUTION = Path(__file__).with_name("execution.cjs")
IMAGE = b"a boat"
RESUME = "The operation Wait for Completion of Job with this ID takes it up again, at no further charge."


@pytest.fixture(scope="module", autouse=True)
def _built() -> None:
    subprocess.run(["npm", "run", "--silent", "build"], cwd=PACKAGE, env=node_environment(), check=True)


@dataclass(frozen=True)
class Asked:
    """A call that the service was asked for."""

    method: str
    path: str
    key: str | None


@dataclass(frozen=True)
class Told:
    """What it answers; with `cut`, less than it announces."""

    status: int = 200
    body: Any = None
    cut: bool = False


LOST = None
Answers = Callable[[Asked], Told | None]


@dataclass
class Service:
    """Where it is, and what it was asked for."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)

    def keys(self, path: str) -> list[str | None]:
        return [one.key for one in self.asked if one.method == "POST" and one.path == path]

    def result(self, name: str = "a.png") -> dict[str, Any]:
        return {
            "image_url": f"{self.url}/files/{name}?signature=1",
            "success": True,
            "job_id": "job_7",
            "credits_charged": 5,
            "credits_remaining": 95,
        }


@contextmanager
def serving(answers: Callable[[Service], Answers]) -> Iterator[Service]:
    """A service that answers so; where there is no answer it hangs up, once it has read what was sent."""
    service = Service()
    answer = answers(service)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked = Asked(self.command, self.path.split("?")[0], self.headers.get("Idempotency-Key"))
            service.asked.append(asked)
            told = answer(asked)
            self.close_connection = True
            if told is None:
                return
            body = told.body if isinstance(told.body, bytes) else json.dumps(told.body).encode()
            self.send_response(told.status)
            self.send_header("Content-Type", "image/png" if isinstance(told.body, bytes) else "application/json")
            self.send_header("Content-Length", str(len(body) * (2 if told.cut else 1)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_DELETE = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        service.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield service
        server.shutdown()


def run(base: str, *lacks: str, is_stopping: bool = False, is_continuing: bool = False, **entered: Any) -> Any:
    """What comes of an image that is asked for, or of another operation."""
    parameters = {"resource": "image", "operation": "generate", "prompt": "a boat", **entered}
    given = {"base": base, "parameters": parameters, "lacks": lacks}
    given |= {"isStopping": is_stopping, "isContinuing": is_continuing}
    command = ["node", str(EXECUTION), str(PACKAGE)]
    done = subprocess.run(
        command, input=json.dumps(given), env=node_environment(), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def prompt(service: Service) -> Answers:
    """Done at once, and all of it is there."""
    return lambda asked: Told(body=IMAGE if asked.path.startswith("/files/") else service.result())


def test_a_result_is_given_in_an_n8n_that_cannot_tell_who_asks() -> None:
    """`isToolExecution` is new in n8n 2.5."""
    with serving(prompt) as service:
        done = run(service.url, "isToolExecution")
    (item,) = done["items"]
    assert item["json"]["image_url"].startswith(service.url)
    assert item["binary"]["data"]["fileName"] == "a.png"
