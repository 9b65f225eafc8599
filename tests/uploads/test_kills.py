"""A server that is killed at each boundary between two steps of an upload: what is left is a file, or is swept."""

import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from aiops.accounts.plans import load_plans
from aiops.database.engine import Database
from aiops.database.tables import File
from aiops.ledger.verify import missing_files
from aiops.runtime import utc_now
from aiops.storage.folder import FolderStore
from aiops.storage.sweep import sweep
from tests.conftest import DATABASES
from tests.fixtures.forked import forked, has_died
from tests.fixtures.forms import CONTENT_TYPE, form, part
from tests.fixtures.media import wav
from tests.fixtures.server import make_customer, stub_server

BODY = form(part(content=wav(16_000, 1, bytes(64_000))))
DEATH_SECONDS = 30
LATER = timedelta(hours=25)

BOUNDARIES = {  # and how many files there are then
    "within the file": 0,
    "before the file is renamed": 0,
    "after the file is renamed": 0,
    "before upload_file._keep commits": 0,
    "after upload_file._keep commits": 1,
    "before the answer": 1,
}


@pytest.mark.parametrize("kind", DATABASES)
async def test_a_kill_leaves_a_whole_file_or_nothing(
    tmp_path: Path, new_database: Callable[[str], str], kind: str
) -> None:
    url = new_database(kind)
    database = Database(url)
    with stub_server(tmp_path, url) as server:
        _, key = await make_customer(url, load_plans(None), plan="business")
        headers = {"Authorization": f"Bearer {key}", "Content-Type": CONTENT_TYPE}
        kept = 0
        for boundary, files in BOUNDARIES.items():
            with forked(server, CRASH_AT=boundary) as process:
                async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
                    with pytest.raises(httpx.TransportError):
                        await client.post("/api/files", content=BODY, headers=headers)
                await has_died(process, DEATH_SECONDS)
                assert process.exitcode == -signal.SIGKILL
            kept += files
            assert await rows(database) == kept, boundary
    store, downloads = FolderStore(tmp_path / "files"), tmp_path / "downloads"
    assert len(list(downloads.glob("*"))) == len(BOUNDARIES) - 1, "before the answer it was put away"
    assert await missing_files(database, store, utc_now()) == []
    await sweep(database, store, downloads, utc_now() + LATER)
    left = {one.file_id async for some in store.objects() for one in some}
    assert (len(left), list(downloads.glob("*"))) == (kept, [])
    assert await missing_files(database, store, utc_now()) == []
    await database.close()


async def rows(database: Database) -> int:
    async with database.read() as session:
        return len((await session.execute(select(File))).all())
