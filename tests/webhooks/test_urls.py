"""URLs as a stranger hands them to webhooks and callbacks: none leads inside."""

import itertools
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.fixtures.receiver import Receiver, receiving
from tests.fixtures.service import IMAGE, Customer
from tests.fixtures.urls import REFUSED

pytestmark = pytest.mark.asyncio(loop_scope="module")
numbers = itertools.count()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def receiver(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Receiver]:
    folder = tmp_path_factory.mktemp("urls")
    database = folder / "aiops.sqlite3"
    database.write_bytes(sqlite_template.read_bytes())
    async with receiving(folder, f"sqlite:///{database}") as both:
        yield both


@pytest_asyncio.fixture(loop_scope="module")
async def ada(receiver: Receiver) -> Customer:
    return await receiver.service.customer(f"ada{next(numbers)}@example.com")


async def refused_field(customer: Customer, path: str, body: dict[str, Any]) -> str:
    """The one field that is refused; the body is written in ASCII, which can hold half a surrogate."""
    content, headers = json.dumps(body), {"Content-Type": "application/json"}
    answer = await customer.client.post(path, content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input"), answer.json()
    (field,) = {detail["field"] for detail in answer.json()["details"]}
    return str(field)


@pytest.mark.parametrize("url", REFUSED.values(), ids=REFUSED.keys())
async def test_what_leads_nowhere_public_is_refused(ada: Customer, url: str) -> None:
    assert await refused_field(ada, "/api/webhooks", {"url": url, "events": ["job.failed"]}) == "url"
    assert await refused_field(ada, IMAGE, {"prompt": "x", "callback_url": url}) == "callback_url"
    assert (await ada.client.get("/api/webhooks")).json()["data"] == []
    assert (await ada.client.get("/api/jobs")).json()["data"] == []


INSIDE = {
    "loopback": ["127.0.0.1"],
    "private": ["10.0.0.1"],
    "metadata": ["169.254.169.254"],
    "public and private": ["8.8.8.8", "192.168.1.1"],
    "mapped": ["::ffff:127.0.0.1"],
    "NAT64": ["64:ff9b::7f00:1"],
    "nothing": [],
}


@pytest.mark.parametrize("addresses", INSIDE.values(), ids=INSIDE.keys())
async def test_a_name_that_resolves_inside_is_never_connected_to(
    receiver: Receiver, ada: Customer, monkeypatch: pytest.MonkeyPatch, addresses: list[str]
) -> None:
    connected: list[Any] = []
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (one, 0)) for one in addresses],
    )
    monkeypatch.setattr(socket.socket, "connect", lambda _self, address: connected.append(address))
    made = await ada.client.post("/api/webhooks", json={"url": "http://inside.example/", "events": ["job.succeeded"]})
    assert made.status_code == 201
    await ada.image()
    (delivery,) = await receiver.noted(ada.id)
    assert delivery.error == "The host of the URL does not lead to a public address."
    assert (delivery.answered, connected) == (None, [])
