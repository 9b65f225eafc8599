"""Turns a stranger's sound into mp3, in the child process."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av

from aiops.providers.base import ProviderRejectedError
from aiops.providers.embedded.decoding import (
    BYTES_A_SECOND,
    SAMPLE_BYTES,
    SAMPLE_RATE_HZ,
    TOO_INTRICATE,
    WITHOUT_LENGTH,
    decode,
    too_long,
)

if TYPE_CHECKING:
    from aiops.providers.embedded.child import Workspace

MP3_BIT_RATE = 32_000
# Three hours of sound take about one.
ENCODING_CPU_SECONDS = 180.0


def encode(arguments: Mapping[str, Any], workspace: "Workspace") -> dict[str, Any]:
    """Task: the sound of the file `path` as mp3 in the output file.

    Raises ProviderRejectedError for what is not audio, has no length, or is longer than `seconds_max`.
    """
    seconds_max = float(arguments["seconds_max"])
    total_bytes = 0
    with (
        workspace.time_limit(ENCODING_CPU_SECONDS, TOO_INTRICATE),
        av.open(str(workspace.output), "w", format="mp3") as container,
    ):
        stream = container.add_stream("libmp3lame", rate=SAMPLE_RATE_HZ, layout="mono")
        stream.bit_rate = MP3_BIT_RATE
        resampler = av.AudioResampler("s16p", "mono", SAMPLE_RATE_HZ)
        for pcm in decode(Path(arguments["path"])):
            total_bytes += len(pcm)
            if total_bytes > seconds_max * BYTES_A_SECOND:
                raise too_long(seconds_max)
            for resampled in resampler.resample(frame_of(pcm)):
                container.mux(stream.encode(resampled))
        if total_bytes == 0:
            raise ProviderRejectedError(WITHOUT_LENGTH)
        for resampled in resampler.resample(None):
            container.mux(stream.encode(resampled))
        container.mux(stream.encode(None))
    return {}


def frame_of(pcm: bytes) -> av.AudioFrame:
    frame = av.AudioFrame(format="s16", layout="mono", samples=len(pcm) // SAMPLE_BYTES)
    frame.planes[0].update(pcm)
    frame.sample_rate = SAMPLE_RATE_HZ
    return frame
