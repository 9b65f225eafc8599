"""What an answer means, whoever gives it, and what of it is logged."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from aiops.http import ApiCall, FetchError, GuardedClient
from aiops.logs import configure_logs
from aiops.providers import reading, remote
from aiops.providers.answers import MEDIA_BYTES_MAX
from aiops.providers.base import ProviderFailedError, ProviderLimitError, ProviderUnavailableError
from aiops.providers.remote import Deadline, Remote
from tests.fixtures.adapters import FAL_KEY, Pauses, tools
from tests.fixtures.providers import MP3, png
from tests.fixtures.upstream import Answer, Request, Upstream, said, upstream

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


async def test_a_result_that_is_paid_for_is_fetched_in_spite_of_trouble() -> None:
    trouble = [Answer(429), Answer(503), Answer(None), Answer(404), Answer(200, b"half", announced_bytes=8)]
    async with saying(*trouble, Answer(200, b"whole")) as one:
        assert await one.remote.fetch(one.server.url, Deadline(60)) == b"whole"
    assert one.pauses.seconds == sorted(one.pauses.seconds), "each time a little longer"


async def test_an_image_that_is_cut_off_is_fetched_again() -> None:
    """Where its server has not said how long it is, nothing but the image tells."""
    half = Answer(200, png()[:-20], says_length=False)
    async with saying(half, half, Answer(200, png(), says_length=False)) as one:
        assert await one.remote.fetch(one.server.url, Deadline(60)) == png()
    assert len(one.server.requests) == 3


async def test_a_recording_is_fetched_as_it_comes() -> None:
    async with saying(Answer(200, MP3, says_length=False)) as one:
        assert await one.remote.fetch(one.server.url, Deadline(60)) == MP3


@pytest.mark.parametrize(("left_seconds", "seconds"), [(3600, 120), (1, 1)])
async def test_a_result_is_not_fetched_for_ever(
    monkeypatch: pytest.MonkeyPatch, left_seconds: float, seconds: float
) -> None:
    async with saying(Answer(503)) as one:
        monkeypatch.setattr(remote, "time", one.pauses)
        with pytest.raises(ProviderFailedError):
            await one.remote.fetch(one.server.url, Deadline(left_seconds))
    assert seconds - 10 < sum(one.pauses.seconds) <= seconds
    assert len(one.server.requests) == len(one.pauses.seconds) <= remote.FETCHES_MAX


@pytest.mark.parametrize(("left_seconds", "seconds"), [(3600, 120), (70, 70), (1, 1)])
async def test_a_host_that_hangs_is_not_waited_for_any_longer(
    monkeypatch: pytest.MonkeyPatch, left_seconds: float, seconds: float
) -> None:
    async with saying(Answer(503)) as one:

        async def hang(_client: GuardedClient, _url: str, *, size_max_bytes: int, timeout_seconds: float) -> bytes:
            await one.pauses(timeout_seconds)
            raise FetchError("The host did not answer in time.")

        monkeypatch.setattr(GuardedClient, "fetch", hang)
        monkeypatch.setattr(remote, "time", one.pauses)
        with pytest.raises(ProviderFailedError):
            await one.remote.fetch(one.server.url, Deadline(left_seconds))
    assert sum(one.pauses.seconds) == pytest.approx(seconds, abs=1)


async def test_a_result_that_is_too_large_is_not_fetched_again() -> None:
    async with saying(Answer(200, b"begins", announced_bytes=MEDIA_BYTES_MAX + 1)) as one:
        with pytest.raises(ProviderFailedError):
            await one.remote.fetch(one.server.url, Deadline(60))
    assert len(one.server.requests) == 1


async def test_no_part_of_the_key_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    """Wherever in the answer it stands, also across the place where what is logged ends."""
    configure_logs("json")
    for before in range(reading.LOGGED_CHARACTERS - len(FAL_KEY), reading.LOGGED_CHARACTERS + 1):
        body = f"{FAL_KEY}{' ' * (before - len(FAL_KEY))}{FAL_KEY} is no key of ours".encode()
        async with saying(Answer(401, body)) as one:
            one.remote.note(await one.remote.ask(ApiCall("GET", one.server.url), timeout_seconds=5))
    written = "".join(capsys.readouterr())
    assert "provider_answered" in written
    assert FAL_KEY[:4] not in written


@pytest.mark.parametrize(
    "when",
    ["never", "1.5", f"Mon, 01 Jan 2024 00:00:00 +{'9' * 20}", f"Mon, 01 Jan {'9' * 20} 00:00:00 GMT"],
)
async def test_a_time_to_come_back_that_is_none(when: str) -> None:
    busy = Answer(429, headers={"Retry-After": when})
    async with saying(busy, busy, Answer(200)) as one:
        await one.remote.order(ApiCall("POST", one.server.url), Deadline(60))
    assert one.pauses.seconds == [1, 2]


@pytest.mark.parametrize("member", ["code", "type"])
async def test_a_429_that_wants_money_is_not_waited_for(member: str) -> None:
    """So OpenAI says it. Nobody who waits is any richer for it."""
    error = {"message": "You exceeded your current quota.", member: "insufficient_quota"}
    async with saying(said({"error": error}, 429, Retry_After="1")) as one:
        with pytest.raises(ProviderUnavailableError, match="account of this server is empty"):
            await one.remote.order(ApiCall("POST", one.server.url), Deadline(60))
        assert (one.pauses.seconds, len(one.server.requests), one.remote.is_open) == ([], 1, False)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(402),
        said({"detail": "User is locked. Reason: Exhausted balance. Top up your balance at fal.ai."}, 403),
        said({"detail": "User is locked. Reason: Admin lock. Please contact support@fal.ai"}, 403),
        said({"error": {"message": "Billing hard limit has been reached", "code": "billing_hard_limit_reached"}}, 400),
    ],
    ids=["402", "fal", "fal's lock", "images of OpenAI"],
)
async def test_who_wants_money_is_not_asked_again(answer: Answer) -> None:
    async with saying(answer) as one:
        with pytest.raises(ProviderUnavailableError, match="account of this server is empty or locked"):
            await one.remote.order(ApiCall("POST", one.server.url), Deadline(60))
        assert not one.remote.is_open


@pytest.mark.parametrize(
    "answer",
    [
        Answer(403),
        said({"detail": "You cannot access this model."}, 403),
        said({"detail": [{"msg": "User is locked.", "type": "value_error"}]}, 403),
        said({"detail": "User is locked."}, 404),
    ],
    ids=["nothing said", "a gated model", "of a field", "404"],
)
async def test_who_refuses_one_model_is_asked_for_another(answer: Answer) -> None:
    async with saying(answer) as one:
        with pytest.raises(ProviderUnavailableError, match="answered with an error"):
            await one.remote.order(ApiCall("POST", one.server.url), Deadline(60))
        assert one.remote.is_open


async def test_what_is_too_large_for_one_may_not_be_for_the_next() -> None:
    async with saying(Answer(413)) as one:
        with pytest.raises(ProviderLimitError, match="too large for the provider"):
            await one.remote.order(ApiCall("POST", one.server.url), Deadline(60))
        assert one.remote.is_open


@pytest.mark.parametrize(
    ("status", "failure"),
    [*((one, ProviderFailedError) for one in IN_DOUBT), *((one, ProviderUnavailableError) for one in NOT_TAKEN)],
)
async def test_whether_an_order_was_taken(status: int, failure: type[Exception]) -> None:
    """A gateway that gave up waiting says nothing of the work behind it; 521, 523, 525 and 526 of Cloudflare say that
    it had no connection to it."""
    async with saying(Answer(status)) as one:
        with pytest.raises(failure):
            await one.remote.order(ApiCall("POST", one.server.url), Deadline(60))
    assert len(one.server.requests) == 1
