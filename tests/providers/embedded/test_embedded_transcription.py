"""Transcription: every format, and for what cannot be transcribed a sentence that the caller can act on."""
# ruff: noqa: PLR0917 (fixtures, passed by name)

import asyncio
import math
import random
from array import array
from collections.abc import Callable
from pathlib import Path

import pytest

from aiops.providers.base import Audio, Call, ProviderRejectedError, ProviderUnavailableError
from aiops.providers.embedded.provider import EmbeddedProvider
from aiops.providers.embedded.sandbox import Limits, Sandbox
from aiops.providers.embedded.transcription import Utterance, framed, utterances
from tests.fixtures.media import wav

MakeCall = Callable[..., Call]
Encode = Callable[..., Path]
MakeAudio = Callable[..., Audio]
Spoken = tuple[bytes, int]

FORMATS = {
    "wav": {"container": "wav"},
    "wav 24 bit stereo 44.1 kHz": {"codec": "pcm_s24le", "coded_rate_hz": 44_100, "layout": "stereo"},
    "mp3": {"container": "mp3", "codec": "libmp3lame", "coded_rate_hz": 44_100, "layout": "stereo"},
    "m4a": {"container": "ipod", "codec": "aac", "coded_rate_hz": 44_100},
    "aac": {"container": "adts", "codec": "aac", "coded_rate_hz": 44_100},
    "ogg opus": {"container": "ogg", "codec": "libopus", "coded_rate_hz": 48_000},
    "ogg vorbis": {"container": "ogg", "codec": "vorbis", "coded_rate_hz": 44_100, "layout": "stereo"},
    "webm": {"container": "webm", "codec": "libopus", "coded_rate_hz": 48_000},
    "flac": {"container": "flac", "codec": "flac"},
    "mp4 with video": {"container": "mp4", "codec": "aac", "coded_rate_hz": 44_100, "video": True},
}
MEGABYTE = 1024 * 1024

# Ordinary sentences of ours, a hundred words.
SENTENCES = (
    "The train to the city leaves at nine in the morning.",
    "Please send me the report before the end of the week.",
    "My brother is going to visit us in the summer.",
    "She opened the window because the room was too warm.",
    "We had dinner at a small restaurant near the river.",
    "The children were playing in the garden after school.",
    "I would like to know how much this will cost.",
    "He forgot to take his keys when he left the house.",
    "There are many good books about the history of music.",
    "You can find more information on the second page.",
)


async def transcribed(provider: EmbeddedProvider, audio: Audio, call: Call) -> str:
    transcript = await provider.transcribe_audio(audio, "en", "openai/whisper-large-v3", call)
    assert transcript.model == "pocketsphinx-en-us"
    return transcript.text


