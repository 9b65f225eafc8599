import pytest

from aiops.storage.content_types import IMAGES, SPEECH, detect
from tests.fixtures.providers import MP3, png

BOTH = (*IMAGES, *SPEECH)


@pytest.mark.parametrize(
    ("beginning", "name", "extension"),
    [
        pytest.param(png(), "image/png", "png", id="png"),
        pytest.param(b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg", "jpg", id="jpeg"),
        pytest.param(b"RIFF\x24\x0a\x00\x00WEBPVP8 ", "image/webp", "webp", id="webp"),
        pytest.param(b"RIFF\n\n\n\nWEBPVP8 ", "image/webp", "webp", id="webp whose size is line ends"),
        pytest.param(MP3, "audio/mpeg", "mp3", id="mp3 with a tag"),
        pytest.param(b"\xff\xfb\x90\x64", "audio/mpeg", "mp3", id="mp3 without a tag"),
        pytest.param(b"\xff\xf3\x40\xc4", "audio/mpeg", "mp3", id="mp3 at 16 kHz"),
        pytest.param(b"\xff\xe3\x18\xc4", "audio/mpeg", "mp3", id="mp3 at 8 kHz"),
    ],
)
def test_a_type_is_told_by_the_first_bytes(beginning: bytes, name: str, extension: str) -> None:
    detected = detect(beginning, BOTH)
    assert detected is not None
    assert (detected.name, detected.extension) == (name, extension)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\x89PN", id="cut off"),
        pytest.param(b" " + png(), id="something before it"),
        pytest.param(b"GIF89a", id="gif"),
        pytest.param(b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", id="svg"),
        pytest.param(b"<!doctype html><html>", id="html"),
        pytest.param(b'{"error": "busy"}', id="json"),
        pytest.param(b"RIFF\x24\x0a\x00\x00WAVEfmt ", id="wav"),
        pytest.param(b"OggS\x00\x02", id="ogg"),
        pytest.param(b"fLaC\x00\x00", id="flac"),
        pytest.param(b"\xff\xff\xff\xff", id="ones"),
        pytest.param(b"\xff\xfb\xf0\x00", id="mp3 frame with a bit rate that there is not"),
        pytest.param(b"\x00" * 100, id="zeros"),
    ],
)
def test_what_is_not_kept_has_no_type(data: bytes) -> None:
    assert detect(data, BOTH) is None


def test_only_the_asked_types_are_told() -> None:
    assert detect(png(), SPEECH) is None
    assert detect(MP3, IMAGES) is None
