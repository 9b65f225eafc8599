import asyncio
import os
import time
from pathlib import Path

import obstore
import pytest
from sqlalchemy import func, select
from sqlmodel import SQLModel

from aiops.database.tables import Delivery, Event, File, IdempotencyKey
from aiops.storage import sweep as sweep_module
from aiops.storage.content_types import IMAGES
from aiops.storage.files import StorageError
from aiops.storage.sweep import sweep
from tests.fixtures.service import Service, running_service, until


async def run(service: Service) -> int:
    runtime = service.runtime
    return await sweep(runtime.database, runtime.store, runtime.settings.downloads_dir, service.clock())


async def count(service: Service, table: type[SQLModel]) -> int:
    async with service.runtime.database.read() as session:
        return (await session.execute(select(func.count()).select_from(table))).scalar_one()


async def kept(service: Service) -> list[str]:
    """Every key there is."""
    return [one.key async for some in service.runtime.store.objects() for one in some]


async def test_files_are_kept_until_they_expire(service: Service) -> None:
    ada = await service.customer()
    link = (await ada.image()).json()["image_url"]
    service.clock.advance(hours=71)
    assert await run(service) == 0
    assert (await service.client().get(link)).status_code == 200
    service.clock.advance(hours=1)
    assert await run(service) == 1
    assert (await service.client().get(link)).status_code == 404
    assert await kept(service) == []
    assert await count(service, File) == 0


async def test_a_job_stays_when_its_file_has_gone(service: Service) -> None:
    ada = await service.customer()
    job_id = (await ada.image()).json()["job_id"]
    service.clock.advance(hours=72)
    await run(service)
    job = (await ada.client.get(f"/api/jobs/{job_id}")).json()
    assert (job["status"], job["credits_charged"]) == ("succeeded", 5)


async def test_more_files_than_one_batch_are_swept(stored_service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep_module, "BATCH", 2)
    ada = await stored_service.customer()
    for _ in range(5):
        await ada.image()
        await stored_service.runtime.store.put(b"without a job", IMAGES[0])
    stored_service.clock.advance(hours=72)
    assert await run(stored_service) == 10
    assert await kept(stored_service) == []


async def test_what_nobody_owns_is_swept_after_a_day(stored_service: Service) -> None:
    ada = await stored_service.customer()
    link = (await ada.image()).json()["image_url"]
    await stored_service.runtime.store.put(b"its process died before its row was written", IMAGES[0])
    stored_service.clock.advance(hours=23)
    assert await run(stored_service) == 0
    assert len(await kept(stored_service)) == 2
    stored_service.clock.advance(hours=1, seconds=1)
    assert await run(stored_service) == 1
    assert len(await kept(stored_service)) == 1
    assert (await stored_service.client().get(link)).status_code == 200


async def test_what_is_half_written_is_swept_after_a_day(sqlite_service: Service) -> None:
    folder = sqlite_service.folder / "ab"
    folder.mkdir()
    (folder / ".abcdefghijklmnopqrstuv.png").write_bytes(b"its process died while writing")
    sqlite_service.clock.advance(hours=23)
    assert await run(sqlite_service) == 0
    sqlite_service.clock.advance(hours=1, seconds=1)
    assert await run(sqlite_service) == 1
    assert await kept(sqlite_service) == []


@pytest.mark.parametrize("key", ["report.pdf", "ab/report.pdf", "backup/abcdefghijklmnopqrstuv.png", "ab/.hidden"])
async def test_what_is_not_ours_is_left_alone(stored_service: Service, key: str) -> None:
    """The folder or the bucket may have been somebody's before."""
    await obstore.put_async(stored_service.runtime.store._objects, key, b"of years ago")
    stored_service.clock.advance(days=2)
    assert await run(stored_service) == 0
    assert await kept(stored_service) == [key]


