"""What an answer means, whoever gives it, and what of it is logged."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from aiops.http import ApiCall
from aiops.providers.base import ProviderFailedError, ProviderUnavailableError
from aiops.providers.remote import Deadline, Remote
from tests.fixtures.adapters import FAL_KEY, Pauses, tools
from tests.fixtures.upstream import Answer, Request, Upstream, upstream

IN_DOUBT = [408, 499, 502, 504, 520, 522, 524, 598, 599]
NOT_TAKEN = [401, 402, 403, 404, 405, 500, 503, 521, 523, 525, 526]


@dataclass
class SayingServer(Upstream):
    """Says these one after the other, and the last of them from then on."""

    answers: list[Answer] = field(default_factory=list)

    async def answer(self, request: Request) -> Answer:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@dataclass
class Said:
    server: SayingServer
    remote: Remote
    pauses: Pauses


@asynccontextmanager
async def saying(*answers: Answer) -> AsyncIterator[Said]:
    async with upstream(SayingServer(FAL_KEY, answers=list(answers))) as server:
        pauses = Pauses()
        remote = Remote("fal", tools(server, pauses), {"Authorization": f"Key {FAL_KEY}"})
        yield Said(server, remote, pauses)


@pytest.mark.parametrize(
    ("status", "failure"),
    [*((one, ProviderFailedError) for one in IN_DOUBT), *((one, ProviderUnavailableError) for one in NOT_TAKEN)],
)
async def test_whether_an_order_was_taken(status: int, failure: type[Exception]) -> None:
    """A gateway that gave up waiting says nothing of the work behind it; 521, 523, 525 and 526 of Cloudflare say that
    it had no connection to it."""
    async with saying(Answer(status)) as said:
        with pytest.raises(failure):
            await said.remote.order(ApiCall("POST", said.server.url), Deadline(60))
    assert len(said.server.requests) == 1
