"""Locks on PostgreSQL: what becomes of a webhook's deliveries is noted by several at once."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import select, text
from sqlmodel import col

from aiops.accounts.accounts import create_account
from aiops.accounts.plans import load_plans
from aiops.database.engine import Database
from aiops.database.tables import Delivery, Webhook
from aiops.identifiers import new_id
from aiops.runtime import utc_now
from aiops.webhooks import deliveries, outbox
from aiops.webhooks.deliveries import Answer
from tests.fixtures.postgresql import are_held_up
from tests.fixtures.service import until

GONE, BROKEN = Answer(410, "Its receiver answered 410."), Answer(500, "Its receiver answered 500.")


@pytest.fixture
async def database(new_database: Callable[[str], str]) -> AsyncIterator[Database]:
    database = Database(new_database("postgresql"))
    yield database
    await database.close()


async def on_their_way(database: Database, number: int) -> list[Delivery]:
    """Deliveries to one webhook."""
    now = utc_now()
    async with database.write() as session:
        account = await create_account(session, load_plans(None), "ada@example.com", now, plan="free")
        webhook = Webhook(
            id=new_id("hook"), account_id=account.id, url="https://ada.example", events=[], created_at=now
        )
        session.add(webhook)
        return [await outbox.write_test(session, webhook, outbox.CREDITS_LOW, {}, now) for _ in range(number)]


async def test_several_that_are_told_that_a_receiver_is_gone_do_not_wait_for_each_other(database: Database) -> None:
    """Each notes it of its own delivery, and of those of the others."""
    first, second, third, other = await on_their_way(database, 4)
    async with database.write() as session:
        await session.execute(text("SELECT id FROM webhook FOR UPDATE"))
        noting = [
            asyncio.create_task(deliveries.note(database, delivery, answer, utc_now()))
            for delivery, answer in ((first, GONE), (second, GONE), (third, BROKEN))
        ]
        await noting[-1]
        await until(lambda: are_held_up(database, 2))
    await asyncio.gather(*noting)
    async with database.read() as session:
        found = {row.id: row for row in (await session.execute(select(Delivery))).scalars()}
        (disabled,) = (await session.execute(select(col(Webhook.disabled_reason)))).scalars()
    assert {row.status for row in found.values()} == {"failed"}
    assert disabled == "Its receiver answered 410 Gone."
    answered = [found[one.id].answered for one in (first, second, third, other)]
    assert answered in ([410, None, 500, None], [None, 410, 500, None]), "the first one ends the others"
