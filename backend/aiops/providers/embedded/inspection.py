"""Tells what a stranger's file is and how long it lasts, in the child process: by decoding it to its end."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from av.stream import Disposition

from aiops.providers.base import ProviderRejectedError
from aiops.providers.embedded.decoding import (
    DECODING_CPU_SECONDS,
    TOO_INTRICATE,
    audio_stream,
    duration_seconds,
    opened,
)

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer

    from aiops.providers.embedded.child import Workspace

# FFmpeg has one name for these families; the brand and the document type tell their members apart.
MOVIES = "mov,mp4,m4a,3gp,3g2,mj2"
BRANDS = {"qt": "mov", "3g": "3gp"}
MATROSKA = "matroska,webm"
DOCUMENT_TYPE_BYTES = 64

# How much less than its index says an m4a may decode to: what encoders add at both ends, and rounding.
MISSING_SHARE_MAX = 0.05
MISSING_SECONDS_MAX = 1.0
CUT_OFF = "The file is cut off: it says that it lasts {claimed:.0f} seconds, and holds {found:.0f}. Send it whole."


def inspect(arguments: Mapping[str, Any], workspace: "Workspace") -> dict[str, Any]:
    """Task: `container` (of `content_types.UPLOADS`), `has_pictures` and `duration_seconds` of the file `path`.

    Raises ProviderRejectedError for what is not audio, is cut off, or is longer than `seconds_max`.
    """
    path = Path(arguments["path"])
    with workspace.time_limit(DECODING_CPU_SECONDS, TOO_INTRICATE):
        with path.open("rb") as file, opened(file) as container:
            claimed = claimed_seconds(container, audio_stream(container))
            name, has_pictures = container_name(container, path), shows_pictures(container)
        found = duration_seconds(path, float(arguments["seconds_max"]))
    if claimed * (1 - MISSING_SHARE_MAX) - MISSING_SECONDS_MAX > found:
        raise ProviderRejectedError(CUT_OFF.format(claimed=claimed, found=found))
    return {"container": name, "has_pictures": has_pictures, "duration_seconds": found}


def claimed_seconds(container: "InputContainer", stream: "AudioStream") -> float:
    """How long the track lasts by its index; 0 where nobody has to know, as in a recording that was streamed."""
    if container.format.name != MOVIES or not stream.duration or stream.time_base is None:
        return 0.0
    return float(stream.duration * stream.time_base)


def container_name(container: "InputContainer", path: Path) -> str:
    """What kind of file it is, in one word."""
    match container.format.name:
        case name if name == MOVIES:
            return BRANDS.get(container.metadata.get("major_brand", "")[:2], "mp4")
        case name if name == MATROSKA:
            with path.open("rb") as file:
                return "webm" if b"webm" in file.read(DOCUMENT_TYPE_BYTES) else "matroska"
        case name:
            return name


def shows_pictures(container: "InputContainer") -> bool:
    """Whether it is a film; the cover of a record is none."""
    return any(not stream.disposition & Disposition.attached_pic for stream in container.streams.video)
