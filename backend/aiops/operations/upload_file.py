from datetime import timedelta

import structlog

from aiops.context import CallContext, Context
from aiops.contract.models import UploadedFile
from aiops.database.engine import CommitInDoubtError
from aiops.database.tables import File
from aiops.errors import InvalidInputError, ServerBusyError
from aiops.providers.base import ProviderRejectedError, ProviderUnavailableError, Recording
from aiops.storage.files import storage_errors
from aiops.uploads.form import FIELD
from aiops.uploads.names import safe_name
from aiops.uploads.places import RETRY_SECONDS
from aiops.uploads.receiving import Received, received
from aiops.uploads.room import MEGABYTE, check_room, lock_account

log = structlog.get_logger()

SECONDS_PER_MINUTE = 60


async def handle(context: Context) -> UploadedFile:
    runtime, caller = context.runtime, context.caller
    size_max_bytes = caller.limits.file_megabytes * MEGABYTE
    with runtime.uploads.take(caller.account_id), storage_errors():
        async with runtime.database.read() as session:
            await check_room(session, caller.account_id, caller.limits, 1, runtime.clock())
        async with received(context.request, runtime.settings.downloads_dir, size_max_bytes) as file:
            return await _keep(context, file, await _inspect(context, file))


async def _inspect(context: CallContext, file: Received) -> Recording:
    seconds_max = context.caller.limits.audio_minutes * SECONDS_PER_MINUTE
    try:
        return await context.runtime.inspector.inspect(file.path, seconds_max)
    except ProviderRejectedError as error:
        raise InvalidInputError([(FIELD, error.reason)]) from error
    except ProviderUnavailableError as error:
        log.warning("upload_not_inspected", reason=error.reason)
        raise ServerBusyError(RETRY_SECONDS) from error


async def _keep(context: CallContext, file: Received, recording: Recording) -> UploadedFile:
    """Stores the file, then its row: what the row says is there. Where there is no row in the end, nothing stays."""
    runtime, caller = context.runtime, context.caller
    stored = await runtime.store.put_file(file.path, recording.content_type, file.sha256)
    now = runtime.clock()
    row = File(
        id=stored.id,
        account_id=caller.account_id,
        name=safe_name(file.name, recording.content_type.extension),
        content_type=stored.content_type,
        size_bytes=stored.size_bytes,
        sha256=stored.sha256,
        created_at=now,
        expires_at=now + timedelta(hours=runtime.settings.file_hours),
    )
    answer = UploadedFile(
        **row.model_dump(include={"id", "name", "content_type", "size_bytes", "created_at", "expires_at"}),
        file_url=runtime.urls.sign(row.id, row.expires_at),
        duration_seconds=recording.duration_seconds,
    )
    try:
        async with runtime.database.write() as session:
            await lock_account(session, caller.account_id)
            await check_room(session, caller.account_id, caller.limits, row.size_bytes, now)
            session.add(row)
    except CommitInDoubtError:
        raise  # the row may be there; if it is not, the sweep finds the file
    except BaseException:
        await runtime.store.delete(stored.id)
        raise
    return answer
