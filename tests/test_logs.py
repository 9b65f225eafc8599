"""What a server writes while it is called well and badly: enough to find a call again, and nothing of what was said."""

import contextlib
import json
import logging
import os
import sqlite3
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import pytest
import structlog
from sqlalchemy import make_url

from aiops.accounts import keys
from aiops.accounts.plans import load_plans
from aiops.logs import TRACE, configure_logs
from tests.fixtures.ports import free_port
from tests.fixtures.server import make_customer, stub_server
from tests.fixtures.service import IMAGE, SPEECH, TRANSCRIPTION, Service

JSON = {"Content-Type": "application/json"}
BROKEN = 4  # how many calls are made with the database broken


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
    port = free_port()
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


def call_with_the_key_in_the_wrong_place(server: Serving) -> None:
    """Keys, whole and with a typing error, where a caller in a hurry puts them; the log must not keep any."""
    for key in (keys.new_key(), keys.new_key()[:-1], server.key):
        for sent in (f"Bearer {key} {key}", f"Basic {key}", key, f"Bearer {key},"):
            server.call("GET", "/api/account", 401, headers={"Authorization": sent})
        server.call("GET", f"/api/account?api_key={key}", 401, headers={"Authorization": "", "Cookie": f"key={key}"})
        server.call("GET", f"/api/jobs?cursor={key}&api_key={key}", 422)
        server.call("GET", f"/api/jobs/{key}", 404)
        server.call("GET", f"/files/{key}?expires=1&signature={key}", 404)
        server.call("GET", f"/{key}", 404, headers={"User-Agent": key, "Referer": f"https://x.example/{key}"})
        server.call("DELETE", f"/api/jobs/{key}", 405)
        server.call("POST", IMAGE, 422, json={"prompt": "x", "api_key": key, key: "x", "style": key})
        server.call("POST", IMAGE, 422, json={"prompt": "x"}, headers={"Idempotency-Key": key * 6})
        server.call("POST", IMAGE, 400, content=f'{{"prompt": "x", "api_key": "{key}"', headers=JSON)
        server.call("POST", TRANSCRIPTION, 422, json={"audio_url": f"http://user:{key}@localhost:1/a.mp3?key={key}"})
        server.secrets |= {key, key[keys.SHOWN_LENGTH : -4]}


def call_with_the_database_broken(server: Serving) -> None:
    """The error is logged with its place."""
    words, key = "a badger in a submarine", keys.new_key()
    with sqlite3.connect(server.folder / "data" / "aiops.sqlite3") as database:
        database.execute("ALTER TABLE rate_window RENAME TO elsewhere")
    database.close()
    server.call("POST", IMAGE, 503, json={"prompt": words})
    server.call("GET", f"/api/jobs?cursor={words}", 503)
    server.call("GET", f"/api/jobs/{key}", 503)
    server.call("POST", IMAGE, 503, json={"prompt": words, "api_key": key}, headers={"Idempotency-Key": key})
    server.secrets |= {words, words.replace(" ", "%20"), key}


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_the_log_names_every_call_and_holds_no_secret(tmp_path: Path, log_format: str) -> None:
    with serving(tmp_path, log_format) as server:
        call_well(server)
        call_badly(server)
        call_with_the_key_in_the_wrong_place(server)
        call_with_the_database_broken(server)
    server.secrets |= {server.key, server.key[keys.SHOWN_LENGTH : -4], keys.digest(server.key)}
    server.secrets |= {(tmp_path / "data" / "secret_key").read_text()}
    assert [secret for secret in server.secrets if secret in server.log] == []
    assert "Authorization" not in server.log
    assert [one for one in server.answers if one.headers["x-request-id"] not in server.log] == []
    assert "Traceback" not in server.log
    assert "aiops/" in server.log, "the place of the error"
    assert not any("Traceback" in one.text or "sqlite" in one.text.lower() for one in server.answers[-BROKEN:])


PASSWORD = "password-of-the-database"


