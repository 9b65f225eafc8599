from typing import Annotated

from fastapi import Query

from aiops.context import Context
from aiops.contract.models import ListCreditTransactionsParametersQuery, TransactionList
from aiops.jobs.listing import list_entries
from aiops.jobs.presentation import present_entry


async def handle(context: Context, query: Annotated[ListCreditTransactionsParametersQuery, Query()]) -> TransactionList:
    async with context.runtime.database.read() as session:
        entries, next_cursor = await list_entries(session, context.caller.account_id, query.limit, query.cursor)
    return TransactionList(data=[present_entry(entry) for entry in entries], next_cursor=next_cursor)
