"""Calls, processes and sound files for the tests of the embedded provider."""
# ruff: noqa: ASYNC110 (they wait for other processes, which set no event)

import asyncio
import io
import subprocess
from collections.abc import Awaitable, Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest

from aiops.providers.base import Audio, Call
from aiops.providers.embedded.provider import EmbeddedProvider


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

    def write(
        pcm: bytes,
        rate_hz: int,
        *,
        container: str = "wav",
        codec: str = "pcm_s16le",
        coded_rate_hz: int = 16_000,
        layout: str = "mono",
        video: bool = False,
    ) -> Path:
        path = tmp_path / f"sound.{container}"
        with av.open(str(path), "w", format=container) as output:
            picture = output.add_stream("mpeg4", rate=10, width=64, height=64) if video else None
            if pcm:
                stream = output.add_stream(codec, rate=coded_rate_hz, layout=layout, options={"strict": "-2"})
                assert isinstance(stream, av.AudioStream)
                frame = av.AudioFrame(format="s16", layout="mono", samples=len(pcm) // 2)
                frame.planes[0].update(pcm)
                frame.sample_rate = rate_hz
                context = stream.codec_context
                context.open(strict=False)
                size = 0 if context.codec.name.startswith("pcm") else context.frame_size
                resampler = av.AudioResampler(context.format.name, layout, coded_rate_hz, size)
                for resampled in (*resampler.resample(frame), *resampler.resample(None)):
                    output.mux(stream.encode(resampled))
                output.mux(stream.encode(None))
            if picture is not None:
                for number in range(10):
                    image = av.VideoFrame(64, 64, "yuv420p")
                    image.pts, image.time_base = number, Fraction(1, 10)
                    output.mux(picture.encode(image))
                output.mux(picture.encode(None))
        return path

    return write


@pytest.fixture
def decoded() -> Callable[[bytes], tuple[bytes, int]]:
    """The samples (signed 16-bit mono) of a sound file and their rate in Hz."""

    def read(data: bytes) -> tuple[bytes, int]:
        with av.open(io.BytesIO(data), "r") as source:
            rate_hz = source.streams.audio[0].rate
            resampler = av.AudioResampler("s16", "mono", rate_hz)
            frames = [piece for frame in source.decode(audio=0) for piece in resampler.resample(frame)]
            return b"".join(bytes(frame.planes[0])[: frame.samples * 2] for frame in frames), rate_hz

    return read


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