class TestFormats:
    @pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS.keys())
    async def test_is_understood(
        self,
        provider: EmbeddedProvider,
        call: MakeCall,
        encode: Encode,
        audio: MakeAudio,
        spoken: Spoken,
        form: dict[str, str | int | bool],
    ) -> None:
        path = encode(*spoken, **form)
        assert "brown fox" in await transcribed(provider, audio(path), call())

    async def test_the_name_does_not_matter(
        self, provider: EmbeddedProvider, call: MakeCall, encode: Encode, audio: MakeAudio, spoken: Spoken
    ) -> None:
        path = encode(*spoken, container="mp3", codec="libmp3lame")
        renamed = path.rename(path.with_name("-i concat:x.m3u8"))
        assert "brown fox" in await transcribed(provider, audio(renamed), call())

    async def test_a_file_that_is_cut_off_is_transcribed_up_to_there(
        self, provider: EmbeddedProvider, call: MakeCall, encode: Encode, audio: MakeAudio, spoken: Spoken
    ) -> None:
        path = encode(*spoken, container="mp3", codec="libmp3lame")
        data = path.read_bytes()
        path.write_bytes(data[: len(data) * 3 // 4])
        assert "brown" in await transcribed(provider, audio(path), call())

    async def test_progress_runs_to_the_end(
        self, provider: EmbeddedProvider, call: MakeCall, encode: Encode, audio: MakeAudio, spoken: Spoken
    ) -> None:
        """Long enough for several utterances, none of which loses its words."""
        pcm, rate_hz = spoken
        heard: list[float] = []
        path = encode((pcm + bytes(rate_hz)) * 5, rate_hz, container="flac", codec="flac")
        text = await transcribed(provider, audio(path), call(heard.append))
        assert text.count("brown fox") == 5
        assert len(heard) >= 3
        assert heard == sorted(heard)
        assert heard[-1] > 0.95


class TestRefusals:
    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"\x00" * 4096,
            b"<!doctype html><title>Not found</title>" * 100,
            random.Random(7).randbytes(100_000),
            b"ID3\x04\x00\x00\x00\x00\x00\x00",
            b"OggS" + bytes(200),
            b"RIFF\xff\xff\xff\xffWAVE",
        ],
        ids=["empty", "zeros", "html", "random", "only a tag", "broken ogg", "only a header"],
    )
    async def test_what_is_not_audio(
        self, provider: EmbeddedProvider, call: MakeCall, audio: MakeAudio, tmp_path: Path, data: bytes
    ) -> None:
        path = tmp_path / "upload"
        path.write_bytes(data)
        with pytest.raises(
            ProviderRejectedError, match=r"could not be decoded\. Send mp3, wav, m4a, ogg, webm or flac"
        ):
            await transcribed(provider, audio(path), call())

    async def test_video_without_sound(
        self, provider: EmbeddedProvider, call: MakeCall, audio: MakeAudio, encode: Encode
    ) -> None:
        path = encode(b"", 0, container="mp4", video=True)
        with pytest.raises(ProviderRejectedError, match="has no audio track"):
            await transcribed(provider, audio(path), call())

    async def test_zero_length(
        self, provider: EmbeddedProvider, call: MakeCall, audio: MakeAudio, tmp_path: Path
    ) -> None:
        path = tmp_path / "zero.wav"
        path.write_bytes(wav(16_000, 1, b""))
        with pytest.raises(ProviderRejectedError, match="its length is zero"):
            await transcribed(provider, audio(path), call())

    @pytest.mark.parametrize(("rate_hz", "channels"), [(2_000_000_000, 1), (100, 1), (16_000, 200)])
    async def test_absurd_headers(
        self, provider: EmbeddedProvider, call: MakeCall, audio: MakeAudio, tmp_path: Path, rate_hz: int, channels: int
    ) -> None:
        path = tmp_path / "absurd.wav"
        path.write_bytes(wav(rate_hz, channels, bytes(64_000)))
        with pytest.raises(ProviderRejectedError, match="unusual sample rate"):
            await transcribed(provider, audio(path), call())

    async def test_too_long(
        self, provider: EmbeddedProvider, call: MakeCall, audio: MakeAudio, encode: Encode, spoken: Spoken
    ) -> None:
        path = encode(*spoken)
        with pytest.raises(ProviderRejectedError, match=r"longer than 2 seconds, the longest allowed"):
            await transcribed(provider, audio(path, seconds_max=2), call())

    @pytest.mark.parametrize("pcm", [bytes(320_000), None], ids=["silence", "a soft tone"])
    async def test_no_speech(
        self, provider: EmbeddedProvider, call: MakeCall, audio: MakeAudio, encode: Encode, pcm: bytes | None
    ) -> None:
        tone = array("h", (round(20 * math.sin(n / 5)) for n in range(160_000))).tobytes()
        with pytest.raises(ProviderRejectedError, match="No speech was found"):
            await transcribed(provider, audio(encode(pcm or tone, 16_000)), call())


class TestPlaylists:
    """A text that names other files must not make the decoder open them."""

    @pytest.mark.parametrize(
        "template",
        [
            "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{path}\n#EXT-X-ENDLIST\n",
            "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile://{path}\n#EXT-X-ENDLIST\n",
            "ffconcat version 1.0\nfile {path}\n",
            "ffconcat version 1.0\nfile '{path}'\nduration 5\n",
        ],
        ids=["hls", "hls file url", "concat", "concat quoted"],
    )
    @pytest.mark.parametrize("name", ["upload", "upload.m3u8", "upload.ffconcat"])
    async def test_is_refused(
        self,
        provider: EmbeddedProvider,
        call: MakeCall,
        encode: Encode,
        audio: MakeAudio,
        spoken: Spoken,
        template: str,
        name: str,
    ) -> None:
        victim = encode(*spoken, container="mp3", codec="libmp3lame")
        playlist = victim.with_name(name)
        playlist.write_text(template.format(path=victim))
        with pytest.raises(ProviderRejectedError, match="could not be decoded"):
            await transcribed(provider, audio(playlist), call())


