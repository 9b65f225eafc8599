"""Speech in four voices from either engine: playable mp3, or a sentence that says why not."""

import time
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from aiops.providers.base import Call, ProviderRejectedError
from aiops.providers.embedded.provider import EmbeddedProvider
from aiops.providers.embedded.speech import speakable

MakeCall = Callable[..., Call]
Decoded = Callable[[bytes], tuple[bytes, int]]

VOICES = ("en-James_man", "en-Carter_man", "en-Emily_woman", "en-Sarah_woman")  # from low to high
SENTENCE = "The quick brown fox jumps over the lazy dog, and nobody is surprised."
SPEAKABLE_TEXTS = {
    "one letter": "I",
    "no space": "a" * 500,
    "capitals without space": "W" * 500,
    "digits without space": "7" * 500,
    "ssml": '<speak><break time="30s"/>hello</speak>',
    "an option": "-voice kal",
    "a path": "/etc/passwd",
    "a voice by URL": "http://example.com/voice.flitevox",
    "phonemes": "[[h@l'oU]]",
    "control": "a\x07b\x1b[31m\r\n\x0bc",
    "emoji beside words": "party 🎉 now",
    "compatibility forms": "ＡＢＣ ½ Ⅳ",
    "dollars": "$" * 499 + "1",
    "apostrophes": "'" * 499 + "a",
    "surrogate": "\ud800 hello",
}
UNSPEAKABLE_TEXTS = {
    "punctuation": "?!... ,,, ---",
    "emoji": "🎉🎉🎉",
    "control": "\x01\x02\x03",
    "chinese": "你好世界",
    "mostly russian": "Привет, John, как дела",
    "zero width": "\u200b\u200d",
    "underscores": "_ _ _",
}


