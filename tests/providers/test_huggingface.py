"""What the Hub and the router say of a token, and the Hub's answers that name nobody who serves a model."""

from pathlib import Path

import pytest

from aiops.providers import remote
from aiops.providers.base import ProviderUnavailableError
from tests.fixtures.adapters import HUGGINGFACE, HUGGINGFACE_BY_FAL, Adapter, Pauses, provider_of
from tests.fixtures.upstream import PAGE, Answer, Behaviour, said
from tests.fixtures.upstream_huggingface import HuggingFaceServer
from tests.providers.test_conformance import Asked, is_live, serve

REFUSED = "The provider does not accept this server's key."
NO_ANSWER = "The provider broke off, or did not answer in time."


@pytest.mark.parametrize("adapter", [HUGGINGFACE, HUGGINGFACE_BY_FAL], ids=["hf-inference", "fal-ai"])
@pytest.mark.parametrize("service", ["image", "text"])
async def test_a_token_that_is_wrong_is_told_before_anything_is_ordered(
    adapter: Adapter, service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with adapter.running(monkeypatch) as server:
        server.behaviour = Behaviour.KEY_REFUSED
        provider = provider_of(adapter, server, Pauses())
        with pytest.raises(ProviderUnavailableError, match=REFUSED):
            await serve(provider, service, tmp_path, Asked().call())
        assert not is_live(provider, service)
        assert [request.method for request in server.requests] == ["GET"]


@pytest.mark.parametrize("adapter", [HUGGINGFACE, HUGGINGFACE_BY_FAL], ids=["hf-inference", "fal-ai"])
@pytest.mark.parametrize("service", ["image", "text"])
async def test_a_token_without_the_right_is_a_wrong_one(
    adapter: Adapter, service: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Hub knows it; the router does not let it call."""
    async with adapter.running(monkeypatch) as server:
        server.may_call = False
        provider = provider_of(adapter, server, Pauses())
        with pytest.raises(ProviderUnavailableError, match=REFUSED):
            await serve(provider, service, tmp_path, Asked().call())
        assert not is_live(provider, service)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (said({"error": "Access to this model is restricted."}, 403), "answered with an error .status 403"),
        (said({"error": "Repository not found"}, 404), "answered with an error .status 404"),
        (said({"error": "Bad request"}, 400), "answered with an error .status 400"),
        (Answer(504, PAGE, "text/html"), NO_ANSWER),
        (Answer(None), NO_ANSWER),
        (Answer(200, PAGE, "text/html"), "No inference provider serves this model at the moment."),
    ],
    ids=["gated", "404", "400", "504", "hangs up", "a page"],
)
async def test_a_hub_that_does_not_say_who_serves_a_model_costs_nothing(
    answer: Answer, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is ordered yet, so the next provider may be asked; and the token may be good for another model."""
    server: HuggingFaceServer
    async with HUGGINGFACE.running(monkeypatch) as server:
        server.hub_says = answer
        provider = provider_of(HUGGINGFACE, server, Pauses())
        with pytest.raises(ProviderUnavailableError, match=reason):
            await serve(provider, "image", tmp_path, Asked().call())
        assert is_live(provider, "image")
        assert server.orders == []


async def test_a_hub_that_is_busy_is_waited_for_in_the_time_of_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses = Pauses()
    monkeypatch.setattr(remote, "time", pauses)
    async with HUGGINGFACE.running(monkeypatch) as server:
        server.hub_says = Answer(429, headers={"Retry-After": "3"})
        with pytest.raises(ProviderUnavailableError, match="takes no more requests"):
            await serve(provider_of(HUGGINGFACE, server, pauses), "image", tmp_path, Asked().call(20))
    assert set(pauses.seconds) == {3.0}
    assert sum(pauses.seconds) < 20
