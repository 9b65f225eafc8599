"""`aiops webhooks`, beside a running server."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from aiops.administration import audit
from aiops.cli import webhooks
from tests.fixtures.command import Result, Run, refused
from tests.fixtures.receiver import Receiver, answering, receiving
from tests.fixtures.service import Customer


@dataclass
class Operator:
    """Somebody at the command line of the server that `receiver` is told by."""

    receiver: Receiver
    run: Run
    ada: Customer
    url: str

    async def types(self, *arguments: str) -> Result:
        settings = {"database_url": self.url, "secret_key": "secret of the tests"}
        return await asyncio.to_thread(self.run, "webhooks", *arguments, **settings)

    async def noted(self) -> list[str]:
        """What the list of changes says, each of the command line and about Ada."""
        async with self.receiver.service.runtime.database.read() as session:
            found, _ = await audit.list_records(session, 50)
        assert {(record.actor, email) for record, email in found} <= {("command line", "ada@example.com")}
        return [f"{record.action}: {record.detail}" for record, _ in reversed(found)]


@pytest.fixture
async def operator(run: Run, receiver: Receiver) -> Operator:
    url = receiver.service.runtime.settings.database
    return Operator(receiver, run, await receiver.service.customer(), url)


@pytest.fixture
async def unheard(run: Run, tmp_path: Path, database_url: str) -> AsyncIterator[Operator]:
    """The first attempt of each delivery fails, the second does not."""
    later = answering(500, "Retry-After: 3600")  # it is not sent again before the operator does so
    async with receiving(tmp_path, database_url, later, answering(204)) as receiver:
        yield Operator(receiver, run, await receiver.service.customer(), database_url)


async def test_a_test_event_is_sent_and_its_answer_printed(operator: Operator) -> None:
    webhook = await operator.receiver.subscribe(operator.ada)
    sent = await operator.types("test", webhook["id"], "--event", "credits.low")
    assert (sent.code, sent.err) == (0, "")
    assert re.fullmatch(r"dlv_\w+ is delivered: 204\.\n", sent.out)
    (told,) = operator.receiver.told
    told.verify(webhook["secret"])
    assert (told.event["type"], told.event["note"]) == ("credits.low", "This is a test; it has not happened.")


async def test_deliveries_are_listed_and_sent_again(unheard: Operator) -> None:
    webhook = await unheard.receiver.subscribe(unheard.ada)
    failed = await unheard.types("test", webhook["id"])
    assert (failed.code, failed.out) == (1, "Its receiver answered 500.\n")
    listed = (await unheard.types("deliveries", "ada@example.com", "--status", "pending")).out
    url = re.escape(webhook["url"])
    line = rf"(dlv_\w+)  [-\d]+ [:\d]+  pending    job\.succeeded  {url}  1 tried, Its receiver answered 500\.\n"
    found = re.fullmatch(line, listed)
    assert found is not None, listed
    again = await unheard.types("redeliver", found[1])
    assert (again.code, again.out) == (0, f"{found[1]} is delivered: 204.\n")
    first, second = unheard.receiver.told
    assert first.id == second.id
    assert await unheard.noted() == [
        f"test event sent: job.succeeded to {webhook['id']}",
        f"delivery sent again: {found[1]}",
    ]
    assert (await unheard.types("deliveries", "ada@example.com", "--status", "pending")).out == "\n"
    assert found[1] in (await unheard.types("deliveries", "ada@example.com", "--webhook", webhook["id"])).out
    assert webhook["id"] in (await unheard.types("list", "ada@example.com")).out


async def test_a_new_secret_signs_and_the_one_before_signs_along(operator: Operator) -> None:
    webhook = await operator.receiver.subscribe(operator.ada)
    (secret,) = re.findall(r"Secret: (whsec_\S+)", (await operator.types("rotate", webhook["id"])).out)
    (of_callbacks,) = re.findall(r"Secret: (whsec_\S+)", (await operator.types("rotate", "ada@example.com")).out)
    await operator.types("test", webhook["id"])
    (told,) = operator.receiver.told
    told.verify(secret)
    told.verify(webhook["secret"])
    await operator.ada.client.post(
        "/api/services/image_gen", json={"prompt": "a lighthouse", "callback_url": f"{operator.receiver.url}/back"}
    )
    all_told = await operator.receiver.has_been_told(3)
    (position,) = [number for number, one in enumerate(operator.receiver.server.requests) if b"/hook/back" in one]
    all_told[position].verify(of_callbacks)
    assert await operator.noted() == [
        f"signing secret made: that of {webhook['id']}",
        "signing secret made: that of callbacks",
        f"test event sent: job.succeeded to {webhook['id']}",
    ]


async def test_without_a_server_it_says_that_none_has_sent_it(
    run: Run, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "SENT_WITHIN_SECONDS", 0.5)
    async with receiving(tmp_path, database_url) as receiver:
        operator = Operator(receiver, run, await receiver.service.customer(), database_url)
        webhook = await receiver.subscribe(operator.ada)
    sent = await operator.types("test", webhook["id"])
    assert sent.code == 1
    assert re.fullmatch(r"dlv_\w+ is due, but no server has sent it yet\. Is one running\?\n", sent.out)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["test", "hook_0"], "There is no webhook hook_0."),
        (["rotate", "hook_0"], "There is no webhook hook_0."),
        (["redeliver", "dlv_0"], "There is no delivery dlv_0, or its webhook is deleted or disabled."),
        (["deliveries", "nobody@example.com"], "There is no account of nobody@example.com."),
        (["deliveries", "ada@example.com", "--status", "lost"], "A delivery is pending, delivered, failed, not lost."),
        (
            ["test", "hook_0", "--event", "job.lost"],
            "There is no event job.lost. Take one of job.succeeded, ",
        ),
    ],
)
async def test_what_cannot_be_done_is_said_in_one_line(operator: Operator, arguments: list[str], why: str) -> None:
    assert why in refused(await operator.types(*arguments))
    assert await operator.noted() == []


async def test_a_webhook_that_has_gone_cannot_be_tried(run: Run, tmp_path: Path, database_url: str) -> None:
    async with receiving(tmp_path, database_url, answering(410)) as receiver:
        operator = Operator(receiver, run, await receiver.service.customer(), database_url)
        webhook = await receiver.subscribe(operator.ada)
        assert (await operator.types("test", webhook["id"])).out == "Its receiver answered 410.\n"
        assert "is disabled: Its receiver answered 410 Gone." in refused(await operator.types("test", webhook["id"]))
