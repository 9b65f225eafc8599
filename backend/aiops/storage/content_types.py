"""The types of files that are kept, told by content and never by a name or a header.

A table of first bytes rather than a library: libmagic is not on every machine, and the pure Python detectors guess by
extension or report an mp3 without tags as unknown.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ContentType:
    """A media type, its file extension, and how its content begins, where that tells it."""

    name: str
    extension: str
    beginning: re.Pattern[bytes] | None = None


IMAGES = (
    ContentType("image/png", "png", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ContentType("image/jpeg", "jpg", re.compile(rb"\xff\xd8\xff")),
    ContentType("image/webp", "webp", re.compile(rb"RIFF.{4}WEBP", re.DOTALL)),
)
# ID3 tag, or the sync word of an MPEG audio frame of layer III with a valid bit rate and sample rate.
SPEECH = (ContentType("audio/mpeg", "mp3", re.compile(rb"ID3|\xff[\xfa\xfb\xf2\xf3\xe2\xe3][\x10-\xeb]")),)

# What is transcribed is told by a decoder: the type of each container that one knows, of sound alone and of a film.
UPLOADS: Mapping[str, tuple[ContentType, ContentType]] = {
    name: (ContentType(sound, extension), ContentType(film, film_extension))
    for name, sound, extension, film, film_extension in (
        ("aac", "audio/aac", "aac", "audio/aac", "aac"),
        ("aiff", "audio/aiff", "aiff", "audio/aiff", "aiff"),
        ("amr", "audio/amr", "amr", "audio/amr", "amr"),
        ("au", "audio/basic", "au", "audio/basic", "au"),
        ("caf", "audio/x-caf", "caf", "audio/x-caf", "caf"),
        ("flac", "audio/flac", "flac", "audio/flac", "flac"),
        ("matroska", "audio/matroska", "mka", "video/matroska", "mkv"),
        ("webm", "audio/webm", "webm", "video/webm", "webm"),
        ("mov", "audio/mp4", "m4a", "video/quicktime", "mov"),
        ("mp4", "audio/mp4", "m4a", "video/mp4", "mp4"),
        ("3gp", "audio/3gpp", "3gp", "video/3gpp", "3gp"),
        ("mp3", "audio/mpeg", "mp3", "audio/mpeg", "mp3"),
        ("ogg", "audio/ogg", "ogg", "video/ogg", "ogv"),
        ("w64", "audio/x-w64", "w64", "audio/x-w64", "w64"),
        ("wav", "audio/wav", "wav", "audio/wav", "wav"),
    )
}


def detect(data: bytes, among: tuple[ContentType, ...]) -> ContentType | None:
    """Which of `among` the data is, or None."""
    return next((kind for kind in among if kind.beginning and kind.beginning.match(data)), None)
