import asyncio

import structlog
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col

from aiops.context import Context
from aiops.contract.models import Health
from aiops.database.migrate import MigrationError, check_migrated
from aiops.database.tables import Account
from aiops.errors import NotReadyError
from aiops.jobs.presence import any_lately
from aiops.storage.files import StorageError

log = structlog.get_logger()

DATABASE_SECONDS_MAX = 5
# Refused by a database that can only be read, such as a standby.
_CHANGE_NOTHING = update(Account).where(col(Account.id) == "").values(held=col(Account.held))


async def handle(context: Context) -> Health:
    if context.runtime.draining.is_set():
        raise NotReadyError("The server is about to stop.")
    try:
        async with asyncio.timeout(DATABASE_SECONDS_MAX), context.runtime.database.write() as session:
            await session.execute(_CHANGE_NOTHING)
            is_worked = context.runtime.settings.works or await any_lately(session, context.runtime.clock())
        await check_migrated(context.runtime.database)
        await context.runtime.storage_check.check(context.runtime.store, context.runtime.clock)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        log.warning("not_ready", part="database", error=type(error).__name__)
        raise NotReadyError("The database cannot be reached.") from None
    except StorageError as error:
        log.warning("not_ready", part="storage", error=str(error))
        raise NotReadyError("The storage of files cannot be written.") from None
    except MigrationError as error:
        log.warning("not_ready", part="migrations", error=str(error))
        raise NotReadyError("The database is not at the version that this server needs.") from None
    if not is_worked:
        raise NotReadyError("No worker takes jobs.")
    return Health(status="ok")
