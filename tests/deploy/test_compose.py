"""deploy/compose.yaml: read as its specification says, and its processes run as it names them, without containers."""

import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import yaml
from compose_spec import PyCompose

from aiops.settings import Settings
from tests.fixtures.buckets import S3
from tests.fixtures.media import wav
from tests.fixtures.ports import free_port
from tests.fixtures.service import IMAGE, SPEECH, until

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SILENCE = wav(8000, 1, bytes(16_000))
NANOSECONDS = 1_000_000_000
UPLOAD_SECONDS = 30 * 60
SECRETS = {"POSTGRES_PASSWORD": "p", "AIOPS_SECRET_KEY": "secret of the tests", "STORAGE_SECRET": "test"}


def compose() -> dict[str, Any]:
    """Merge keys and anchors resolved, variables as `.env` would have them."""
    text = re.sub(r"\$\{(\w+)(?::\?|:-([^}]*))\}", lambda found: SECRETS.get(found[1], found[2]), read())
    tree: dict[str, Any] = yaml.safe_load(text)
    return tree


def read() -> str:
    return (DEPLOY / "compose.yaml").read_text()


def test_it_is_what_the_specification_says() -> None:
    resolved = PyCompose.from_yaml(yaml.safe_dump({key: value for key, value in compose().items() if key[:2] != "x-"}))
    resolved.validate()
    assert resolved.services is not None
    assert {"server-1", "server-2", "worker", "proxy", "postgres", "storage"} <= resolved.services.keys()


def test_every_secret_has_to_be_set_and_is_named_in_the_example() -> None:
    named = set(re.findall(r"^(\w+)=", (DEPLOY / "env.example").read_text(), re.MULTILINE))
    assert set(re.findall(r"\$\{(\w+)", read())) == named
    assert set(re.findall(r"\$\{(\w+):\?\}", read())) == SECRETS.keys()


def test_the_image_is_built_once_and_never_pulled() -> None:
    """Builds of one tag at a time get in each other's way: the second may fail with "already exists"."""
    services = compose()["services"]
    assert [name for name, one in services.items() if "build" in one] == ["migration"]
    ours = {name: one for name, one in services.items() if one["image"] == "aiops"}
    assert ours.keys() == {"server-1", "server-2", "worker", "migration"}
    assert {one["pull_policy"] for one in ours.values()} == {"never"}
    assert all("migration" in one["depends_on"] for name, one in ours.items() if name != "migration")


