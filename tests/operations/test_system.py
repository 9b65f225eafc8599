import asyncio
import os
import re
import shutil
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import psycopg
import pytest
import pytest_asyncio
import yaml
from prometheus_client.parser import text_string_to_metric_families
from psycopg.sql import SQL, Identifier
from sqlalchemy import text

from aiops.contract.document import DEFAULT_PATH
from aiops.operations import get_readiness
from aiops.providers.base import Call, ProviderUnavailableError
from aiops.storage.files import FileStore, StorageError
from aiops.storage.shared_check import SharedCheck
from tests.fixtures.disk import room_for
from tests.fixtures.providers import Held
from tests.fixtures.service import IMAGE, Service, running_service

NO_DATABASE = {"error": "The database cannot be reached.", "code": "not_ready"}
STOPPING = {"error": "The server is about to stop.", "code": "not_ready"}
NO_STORAGE = {"error": "The storage of files cannot be written.", "code": "not_ready"}
Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


async def test_a_live_process_is_healthy_and_ready(service: Service) -> None:
    for path in ("/health", "/ready"):
        answer = await service.client().get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_a_process_without_storage_is_healthy_but_not_ready(sqlite_service: Service) -> None:
    client, folder = sqlite_service.client(), sqlite_service.folder
    folder.rmdir()
    folder.write_text("no folder any more")
    answer = await client.get("/ready")
    assert (answer.status_code, answer.json()) == (503, NO_STORAGE)
    assert (await client.get("/health")).status_code == 200
    folder.unlink()
    sqlite_service.clock.advance(seconds=5)
    assert (await client.get("/ready")).status_code == 200


