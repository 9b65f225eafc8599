"""Calls, processes and sound files for the tests of the embedded provider."""
# ruff: noqa: ASYNC110 (they wait for other processes, which set no event)

import asyncio
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from aiops.providers.base import Audio, Call
from aiops.providers.embedded.provider import EmbeddedProvider
from tests.fixtures import media


@pytest.fixture
def provider() -> EmbeddedProvider:
    """As it runs here: flite if it is installed."""
    return EmbeddedProvider()


@pytest.fixture
def espeak_provider() -> EmbeddedProvider:
    """As it runs where flite is not installed."""
    return EmbeddedProvider(flite=None)


@pytest.fixture
def call() -> Callable[..., Call]:
    """A job with ample time; `heard` takes its progress."""

    async def started(_request_id: str) -> None:
        raise AssertionError("an engine that costs nothing has no request to re-attach to")

    def make(heard: Callable[[float], None] = lambda _fraction: None, deadline_seconds: float = 120.0) -> Call:
        return Call(deadline_seconds=deadline_seconds, started=started, progress=heard)

    return make


@pytest.fixture
def gone() -> Callable[[int], Awaitable[None]]:
    """`await gone(pid)` returns when no such process runs any more, and fails if that takes long."""

    async def wait(pid: int) -> None:
        async with asyncio.timeout(20):
            while running(pid):
                await asyncio.sleep(0.02)

    return wait


def running(pid: int) -> bool:
    """Whether the process exists and is not a zombie."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.strip().startswith("Z")


@pytest.fixture
def encode(tmp_path: Path) -> Callable[..., Path]:
    """Write samples (signed 16-bit mono) to a file of some format, as a caller's own program would."""

    def write(pcm: bytes, rate_hz: int, *, container: str = "wav", **form: Any) -> Path:
        path = tmp_path / f"sound.{container}"
        path.write_bytes(media.encoded(pcm, rate_hz, container=container, **form))
        return path

    return write


@pytest.fixture
def decoded() -> Callable[[bytes], tuple[bytes, int]]:
    """The samples (signed 16-bit mono) of a sound file and their rate in Hz."""
    return media.decoded


@pytest.fixture
async def spoken(
    espeak_provider: EmbeddedProvider, call: Callable[..., Call], decoded: Callable[[bytes], tuple[bytes, int]]
) -> tuple[bytes, int]:
    """Samples and rate of a sentence that pocketsphinx understands, made without flite."""
    text = "Hello there. The quick brown fox jumps over the lazy dog."
    speech = await espeak_provider.generate_speech(text, "en-Emily_woman", "vibevoice", call())
    return decoded(speech.data)


@pytest.fixture
def audio() -> Callable[..., Audio]:
    def make(path: Path, seconds_max: float = 600.0) -> Audio:
        return Audio(path=path, seconds_max=seconds_max)

    return make
