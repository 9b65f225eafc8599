from typing import Any

import pytest
import pytest_asyncio

from aiops.ledger import ledger
from aiops.pagination import encode_cursor
from aiops.providers.base import Call, ProviderUnavailableError
from tests.fixtures.service import SPEECH, Customer, Service

PATH = "/api/credits/transactions"


async def listed(customer: Customer, **parameters: Any) -> dict[str, Any]:
    answer = await customer.client.get(PATH, params=parameters)
    assert answer.status_code == 200, answer.json()
    page: dict[str, Any] = answer.json()
    return page


async def grant(service: Service, customer: Customer, amount: int) -> None:
    async with service.runtime.database.write() as session:
        await ledger.grant(session, customer.id, amount, service.clock(), description=f"gift of {amount}")


async def test_every_change_of_the_credits_is_listed_newest_first(service: Service) -> None:
    async def fail(_call: Call) -> None:
        raise ProviderUnavailableError("Not now.")

    ada = await service.customer(plan="free")
    image = (await ada.image()).json()["job_id"]
    service.provider.behave = fail
    speech = (await ada.client.post(SPEECH, json={"text": "hello"})).json()["job_id"]
    await grant(service, ada, 9)
    page = await listed(ada)
    shown = [
        (one["type"], one["amount"], one["balance_after"], one["job_id"], one["description"]) for one in page["data"]
    ]
    assert shown == [
        ("grant", 9, 29, None, "gift of 9"),
        ("refund", 2, 20, speech, None),
        ("charge", -2, 18, speech, None),
        ("charge", -5, 20, image, None),
        ("grant", 25, 25, None, "Monthly credits of the free plan"),
    ]
    assert page["next_cursor"] is None


async def test_the_amounts_sum_to_the_credits_and_each_balance_to_the_ones_before(service: Service) -> None:
    ada = await service.customer(plan="free")
    for _ in range(3):
        await ada.image()
    entries = (await listed(ada))["data"][::-1]
    assert sum(one["amount"] for one in entries) == await ada.credits()
    balances = [sum(one["amount"] for one in entries[: count + 1]) for count in range(len(entries))]
    assert [one["balance_after"] for one in entries] == balances


async def test_pages_are_complete_while_new_transactions_arrive(service: Service) -> None:
    ada = await service.customer(plan="free", credits=0)
    for amount in range(1, 8):
        await grant(service, ada, amount)
    amounts: list[int] = []
    page = await listed(ada, limit=3)
    while True:
        amounts += [one["amount"] for one in page["data"]]
        if page["next_cursor"] is None:
            break
        await grant(service, ada, 100)
        page = await listed(ada, limit=3, cursor=page["next_cursor"])
    assert amounts == [7, 6, 5, 4, 3, 2, 1]


async def test_captures_do_not_shorten_a_page(sqlite_service: Service) -> None:
    """They change nothing that can be spent: neither shown nor counted."""
    ada = await sqlite_service.customer()
    for _ in range(4):
        await ada.image()
    page = await listed(ada, limit=4)
    assert [one["type"] for one in page["data"]] == ["charge"] * 4
    rest = await listed(ada, limit=4, cursor=page["next_cursor"])
    assert [one["type"] for one in rest["data"]] == ["grant"]


async def test_every_account_lists_its_own(service: Service) -> None:
    ada = await service.customer("ada@example.com", plan="free", credits=1)
    bob = await service.customer("bob@example.com", plan="free", credits=2)
    assert [one["amount"] for one in (await listed(ada))["data"]] == [1]
    assert [one["amount"] for one in (await listed(bob))["data"]] == [2]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ada(shared_service: Service) -> Customer:
    return await shared_service.customer()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "cursor",
    [
        pytest.param("!", id="not base 64"),
        pytest.param("%00", id="NUL"),
        pytest.param("txn_3", id="an id"),
        pytest.param(encode_cursor(["2026-01-01T00:00:00Z", "job_x"]), id="of another list"),
        pytest.param(encode_cursor(-1), id="negative"),
        pytest.param(encode_cursor(2**63), id="larger than a row number"),
        pytest.param(encode_cursor(10**40), id="larger than all"),
        pytest.param(encode_cursor(1.5), id="between two rows"),
        pytest.param(encode_cursor(None), id="null"),
        pytest.param(encode_cursor({"id": 1}), id="an object"),
    ],
)
async def test_a_cursor_that_is_not_ours_is_422(ada: Customer, cursor: str) -> None:
    answer = await ada.client.get(f"{PATH}?cursor={cursor}")
    assert answer.status_code == 422
    assert [detail["field"] for detail in answer.json()["details"]] == ["cursor"]


async def test_the_largest_row_number_is_a_cursor(service: Service) -> None:
    ada = await service.customer(plan="free")
    page = await listed(ada, cursor=encode_cursor(2**31 - 1))
    assert len(page["data"]) == 1
