"""What is sent: the body of an event, made from the job when it is sent, so that it is what `get_job` answers then."""

import json
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from aiops.database.engine import Session
from aiops.database.tables import Event, Job
from aiops.jobs.presentation import present, results
from aiops.storage.signed_urls import SignedUrls

TEXT_BYTES_MAX = 16_384  # the scheme advises against bodies of more than 20 kB
LEFT_OUT = f"The text is longer than {TEXT_BYTES_MAX:,} bytes and left out here. Get the job to read it."


async def body_of(session: Session, event: Event, urls: SignedUrls) -> str:
    """The JSON of an event; the same at every attempt, because links are made from the file and its expiry."""
    data, note = event.data, event.note
    if event.job_id is not None:
        job = (await session.execute(select(Job).where(col(Job.id) == event.job_id))).scalar_one()
        (result,) = await results(session, [job], urls)
        note = LEFT_OUT if _is_long(result) else note
        data = _whole(present(job, None if _is_long(result) else result).model_dump(mode="json"))
    moment = event.created_at.isoformat().replace("+00:00", "Z")
    body = {"type": event.type, "timestamp": moment, "data": data, **({"note": note} if note else {})}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def _whole(data: dict[str, Any]) -> dict[str, Any]:
    """Whole numbers without a fraction: who has the body parsed only, as in Make, can write it again to the same bytes,
    as JSON.stringify does, and verify the signature."""
    return {name: int(one) if isinstance(one, float) and one.is_integer() else one for name, one in data.items()}


def _is_long(result: dict[str, Any] | None) -> bool:
    return len(str((result or {}).get("text", "")).encode()) > TEXT_BYTES_MAX
