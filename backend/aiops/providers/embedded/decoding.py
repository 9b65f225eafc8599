"""Reads a stranger's audio file, in the child process: PyAV, one stream, in bounded memory, no other file opened."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

import av
from av.error import FFmpegError

from aiops.providers.base import ProviderRejectedError
from aiops.providers.embedded.child import memory_limit

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer

SAMPLE_RATE_HZ = 16_000
SAMPLE_BYTES = 2
BYTES_A_SECOND = SAMPLE_RATE_HZ * SAMPLE_BYTES

# What FFmpeg may recognise. Playlists (hls, dash, concat, image sequences) name other files: they are not in it.
FORMATS = (
    *("aac", "aiff", "amr", "au", "caf", "flac", "matroska", "webm", "mov", "mp4", "m4a", "3gp", "3g2", "mj2"),
    *("mp3", "ogg", "w64", "wav"),
)
# What may run on the bytes, also while FFmpeg probes: no video decoder is among them.
CODECS = (
    *("aac", "alac", "amrnb", "amrwb", "flac", "libopus", "opus", "vorbis", "libvorbis"),
    *("mp1", "mp1float", "mp2", "mp2float", "mp3", "mp3float"),
    *("adpcm_ima_qt", "adpcm_ima_wav", "adpcm_ms", "pcm_alaw", "pcm_mulaw", "pcm_u8", "pcm_s8"),
    *("pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be"),
    *("pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_f64be"),
)
OPTIONS = {
    "format_whitelist": ",".join(FORMATS),
    "codec_whitelist": ",".join(CODECS),
    "protocol_whitelist": "none",  # no such protocol: whatever a file refers to stays closed
}
# Of the task's memory, whatever else is in it: a file that is made to take much must leave enough to the recogniser,
# which dies of too little. Two hours of sound decode in 160 MB.
MEMORY_BYTES = 640 * 1024 * 1024
# All that a job has the time to transcribe decodes in seconds.
DECODING_CPU_SECONDS = 60.0
CHANNELS_MAX = 8  # 7.1
SAMPLE_RATE_HZ_MIN, SAMPLE_RATE_HZ_MAX = 4_000, 192_000

UNDECODABLE = "The audio file could not be decoded. Send mp3, wav, m4a, ogg, webm or flac."
TOO_INTRICATE = "The audio file takes too long to decode. Convert it to mp3 or wav."
WITHOUT_AUDIO = "The file has no audio track."
WITHOUT_LENGTH = "The audio file holds no sound: its length is zero."
UNUSUAL = f"The audio has more than {CHANNELS_MAX} channels or an unusual sample rate. Convert it to mp3 or wav."


def duration_seconds(path: Path, seconds_max: float) -> float:
    """The decoded length: what a file claims may be missing, an estimate or a lie.

    Raises ProviderRejectedError for what is not audio, has no length, or is longer than `seconds_max`.
    """
    total_bytes = 0
    for pcm in decode(path):
        total_bytes += len(pcm)
        if total_bytes > seconds_max * BYTES_A_SECOND:
            raise too_long(seconds_max)
    if total_bytes == 0:
        raise ProviderRejectedError(WITHOUT_LENGTH)
    return total_bytes / BYTES_A_SECOND


def too_long(seconds_max: float) -> ProviderRejectedError:
    return ProviderRejectedError(f"The audio is longer than {readable(seconds_max)}, the longest allowed.")


def readable(seconds: float) -> str:
    """A length of time in words."""
    if seconds < 120:
        return f"{seconds:g} seconds"
    return f"{seconds / 60:g} minutes"


def decode(path: Path) -> Iterator[bytes]:
    """The first audio track as signed 16-bit mono at 16 kHz, piece by piece.

    Raises ProviderRejectedError for what is not audio, or takes too much memory. Broken packets are passed over, as
    players do.
    """
    pieces = decoded(path)
    while True:
        try:
            with memory_limit(MEMORY_BYTES):
                piece = next(pieces, None)
        except MemoryError as error:
            raise ProviderRejectedError(UNDECODABLE) from error
        if piece is None:
            return
        yield piece


def decoded(path: Path) -> Iterator[bytes]:
    """As `decode`, in whatever memory it takes."""
    with path.open("rb") as file, opened(file) as container:
        stream = audio_stream(container)
        resampler, heard = None, None
        for frame in frames(container, stream):
            check(frame.sample_rate, frame.layout.nb_channels)
            form = (frame.sample_rate, frame.layout.name, frame.format.name)
            if resampler is None or form != heard:  # some streams change their form on the way
                resampler, heard = av.AudioResampler("s16", "mono", SAMPLE_RATE_HZ), form
            yield from map(samples, resampler.resample(frame))
        if resampler is not None:
            yield from map(samples, resampler.resample(None))


@contextmanager
def opened(file: IO[bytes]) -> Iterator["InputContainer"]:
    """The container in `file`, which is passed as an object so that FFmpeg has no path to work from.

    Its tags, which old programs write in old encodings, are not ours to judge.
    """
    try:
        container = av.open(Seekable(file), mode="r", options=OPTIONS, metadata_errors="replace")
    except FFmpegError as error:
        raise ProviderRejectedError(UNDECODABLE) from error
    with container:
        yield container


class Seekable:
    """A file in which a place that cannot be, such as one before its beginning, is answered with -1.

    That is how FFmpeg is told; what is raised in its stead comes up later, in whatever PyAV does next.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.read = file.read
        self.tell = file.tell
        self._seek = file.seek

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self._seek(offset, whence)
        except (OSError, ValueError):
            return -1


def audio_stream(container: "InputContainer") -> "AudioStream":
    """The track to decode. Raises ProviderRejectedError if there is none, or none that can be."""
    if not container.streams.audio:
        raise ProviderRejectedError(WITHOUT_AUDIO)
    stream = container.streams.audio[0]
    context = stream.codec_context
    if context is None or context.codec.name not in CODECS:
        raise ProviderRejectedError(UNDECODABLE)
    check(context.sample_rate, context.channels)
    return stream


def check(sample_rate_hz: int, channels: int) -> None:
    """Raise ProviderRejectedError for what a hostile header claims: absurd rates multiply the memory needed."""
    if not (SAMPLE_RATE_HZ_MIN <= sample_rate_hz <= SAMPLE_RATE_HZ_MAX and 1 <= channels <= CHANNELS_MAX):
        raise ProviderRejectedError(UNUSUAL)


def frames(container: "InputContainer", stream: "AudioStream") -> Iterator["AudioFrame"]:
    """What decodes. Raises ProviderRejectedError if a file with broken packets has nothing else."""
    broken = decoded = 0
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except FFmpegError:  # cut off: what came before stands
            packet, broken = None, broken + 1
        if packet is None:
            break
        try:
            for frame in packet.decode():
                decoded += 1
                yield frame
        except FFmpegError:
            broken += 1
    if broken and not decoded:
        raise ProviderRejectedError(UNDECODABLE)


def samples(frame: "AudioFrame") -> bytes:
    """The bytes of a resampled frame, without the padding behind them."""
    return bytes(frame.planes[0])[: frame.samples * SAMPLE_BYTES]
