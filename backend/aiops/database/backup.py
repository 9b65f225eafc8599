"""Copies an SQLite database, also while it is served."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from aiops.database.engine import async_url


class BackupError(Exception):
    """There is no backup; the message says why."""


def back_up(url: str, target: Path) -> None:
    """Writes the database as it is at one moment to a new file, whole or not at all, readable by its owner only.

    Raises:
        BackupError: it is not SQLite, cannot be read, or `target` is there already or cannot be written.
    """
    parsed = async_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        raise BackupError("Only SQLite is backed up by this command. For PostgreSQL there is pg_dump.")
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        _copy(Path(parsed.database), partial)
        os.link(partial, target)
    except FileExistsError:
        raise BackupError(f"{target} is there already. Name a new file.") from None
    except (sqlite3.Error, OSError) as error:
        raise BackupError(f"{parsed.database} cannot be backed up to {target}: {error}") from error
    finally:
        partial.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    """In one step of SQLite's backup: it sees one snapshot, and writers go on meanwhile."""
    with (
        closing(sqlite3.connect(f"file:{quote(str(source.absolute()))}?mode=rw", uri=True)) as served,
        closing(sqlite3.connect(target)) as copy,
    ):
        served.backup(copy)
