"""The types of files that are kept, told by content and never by a name or a header.

A table of first bytes rather than a library: libmagic is not on every machine, and the pure Python detectors guess by
extension or report an mp3 without tags as unknown.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ContentType:
    """A media type, its file extension, and how its content begins."""

    name: str
    extension: str
    beginning: re.Pattern[bytes]


IMAGES = (
    ContentType("image/png", "png", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ContentType("image/jpeg", "jpg", re.compile(rb"\xff\xd8\xff")),
    ContentType("image/webp", "webp", re.compile(rb"RIFF.{4}WEBP", re.DOTALL)),
)
# ID3 tag, or the sync word of an MPEG audio frame of layer III with a valid bit rate and sample rate.
SPEECH = (ContentType("audio/mpeg", "mp3", re.compile(rb"ID3|\xff[\xfa\xfb\xf2\xf3\xe2\xe3][\x10-\xeb]")),)


def detect(data: bytes, among: tuple[ContentType, ...]) -> ContentType | None:
    """Which of `among` the data is, or None."""
    return next((kind for kind in among if kind.beginning.match(data)), None)
