import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from aiops.accounts import email_links, passwords
from aiops.accounts.accounts import AccountError, create_account, find_account
from aiops.accounts.authentication import create_key
from tests.fixtures.service import Customer, Service

MONTH = {"days": 31}  # moves on to another month, whichever day it is


async def create_account_with_key(service: Service, key_name: str) -> None:
    async with service.runtime.database.write() as session:
        now = service.clock()
        account = await create_account(session, service.runtime.plans, "ada@example.com", now, plan="free")
        await create_key(session, account.id, key_name, now)


async def transactions(customer: Customer) -> list[tuple[str, int, str | None]]:
    """Type, amount and description of each, the oldest first."""
    answer = await customer.client.get("/api/credits/transactions")
    return [(one["type"], one["amount"], one["description"]) for one in reversed(answer.json()["data"])]


shared = pytest.mark.asyncio(loop_scope="module")


@shared
@pytest.mark.parametrize(("plan", "monthly"), [("free", 25), ("pro", 500), ("business", 5000)])
async def test_an_account_opens_with_the_credits_of_its_plan(shared_service: Service, plan: str, monthly: int) -> None:
    ada = await shared_service.customer(f"{plan}@example.com", plan=plan)
    assert await ada.credits() == monthly
    assert await transactions(ada) == [("grant", monthly, f"Monthly credits of the {plan} plan")]


async def test_given_credits_replace_the_opening_grant(service: Service) -> None:
    ada = await service.customer(plan="pro", credits=7)
    assert await ada.credits() == 7
    assert await transactions(ada) == [("grant", 7, "Opening credits")]


async def test_an_account_opened_with_no_credits_has_none_until_the_next_month(service: Service) -> None:
    ada = await service.customer(plan="free", credits=0)
    assert await ada.credits() == 0
    assert await transactions(ada) == []
    service.clock.advance(**MONTH)
    assert await ada.credits() == 25


async def test_the_month_is_granted_at_its_first_use_on_top_of_what_is_left(service: Service) -> None:
    ada = await service.customer(plan="free")
    assert (await ada.image()).status_code == 200
    service.clock.advance(**MONTH)
    assert await ada.credits() == 20 + 25
    assert await ada.credits() == 20 + 25
    granted = ("grant", 25, "Monthly credits of the free plan")
    assert await transactions(ada) == [granted, ("charge", -5, None), granted]


async def test_the_month_is_granted_before_the_call_that_needs_it(service: Service) -> None:
    ada = await service.customer(plan="free", credits=0)
    assert (await ada.image()).status_code == 402
    service.clock.advance(**MONTH)
    assert (await ada.image()).status_code == 200
    assert await ada.credits() == 20


async def test_parallel_first_calls_of_a_month_are_granted_once(service: Service) -> None:
    ada = await service.customer(plan="free")
    service.clock.advance(**MONTH)
    assert await asyncio.gather(*(ada.credits() for _ in range(12))) == [50] * 12
    assert len(await transactions(ada)) == 2


async def test_months_without_a_call_are_not_granted_afterwards(sqlite_service: Service) -> None:
    ada = await sqlite_service.customer(plan="free")
    sqlite_service.clock.advance(days=200)
    assert await ada.credits() == 50


async def test_a_clock_that_goes_back_grants_nothing(sqlite_service: Service) -> None:
    ada = await sqlite_service.customer(plan="free")
    for days in (-31, 31):
        sqlite_service.clock.advance(days=days)
        assert await ada.credits() == 25


async def test_an_account_whose_plan_is_no_longer_in_the_file_has_the_smallest_one(service: Service) -> None:
    ada = await service.customer(plan="pro")
    service.runtime.plans.pop("pro")
    account = (await ada.client.get("/api/account")).json()
    assert account["plan"] == "pro"
    assert account["limits"] == service.runtime.plans["free"].model_dump()
    assert (await ada.image()).status_code == 200
    service.clock.advance(**MONTH)
    assert await ada.credits() == 500 - 5 + 25


@shared
@pytest.mark.parametrize(
    "email", ["ada", "@example.com", "ada@", "a da@example.com", "ada@example.com\0", "", "a" * 251 + "@b.c"]
)
async def test_what_is_no_email_address_is_refused(shared_service: Service, email: str) -> None:
    with pytest.raises(AccountError, match="is not an e-mail address"):
        await shared_service.customer(email)


@shared
async def test_an_unknown_plan_is_refused_with_those_there_are(shared_service: Service) -> None:
    with pytest.raises(AccountError, match=r"no plan gold\. The plans are: free, pro, business\."):
        await shared_service.customer(plan="gold")


async def test_an_email_address_has_one_account_however_it_is_written(service: Service) -> None:
    ada = await service.customer("Ada@Example.com")
    with pytest.raises(AccountError, match=r"account of ada@example\.com already"):
        await service.customer(" ada@example.COM ")
    async with service.runtime.database.read() as session:
        assert (await find_account(session, " ADA@example.com")).id == ada.id


async def test_an_account_that_is_refused_leaves_nothing_behind(service: Service) -> None:
    with pytest.raises(AccountError, match="A key's name"):
        await create_account_with_key(service, key_name="")
    await create_account_with_key(service, key_name="laptop")


async def test_of_links_that_are_made_at_once_one_works(service: Service) -> None:
    database, now = service.runtime.database, service.clock()
    ada = await service.customer()

    async def make() -> str:
        async with database.write() as session:
            return await email_links.make(session, ada.id, "reset", now)

    tokens = await asyncio.gather(*(make() for _ in range(8)))
    async with database.read() as session:
        found = [await email_links.look(session, token, "reset", now) for token in tokens]
    assert [one for one in found if one is not None] == [ada.id]


async def test_passwords_are_hashed_while_the_threads_that_write_files_are_busy() -> None:
    is_over = threading.Event()
    with ThreadPoolExecutor(max_workers=1) as files:
        asyncio.get_running_loop().set_default_executor(files)
        writing = asyncio.create_task(asyncio.to_thread(is_over.wait))
        try:
            async with asyncio.timeout(30):
                kept = await passwords.hashed("correct horse battery")
                assert await passwords.is_right("correct horse battery", kept)
        finally:
            is_over.set()
            await writing


async def test_two_passwords_at_most_are_hashed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: set[int] = set()

    class Hasher:
        def hash(self, password: str) -> str:
            threads.add(threading.get_ident())
            return hasher.hash(password)

    hasher = passwords._hasher
    monkeypatch.setattr(passwords, "_hasher", Hasher())
    await asyncio.gather(*(passwords.hashed(f"password {number}") for number in range(8)))
    assert len(threads) <= 2
