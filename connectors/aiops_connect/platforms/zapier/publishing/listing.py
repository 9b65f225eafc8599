"""What is entered in Zapier's dashboard: the description and the logo (checks M002 and M004)."""

import re
import struct
from collections.abc import Iterator
from urllib.parse import urlsplit

from aiops_connect import ir
from aiops_connect.platforms.zapier.prose import sentence
from aiops_connect.platforms.zapier.publishing import Finding
from aiops_connect.publisher import Publisher

DESCRIPTION_LENGTH_MIN, DESCRIPTION_LENGTH_MAX = 40, 140
LOGO_PIXELS_MIN = 256
_PNG = b"\x89PNG\r\n\x1a\n"
_RGBA = 6
_SENTENCES_MAX = 3


def description(app: ir.App, publisher: Publisher) -> str:
    """`aiops is a set of tools: three AI services behind one API key.`"""
    first = sentence(app.help)
    lowered = first[:1].lower() + first[1:] if first[1:2].islower() else first
    found = f"{publisher.title} is a set of tools: {lowered or 'the operations of its API.'}"
    if len(found) <= DESCRIPTION_LENGTH_MAX and not re.search(r"(?i)zapier|sync", found):
        return found
    return f"{publisher.title} is a set of tools: the operations of the API of {publisher.title}, as steps."


def description_findings(text: str, title: str) -> Iterator[Finding]:
    where = "description"
    if not DESCRIPTION_LENGTH_MIN <= len(text) <= DESCRIPTION_LENGTH_MAX:
        yield Finding("M002", where, f"Use {DESCRIPTION_LENGTH_MIN} to {DESCRIPTION_LENGTH_MAX} characters.")
    if not re.match(rf"{re.escape(title)} is an? ", text):
        yield Finding("M002", where, f"Begin with “{title} is a”.")
    if re.search(r"(?i)zapier|sync", text):
        yield Finding("M002", where, "Do not say Zapier or sync.")
    if len(re.findall(r"[.!?](\s|$)", text)) not in range(1, _SENTENCES_MAX + 1):
        yield Finding("M002", where, "Use one to three sentences.")


def publisher_findings(publisher: Publisher) -> Iterator[Finding]:
    """The administrator's address has to be at the domain of the API (M005), the homepage public (M006)."""
    home = urlsplit(publisher.homepage)
    if home.scheme != "https":
        yield Finding("M006", "homepage", "Use an address of https.")
    domain = ".".join((home.hostname or "").split(".")[-2:])
    if not publisher.email.endswith((f"@{domain}", f".{domain}")):
        yield Finding("M005", "email", f"Use an address at {domain}, as that of the homepage.")


def logo_findings(content: bytes) -> Iterator[Finding]:
    where = "logo"
    if not content.startswith(_PNG) or len(content) < 26:
        yield Finding("M004", where, "Name a PNG under logo in the settings.")
        return
    width, height, _, colour = struct.unpack(">IIBB", content[16:26])
    if width != height or width < LOGO_PIXELS_MIN:
        yield Finding(
            "M004", where, f"Make it square, {LOGO_PIXELS_MIN} pixels wide at least; it has {width} × {height}."
        )
    if colour != _RGBA:
        yield Finding("M004", where, "Give it transparency (RGBA).")