async def test_a_server_whose_postgresql_is_gone_does_not_log_its_password(
    tmp_path: Path, new_database: Callable[[str], str], postgresql_server: str
) -> None:
    url = new_database("postgresql").replace("postgres:@", f"postgres:{PASSWORD}@")
    assert PASSWORD in url
    _, key = await make_customer(url, load_plans(None), plan="business")
    with stub_server(tmp_path, url, AIOPS_REAPER_SECONDS="0.1") as server:
        server.start()
        async with httpx.AsyncClient(base_url=server.url, headers={"Authorization": f"Bearer {key}"}) as client:
            assert (await client.post(IMAGE, json={"prompt": "a heron"}, timeout=60)).status_code == 200
            with gone(postgresql_server, make_url(url).database or ""):
                for _ in range(3):
                    assert (await client.get(f"/api/jobs/{key}", timeout=60)).status_code >= 500
                assert (await client.get("/ready", timeout=60)).status_code == 503
    assert "OperationalError" in server.log
    digest, secret_key = keys.digest(key), server.environment["AIOPS_SECRET_KEY"]
    assert [one for one in (PASSWORD, key, digest, secret_key, "a heron", "postgresql://") if one in server.log] == []


@contextmanager
def gone(server: str, database: str) -> Iterator[None]:
    """Cuts off all connections to a database, and lets nobody in."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {database} WITH ALLOW_CONNECTIONS false")
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database])
        try:
            yield
        finally:
            connection.execute(f"ALTER DATABASE {database} WITH ALLOW_CONNECTIONS true")


def test_a_server_that_cannot_reach_postgresql_does_not_print_its_password(tmp_path: Path) -> None:
    settings = {
        "AIOPS_DATA_DIR": str(tmp_path),
        "AIOPS_DATABASE_URL": f"postgresql://aiops:{PASSWORD}@127.0.0.1:1/aiops",
        "AIOPS_SECRET_KEY": "key-that-signs-the-links",
    }
    for command in (["serve", "--port", "0"], ["users", "create", "ada@example.com"], ["ledger", "verify"]):
        ended = subprocess.run(
            [sys.executable, "-m", "aiops", *command],
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode != 0
        assert ended.stderr
        assert PASSWORD not in ended.stdout + ended.stderr
        assert settings["AIOPS_SECRET_KEY"] not in ended.stdout + ended.stderr


async def test_nothing_more_is_said_where_libraries_are_set_to_debug(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs("json")
    names = [None, "aiosqlite", "asyncio", "httpx", "httpcore", "psycopg", "sqlalchemy.pool", "sqlalchemy.engine"]
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    try:
        ada = await service.customer()
        image = (await ada.image("a heron under a violet moon", **{"Idempotency-Key": "idempotency-of-ada"})).json()
        assert (await ada.client.post(IMAGE, json={"prompt": "a walrus", "style": ada.key})).status_code == 422
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
    log = capsys.readouterr().err
    signature = parse_qs(urlsplit(image["image_url"]).query)["signature"][0]
    hidden = [ada.key, keys.digest(ada.key), "violet moon", "walrus", "idempotency-of-ada", signature]
    assert '"answered"' in log
    assert [secret for secret in hidden if secret in log] == []


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
    broken = [line for line in lines if line["event"] == "database_unavailable"]
    assert [line["request_id"] for line in broken] == [one.headers["x-request-id"] for one in server.answers[-BROKEN:]]


def test_a_trace_that_a_library_logs_as_text_is_cut_down(capsys: pytest.CaptureFixture[str]) -> None:
    """Starlette does, where a server is stopped by force."""
    configure_logs("json")
    error = RuntimeError("SELECT secret FROM account")
    text = "".join(traceback.format_exception(error)).replace("Runtime", TRACE + "\nRuntime", 1)
    logging.getLogger("uvicorn.error").error(text)
    line = json.loads(capsys.readouterr().err)
    assert (line["event"], line["error"]) == ("library_error", "RuntimeError")
    assert "secret" not in str(line)


def test_a_line_that_cannot_be_written_is_lost_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk of the log is full: a call must not fail for that."""
    with Path("/dev/full").open("w", buffering=1) as full:
        monkeypatch.setattr(sys, "stderr", full)
        configure_logs("json")
        structlog.get_logger().error("ours")
        logging.getLogger("uvicorn.error").error("a library's")
        monkeypatch.undo()
        with contextlib.suppress(OSError):
            full.close()
