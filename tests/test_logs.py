"""What a server writes while it is called well and badly: enough to find a call again, and nothing of what was said."""

import json
import logging
import os
import socket
import sqlite3
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from aiops.accounts import keys
from aiops.logs import TRACE, configure_logs
from tests.fixtures.service import IMAGE, SPEECH, TRANSCRIPTION

JSON = {"Content-Type": "application/json"}


@dataclass
class Serving:
    """`aiops serve` on a folder of its own. `secrets` collects what must not be in its log."""

    folder: Path
    client: httpx.Client
    key: str
    secrets: set[str] = field(default_factory=set)
    answers: list[httpx.Response] = field(default_factory=list)

    def call(self, method: str, path: str, status: int, **options: Any) -> httpx.Response:
        answer = self.client.request(method, path, **options)
        assert answer.status_code == status, answer.text
        self.answers.append(answer)
        return answer

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()


@contextmanager
def serving(folder: Path, log_format: str) -> Iterator[Serving]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {
        "AIOPS_DATA_DIR": str(folder / "data"),
        "AIOPS_LOG_FORMAT": log_format,
        "AIOPS_METRICS_TOKEN": "token-of-the-metrics",
    }
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "aiops", "serve", "--port", str(port)],
            env={**os.environ, **settings},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            printed = next((line for line in process.stdout if line.startswith("API key: ")), "")
            assert printed, (folder / "log").read_text()
            key = printed.removeprefix("API key: ").strip()
            transport = httpx.HTTPTransport(retries=5)
            url, authorization = f"http://127.0.0.1:{port}", {"Authorization": f"Bearer {key}"}
            with httpx.Client(transport=transport, base_url=url, headers=authorization, timeout=60) as client:
                yield Serving(folder, client, key)
        finally:
            process.terminate()
            process.wait(timeout=30)


def call_well(server: Serving) -> None:
    prompt, idempotency_key = "a heron under a violet moon", "idempotency-of-ada"
    image = server.call(
        "POST", IMAGE, 200, json={"prompt": prompt}, headers={"Idempotency-Key": idempotency_key}
    ).json()["image_url"]
    text = "the quick brown fox jumps over the lazy dog"
    audio = server.call("POST", SPEECH, 200, json={"text": text}).json()["audio_url"]
    server.call("GET", image, 200)
    server.call("GET", image, 206, headers={"Range": "bytes=0-9"})
    server.call("POST", TRANSCRIPTION, 200, json={"audio_url": audio})
    server.call("GET", "/metrics", 200, headers={"Authorization": "Bearer token-of-the-metrics"})
    signatures = {parse_qs(urlsplit(link).query)["signature"][0] for link in (image, audio)}
    server.secrets |= {prompt, idempotency_key, text, "token-of-the-metrics", *signatures}


def call_badly(server: Serving) -> None:
    unknown, words = keys.new_key(), "a walrus that plays the tuba"
    link = f"/files/{'a' * 22}.png?expires=1&signature=signature-of-mallory"
    server.call("GET", "/api/account", 401, headers={"Authorization": f"Bearer {unknown}"})
    server.call("GET", "/api/account", 401, headers={"Authorization": "Basic cGFzc3dvcmQ6aHVzaA=="})
    server.call("GET", f"/api/jobs/{unknown}", 404)
    server.call("GET", f"/nowhere?api_key={unknown}", 404)
    server.call("GET", link, 404)
    server.call("GET", "/metrics", 401, headers={"Authorization": "Bearer token-of-mallory"})
    server.call("POST", IMAGE, 400, content=f'{{"prompt": "{words}"', headers=JSON)
    server.call("POST", IMAGE, 422, json={"prompt": words, "style": words})
    server.call("POST", IMAGE, 413, content=words.encode() * 5000, headers=JSON)
    server.call("POST", IMAGE, 415, content=words.encode())
    server.call("POST", TRANSCRIPTION, 422, json={"audio_url": "http://127.0.0.1/a.mp3?token=token-of-the-link"})
    server.secrets |= {unknown, words, "signature-of-mallory", "token-of-mallory", "token-of-the-link"}
    server.secrets |= {"cGFzc3dvcmQ6aHVzaA=="}


def call_with_the_database_broken(server: Serving) -> None:
    """What nobody foresaw: it is logged with its traceback."""
    words = "a badger in a submarine"
    with sqlite3.connect(server.folder / "data" / "aiops.sqlite3") as database:
        database.execute("ALTER TABLE rate_window RENAME TO elsewhere")
    database.close()
    server.call("POST", IMAGE, 500, json={"prompt": words})
    server.call("GET", f"/api/jobs?cursor={words}", 500)
    server.secrets |= {words, words.replace(" ", "%20")}


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_the_log_names_every_call_and_holds_no_secret(tmp_path: Path, log_format: str) -> None:
    with serving(tmp_path, log_format) as server:
        call_well(server)
        call_badly(server)
        call_with_the_database_broken(server)
    server.secrets |= {server.key, server.key[keys.SHOWN_LENGTH : -4], keys.digest(server.key)}
    server.secrets |= {(tmp_path / "data" / "secret_key").read_text()}
    assert [secret for secret in server.secrets if secret in server.log] == []
    assert "Authorization" not in server.log
    assert [one for one in server.answers if one.headers["x-request-id"] not in server.log] == []
    assert "Traceback" not in server.log
    assert "aiops/" in server.log, "the place of the error"
    assert not any("Traceback" in one.text or "sqlite" in one.text.lower() for one in server.answers[-2:])


def test_every_line_of_a_log_in_json_is_an_object(tmp_path: Path) -> None:
    with serving(tmp_path, "json") as server:
        call_badly(server)
        call_with_the_database_broken(server)
    lines = [json.loads(line) for line in server.log.splitlines()]
    assert all(line.keys() >= {"event", "level", "timestamp"} for line in lines)
    answered = {line["request_id"]: line for line in lines if line["event"] == "answered"}
    for answer in server.answers:
        line = answered[answer.headers["x-request-id"]]
        assert (line["method"], line["status"]) == (answer.request.method, answer.status_code)
        assert line["milliseconds"] >= 0
    unforeseen = [line for line in lines if line["event"] == "unforeseen"]
    assert [line["request_id"] for line in unforeseen] == [one.headers["x-request-id"] for one in server.answers[-2:]]


def test_a_trace_that_a_library_logs_as_text_is_cut_down(capsys: pytest.CaptureFixture[str]) -> None:
    """Starlette does, where a server is stopped by force."""
    configure_logs("json")
    error = RuntimeError("SELECT secret FROM account")
    text = "".join(traceback.format_exception(error)).replace("Runtime", TRACE + "\nRuntime", 1)
    logging.getLogger("uvicorn.error").error(text)
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["error"]) == ("library_error", "RuntimeError")
    assert "secret" not in str(line)