def test_nothing_of_ours_runs_as_more_than_it_needs() -> None:
    for name, service in compose()["services"].items():
        if service["image"] == "aiops":
            assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"]), name
            assert service["tmpfs"] == ["/tmp"]
    dockerfile = (DEPLOY / "Dockerfile").read_text()
    assert re.search(r"^USER 10001$", dockerfile, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK ", dockerfile, re.MULTILINE)


@dataclass
class Stack:
    """The services of compose.yaml as processes; `servers` by their names."""

    folder: Path
    variables: dict[str, str]
    stack: ExitStack
    servers: dict[str, subprocess.Popen[bytes]]
    url: str = ""

    def run(self, service: str, *more: str) -> subprocess.Popen[bytes]:
        """Starts its command with its environment, but the addresses of this machine and a folder of its own."""
        described = compose()["services"][service]
        own = {name: str(value) for name, value in described["environment"].items()}
        folder = {"AIOPS_DATA_DIR": str(self.folder / f"data{len(self.servers)}{service}")}
        command = [sys.executable, "-m", "aiops", *described["command"], *more]
        environment = {"PATH": os.environ["PATH"], **own, **self.variables, **folder}
        return self.start(service, command, environment)

    def start(self, name: str, command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
        log = self.stack.enter_context((self.folder / f"{name}.log").open("ab"))
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=self.folder)
        self.stack.callback(stop, process)
        return process


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(40)
    finally:
        process.kill()
        process.wait()


@contextmanager
def running(folder: Path, database_url: str, s3: S3) -> Iterator[Stack]:
    """All that is ours, and the proxy; PostgreSQL and the store are those of the tests."""
    proxy, ports = free_port(), {"server-1": free_port(), "server-2": free_port()}
    variables = {
        "AIOPS_DATABASE_URL": database_url,
        "AIOPS_STORAGE_URL": s3.new_bucket(),
        "AIOPS_PUBLIC_URL": f"http://127.0.0.1:{proxy}",
        **s3.environment,
    }
    with ExitStack() as stack:
        running = Stack(folder, variables, stack, {}, f"http://127.0.0.1:{proxy}")
        assert running.run("migration").wait(60) == 0
        for name, port in ports.items():
            running.servers[name] = running.run(name, "--port", str(port))
        for _ in range(compose()["services"]["worker"]["deploy"]["replicas"]):
            running.run("worker")
        upstreams = " ".join(f"127.0.0.1:{port}" for port in ports.values())
        caddy = [str(Path(sys.executable).with_name("caddy")), "run", "--config", str(DEPLOY / "Caddyfile")]
        home = {"HOME": str(folder), "SITE_ADDRESS": f"http://127.0.0.1:{proxy}", "UPSTREAMS": upstreams}
        running.start("caddy", caddy, home)
        yield running


@asynccontextmanager
async def calling(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """With the key that one of the servers has printed, once the proxy has found them ready."""
    async with httpx.AsyncClient(base_url=stack.url, timeout=60) as client:

        async def is_ready() -> bool:
            try:
                return (await client.get("/ready")).status_code == 200
            except httpx.TransportError:
                return False

        await until(is_ready, 90)
        logs = "".join((stack.folder / f"{name}.log").read_text() for name in stack.servers)
        (key,) = re.findall(r"^API key: (\S+)$", logs, re.MULTILINE)
        client.headers["Authorization"] = f"Bearer {key}"
        yield client


async def test_its_processes_do_what_they_are_there_for(tmp_path: Path, postgresql_database_url: str, s3: S3) -> None:
    with running(tmp_path, postgresql_database_url, s3) as stack:
        async with calling(stack) as client:
            speech = (await client.post(SPEECH, json={"text": "Good morning."})).json()
            assert speech["audio_url"].startswith(stack.url)
            assert (await client.get(speech["audio_url"])).status_code == 200
            upload = await client.post("/api/files", files={"file": ("a.wav", SILENCE)})
            assert upload.status_code == 201
            assert (await client.get("/metrics")).status_code == 404, "for those inside only"
            await check_one_server_is_enough(stack, client)
        await until(lambda: are_working(postgresql_database_url, 2))


async def check_one_server_is_enough(stack: Stack, client: httpx.AsyncClient) -> None:
    """Calls that come after a server was killed go to the other."""
    stack.servers["server-1"].kill()
    stack.servers["server-1"].wait()  # what it has in hand cannot go to the other: a call may cost
    for number in range(6):
        order = {"Idempotency-Key": f"order-{number}"}  # as the connectors send one: the proxy may ask again
        assert (await client.post(IMAGE, json={"prompt": "a dog"}, headers=order)).status_code == 200


async def are_working(url: str, workers: int) -> bool:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM worker_process WHERE state = 'working'").fetchone()
    assert row is not None
    return bool(row[0] == workers)


@pytest.mark.parametrize("text", ["AIOPS_DATABASE_URL", "AIOPS_STORAGE_URL", "AIOPS_SECRET_KEY", "AIOPS_PUBLIC_URL"])
def test_servers_and_workers_are_told_the_same(text: str) -> None:
    services = compose()["services"]
    assert len({services[name]["environment"][text] for name in ("server-1", "server-2", "worker", "migration")}) == 1


def test_the_proxy_keeps_long_polls_and_streams_uploads() -> None:
    """As Caddy understands its file: nothing is cut off sooner than the servers would, and nothing is buffered."""
    adapt = [str(Path(sys.executable).with_name("caddy")), "adapt", "--config", str(DEPLOY / "Caddyfile")]
    adapted = subprocess.run(adapt, capture_output=True, text=True, check=True)
    (server,) = json.loads(adapted.stdout)["apps"]["http"]["servers"].values()
    assert server["read_timeout"] == UPLOAD_SECONDS * NANOSECONDS
    assert "write_timeout" not in server
    (proxy,) = (one for one in handlers(server) if one["handler"] == "reverse_proxy")
    assert proxy["transport"]["response_header_timeout"] > Settings().job_seconds * NANOSECONDS
    assert not proxy.keys() & {"request_buffers", "response_buffers"}


def handlers(tree: Any) -> list[dict[str, Any]]:
    """All that are anywhere in a server."""
    if isinstance(tree, list):
        return [one for branch in tree for one in handlers(branch)]
    if not isinstance(tree, dict):
        return []
    return ([tree] if "handler" in tree else []) + [one for branch in tree.values() for one in handlers(branch)]