async def test_what_a_check_has_left_is_swept_after_a_day(stored_service: Service) -> None:
    await obstore.put_async(stored_service.runtime.store._objects, ".probe-0123456789abcdef", b"probe")
    assert await run(stored_service) == 0
    stored_service.clock.advance(days=2)
    assert await run(stored_service) == 1
    assert await kept(stored_service) == []


async def test_downloads_that_a_killed_process_left_are_swept_after_a_day(sqlite_service: Service) -> None:
    download = sqlite_service.runtime.settings.downloads_dir / "job_5f0c2b9e7d1a4c3b8e6f9a02-1"
    download.parent.mkdir(parents=True, exist_ok=True)
    download.write_bytes(b"half of an mp3")
    sqlite_service.clock.advance(hours=23)
    assert await run(sqlite_service) == 0
    assert kept_downloads(sqlite_service) == [download]
    sqlite_service.clock.advance(hours=1, seconds=1)
    assert await run(sqlite_service) == 1
    assert kept_downloads(sqlite_service) == []


def kept_downloads(service: Service) -> list[Path]:
    return list(service.runtime.settings.downloads_dir.iterdir())


async def sweep_at_once(service: Service) -> None:
    ada = await service.customer()
    for _ in range(5):
        await ada.image()
        await service.runtime.store.put(b"without a job", IMAGES[0])
    service.clock.advance(hours=72)
    await asyncio.gather(*(run(service) for _ in range(3)))
    assert await kept(service) == []
    assert await count(service, File) == 0


async def test_processes_may_sweep_at_the_same_time_on_any_database(service: Service) -> None:
    await sweep_at_once(service)


async def test_processes_may_sweep_at_the_same_time_in_any_storage(stored_service: Service) -> None:
    await sweep_at_once(stored_service)


async def test_idempotency_keys_are_forgotten_after_a_day(service: Service) -> None:
    ada = await service.customer()
    await ada.image(**{"Idempotency-Key": "k"})
    await run(service)
    assert await count(service, IdempotencyKey) == 1
    service.clock.advance(hours=24)
    await run(service)
    assert await count(service, IdempotencyKey) == 0


async def test_more_events_than_one_batch_are_swept(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is old enough: else a server on which more happen than that would keep ever more."""
    monkeypatch.setattr(sweep_module, "BATCH", 2)
    ada = await service.customer()
    body = {"url": "https://receiver.example/hook", "events": ["job.succeeded"]}
    assert (await ada.client.post("/api/webhooks", json=body)).status_code == 201
    for _ in range(5):
        await ada.image()
    assert await count(service, Event) == await count(service, Delivery) == 5
    service.clock.advance(days=30)
    await ada.image()
    await run(service)
    assert await count(service, Event) == await count(service, Delivery) == 1


async def test_a_storage_that_is_away_keeps_its_files_and_nothing_else(
    sqlite_service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise StorageError("Connection refused")

    ada = await sqlite_service.customer()
    await ada.image(**{"Idempotency-Key": "k"})
    sqlite_service.clock.advance(hours=72)
    with monkeypatch.context() as away:
        away.setattr(type(sqlite_service.runtime.store), "delete", fail)
        with pytest.raises(StorageError):
            await run(sqlite_service)
    assert await count(sqlite_service, IdempotencyKey) == 0
    assert await count(sqlite_service, File) == 1, "its content is still there"
    assert await run(sqlite_service) == 1


@pytest.mark.parametrize("job_slots", [0, 8], ids=["serves", "works"])
async def test_every_process_sweeps_its_own_folder(tmp_path: Path, database_url: str, job_slots: int) -> None:
    """Uploads arrive there, and what jobs are given."""
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    left, fresh = downloads / "upload_left", downloads / "upload_fresh"
    for path in (left, fresh):
        path.write_bytes(b"its process was killed")
    two_days_ago = time.time() - 2 * 86_400
    os.utime(left, (two_days_ago, two_days_ago))
    async with running_service(tmp_path, database_url, job_slots=job_slots):
        await until(lambda: asyncio.to_thread(lambda: not left.exists()))
        assert fresh.exists()
