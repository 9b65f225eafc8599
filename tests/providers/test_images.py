"""Images as Pillow writes them: each is whole, with whatever follows it, and no beginning of one is."""

import io
import random
import struct
import time
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from aiops.providers.answers import MEDIA_BYTES_MAX
from aiops.providers.images import is_cut_off
from tests.fixtures.providers import MP3


def picture(mode: str = "RGB", seed: int = 1) -> Image.Image:
    size = 40, 24
    return Image.frombytes(mode, size, random.Random(seed).randbytes(size[0] * size[1] * len(mode)))


def written(file_format: str, image: Image.Image | None = None, **options: Any) -> bytes:
    buffer = io.BytesIO()
    (image or picture()).save(buffer, file_format, **options)
    return buffer.getvalue()


def thumbnail_in_exif() -> bytes:
    """A second directory (EXIF 2.32, 4.5.4) that leads to a JPEG of its own."""
    jpeg = written("JPEG")
    entries = struct.pack(">HHII", 0x0201, 4, 1, 44) + struct.pack(">HHII", 0x0202, 4, 1, len(jpeg))
    directories = struct.pack(">HI", 0, 14) + struct.pack(">H", 2) + entries + struct.pack(">I", 0)
    return b"Exif\x00\x00" + b"MM\x00*" + struct.pack(">I", 8) + directories + jpeg


def png_text() -> PngInfo:
    info = PngInfo()
    info.add_text("Comment", "IEND", zip=False)
    info.add_text("Thumbnail", written("PNG").decode("latin-1"))
    return info


MOVING: dict[str, Any] = {"save_all": True, "append_images": [picture(seed=2), picture(seed=3)], "duration": 100}
XMP = b"<x:xmpmeta/>" * 20

WHOLE = {
    "png": written("PNG"),
    "png with alpha": written("PNG", picture("RGBA")),
    "png with text and another png in it": written("PNG", pnginfo=png_text()),
    "png that moves": written("PNG", **MOVING),
    "jpeg": written("JPEG", quality=95),
    "progressive jpeg": written("JPEG", quality=95, progressive=True),
    "grey jpeg": written("JPEG", picture("L")),
    "jpeg of four inks": written("JPEG", picture("CMYK")),
    "jpeg with restarts": written("JPEG", restart_marker_blocks=1),
    "jpeg with a thumbnail": written("JPEG", exif=thumbnail_in_exif()),
    "progressive jpeg with a thumbnail": written("JPEG", exif=thumbnail_in_exif(), progressive=True),
    "jpeg with the end of another in a comment": written("JPEG", comment=written("JPEG") + b"\xff\xda\xff\xd9"),
    "jpeg with xmp": written("JPEG", xmp=XMP),
    "jpeg with fill bytes": written("JPEG").replace(b"\xff\xda", b"\xff\xff\xff\xda"),
    "webp": written("WEBP"),
    "webp without loss": written("WEBP", lossless=True),
    "webp with alpha": written("WEBP", picture("RGBA")),
    "webp with exif and xmp": written("WEBP", exif=thumbnail_in_exif(), xmp=XMP),
    "webp that moves": written("WEBP", **MOVING),
}


@pytest.mark.parametrize("whole", WHOLE.values(), ids=WHOLE.keys())
def test_an_image_is_whole_from_its_end_on_and_not_before(whole: bytes) -> None:
    assert Image.open(io.BytesIO(whole)).size == (40, 24), "it is one"
    assert [length for length in range(12, len(whole)) if not is_cut_off(whole[:length])] == []
    assert not is_cut_off(whole)


@pytest.mark.parametrize("after", [b"\x00", b"\n", bytes(1000), b"\xff" * 1000, XMP, written("JPEG")[:-1]])
@pytest.mark.parametrize("whole", WHOLE.values(), ids=WHOLE.keys())
def test_what_follows_an_image_is_let_be(whole: bytes, after: bytes) -> None:
    assert not is_cut_off(whole + after)


def test_a_jpeg_of_several_pictures_is_whole() -> None:
    assert not is_cut_off(written("MPO", save_all=True, append_images=[picture(seed=2)]))


def test_tables_without_a_picture_are_no_image() -> None:
    assert is_cut_off(b"\xff\xd8\xff\xdb\x00\x02\xff\xd9")


@pytest.mark.parametrize("data", [b"", MP3, MP3[:20], b"<html>", b"RIFF\xff\xff\xff\x7fWAVE", b"\x89PN"])
def test_what_is_no_image_is_not_one_that_is_cut_off(data: bytes) -> None:
    assert not is_cut_off(data)


# How it begins, and what it goes on with.
HOSTILE = {
    "png of empty chunks": (b"\x89PNG\r\n\x1a\n", b"\x00\x00\x00\x00IDAT\x00\x00\x00\x00"),
    "jpeg of empty segments": (b"\xff\xd8\xff", b"\xff\xe0\x00\x02"),
    "jpeg of fill bytes": (b"\xff\xd8", b"\xff"),
    "jpeg of stuffed bytes": (b"\xff\xd8\xff\xda\x00\x02", b"\xff\x00"),
}


@pytest.mark.parametrize(("beginning", "part"), HOSTILE.values(), ids=HOSTILE.keys())
def test_what_never_ends_is_told_in_a_moment(beginning: bytes, part: bytes) -> None:
    data = beginning + part * (MEDIA_BYTES_MAX // len(part))
    began = time.thread_time()
    assert is_cut_off(data)
    assert time.thread_time() - began < 3
