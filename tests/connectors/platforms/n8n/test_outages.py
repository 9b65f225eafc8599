"""What becomes of paid work when the service, the way to it or n8n itself fails on the way: the compiled node against a
service that does as it is told, without n8n."""

import json
import ssl
import subprocess
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.fixtures.n8n import PACKAGE, node_environment

pytestmark = pytest.mark.n8n

EXECUTION = Path(__file__).with_name("execution.cjs")
IMAGE = b"a boat"
WORK = "/api/services/image_gen"
JOB = {"id": "job_7", "status": "queued"}
GOES_ON = (
    "Job job_7 goes on. The operation Wait for Completion of Job with this ID takes it up again, at no further charge."
)


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


Answers = Callable[[Asked], Told | None]


@dataclass
class Service:
    """Where it is, and what it was asked for."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)

    def keys(self) -> list[str | None]:
        """Under which it was asked for work."""
        return [one.key for one in self.asked if one.path == WORK]

    def result(self, name: str = "a.png") -> dict[str, Any]:
        return {
            "image_url": f"{self.url}/files/{name}?signature=1",
            "success": True,
            "job_id": "job_7",
            "credits_charged": 5,
            "credits_remaining": 95,
        }


@contextmanager
def serving(answers: Callable[[Service], Answers], tls: ssl.SSLContext | None = None) -> Iterator[Service]:
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

        def do_POST(self) -> None:
            self.do_GET()

        def do_DELETE(self) -> None:
            self.do_GET()

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        service.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield service
        server.shutdown()


def run(base: str, *lacks: str, is_stopping: bool = False, is_continuing: bool = False, **entered: Any) -> Any:
    """What comes of an image that is asked for, or of another operation."""
    parameters = {"resource": "image", "operation": "generate", "prompt": "a boat", **entered}
    given = {"base": base, "parameters": parameters, "lacks": lacks}
    asked = json.dumps({**given, "isStopping": is_stopping, "isContinuing": is_continuing})
    command = ["node", str(EXECUTION), str(PACKAGE)]
    done = subprocess.run(command, input=asked, env=node_environment(), capture_output=True, text=True, check=True)
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


DONE = Told(body={**JOB, "status": "succeeded", "result": {"image_url": "https://things.example/a.png"}})
BUSY = "The service cannot reach its database."
AWAY = Told(503, {"error": BUSY, "code": "database_unavailable"})


def job(looks: Iterator[Told | None]) -> Callable[[Service], Answers]:
    """Work that takes its time: how each look at it is answered, and with the result once it has succeeded."""
    seen: list[Told | None] = []

    def answers(service: Service) -> Answers:
        def answer(asked: Asked) -> Told | None:
            if asked.path.startswith("/files/"):
                return Told(body=IMAGE)
            if asked.path == WORK:
                return Told(body=service.result()) if DONE in seen else Told(202, JOB)
            told = next(looks)
            seen.append(told)
            return told

        return answer

    return answers


@pytest.mark.parametrize("trouble", [None, AWAY, Told(502, b"")], ids=["cut", "503", "502"])
def test_an_outage_while_a_job_is_waited_for_is_outlasted(trouble: Told | None) -> None:
    """Of four minutes, of the ten that it is waited for."""
    with serving(job(chain(repeat(trouble, 20), [DONE]))) as service:
        done = run(service.url)
    (item,) = done["items"]
    assert item["json"]["success"] is True
    assert max(done["pauses"]) == 15
    assert 180 < sum(done["pauses"]) < 300
    assert len(set(service.keys())) == 1


@pytest.mark.parametrize("is_continuing", [False, True], ids=["stops", "goes on"])
def test_an_outage_that_outlasts_the_wait_names_the_job(is_continuing: bool) -> None:
    with serving(job(repeat(None))) as service:
        done = run(service.url, is_continuing=is_continuing, options={"maximumWait": 60})
    assert sum(done["pauses"]) == pytest.approx(60, abs=5)
    told = done["items"][0]["json"] if is_continuing else done["error"]
    assert told["message" if is_continuing else "description"] == GOES_ON
    assert told["details"]["jobId"] == "job_7"
    assert len(service.keys()) == 1


@pytest.mark.parametrize(
    ("status", "advice"),
    [(401, f"Check the Authorization header. {GOES_ON}"), (404, "The job is job_7.")],
)
def test_a_refusal_while_a_job_is_waited_for_names_it(status: int, advice: str) -> None:
    with serving(job(repeat(Told(status, {"error": "No."})))) as service:
        done = run(service.url)
    assert done["error"]["message"] == "No. [item 0]"
    assert done["error"]["description"].endswith(advice)
    assert done["pauses"] == []


def lost(*answers: Told | None) -> Callable[[Service], Answers]:
    """What becomes of the call that begins the work, each time that it is made."""
    told = iter(answers)
    return lambda service: lambda asked: next(told) if asked.path == WORK else prompt(service)(asked)


def test_work_whose_answer_is_lost_is_asked_for_again_under_its_key() -> None:
    done = Told(body={"image_url": "https://things.example/a.png", "success": True, "credits_remaining": 95})
    with serving(lost(None, replace(done, cut=True), AWAY, done)) as service:
        made = run(service.url, output="url")
    assert made["items"][0]["json"]["success"] is True
    assert made["pauses"] == [1, 2, 4]
    (key,) = set(service.keys())
    assert key is not None
    assert len(service.keys()) == 4


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (None, "No answer came from the service: the connection was cut"),
        (Told(504, b""), "The service answered with status 504"),
    ],
    ids=["cut", "by a proxy"],
)
def test_work_whose_answer_stays_lost_may_have_been_accepted(told: Told | None, message: str) -> None:
    with serving(lost(*[told] * 5)) as service:
        done = run(service.url)
    assert len(service.keys()) == 5
    assert done["error"]["message"] == f"{message} [item 0]"
    assert done["error"]["description"] == (
        "It may have been accepted all the same. Retry On Fail repeats it under the same key, and it is done once. "
        "A new execution is new work, unless the key is your own. The operation Get Many of Job shows whether it runs."
    )


def test_a_refusal_of_work_is_told_at_once() -> None:
    with serving(lost(AWAY)) as service:
        done = run(service.url)
    assert done["error"]["message"] == f"{BUSY} [item 0]"
    assert done["pauses"] == []


def test_what_is_done_twice_where_it_is_repeated_is_not_repeated() -> None:
    """A file that is uploaded has no key."""
    with serving(lambda _: lambda _: None) as service:
        done = run(service.url, resource="file", operation="upload", file="data")
    assert len(service.asked) == 1
    assert done["error"]["description"].startswith("It may have been accepted all the same: see to that before")


def test_a_service_that_nothing_was_sent_to_has_accepted_nothing() -> None:
    done = run("http://127.0.0.1:9")
    assert done["error"]["message"] == "The service could not be reached: the connection was refused [item 0]"
    assert done["pauses"] == []


def test_a_service_without_tls_has_accepted_nothing() -> None:
    with serving(prompt) as service:
        done = run(service.url.replace("http://", "https://"))
    assert done["error"]["message"] == "The service could not be reached: no TLS connection came about [item 0]"
    assert (done["pauses"], service.asked) == ([], [])


def test_a_service_whose_certificate_is_not_accepted_has_accepted_nothing() -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    with serving(prompt, tls) as service:
        done = run(service.url)
    assert done["error"]["message"] == "The service could not be reached: its certificate was not accepted [item 0]"
    assert (done["pauses"], service.asked) == ([], [])


@pytest.mark.parametrize("waits", [True, False], ids=["waiting", "not waiting"])
def test_stopping_an_execution_while_work_begins_cancels_the_job(waits: bool) -> None:
    cancelled = threading.Event()

    def answers(_: Service) -> Answers:
        def answer(asked: Asked) -> Told:
            if asked.path == WORK:
                time.sleep(1)  # while the execution is stopped
                return Told(202, JOB)
            cancelled.set()
            return Told(body={**JOB, "status": "cancelled"})

        return answer

    with serving(answers) as service:
        run(service.url, is_stopping=True, is_continuing=True, waitForCompletion=waits)
        assert cancelled.wait(10)
        assert [(one.method, one.path) for one in service.asked] == [("POST", WORK), ("POST", "/api/jobs/job_7/cancel")]


CUT = Told(body=IMAGE, cut=True)
KEPT = (
    "The work is done, and the details have the link. The job is job_7. The operation Wait for Completion of Job with "
    "this ID gets the file again, at no further charge. Or choose URL as the output."
)


def fetching(*answers: Told | None) -> Callable[[Service], Answers]:
    """What becomes of the calls for the file of a result."""
    told = iter(answers)
    return lambda service: lambda asked: next(told) if asked.path.startswith("/files/") else prompt(service)(asked)


def test_a_file_that_is_cut_off_is_fetched_again() -> None:
    with serving(fetching(CUT, Told(502, b""), Told(body=IMAGE))) as service:
        done = run(service.url)
    assert b64decode(done["items"][0]["binary"]["data"]["data"]) == IMAGE
    assert done["pauses"] == [1, 4]
    assert len(service.keys()) == 1


@pytest.mark.parametrize(
    ("told", "why", "pauses"),
    [
        (CUT, "the connection was cut", [1, 4]),
        (None, "the connection was cut", [1, 4]),
        (Told(502, b""), "status 502", [1, 4]),
        (Told(410, b""), "status 410", []),
    ],
    ids=["cut off", "not begun", "away", "expired"],
)
def test_a_result_whose_file_cannot_be_fetched_is_not_lost(told: Told | None, why: str, pauses: list[int]) -> None:
    with serving(fetching(*[told] * 3)) as service:
        done = run(service.url)
    assert done["error"]["message"] == f"The file of the result could not be fetched ({why}) [item 0]"
    assert done["error"]["description"] == KEPT
    details = done["error"]["details"]
    assert (details["jobId"], details["answer"]["image_url"]) == ("job_7", service.result()["image_url"])
    assert done["pauses"] == pauses
    assert len(service.keys()) == 1


def test_the_file_of_a_job_that_was_waited_for_is_not_lost() -> None:
    answers = job(iter([DONE]))
    with serving(
        lambda service: lambda asked: Told(410, b"") if asked.path.startswith("/files/") else answers(service)(asked)
    ) as service:
        done = run(service.url)
    assert done["error"]["description"] == KEPT


def test_a_key_that_is_entered_is_sent_without_the_spaces_around_it() -> None:
    with serving(prompt) as service:
        run(service.url, output="url", options={"idempotencyKey": " Order 42 "})
    assert service.keys() == ["Order 42"]


def test_a_key_that_is_empty_is_one_of_the_nodes_own() -> None:
    with serving(prompt) as service:
        for options in ({}, {"idempotencyKey": ""}, {"idempotencyKey": " "}):
            run(service.url, output="url", options=options)
    (key,) = set(service.keys())
    assert key is not None
    assert key.startswith("n8n-")


@pytest.mark.parametrize("key", ["Order \u2013 \u8d64", "M\u00fcller", "two\nlines", "x" * 256])
def test_a_key_that_would_not_arrive_as_it_is_is_refused(key: str) -> None:
    with serving(prompt) as service:
        done = run(service.url, output="url", options={"idempotencyKey": key})
    assert done["error"]["message"] == "Idempotency Key cannot be sent as it is [item 0]"
    assert done["error"]["description"].startswith("Enter at most 255 letters")
    assert service.asked == []


def test_a_file_that_is_uploaded_is_not_fetched_again() -> None:
    with serving(lambda service: lambda _: Told(body={"file_url": f"{service.url}/files/a.wav"})) as service:
        done = run(service.url, resource="file", operation="upload", file="data")
    assert done["items"][0]["json"] == {"file_url": f"{service.url}/files/a.wav"}
    assert [one.method for one in service.asked] == ["POST"]
