import asyncio

from tests.fixtures.providers import Held
from tests.fixtures.service import Service


async def test_an_account_is_shown_with_plan_credits_and_limits(service: Service) -> None:
    ada = await service.customer(plan="pro")
    answer = await ada.client.get("/api/account")
    assert answer.status_code == 200
    assert answer.json() == {
        "id": ada.id,
        "email": "ada@example.com",
        "plan": "pro",
        "credits": 500,
        "credits_held": 0,
        "limits": {
            "monthly_credits": 500,
            "requests_per_minute": 60,
            "jobs_at_once": 10,
            "jobs_queued": 100,
            "audio_minutes": 60,
            "file_megabytes": 200,
            "stored_files": 500,
            "stored_megabytes": 5000,
        },
    }


async def test_what_is_held_for_an_open_job_is_off_the_credits(service: Service) -> None:
    held = service.provider.behave = Held()
    ada = await service.customer(plan="free")
    call = asyncio.create_task(ada.image())
    await held.begun.wait()
    account = (await ada.client.get("/api/account")).json()
    assert (account["credits"], account["credits_held"]) == (20, 5)
    held.finish.set()
    assert (await call).status_code == 200
    account = (await ada.client.get("/api/account")).json()
    assert (account["credits"], account["credits_held"]) == (20, 0)


async def test_two_accounts_see_each_their_own(sqlite_service: Service) -> None:
    ada = await sqlite_service.customer("ada@example.com", plan="free")
    bob = await sqlite_service.customer("bob@example.com", plan="pro")
    await ada.image()
    shown = [(await one.client.get("/api/account")).json() for one in (ada, bob)]
    assert [(one["id"], one["email"], one["credits"]) for one in shown] == [
        (ada.id, "ada@example.com", 20),
        (bob.id, "bob@example.com", 500),
    ]


async def test_asking_costs_nothing(sqlite_service: Service) -> None:
    ada = await sqlite_service.customer(plan="free")
    assert [await ada.credits() for _ in range(3)] == [25] * 3
