"""What comes of an order at fal whose result cannot be had at once: it is paid for, so only the deadline ends that."""

from pathlib import Path

import pytest

from aiops.providers import fal, remote
from aiops.providers.base import CancellingProvider, ProviderFailedError, ProviderUnavailableError
from aiops.providers.mapping import FAL_MODELS, Hosted
from tests.fixtures.adapters import FAL, Pauses, provider_of
from tests.fixtures.providers import png
from tests.fixtures.upstream import HUGE_BYTES, Answer, said
from tests.fixtures.upstream_fal import FalServer, failed_with
from tests.providers.test_conformance import OPERATIONS, SCHNELL, Asked, serve

BROKEN = Answer(503, b'{"detail": "Service Unavailable"}')
TROUBLE = {
    "429": [Answer(429, headers={"Retry-After": "7"})],
    "429 without a time": [Answer(429)],
    "408": [Answer(408)],
    "10 times 503": [BROKEN] * 10,
    "no answer": [Answer(None)] * 5,
}


@pytest.mark.parametrize("trouble", TROUBLE.values(), ids=TROUBLE.keys())
async def test_a_result_is_waited_for(trouble: list[Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses = Pauses()
    async with FAL.running(monkeypatch) as server:
        server.trouble = list(trouble)
        answer = await serve(provider_of(FAL, server, pauses), "image", tmp_path, Asked().call(600))
        assert (answer.data, len(server.orders), server.trouble) == (png(), 1, [])
    assert (7.0 in pauses.seconds) == (trouble == TROUBLE["429"])


@pytest.mark.parametrize("answer", [BROKEN, Answer(429, headers={"Retry-After": "3600"})], ids=["503", "429"])
async def test_a_result_is_waited_for_until_the_deadline(
    answer: Answer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A 429 is looked at again before, however late we are told to come back."""
    pauses = Pauses()
    monkeypatch.setattr(remote, "time", pauses)
    async with FAL.running(monkeypatch) as server:
        server.trouble = [answer] * 1000
        with pytest.raises(ProviderFailedError):
            await serve(provider_of(FAL, server, pauses), "image", tmp_path, Asked().call(60))
        assert 5 < 1000 - len(server.trouble) < 30
    assert 50 < sum(pauses.seconds) <= 60


async def test_a_result_that_is_too_large_is_not_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with FAL.running(monkeypatch) as server:
        server.trouble = [Answer(200, b"{", announced_bytes=HUGE_BYTES)] * 2
        with pytest.raises(ProviderFailedError):
            await serve(provider_of(FAL, server, Pauses()), "text", tmp_path, Asked().call(60))
        assert len(server.trouble) == 1


# What an upgrade may make of the table while an order is open.
TABLES = {
    "the same": FAL_MODELS,
    "another app": {**FAL_MODELS, SCHNELL: Hosted("fal-ai/another/schnell", "")},
    "no such model": {model: hosted for model, hosted in FAL_MODELS.items() if model != SCHNELL},
}


@pytest.mark.parametrize("table", TABLES)
async def test_an_order_is_taken_up_under_another_table_than_it_was_placed_by(
    table: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with FAL.running(monkeypatch) as server:
        (order,) = await placed(server, tmp_path)
        monkeypatch.setattr(fal, "FAL_MODELS", TABLES[table])
        provider = provider_of(FAL, server, Pauses())
        answer = await serve(provider, "image", tmp_path, Asked().call(request_id=order))
        assert (answer.data, len(server.orders)) == (png(), 1)
        assert isinstance(provider, CancellingProvider)
        await provider.cancel(OPERATIONS["image"], SCHNELL, order)
        assert [work.is_cancelled for work in server.work.values()] == [True]


async def test_an_order_that_a_release_before_has_noted_is_taken_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its number alone."""
    async with FAL.running(monkeypatch) as server:
        await placed(server, tmp_path)
        (number,) = server.work
        provider = provider_of(FAL, server, Pauses())
        answer = await serve(provider, "image", tmp_path, Asked().call(request_id=number))
        assert (answer.data, len(server.orders)) == (png(), 1)


async def test_an_order_that_nobody_knows_the_app_of_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A release before has noted its number alone, and this one has not its model."""
    async with FAL.running(monkeypatch) as server:
        await placed(server, tmp_path)
        (number,) = server.work
        monkeypatch.setattr(fal, "FAL_MODELS", TABLES["no such model"])
        provider = provider_of(FAL, server, Pauses())
        with pytest.raises(ProviderFailedError, match="no longer serves its model"):
            await serve(provider, "image", tmp_path, Asked().call(request_id=number))
        assert isinstance(provider, CancellingProvider)
        await provider.cancel(OPERATIONS["image"], SCHNELL, number)
        assert [work.is_cancelled for work in server.work.values()] == [False]


async def placed(server: FalServer, folder: Path) -> list[str]:
    """What is noted of an order of an image."""
    asked = Asked()
    await serve(provider_of(FAL, server, Pauses()), "image", folder, asked.call())
    return asked.request_ids


@pytest.mark.parametrize("status", [400, 422])
async def test_an_order_that_is_refused_is_the_next_ones(
    status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing has been worked on then, and nothing is billed."""
    monkeypatch.setattr(FalServer, "refused", lambda _: said({"detail": "No such endpoint any more."}, status))
    async with FAL.running(monkeypatch) as server:
        with pytest.raises(ProviderUnavailableError):
            await serve(provider_of(FAL, server, Pauses()), "image", tmp_path, Asked().call())
        assert server.orders == []


@pytest.mark.parametrize(
    ("error_type", "status", "failure"),
    [
        ("startup_timeout", 504, ProviderUnavailableError),
        ("runner_disconnected", 503, ProviderUnavailableError),
        ("internal_error", 500, ProviderUnavailableError),
        ("bad_request", 400, ProviderFailedError),
        ("unprocessable", 422, ProviderFailedError),
    ],
)
async def test_what_fal_has_ended_is_the_next_ones_where_fal_does_not_bill_it(
    error_type: str, status: int, failure: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server: FalServer
    async with FAL.running(monkeypatch) as server:
        server.trouble = [failed_with(error_type, status)]
        with pytest.raises(failure):
            await serve(provider_of(FAL, server, Pauses()), "image", tmp_path, Asked().call())
        assert len(server.orders) == 1
