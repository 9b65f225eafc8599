"""The names of files: what a stranger sent is made safe once, when it is kept, and written into a header as it has to
be."""

import re
import unicodedata
from urllib.parse import quote

STEM_LENGTH_MAX = 100
UNNAMED = "upload"
# What no file system takes, and what turns the order of letters round so that "exe.gpj" reads as another ending.
_UNSAFE = re.compile(r'[<>:"|?*\x00-\x1f\x7f-\x9f\ud800-\udfff\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffd]')
_NOT_PLAIN = re.compile(r"[^0-9A-Za-z _.()-]")


def safe_name(sent: str | None, extension: str) -> str:
    """The name to keep a file under: no folder, nothing invisible, not too long, and the ending of what it is."""
    name = unicodedata.normalize("NFC", sent or "").replace("\\", "/").rpartition("/")[2]
    name = " ".join(_UNSAFE.sub("", name).split())
    stem, dot, ending = name.rpartition(".")
    stem = stem if dot and stem and ending.isalnum() and len(ending) <= 5 else name
    return f"{stem.strip('. ')[:STEM_LENGTH_MAX].strip('. ') or UNNAMED}.{extension}"


def disposition(name: str) -> str:
    """Content-Disposition with a name, RFC 6266: in ASCII for everybody, and whole for who reads RFC 8187."""
    plain = _NOT_PLAIN.sub("_", name)
    whole = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'inline; filename="{plain}"{whole}'
