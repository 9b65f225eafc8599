"""The names of files: what a stranger sent is made safe once, when it is kept, and written into a header as it has to
be."""

import re
import unicodedata
from urllib.parse import quote

STEM_LENGTH_MAX = 100
UNNAMED = "upload"
NOT_IN_NAMES = '<>:"|?*\ufffd'  # what some file system does not take, and what stands for a letter that was broken
_NOT_PLAIN = re.compile(r"[^0-9A-Za-z _.()-]")


def safe_name(sent: str | None, extension: str) -> str:
    """The name to keep a file under: no folder, nothing invisible, not too long, and the ending of what it is."""
    name = unicodedata.normalize("NFC", sent or "").replace("\\", "/").rpartition("/")[2]
    name = " ".join("".join(filter(_is_kept, name)).split())
    stem, dot, ending = name.rpartition(".")
    stem = stem if dot and stem and ending.isalnum() and len(ending) <= 5 else name
    return f"{stem.strip('. ')[:STEM_LENGTH_MAX].strip('. ') or UNNAMED}.{extension}"


def _is_kept(letter: str) -> bool:
    """Not what is invisible, as controls are and what turns the order of letters round."""
    return letter.isspace() or (letter.isprintable() and letter not in NOT_IN_NAMES)


def disposition(name: str) -> str:
    """Content-Disposition with a name, RFC 6266: in ASCII for everybody, and whole for who reads RFC 8187."""
    plain = _NOT_PLAIN.sub("_", name)
    whole = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe='')}"
    return f'inline; filename="{plain}"{whole}'
