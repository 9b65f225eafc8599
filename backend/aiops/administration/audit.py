"""The list of what administrators have changed: written in the transaction of the change, and never changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import col

from aiops.database.engine import Session
from aiops.database.tables import Account, AuditRecord
from aiops.pagination import decode_row_number, encode_cursor, page

COMMAND_LINE = "command line"
REASON_LENGTH_MAX = 500


class ReasonError(ValueError):
    """A change needs a reason that can be printed."""


@dataclass(frozen=True, slots=True)
class Act:
    """Who changes something, why, and when. An actor is an e-mail address, or the command line."""

    actor: str
    reason: str
    now: datetime


async def record(session: Session, act: Act, action: str, account_id: str, detail: str) -> None:
    """Notes a change. `detail` says what was changed to what.

    Raises:
        ReasonError: the reason is empty, too long, or not fit to print.
    """
    reason = act.reason.strip()
    if not 0 < len(reason) <= REASON_LENGTH_MAX or not reason.isprintable():
        raise ReasonError(f"Give a reason of 1 to {REASON_LENGTH_MAX} printable characters.")
    row = AuditRecord(actor=act.actor, action=action, detail=detail, reason=reason, created_at=act.now)
    row.account_id = account_id
    session.add(row)
    await session.flush()


async def first_record_after(
    session: Session, record_id: int, account_id: str, actions: Sequence[str]
) -> AuditRecord | None:
    """The first of these actions about an account that was noted after a record; 0 is before all."""
    found = await session.execute(
        select(AuditRecord)
        .where(col(AuditRecord.account_id) == account_id, col(AuditRecord.id) > record_id)
        .where(col(AuditRecord.action).in_(actions))
        .order_by(col(AuditRecord.id))
        .limit(1)
    )
    return found.scalar_one_or_none()


async def list_records(
    session: Session, limit: int, cursor: str | None = None, account_id: str | None = None
) -> tuple[Sequence[tuple[AuditRecord, str | None]], str | None]:
    """A page of the list with whom each was about, the newest first, and the cursor of the next one.

    Raises:
        InvalidInputError: the cursor is not one of ours.
    """
    found = select(AuditRecord, col(Account.email)).outerjoin(Account, col(Account.id) == col(AuditRecord.account_id))
    if account_id is not None:
        found = found.where(col(AuditRecord.account_id) == account_id)
    if cursor is not None:
        found = found.where(col(AuditRecord.id) < decode_row_number(cursor))
    rows = (await session.execute(found.order_by(col(AuditRecord.id).desc()).limit(limit + 1))).all()
    shown, last = page([(row[0], row[1]) for row in rows], limit)
    return shown, None if last is None else encode_cursor(last[0].id)
