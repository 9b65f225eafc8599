import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.uploads.names import disposition, safe_name


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        pytest.param("recording.m4a", "recording.m4a", id="as it should be"),
        pytest.param("recording.MP3", "recording.m4a", id="another ending"),
        pytest.param("recording", "recording.m4a", id="no ending"),
        pytest.param("Interview 3.5 (final).wav", "Interview 3.5 (final).m4a", id="dots and brackets"),
        pytest.param("Folge 12. Größe und Maß", "Folge 12. Größe und Maß.m4a", id="a dot that begins no ending"),
        pytest.param("日本語🎨.ogg", "日本語🎨.m4a", id="other letters"),
        pytest.param("a\u0308.mp3", "ä.m4a", id="letters in two parts"),
        pytest.param("../../etc/passwd", "passwd.m4a", id="up the folders"),
        pytest.param("C:\\Users\\ada\\voice memo.m4a", "voice memo.m4a", id="a whole path"),
        pytest.param("/etc/", "upload.m4a", id="a folder"),
        pytest.param("..", "upload.m4a", id="dots"),
        pytest.param(".htaccess", "htaccess.m4a", id="hidden"),
        pytest.param("virus.exe", "virus.m4a", id="a program"),
        pytest.param("x\r\nSet-Cookie: a=b.mp3", "x Set-Cookie a=b.m4a", id="another header"),
        pytest.param('a"b;c=\x00\x1b[31m.mp3', "ab;c=[31m.m4a", id="quotes and control characters"),
        pytest.param("song\u202e3pm.exe", "song3pm.m4a", id="turned round"),
        pytest.param("  a \t  b  .mp3", "a b.m4a", id="spaces"),
        pytest.param("", "upload.m4a", id="empty"),
        pytest.param(None, "upload.m4a", id="none"),
        pytest.param("x" * 5000 + ".mp3", "x" * 100 + ".m4a", id="long"),
    ],
)
def test_a_name_is_made_safe(sent: str | None, kept: str) -> None:
    assert safe_name(sent, "m4a") == kept


@given(st.text(max_size=300))
def test_any_name_is_safe_in_a_file_system_and_in_a_header(sent: str) -> None:
    name = safe_name(sent, "mp3")
    assert name.endswith(".mp3")
    assert 5 <= len(name) <= 104
    assert name.isprintable()
    assert not set(name) & set('/\\<>:"|?*')
    assert not name.startswith((".", " "))
    header = disposition(name)
    assert header.isascii()
    assert header.isprintable()
    assert len(header) <= 2000
    matched = re.fullmatch(r"inline; filename=\"([0-9A-Za-z _.()-]+)\"(?:; filename\*=UTF-8''([!-~]+))?", header)
    assert matched is not None
    assert (unquote(matched[2]) if matched[2] else matched[1]) == name


@given(st.text(max_size=300))
def test_a_name_that_is_safe_stays_as_it_is(sent: str) -> None:
    once = safe_name(sent, "mp3")
    assert safe_name(once, "mp3") == once
