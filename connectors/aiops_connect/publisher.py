"""Who publishes the connectors: one file of settings that every emitter reads."""

import re
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import urlsplit

from aiops_connect import ir
from aiops_connect.loading import LoadError, load
from aiops_connect.problem import Problem

LOGO_PIXELS = 512
_TEXT_LENGTH_MAX = 300
_OPTIONAL = ("base_url", "logo")
_CONTENTS = ("icon_svg", "logo_png")
_PNG = re.compile(rb"\x89PNG\r\n\x1a\n.{4}IHDR(.{4})(.{4})", re.DOTALL)  # PNG, third edition, sections 5.2 and 11.2.1


@dataclass(frozen=True, slots=True)
class Publisher:
    """`name` is what packages are called after, in lower case; `title` what people read. `icon` and `logo` are files,
    relative to that of the settings, an SVG and the same as a PNG of 512 by 512 pixels; `icon_svg` and `logo_png` are
    what is in them, empty where they are not there. `base_url` comes before the paths of a document whose servers are
    relative; nobody's real address is ever built in."""

    name: str
    title: str
    author: str
    email: str
    repository: str
    homepage: str
    support: str
    icon: str
    base_url: str = "https://aiops.example"
    logo: str = ""
    icon_svg: str = ""
    logo_png: bytes = b""


class PublisherError(Exception):
    """The settings cannot be used. `problems` say what is wrong."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def load_publisher(path: Path) -> Publisher:
    """Reads the settings.

    Raises:
        PublisherError: there is no such file, or something in it is missing, superfluous or no text.
    """
    known = {field.name: field for field in fields(Publisher) if field.name not in _CONTENTS}
    if not path.exists():
        wanted = ", ".join(name for name in known if name not in _OPTIONAL)
        what_to_do = f"There is no such file. Say there who publishes ({wanted}), or name your file with --publisher."
        raise PublisherError((Problem(path.name, what_to_do),))
    try:
        tree = load(path)
    except LoadError as error:
        raise PublisherError((Problem(path.name, str(error)),)) from error
    if not isinstance(tree, dict):
        raise PublisherError((Problem(path.name, "It has to be an object."),))
    problems = [
        Problem(f"{path.name}#/{name}", f"There is no such setting. There are {', '.join(known)}.")
        for name in tree.keys() - known
    ]
    problems += [
        Problem(f"{path.name}#/{name}", "Add it.") for name in known if name not in tree and name not in _OPTIONAL
    ]
    for name in known.keys() & tree.keys():
        value = tree[name]
        if not isinstance(value, str) or not 0 < len(value) <= _TEXT_LENGTH_MAX:
            problems.append(
                Problem(f"{path.name}#/{name}", f"It has to be a text of at most {_TEXT_LENGTH_MAX} characters.")
            )
    if problems:
        raise PublisherError(tuple(sorted(problems)))
    icon, logo = path.parent / tree["icon"], path.parent / tree.get("logo", "")
    return Publisher(
        **tree,
        icon_svg=icon.read_text(encoding="utf-8") if icon.is_file() else "",
        logo_png=_png(logo, f"{path.name}#/logo") if logo.is_file() else b"",
    )


def _png(path: Path, where: str) -> bytes:
    content = path.read_bytes()
    head = _PNG.match(content)
    if head is None or {int.from_bytes(side) for side in head.groups()} != {LOGO_PIXELS}:
        raise PublisherError((Problem(where, f"It has to be a PNG of {LOGO_PIXELS} by {LOGO_PIXELS} pixels."),))
    return content


def unpublishable(app: ir.App, publisher: Publisher, path: Path) -> list[Problem]:
    """What keeps a connector from being published: addresses that are nobody's (RFC 2606), and an icon that is not
    there."""
    names = ["email", "repository", "homepage", "support"]
    if any(server.is_relative for server in app.servers):
        names.append("base_url")
    problems = [
        Problem(f"{path.name}#/{name}", "An address under .example is nobody's. Enter yours.")
        for name in names
        if _is_nobodys(getattr(publisher, name))
    ]
    problems += [
        Problem("#/servers", f"{server.url} is under .example, and nobody's. Enter the address of the API.")
        for server in app.servers
        if _is_nobodys(server.url)
    ]
    if not (path.parent / publisher.icon).is_file():
        problems.append(Problem(f"{path.name}#/icon", "There is no such file. Add the icon."))
    return problems


def _is_nobodys(address: str) -> bool:
    host = address.rpartition("@")[2] if "://" not in address else (urlsplit(address).hostname or "")
    return host.rstrip(".").endswith(".example")
