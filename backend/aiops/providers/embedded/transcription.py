"""Writes down English speech, in the child process: pocketsphinx with the model that it brings along."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pocketsphinx import Decoder, Vad

from aiops.providers.base import ProviderRejectedError
from aiops.providers.embedded.decoding import DECODING_CPU_SECONDS, TOO_INTRICATE, decode, duration_seconds

if TYPE_CHECKING:
    from aiops.providers.embedded.child import Workspace

SILENT = "No speech was found in the audio."

# An utterance ends at a pause, the shorter the longer it lasts: cutting costs words at the cut, and the
# recogniser's memory grows with the length. (lasts at least seconds, pause of at least seconds)
CUTS = ((30.0, 0.0), (20.0, 0.03), (8.0, 0.3))


def transcribe(arguments: Mapping[str, Any], workspace: "Workspace") -> dict[str, Any]:
    """Task: the words in the audio file `path`, as {"text": ...}.

    Raises ProviderRejectedError for what is not audio, is longer than `seconds_max`, or has no speech.
    """
    path = Path(arguments["path"])
    with workspace.time_limit(DECODING_CPU_SECONDS, TOO_INTRICATE):
        total_seconds = duration_seconds(path, float(arguments["seconds_max"]))
    text = " ".join(recognise(utterances(decode(path)), total_seconds, workspace))
    if not text:
        raise ProviderRejectedError(SILENT)
    return {"text": text}


class Utterance:
    """Sound up to a pause. `end_seconds` counts from the beginning of the file."""

    def __init__(self, pcm: bytes, end_seconds: float, spoken: bool) -> None:
        self.pcm = pcm
        self.end_seconds = end_seconds
        self.spoken = spoken


def utterances(pieces: Iterable[bytes]) -> Iterator[Utterance]:
    """Cut 16 kHz mono sound at pauses, nothing left out: the recogniser needs the silence around the words."""
    detector = Vad()
    frame_seconds: float = detector.frame_length
    pcm, spoken, pause_seconds, end_seconds = bytearray(), False, 0.0, 0.0
    for frame in framed(pieces, detector.frame_bytes):
        pcm += frame
        end_seconds += frame_seconds
        speech = len(frame) == detector.frame_bytes and detector.is_speech(frame)
        spoken = spoken or speech
        pause_seconds = 0.0 if speech else pause_seconds + frame_seconds
        if ends(len(pcm) / detector.frame_bytes * frame_seconds, pause_seconds):
            yield Utterance(bytes(pcm), end_seconds, spoken)
            pcm, spoken = bytearray(), False
    if pcm:
        yield Utterance(bytes(pcm), end_seconds, spoken)


def framed(pieces: Iterable[bytes], size_bytes: int) -> Iterator[bytes]:
    """The same bytes in frames of one size; the last may be shorter."""
    rest = bytearray()
    for piece in pieces:
        rest += piece
        whole = len(rest) - len(rest) % size_bytes
        for start in range(0, whole, size_bytes):
            yield bytes(rest[start : start + size_bytes])
        del rest[:whole]
    if rest:
        yield bytes(rest)


def ends(length_seconds: float, pause_seconds: float) -> bool:
    """Whether an utterance of this length may end in a pause of this length."""
    return any(length_seconds >= length and pause_seconds >= pause for length, pause in CUTS)


def recognise(spoken: Iterable[Utterance], total_seconds: float, workspace: "Workspace") -> Iterator[str]:
    """The words of each utterance that has any."""
    decoder = Decoder(loglevel="FATAL")
    for utterance in spoken:
        if utterance.spoken:
            decoder.start_utt()
            # Whole, so that the loudness is normalised over it: in pieces, twice the words are wrong.
            decoder.process_raw(utterance.pcm, full_utt=True)
            decoder.end_utt()
            hypothesis = decoder.hyp()
            if hypothesis is not None and hypothesis.hypstr:
                yield hypothesis.hypstr.lower()
        workspace.progress(utterance.end_seconds / total_seconds)
