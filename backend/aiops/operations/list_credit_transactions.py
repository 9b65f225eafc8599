from typing import Annotated, Literal

from fastapi import Query
from sqlalchemy import select
from sqlmodel import col

from aiops.context import Context
from aiops.contract.models import ListCreditTransactionsParametersQuery, Transaction, TransactionList
from aiops.database.tables import Entry
from aiops.pagination import decode_row_number, encode_cursor, page

# A capture changes nothing that can be spent, so it is not shown.
SHOWN: dict[str, Literal["grant", "charge", "refund", "purchase", "adjustment"]] = {
    "grant": "grant",
    "hold": "charge",
    "release": "refund",
    "purchase": "purchase",
    "adjustment": "adjustment",
}


async def handle(context: Context, query: Annotated[ListCreditTransactionsParametersQuery, Query()]) -> TransactionList:
    statement = (
        select(Entry)
        .where(col(Entry.account_id) == context.caller.account_id, col(Entry.kind).in_(SHOWN))
        .order_by(col(Entry.id).desc())
        .limit(query.limit + 1)
    )
    if query.cursor is not None:
        statement = statement.where(col(Entry.id) < decode_row_number(query.cursor))
    async with context.runtime.database.read() as session:
        rows = (await session.execute(statement)).scalars().all()
    entries, last = page(rows, query.limit)
    return TransactionList(
        data=[_present(entry) for entry in entries], next_cursor=None if last is None else encode_cursor(last.id)
    )


def _present(entry: Entry) -> Transaction:
    return Transaction(
        id=f"txn_{entry.id}",
        type=SHOWN[entry.kind],
        amount=entry.amount,
        balance_after=entry.balance_after,
        job_id=entry.job_id,
        description=entry.description,
        created_at=entry.created_at,
    )
