"""Whether an image is all there, told by how its file is built: nothing is decoded in the server's own process.

A server that closes a connection whose length it has not said leaves a beginning that looks like any other image. What
follows the end of an image, padding or somebody's metadata, is let be.
"""

import re
from collections.abc import Callable, Mapping

from aiops.storage import content_types

# More parts than any image is made of; whoever sends more would keep the server busy with them.
PARTS_MAX = 100_000
PNG_SIGNATURE_BYTES, PNG_AROUND_CHUNK_BYTES = 8, 12  # its length, its type and its checksum
RIFF_HEADER_BYTES = 8
START_OF_SCAN, END_OF_IMAGE = b"\xda", b"\xd9"
# But those without a segment, which may stand within a scan, and what is no marker there (ITU-T T.81, B.1.1).
_JPEG_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])")


def is_cut_off(data: bytes) -> bool:
    """Whether this begins as an image of a type that we know and ends before it does."""
    kind = content_types.detect(data, content_types.IMAGES)
    return kind is not None and not _IS_WHOLE[kind.name](data)


def _is_whole_png(data: bytes) -> bool:
    """Up to its chunk IEND (PNG specification, 5.3)."""
    at = PNG_SIGNATURE_BYTES
    for _ in range(PARTS_MAX):
        kind, end = data[at + 4 : at + 8], at + PNG_AROUND_CHUNK_BYTES + int.from_bytes(data[at : at + 4])
        if kind == b"IEND" or end > len(data):
            return end <= len(data)
        at = end
    return False


def _is_whole_jpeg(data: bytes) -> bool:
    """Up to the end of the image after its scans. That of a thumbnail stands within a segment, which is passed over."""
    at, has_scan = 2, False
    for _ in range(PARTS_MAX):
        marker = _JPEG_MARKER.search(data, at)
        if marker is None:
            return False
        if marker[1] == END_OF_IMAGE:
            return has_scan
        has_scan |= marker[1] == START_OF_SCAN
        at = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2])
    return False


def _is_whole_webp(data: bytes) -> bool:
    """As long as its header says (RFC 9649, 2.4)."""
    return len(data) >= RIFF_HEADER_BYTES + int.from_bytes(data[4:8], "little")


_IS_WHOLE: Mapping[str, Callable[[bytes], bool]] = {
    "image/png": _is_whole_png,
    "image/jpeg": _is_whole_jpeg,
    "image/webp": _is_whole_webp,
}
