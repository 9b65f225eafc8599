from sqlalchemy import select
from sqlmodel import col

from aiops.context import Context
from aiops.contract import models
from aiops.database.tables import Account


async def handle(context: Context) -> models.Account:
    async with context.runtime.database.read() as session:
        found = await session.execute(select(Account).where(col(Account.id) == context.caller.account_id))
        account = found.scalar_one()
    return models.Account(
        id=account.id,
        email=account.email,
        plan=account.plan,
        credits=account.credits,
        credits_held=account.held,
        limits=context.caller.limits,
    )
