"""How much of an account's files is kept at a time."""

import math
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import col

from aiops.contract.models import Limits
from aiops.database.engine import Session
from aiops.database.tables import Account, File
from aiops.errors import StorageFullError

MEGABYTE = 1024 * 1024
RETRY_SECONDS_MAX = 3600


async def lock_account(session: Session, account_id: str) -> None:
    """Lets no other upload of the account be judged until the transaction has ended."""
    await session.execute(select(col(Account.id)).where(col(Account.id) == account_id).with_for_update())


async def check_room(session: Session, account_id: str, limits: Limits, size_bytes: int, now: datetime) -> None:
    """Whether a file of this size may be kept beside those that are.

    Raises:
        StorageFullError: it may not.
    """
    size, first = func.coalesce(func.sum(col(File.size_bytes)), 0), func.min(col(File.expires_at))
    kept = await session.execute(
        select(func.count(), size, first).where(
            col(File.account_id) == account_id, col(File.job_id).is_(None), col(File.expires_at) > now
        )
    )
    files, kept_bytes, expires_at = kept.one()
    if files < limits.stored_files and kept_bytes + size_bytes <= limits.stored_megabytes * MEGABYTE:
        return
    seconds = math.ceil((expires_at - now).total_seconds()) if expires_at else RETRY_SECONDS_MAX
    raise StorageFullError(limits.stored_files, limits.stored_megabytes, min(max(seconds, 1), RETRY_SECONDS_MAX))