def pitch_hz(pcm: bytes, rate_hz: int) -> float:
    """The median fundamental frequency of the voiced parts, by autocorrelation."""
    sound = np.frombuffer(pcm, dtype="<i2").astype(float)
    window, shortest, longest = rate_hz // 20, rate_hz // 350, rate_hz // 60
    found = []
    for start in range(0, len(sound) - window, window // 2):
        piece = sound[start : start + window] * np.hanning(window)
        correlation = np.fft.irfft(np.abs(np.fft.rfft(piece, 4 * window)) ** 2)
        lag = shortest + int(np.argmax(correlation[shortest:longest]))
        if correlation[0] > 1e5 * window and correlation[lag] > 0.5 * correlation[0]:
            found.append(rate_hz / lag)
    return float(np.median(found))


def loudness(pcm: bytes) -> float:
    return float(np.abs(np.frombuffer(pcm, dtype="<i2").astype(float)).max())


async def voices_of(provider: EmbeddedProvider, call: MakeCall, decoded: Decoded) -> dict[str, float]:
    pitches = {}
    for voice in VOICES:
        media = await provider.generate_speech(SENTENCE, voice, "vibevoice", call())
        assert media.content_type == "audio/mpeg"
        pcm, rate_hz = decoded(media.data)
        assert 3 < len(pcm) / 2 / rate_hz < 8
        pitches[voice] = pitch_hz(pcm, rate_hz)
    return pitches


def assert_told_apart(pitches: dict[str, float]) -> None:
    ordered = [pitches[voice] for voice in VOICES]
    assert all(higher / lower > 1.05 for lower, higher in pairwise(ordered)), pitches


class TestVoices:
    @pytest.mark.flite
    async def test_flite_voices_are_told_apart(
        self, provider: EmbeddedProvider, call: MakeCall, decoded: Decoded
    ) -> None:
        assert_told_apart(await voices_of(provider, call, decoded))

    async def test_espeak_voices_are_told_apart(
        self, espeak_provider: EmbeddedProvider, call: MakeCall, decoded: Decoded
    ) -> None:
        assert_told_apart(await voices_of(espeak_provider, call, decoded))

    @pytest.mark.flite
    @pytest.mark.parametrize(
        ("voice", "engine"),
        [
            ("en-Carter_man", "flite-rms"),
            ("en-James_man", "flite-rms"),
            ("en-Emily_woman", "flite-slt"),
            ("en-Sarah_woman", "flite-slt"),
        ],
    )
    async def test_flite_is_named(self, provider: EmbeddedProvider, call: MakeCall, voice: str, engine: str) -> None:
        assert (await provider.generate_speech("Hello.", voice, "vibevoice", call())).model == engine

    async def test_espeak_is_named(self, espeak_provider: EmbeddedProvider, call: MakeCall) -> None:
        assert (await espeak_provider.generate_speech("Hello.", VOICES[0], "vibevoice", call())).model == "espeak-ng"


@pytest.mark.parametrize("flite", [None, pytest.param("flite", marks=pytest.mark.flite)], ids=["espeak", "flite"])
async def test_the_same_text_sounds_the_same(call: MakeCall, flite: str | None) -> None:
    """Over more than one second of the clock, which espeak-ng would take for its seed."""
    provider = EmbeddedProvider(flite=flite)
    heard: set[bytes] = set()
    begun = int(time.time())
    while not heard or int(time.time()) < begun + 2:
        heard.add((await provider.generate_speech(SENTENCE, "en-Emily_woman", "vibevoice", call())).data)
    assert len(heard) == 1


class TestOddTexts:
    @pytest.mark.parametrize("text", SPEAKABLE_TEXTS.values(), ids=SPEAKABLE_TEXTS.keys())
    async def test_is_spoken_by_espeak(
        self, espeak_provider: EmbeddedProvider, call: MakeCall, decoded: Decoded, text: str
    ) -> None:
        media = await espeak_provider.generate_speech(text, "en-Carter_man", "vibevoice", call())
        assert loudness(decoded(media.data)[0]) > 1000

    @pytest.mark.flite
    @pytest.mark.parametrize("text", SPEAKABLE_TEXTS.values(), ids=SPEAKABLE_TEXTS.keys())
    async def test_is_spoken_by_flite(
        self, provider: EmbeddedProvider, call: MakeCall, decoded: Decoded, text: str
    ) -> None:
        media = await provider.generate_speech(text, "en-Carter_man", "vibevoice", call())
        assert loudness(decoded(media.data)[0]) > 1000

    @pytest.mark.parametrize("text", UNSPEAKABLE_TEXTS.values(), ids=UNSPEAKABLE_TEXTS.keys())
    async def test_without_anything_to_say_is_rejected(
        self, provider: EmbeddedProvider, call: MakeCall, text: str
    ) -> None:
        with pytest.raises(ProviderRejectedError, match="Only English text in Latin letters is spoken"):
            await provider.generate_speech(text, "en-Carter_man", "vibevoice", call())

    @pytest.mark.parametrize(
        ("text", "spoken"),
        [
            ("Zoë’s café – naïve", "Zoe's cafe - naive"),
            ("It costs 5 €", "It costs 5 euro"),
            ("Straße, Łódź, smørrebrød", "Strasse, Lodz, smorrebrod"),
            ("Hello 世界", "Hello"),
            ("two\nlines\x00", "two lines"),
        ],
    )
    def test_is_brought_to_ascii(self, text: str, spoken: str) -> None:
        assert speakable(text) == spoken


@pytest.mark.flite
async def test_flite_reads_the_text_and_neither_the_path_nor_the_option_it_names(
    provider: EmbeddedProvider, call: MakeCall, decoded: Decoded
) -> None:
    """/etc/passwd takes minutes to read aloud, "slash etc slash passwd" seconds; -voice slt would be a woman."""
    path = await provider.generate_speech("/etc/passwd", "en-Carter_man", "vibevoice", call())
    pcm, rate_hz = decoded(path.data)
    assert len(pcm) / 2 / rate_hz < 8
    option = await provider.generate_speech("-voice slt is an option for you", "en-Carter_man", "vibevoice", call())
    assert pitch_hz(*decoded(option.data)) < 130
