"""Where credits run out: what is told, to whom, and where it leads."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP
from sqlalchemy import func, select
from sqlmodel import col

from aiops.database.tables import Account, Delivery
from aiops.ledger import ledger
from aiops.providers.base import Call
from tests.fixtures.providers import answer_at_once
from tests.fixtures.service import Service, running_service, until
from tests.fixtures.visitor import visitor


class Box:
    """Keeps what it is sent, but refuses the first message."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.refused = 0

    async def handle_DATA(self, _server: object, _session: object, envelope: object) -> str:  # noqa: N802
        if not self.refused:
            self.refused += 1
            return "451 Try again later"
        self.messages.append(envelope.content.decode())  # type: ignore[attr-defined]
        return "250 OK"


@pytest.fixture
async def posted(tmp_path: Path, new_database: Callable[[str], str]) -> AsyncIterator[tuple[Service, Box]]:
    box = Box()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(box), "127.0.0.1", 0)
    url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, running_service(tmp_path, new_database("sqlite"), smtp_url=url) as service:
        yield service, box


async def test_low_credits_are_told_by_email_once_a_crossing(posted: tuple[Service, Box]) -> None:
    service, box = posted
    ada = await service.customer(plan="free", credits=6)
    assert (await ada.image()).status_code == 200
    await until(lambda: is_to_be_sent_again(service))
    assert box.messages == []
    service.clock.advance(minutes=1)  # a server that did not take it is asked again
    service.runtime.outgoing.set()
    await until(lambda: has_come(box))
    assert "Credits left on your account: 1." in box.messages[0]
    assert "http://aiops.test/billing" in box.messages[0]
    assert (await ada.client.post("/api/services/tts", json={"text": "x"})).status_code == 402
    assert len(box.messages) == 1


async def test_who_was_told_is_not_told_again_by_email_within_a_day(posted: tuple[Service, Box]) -> None:
    service, box = posted
    box.refused = 1
    service.clock.begin_month()
    ada = await service.customer(plan="free", credits=6)
    service.provider.behave = break_down
    for _ in range(3):  # each crosses the line, and comes back
        assert (await ada.image()).status_code == 500
    service.provider.behave = answer_at_once
    await until(lambda: has_come(box))
    assert await messages(service) == 1
    service.clock.advance(hours=23, minutes=59)
    assert (await ada.image()).status_code == 200
    assert await messages(service) == 1
    async with service.runtime.database.write() as session:
        await ledger.grant(session, ada.id, 5, service.clock(), description="a gift")
    service.clock.advance(minutes=1)
    assert (await ada.image()).status_code == 200
    assert await messages(service) == 2


async def break_down(_call: Call) -> None:
    raise RuntimeError("the provider is broken")


async def messages(service: Service) -> int:
    """How many are sent, or are to be."""
    async with service.runtime.database.read() as session:
        return (await session.execute(select(func.count()).select_from(Delivery))).scalar_one()


async def is_to_be_sent_again(service: Service) -> bool:
    """The refusal is noted: were the time moved on before, a try under way would be taken for lost."""
    async with service.runtime.database.read() as session:
        found = await session.execute(select(col(Delivery.error)).where(col(Delivery.status) == "pending"))
        return found.scalar_one_or_none() is not None


async def has_come(box: Box) -> bool:
    return bool(box.messages)


async def test_an_address_that_is_not_confirmed_is_sent_nothing(posted: tuple[Service, Box]) -> None:
    service, box = posted
    ada = await service.customer(plan="free", credits=6)
    async with service.runtime.database.write() as session:
        (await session.get_one(Account, ada.id)).is_confirmed = False
    assert (await ada.image()).status_code == 200
    deliveries = await visitor(service).client.get("/")
    assert deliveries.status_code == 200
    assert (box.messages, box.refused) == ([], 0)


async def test_a_refusal_leads_to_more_credits(sqlite_service: Service) -> None:
    ada = await sqlite_service.customer(credits=3)
    answer = await ada.image()
    assert answer.status_code == 402
    assert answer.json() == {"error": "Insufficient credits", "code": "insufficient_credits", "credits": 3, "cost": 5}
    assert answer.headers["link"] == '</billing>; rel="payment"'
    person = visitor(sqlite_service)
    await person.sign_up("bob@example.com")
    for _ in range(6):
        await person.get("/playground/generate_image")
        await person.send("/playground/generate_image", prompt="a boat")
    assert '<a href="/billing">Get more credits</a>' in person.text
    for page in ("/dashboard", "/transactions"):
        assert 'href="/billing"' in (await person.get(page)).text.partition("<main")[2]