async def test_the_storage_is_looked_at_once_in_five_seconds_however_many_ask(
    stored_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bucket is paid for by the request, and anybody may ask."""
    store, client, clock = stored_service.runtime.store, stored_service.client(), stored_service.clock
    check, looks, is_away = type(store).check, list[int](), False

    async def counted(self: FileStore) -> None:
        looks.append(len(looks))
        await (fail() if is_away else check(self))

    async def fail() -> None:
        await asyncio.sleep(0.1)
        raise StorageError("Connection refused")

    async def statuses(number: int) -> set[int]:
        answers = await asyncio.gather(*(client.get("/ready") for _ in range(number)))
        return {answer.status_code for answer in answers}

    monkeypatch.setattr(type(store), "check", counted)
    assert (await statuses(20), len(looks)) == ({200}, 1)
    clock.advance(seconds=1)
    is_away = True
    assert (await statuses(3), len(looks)) == ({200}, 1)
    clock.advance(seconds=4)
    assert (await statuses(20), len(looks)) == ({503}, 2), "it is not said to be there for any longer"
    is_away = False
    clock.advance(seconds=5)
    assert (await statuses(3), len(looks)) == ({200}, 3)


async def test_one_who_does_not_wait_for_the_storage_leaves_it_to_the_next(
    sqlite_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, check = asyncio.Event(), SharedCheck()

    async def hang(_store: FileStore) -> None:
        begun.set()
        await asyncio.sleep(600)

    runtime = sqlite_service.runtime
    monkeypatch.setattr(type(runtime.store), "check", hang)
    asking = asyncio.create_task(check.check(runtime.store, runtime.clock))
    await begun.wait()
    asking.cancel()
    await asyncio.wait([asking])
    monkeypatch.undo()
    await check.check(runtime.store, runtime.clock)


async def test_a_process_without_its_database_is_healthy_but_not_ready(
    tmp_path: Path, new_database: Callable[[str], str], postgresql_server: str
) -> None:
    async with running_service(tmp_path, new_database("postgresql")) as service:
        client, name = service.client(), service.runtime.database.url.database
        with psycopg.connect(postgresql_server, autocommit=True) as administrator:
            administrator.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            administrator.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
            answer = await client.get("/ready")
            assert (answer.status_code, answer.json()) == (503, NO_DATABASE)
            assert (await client.get("/health")).status_code == 200
            administrator.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        assert (await client.get("/ready")).status_code == 200


async def test_a_database_that_cannot_be_written_is_not_ready(
    sqlite_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(get_readiness, "DATABASE_SECONDS_MAX", 0.1)
    other = sqlite3.connect(str(sqlite_service.runtime.database.url.database), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answer = await sqlite_service.client().get("/ready")
    other.close()
    assert (answer.status_code, answer.json()) == (503, NO_DATABASE)
    monkeypatch.undo()
    assert (await sqlite_service.client().get("/ready")).status_code == 200


async def test_a_database_without_our_tables_is_not_ready(sqlite_service: Service) -> None:
    path = str(sqlite_service.runtime.database.url.database)
    with sqlite3.connect(path) as other:
        other.execute("ALTER TABLE account RENAME TO elsewhere")
    answer = await sqlite_service.client().get("/ready")
    with sqlite3.connect(path) as other:
        other.execute("ALTER TABLE elsewhere RENAME TO account")
    other.close()
    assert (answer.status_code, answer.json()) == (503, NO_DATABASE)


@pytest.mark.asyncio(loop_scope="module")
async def test_the_contract_is_served_byte_for_byte(shared_service: Service) -> None:
    answer = await shared_service.client().get("/openapi.yaml")
    assert answer.status_code == 200
    assert answer.content == DEFAULT_PATH.read_bytes()
    assert answer.headers["content-type"] == "application/yaml"


@pytest.mark.asyncio(loop_scope="module")
async def test_the_contract_is_served_as_json_too(shared_service: Service) -> None:
    answer = await shared_service.client().get("/openapi.json")
    assert answer.status_code == 200
    assert answer.json() == yaml.safe_load(DEFAULT_PATH.read_bytes())


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics", "/openapi.yaml", "/openapi.json"])
async def test_head_answers_as_get_does_without_the_content(shared_service: Service, path: str) -> None:
    head = await shared_service.client().head(path)
    assert (head.status_code, head.content) == (200, b"")


async def samples(client: httpx.AsyncClient) -> Samples:
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if not sample.name.endswith("_created")
    }


def key(name: str, **labels: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    return name, tuple(sorted(labels.items()))


async def test_metrics_count_calls_jobs_and_the_time_of_providers(service: Service) -> None:
    async def fail(_call: Call) -> None:
        raise ProviderUnavailableError("Not now.")

    client, ada = service.client(), await service.customer()
    before = await samples(client)
    await ada.image()
    await ada.client.post(IMAGE, json={})
    service.provider.behave = fail
    await ada.image()
    await client.get("/nowhere")
    after = await samples(client)
    grown = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
    assert (
        grown.items()
        >= {
            key("aiops_requests_total", operation="generate_image", status="200"): 1,
            key("aiops_requests_total", operation="generate_image", status="422"): 1,
            key("aiops_requests_total", operation="generate_image", status="500"): 1,
            key("aiops_requests_total", operation="unknown", status="404"): 1,
            key("aiops_jobs_settled_total", service="generate_image", status="succeeded"): 1,
            key("aiops_jobs_settled_total", service="generate_image", status="failed"): 1,
            key("aiops_provider_seconds_count", provider="stub", service="generate_image"): 2,
        }.items()
    )


async def test_metrics_show_open_jobs_and_the_age_of_the_oldest_hold(service: Service) -> None:
    client, ada = service.client(), await service.customer()
    idle = await samples(client)
    assert idle[key("aiops_open_holds")] == idle[key("aiops_oldest_hold_seconds")] == 0
    held = service.provider.behave = Held()
    call = asyncio.create_task(ada.image())
    await held.begun.wait()
    service.clock.advance(seconds=10)
    busy = await samples(client)
    assert busy[key("aiops_open_holds")] == 1
    assert busy[key("aiops_jobs", status="running")] == 1
    assert busy[key("aiops_jobs", status="queued")] == 0
    assert 10 <= busy[key("aiops_oldest_hold_seconds")] < 60
    held.finish.set()
    await call
    assert (await samples(client))[key("aiops_open_holds")] == 0


async def test_metrics_name_no_account_and_no_path(sqlite_service: Service) -> None:
    ada = await sqlite_service.customer()
    await ada.image()
    await ada.client.get("/some/secret/path")
    text = (await sqlite_service.client().get("/metrics")).text
    assert not re.search(r"secret|acc_|job_[0-9a-f]|aiops_sk_|ada@", text)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def closed(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """A server whose metrics ask for a token."""
    folder = tmp_path_factory.mktemp("closed")
    path = shutil.copy(sqlite_template, folder / "aiops.sqlite3")
    async with running_service(folder, f"sqlite:///{path}", metrics_token="let me see") as running:
        yield running


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        pytest.param(None, 401, id="none"),
        pytest.param("Bearer ", 401, id="empty"),
        pytest.param("Bearer let me se", 401, id="cut off"),
        pytest.param("Bearer let me see!", 401, id="longer"),
        pytest.param("Basic let me see", 401, id="another scheme"),
        pytest.param("let me see", 401, id="no scheme"),
        pytest.param("Bearer lét me see", 401, id="not ASCII"),
        pytest.param("Bearer let me see", 200, id="the token"),
    ],
)
async def test_metrics_ask_for_the_token_where_one_is_set(
    closed: Service, authorization: str | None, status: int
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization.encode()}
    answer = await closed.client().get("/metrics", headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == status


@pytest.mark.asyncio(loop_scope="module")
async def test_an_api_key_is_no_token_for_the_metrics(closed: Service) -> None:
    ada = await closed.customer()
    assert (await ada.client.get("/metrics")).status_code == 401


async def test_a_database_that_can_only_be_read_is_not_ready(
    tmp_path: Path, new_database: Callable[[str], str]
) -> None:
    """Such as a standby of PostgreSQL."""
    url = new_database("postgresql")
    with psycopg.connect(url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(Identifier(name)))
    async with running_service(tmp_path, url) as service:
        answer = await service.client().get("/ready")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")


async def test_a_process_whose_disk_is_full_is_not_ready(sqlite_service: Service) -> None:
    client = sqlite_service.client()
    assert (await client.get("/ready")).status_code == 200
    sqlite_service.clock.advance(seconds=5)
    with room_for(0):
        answer = await client.get("/ready")
        assert (await client.get("/health")).status_code == 200
    assert (answer.status_code, answer.json()) == (503, NO_STORAGE)
    sqlite_service.clock.advance(seconds=5)
    assert (await client.get("/ready")).status_code == 200


async def test_a_database_without_its_tables_is_not_ready(service: Service) -> None:
    client = service.client()
    await execute(service, "ALTER TABLE account RENAME TO elsewhere")
    answer = await client.get("/ready")
    await execute(service, "ALTER TABLE elsewhere RENAME TO account")
    assert (answer.status_code, answer.json()) == (503, NO_DATABASE)
    assert (await client.get("/ready")).status_code == 200


async def execute(service: Service, statement: str) -> None:
    async with service.runtime.database.write() as session:
        await session.execute(text(statement))


async def test_a_process_that_is_told_to_stop_is_not_ready(tmp_path: Path, new_database: Callable[[str], str]) -> None:
    """A proxy sends it no more calls; those that come nevertheless are answered."""
    told = asyncio.Event()
    before = signal.signal(signal.SIGTERM, lambda *_: told.set())  # as a server handles it
    try:
        async with running_service(tmp_path, new_database("sqlite")) as service:
            client, ada = service.client(), await service.customer()
            assert (await client.get("/ready")).status_code == 200
            os.kill(os.getpid(), signal.SIGTERM)
            await told.wait()
            answer = await client.get("/ready")
            assert (answer.status_code, answer.json()) == (503, STOPPING)
            assert (await client.get("/health")).status_code == 200
            assert await ada.credits() == 5000
    finally:
        signal.signal(signal.SIGTERM, before)
