"""Deletes what has expired, and files that nobody owns because a process died before their row was written."""

import asyncio
import contextlib
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, select
from sqlmodel import col

from aiops.accounts import attempts, email_links, sessions
from aiops.billing import takeover
from aiops.database.engine import Database
from aiops.database.tables import IDEMPOTENCY_KEY_AGE, File, IdempotencyKey
from aiops.storage.files import FileStore
from aiops.webhooks import deliveries

BATCH = 500
ORPHAN_AGE = timedelta(hours=24)  # far longer than a job can take from storing its output to being captured


async def sweep(database: Database, store: FileStore, downloads: Path, now: datetime) -> int:
    """Deletes what is due and returns how many files that were. Of a file, the content goes first: a row without
    content is expired anyway, content without a row would be an orphan. What needs the storage, which may be away, goes
    last.

    Raises:
        StorageError: it is away.
    """
    async with database.write() as session:
        due = col(IdempotencyKey.claimed_at) <= now - IDEMPOTENCY_KEY_AGE
        await session.execute(delete(IdempotencyKey).where(due).execution_options(synchronize_session=False))
        await sessions.sweep(session, now)
        await email_links.sweep(session, now)
        await attempts.sweep(session, now)
        await takeover.sweep(session, now)
    await _sweep_events(database, now)
    deleted = await sweep_downloads(downloads, now)
    deleted += await _sweep_expired(database, store, now)
    return deleted + await _sweep_orphans(database, store, now)


async def _sweep_events(database: Database, now: datetime) -> None:
    """All that are old enough, in several transactions, so that others write in between."""
    swept = BATCH
    while swept == BATCH:
        async with database.write() as session:
            swept = await deliveries.sweep(session, now, BATCH)


async def sweep_downloads(folder: Path, now: datetime) -> int:
    """Deletes what a process of this machine that was killed had fetched for a job, or taken of an upload, and returns
    how many files that were."""
    return await asyncio.to_thread(_delete_old, folder, now - ORPHAN_AGE)


def _delete_old(folder: Path, before: datetime) -> int:
    deleted = 0
    for path in folder.glob("*"):
        with contextlib.suppress(FileNotFoundError):  # who works on it has just deleted it
            if path.stat().st_mtime < before.timestamp():
                path.unlink()
                deleted += 1
    return deleted


async def _sweep_expired(database: Database, store: FileStore, now: datetime) -> int:
    deleted = 0
    while True:
        async with database.read() as session:
            rows = await session.execute(select(col(File.id)).where(col(File.expires_at) <= now).limit(BATCH))
            expired = list(rows.scalars())
        if not expired:
            return deleted
        for file_id in expired:
            await store.delete(file_id)
        async with database.write() as session:
            await session.execute(
                delete(File).where(col(File.id).in_(expired)).execution_options(synchronize_session=False)
            )
        deleted += len(expired)


async def _sweep_orphans(database: Database, store: FileStore, now: datetime) -> int:
    orphans = 0
    async for objects in store.objects():
        old = {one.file_id: one for one in objects if one.is_ours and one.written_at < now - ORPHAN_AGE}
        async with database.read() as session:
            rows = await session.execute(select(col(File.id)).where(col(File.id).in_(old)))
            owned = set(rows.scalars())
        for file_id in old.keys() - owned:
            await store.delete_object(old[file_id].key)
            orphans += 1
    return orphans
