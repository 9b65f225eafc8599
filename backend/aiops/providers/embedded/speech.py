"""Speaks English text, in the child process: flite where it is installed, else espeak-ng from its wheel.

espeak-ng is GPL: its library is loaded here, in the child, and never in the server's process.
"""

import subprocess
import unicodedata
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av

from aiops.providers.base import ProviderRejectedError, ProviderUnavailableError
from aiops.providers.embedded.espeak import EspeakError, synthesize

if TYPE_CHECKING:
    from aiops.providers.embedded.child import Workspace

MP3_BIT_RATE = 64_000
SAMPLE_BYTES = 2

UNSPEAKABLE = "The text has nothing that can be spoken here. Only English text in Latin letters is spoken."

SPOKEN_SYMBOLS = str.maketrans(
    {
        "‘": "'", "’": "'", "“": '"', "”": '"', "–": " - ", "—": " - ", "…": "...",
        "€": " euro ", "£": " pounds ", "°": " degrees ", "×": " times ", "÷": " divided by ",
        "ß": "ss", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d",
        "ð": "d", "þ": "th", "ı": "i",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FliteVoice:
    """`rate_factor` plays the sound slower than it was made, which lowers the voice: rms ignores its pitch setting."""

    name: str
    features: Mapping[str, float]
    rate_factor: float = 1.0


@dataclass(frozen=True, slots=True)
class EspeakVoice:
    """espeak-ng's own scales: rate in words a minute, pitch 0 to 99."""

    name: str
    pitch: int
    words_a_minute: int


# Stretched a little, rms is understood better; slt is not.
FLITE_VOICES = {
    "en-Carter_man": FliteVoice("rms", {"duration_stretch": 1.1}),
    "en-James_man": FliteVoice("rms", {}, rate_factor=0.92),
    "en-Emily_woman": FliteVoice("slt", {}),
    "en-Sarah_woman": FliteVoice("slt", {"int_f0_target_mean": 200.0}),
}
ESPEAK_VOICES = {
    "en-Carter_man": EspeakVoice("en-us", pitch=45, words_a_minute=160),
    "en-James_man": EspeakVoice("en-us+m7", pitch=20, words_a_minute=150),
    "en-Emily_woman": EspeakVoice("en-us+f2", pitch=55, words_a_minute=160),
    "en-Sarah_woman": EspeakVoice("en-us+f4", pitch=75, words_a_minute=150),
}


@dataclass(frozen=True, slots=True)
class Sound:
    """Signed 16-bit mono samples, and the rate to play them at."""

    pcm: bytes
    rate_hz: int


def speak(arguments: Mapping[str, Any], workspace: "Workspace") -> dict[str, Any]:
    """Task: `text` in `voice` as mp3 in the output file; answers {"engine": ...}. `flite` is its path, or null.

    Raises ProviderRejectedError for text without anything to say.
    """
    text = speakable(arguments["text"])
    if arguments["flite"]:
        voice = FLITE_VOICES[arguments["voice"]]
        sound, engine = speak_with_flite(text, voice, arguments["flite"], workspace.folder), f"flite-{voice.name}"
    else:
        sound, engine = speak_with_espeak(text, ESPEAK_VOICES[arguments["voice"]]), "espeak-ng"
    if not any(sound.pcm):
        raise ProviderRejectedError(UNSPEAKABLE)
    write_mp3(sound, workspace.output)
    return {"engine": engine}


def speakable(text: str) -> str:
    """`text` in ASCII: accents taken off, the commonest symbols in words, what remains left out.

    Raises ProviderRejectedError if nothing, or less than half of the letters, is left.
    """
    decomposed = unicodedata.normalize("NFKD", text.translate(SPOKEN_SYMBOLS))
    kept = "".join(character if " " <= character <= "~" else " " for character in unmarked(decomposed))
    lost = sum(character.isalpha() for character in decomposed if not character.isascii())
    spoken = sum(character.isalnum() for character in kept)
    if spoken == 0 or lost > spoken:
        raise ProviderRejectedError(UNSPEAKABLE)
    return " ".join(kept.split())


def unmarked(decomposed: str) -> str:
    """Without accents and other marks that stand on the character before them."""
    return "".join(character for character in decomposed if not unicodedata.category(character).startswith("M"))


def speak_with_flite(text: str, voice: FliteVoice, flite: str, folder: Path) -> Sound:
    """Raises ProviderUnavailableError if flite fails."""
    source, target = folder / "text", folder / "speech.wav"
    source.write_text(text + "\n", encoding="ascii")
    features = [word for name, value in voice.features.items() for word in ("--setf", f"{name}={value}")]
    command = [flite, "-voice", voice.name, *features, "-f", str(source), "-o", str(target)]
    # Without a timeout of its own: the sandbox's deadline kills the whole process group.
    status = subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode  # noqa: S603 (no text in it)
    if status != 0:
        raise ProviderUnavailableError(f"The speech engine flite failed (exit status {status}).")
    with wave.open(str(target), "rb") as file:
        return Sound(file.readframes(file.getnframes()), round(file.getframerate() * voice.rate_factor))


def speak_with_espeak(text: str, voice: EspeakVoice) -> Sound:
    """Raises ProviderUnavailableError if the wheel's library does not start."""
    try:
        pcm, rate_hz = synthesize(text, voice.name, voice.pitch, voice.words_a_minute)
    except EspeakError as error:
        raise ProviderUnavailableError("The speech engine espeak-ng does not start on this machine.") from error
    return Sound(pcm, rate_hz)


def write_mp3(sound: Sound, path: Path) -> None:
    """Encode `sound`, resampled to 16 kHz or 22.05 kHz, whichever is nearer: mp3 knows few rates."""
    rate_hz = min((16_000, 22_050), key=lambda rate: abs(rate - sound.rate_hz))
    frame = av.AudioFrame(format="s16", layout="mono", samples=len(sound.pcm) // SAMPLE_BYTES)
    frame.planes[0].update(sound.pcm)
    frame.sample_rate = sound.rate_hz
    with av.open(str(path), "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=rate_hz, layout="mono")
        stream.bit_rate = MP3_BIT_RATE
        resampler = av.AudioResampler("s16p", "mono", rate_hz)
        for resampled in (*resampler.resample(frame), *resampler.resample(None)):
            container.mux(stream.encode(resampled))
        container.mux(stream.encode(None))
