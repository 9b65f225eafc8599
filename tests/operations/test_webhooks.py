from typing import Any

import pytest
import pytest_asyncio

from aiops.webhooks import subscriptions
from tests.fixtures.service import Customer, Service

URL = "https://hooks.example/aiops"
PATH = "/api/webhooks"


async def made(customer: Customer, *events: str, url: str = URL) -> dict[str, Any]:
    answer = await customer.client.post(PATH, json={"url": url, "events": events or ("job.succeeded",)})
    assert answer.status_code == 201, answer.json()
    webhook: dict[str, Any] = answer.json()
    return webhook


async def test_a_webhook_is_made_listed_and_deleted(service: Service) -> None:
    ada = await service.customer()
    webhook = await made(ada, "job.succeeded", "credits.low")
    secret = webhook.pop("secret")
    assert secret.startswith("whsec_")
    assert webhook["events"] == ["job.succeeded", "credits.low"]
    assert (webhook["url"], webhook["status"], webhook["reason"]) == (URL, "active", None)
    listed = await ada.client.get(PATH)
    assert listed.json() == {"data": [webhook], "next_cursor": None}
    assert secret not in listed.text, "it is shown once"
    deleted = await ada.client.delete(f"{PATH}/{webhook['id']}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (await ada.client.get(PATH)).json()["data"] == []
    assert (await ada.client.delete(f"{PATH}/{webhook['id']}")).status_code == 404
    assert await ada.credits() == 5000


async def test_webhooks_are_listed_by_event_and_in_pages(service: Service) -> None:
    ada = await service.customer()
    ids = [(await made(ada, event))["id"] for event in ("job.failed", "job.succeeded", "job.failed", "job.failed")]
    found: list[str] = []
    cursor = ""
    while cursor is not None:
        parameters = {"event": "job.failed", "limit": "2", **({"cursor": cursor} if cursor else {})}
        page = (await ada.client.get(PATH, params=parameters)).json()
        found += [one["id"] for one in page["data"]]
        cursor = page["next_cursor"]
    assert found == [ids[3], ids[2], ids[0]]


async def test_the_webhooks_of_another_account_are_not_there(service: Service) -> None:
    ada, bob = await service.customer(), await service.customer("bob@example.com")
    webhook = await made(ada)
    assert (await bob.client.get(PATH)).json()["data"] == []
    refused = await bob.client.delete(f"{PATH}/{webhook['id']}")
    unknown = await bob.client.delete(f"{PATH}/hook_{'0' * 24}")
    assert (refused.status_code, refused.json()) == (404, unknown.json())
    assert len((await ada.client.get(PATH)).json()["data"]) == 1


async def test_an_account_has_so_many(sqlite_service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriptions, "WEBHOOKS_MAX", 2)
    ada, bob = await sqlite_service.customer(), await sqlite_service.customer("bob@example.com")
    first = await made(ada)
    await made(ada)
    refused = await ada.client.post(PATH, json={"url": URL, "events": ["job.failed"]})
    assert (refused.status_code, refused.json()["details"][0]["field"]) == (422, "url")
    await made(bob)
    await ada.client.delete(f"{PATH}/{first['id']}")
    await made(ada)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ada(shared_service: Service) -> Customer:
    return await shared_service.customer()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"url", "events"}),
        ({"url": URL}, {"events"}),
        ({"url": URL, "events": []}, {"events"}),
        ({"url": URL, "events": ["job.exploded"]}, {"events.0"}),
        ({"url": URL, "events": ["job.failed", "job.failed"]}, {"events"}),
        ({"url": URL, "events": "job.failed"}, {"events"}),
        ({"url": URL, "events": None}, {"events"}),
        ({"url": "hooks.example", "events": ["job.failed"]}, {"url"}),
        ({"url": "https://hooks.example:8443/", "events": ["job.failed"]}, {"url"}),
        ({"url": "http://127.0.0.1/", "events": ["job.failed"]}, {"url"}),
        ({"url": URL, "events": ["job.failed"], "secret": "mine"}, {"secret"}),
    ],
)
async def test_what_is_not_valid_is_422(ada: Customer, body: dict[str, Any], fields: set[str]) -> None:
    answer = await ada.client.post(PATH, json=body)
    assert answer.status_code == 422, answer.json()
    assert {detail["field"] for detail in answer.json()["details"]} == fields


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{", {"Content-Type": "application/json"}, 400),
        (b"", {"Content-Type": "application/json"}, 400),
        (b"url=x", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (b"{}", {"Content-Type": "application/json", "Content-Encoding": "gzip"}, 415),
        (b'"' + b"x" * 70_000 + b'"', {"Content-Type": "application/json"}, 413),
    ],
)
async def test_a_body_that_is_not_taken(ada: Customer, content: bytes, headers: dict[str, str], status: int) -> None:
    answer = await ada.client.post(PATH, content=content, headers=headers)
    assert answer.status_code == status, answer.json()


async def test_without_a_key_nothing_is_read(sqlite_service: Service) -> None:
    client = sqlite_service.client()
    assert (await client.post(PATH, content=b"{")).status_code == 401
    assert (await client.get(PATH)).status_code == 401
    assert (await client.delete(f"{PATH}/x")).status_code == 401
