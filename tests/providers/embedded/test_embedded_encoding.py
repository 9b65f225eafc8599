"""What becomes of sound on its way to a provider, and of a provider's on its way to the customer."""

from pathlib import Path

import pytest

from aiops.providers.base import ProviderRejectedError
from aiops.providers.embedded import encoder
from aiops.providers.embedded.encoder import Mp3Encoder
from aiops.providers.embedded.encoding import MP3_BIT_RATE
from aiops.storage import content_types
from tests.fixtures.media import decoded, encoded

RATE_HZ = 16_000
SECOND = b"\x00\x10\x00\xf0" * (RATE_HZ // 2)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"container": "ogg", "codec": "libopus", "coded_rate_hz": 48_000},
        {"container": "flac", "codec": "flac", "coded_rate_hz": 44_100, "layout": "stereo"},
        {"container": "mp4", "codec": "aac", "video": True},
    ],
    ids=["wav", "opus", "flac", "film"],
)
async def test_any_sound_becomes_mp3(tmp_path: Path, options: dict[str, object]) -> None:
    path = tmp_path / "sound"
    path.write_bytes(encoded(SECOND * 3, RATE_HZ, **options))  # type: ignore[arg-type]
    mp3 = await Mp3Encoder().mp3(path, 60)
    assert content_types.detect(mp3, content_types.SPEECH) is not None
    pcm, rate_hz = decoded(mp3)
    assert len(pcm) / 2 / rate_hz == pytest.approx(3, abs=0.3)
    assert len(mp3) < 20_000, "what a film shows is left behind"


@pytest.mark.parametrize(
    ("content", "seconds_max", "reason"),
    [
        (b"<html>", 60, "could not be decoded"),
        (encoded(SECOND * 3, RATE_HZ), 2, "The audio is longer than 2 seconds"),
        (encoded(b"", RATE_HZ, container="mp4", video=True), 60, "no audio track"),
    ],
    ids=["a page", "too long", "a silent film"],
)
async def test_what_is_no_sound_is_the_callers_fault(
    tmp_path: Path, content: bytes, seconds_max: float, reason: str
) -> None:
    path = tmp_path / "sound"
    path.write_bytes(content)
    with pytest.raises(ProviderRejectedError, match=reason):
        await Mp3Encoder().mp3(path, seconds_max)


async def test_more_than_a_provider_is_sent_is_refused_whatever_the_plan_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the mp3 is larger than the encoder may write."""
    assert encoder.LIMITS.file_bytes > encoder.SECONDS_MAX * MP3_BIT_RATE / 8
    monkeypatch.setattr(encoder, "SECONDS_MAX", 2)
    path = tmp_path / "sound"
    path.write_bytes(encoded(SECOND * 3, RATE_HZ))
    with pytest.raises(ProviderRejectedError, match="The audio is longer than 2 seconds, the longest allowed"):
        await Mp3Encoder().mp3(path, 10_000)