class TestAllowedDecoders:
    """What FFmpeg knows beyond the formats people send stays out of reach of a hostile file."""

    @pytest.mark.parametrize(
        "form",
        [{"container": "nut"}, {"container": "matroska", "codec": "tta"}],
        ids=["container", "codec"],
    )
    async def test_others_are_refused(
        self,
        provider: EmbeddedProvider,
        call: MakeCall,
        encode: Encode,
        audio: MakeAudio,
        spoken: Spoken,
        form: dict[str, str | int],
    ) -> None:
        path = encode(*spoken, **form)
        with pytest.raises(ProviderRejectedError, match="could not be decoded"):
            await transcribed(provider, audio(path), call())


class TestBounds:
    async def test_two_hours_decode_in_little_memory(self, encode: Encode) -> None:
        """230 MB of sound in a file of some kilobytes; the task may use 160 MB in all."""
        path = encode(bytes(7200 * 8000 * 2), 8_000, container="flac", codec="flac", coded_rate_hz=8_000)
        assert path.stat().st_size < 2 * MEGABYTE
        outcome = await Sandbox().run(
            "aiops.providers.embedded.inspection:inspect",
            {"path": str(path), "seconds_max": 7200},
            limits=Limits(memory_bytes=160 * MEGABYTE, file_bytes=MEGABYTE),
            deadline_seconds=100,
        )
        assert outcome.values["duration_seconds"] == pytest.approx(7200, abs=0.1)

    async def test_a_deadline_ends_the_work(
        self, provider: EmbeddedProvider, call: MakeCall, encode: Encode, audio: MakeAudio, spoken: Spoken
    ) -> None:
        pcm, rate_hz = spoken
        path = encode(pcm * 100, rate_hz)
        with pytest.raises(ProviderUnavailableError, match="took too long"):
            await transcribed(provider, audio(path), call(deadline_seconds=1.0))

    def test_utterances_are_bounded_and_lose_nothing(self) -> None:
        """Noise without a pause: cut all the same."""
        noise = random.Random(1).randbytes(32_000 * 100)
        pieces = list(utterances([noise[:50_001], noise[50_001:]]))
        assert b"".join(piece.pcm for piece in pieces) == noise
        assert max(len(piece.pcm) for piece in pieces) <= 32_000 * 30.1
        assert pieces[-1].end_seconds == pytest.approx(100, abs=0.05)

    def test_silence_is_passed_over(self) -> None:
        pieces: list[Utterance] = list(utterances([bytes(32_000 * 20)]))
        assert not any(piece.spoken for piece in pieces)

    def test_frames_have_one_size_but_the_last(self) -> None:
        assert list(framed([b"abc", b"", b"defgh", b"i"], 4)) == [b"abcd", b"efgh", b"i"]


@pytest.mark.flite
class TestRoundTrip:
    @pytest.mark.parametrize("voice", ["en-Carter_man", "en-James_man", "en-Emily_woman", "en-Sarah_woman"])
    async def test_word_error_rate(
        self, provider: EmbeddedProvider, call: MakeCall, audio: MakeAudio, tmp_path: Path, voice: str
    ) -> None:
        async def heard(number: int, sentence: str) -> list[str]:
            media = await provider.generate_speech(sentence, voice, "vibevoice", call())
            path = tmp_path / f"{number}.mp3"
            path.write_bytes(media.data)
            return (await transcribed(provider, audio(path), call())).split()

        texts = await asyncio.gather(*(heard(number, sentence) for number, sentence in enumerate(SENTENCES)))
        said = [sentence.lower().rstrip(".").split() for sentence in SENTENCES]
        errors = sum(edits(words, text) for words, text in zip(said, texts, strict=True))
        assert errors / sum(map(len, said)) <= 0.15


def edits(said: list[str], heard: list[str]) -> int:
    """Words to insert, delete or replace (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for word in said:
        diagonal, row[0] = row[0], row[0] + 1
        for column, other in enumerate(heard, start=1):
            best = min(row[column] + 1, row[column - 1] + 1, diagonal + (word != other))
            diagonal, row[column] = row[column], best
    return row[-1]
