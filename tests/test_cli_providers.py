"""`aiops providers check`, and what a start says of providers."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager

import pytest

from aiops.app import create_runtime
from aiops.cli.providers import notices
from aiops.settings import Settings
from tests.fixtures.adapters import FAL, HUGGINGFACE, OPENAI, Adapter, set_variables
from tests.fixtures.command import Run
from tests.fixtures.upstream import Behaviour, Upstream, upstream
from tests.fixtures.upstream_huggingface import HuggingFaceServer


@contextmanager
def in_another_thread(*adapters: Adapter) -> Iterator[list[Upstream]]:
    """Their servers, for a command that has a loop of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    stack = AsyncExitStack()

    async def begin() -> list[Upstream]:
        return [await stack.enter_async_context(upstream(adapter.server())) for adapter in adapters]

    try:
        yield asyncio.run_coroutine_threadsafe(begin(), loop).result(20)
        asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result(20)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_each_service_of_each_provider_is_called_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with in_another_thread(FAL, OPENAI) as (fal, openai):
        openai.behaviour = Behaviour.KEY_REFUSED
        set_variables(monkeypatch, **FAL.settings(fal.url), **OPENAI.settings(openai.url))
        done = run("providers", "check", providers="fal,openai_compatible", private_hosts=fal.authority)
    rows = [line.split("  ") for line in done.out.splitlines()]
    table = {
        (row[0].strip(), cells[0]): cells[1:] for row in rows if len(cells := [c.strip() for c in row[1:] if c]) > 2
    }
    assert table["fal", "black-forest-labs/FLUX.1-schnell"] == ["yes", "yes", "$0.003 a megapixel"]
    assert table["fal", "black-forest-labs/FLUX.1-dev"] == ["not called", "NO", "$0.025 a megapixel"]
    assert table["fal", "vibevoice"][0] == table["fal", "openai/whisper-large-v3"][0] == "yes"
    refused = "The provider does not accept this server's key."
    assert table["openai_compatible", "vibevoice"] == [refused, "yes", "as its server asks"]
    assert table["openai_compatible", "meta-llama/seamless-m4t-v2-large"][1] == "NO"
    assert "meta-llama/seamless-m4t-v2-large must not be sold: CC-BY-NC-4.0" in done.out
    assert "black-forest-labs/FLUX.1-dev must not be sold: FLUX.1 [dev] Non-Commercial License" in done.out
    assert (done.code, len(fal.orders), openai.orders) == (1, 3, [])
    assert "secretofthetests" not in done.out + done.err


def test_a_provider_that_wants_money_is_told_in_words(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with in_another_thread(FAL) as (fal,):
        fal.behaviour = Behaviour.UNPAID
        set_variables(monkeypatch, **FAL.settings(fal.url))
        done = run("providers", "check", providers="fal", private_hosts=fal.authority)
    assert done.out.count("The provider's account of this server is empty or locked.") == 3
    assert (done.code, fal.orders) == (1, [])


@pytest.mark.parametrize("is_known", [False, True], ids=["no token of theirs", "one without the right"])
def test_a_token_of_hugging_face_that_will_not_do_is_told_in_words(
    is_known: bool, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with in_another_thread(HUGGINGFACE) as (server,):
        assert isinstance(server, HuggingFaceServer)
        server.behaviour, server.may_call = Behaviour.WORKS if is_known else Behaviour.KEY_REFUSED, False
        set_variables(monkeypatch, **HUGGINGFACE.settings(server.url))
        done = run("providers", "check", providers="huggingface", private_hosts=server.authority)
    assert done.out.count("The provider does not accept this server's key.") == 2
    assert (done.code, server.orders) == (1, [])


def test_every_model_is_called_if_that_is_asked_for(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with in_another_thread(FAL) as (fal,):
        set_variables(monkeypatch, **FAL.settings(fal.url))
        done = run("providers", "check", "--all", providers="fal", private_hosts=fal.authority)
    assert (done.code, len(fal.orders)) == (0, 5)
    assert "not called" not in done.out


def test_there_is_nothing_to_check_without_a_provider(run: Run) -> None:
    done = run("providers", "check")
    assert (done.code, done.out) == (
        0,
        "AIOPS_PROVIDERS is not set: the embedded provider does all the work, at no cost.\n",
    )


@pytest.mark.parametrize(
    ("names", "variables", "lines"),
    [
        ("", {}, []),
        ("", {"FAL_KEY": "k"}, ["FAL_KEY is set, but AIOPS_PROVIDERS does not name fal: it is not used."]),
        (
            "openai_compatible",
            {"OPENAI_API_KEY": "k", "AIOPS_OPENAI_MODELS": "vibevoice", "HF_TOKEN": "hf_k"},
            [
                "Work is done by openai_compatible.",
                "Left to the embedded provider: generate_image, transcribe_audio.",
                "Not served here: parler-tts/parler-tts-mini-v1.",
                "HF_TOKEN is set, but AIOPS_PROVIDERS does not name huggingface: it is not used.",
            ],
        ),
    ],
    ids=["nothing", "a key nobody reads", "one service"],
)
def test_what_a_start_says(
    names: str,
    variables: dict[str, str],
    lines: list[str],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_variables(monkeypatch, **variables)
    runtime = create_runtime(Settings(data_dir=tmp_path_factory.mktemp("data"), providers=names))
    assert notices(runtime.providers, runtime.document) == lines


def test_what_must_not_be_sold_is_said_at_the_start(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_variables(monkeypatch, FAL_KEY="k")
    runtime = create_runtime(Settings(data_dir=tmp_path_factory.mktemp("data"), providers="fal"))
    said = notices(runtime.providers, runtime.document)
    assert [line for line in said if line.startswith("black-forest-labs/FLUX.1-dev must not be sold")]
