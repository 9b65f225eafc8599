"""Which of several media types to take, and how each is read."""

from enum import Enum

from aiops_connect.openapi.nodes import Node


class Family(Enum):
    """How content of a media type is made, best first."""

    JSON = "json"
    MULTIPART = "multipart"
    FORM = "form"
    TEXT = "text"
    STREAM = "stream"
    BYTES = "bytes"
    OTHER = "other"  # structured in a way we cannot write, such as XML


ANY_TYPE = ("*/*", "application/octet-stream")  # names of no type in particular
_TEXTS = {"application/sdp", "application/x-ndjson", "application/jsonl", "application/yaml", "application/graphql"}


def family(media_type: str) -> Family:
    """How content of a media type is made. Parameters such as a charset do not matter."""
    name = media_type.partition(";")[0].strip().lower()
    if name in ("application/json", "text/json") or name.endswith("+json"):
        return Family.JSON
    if name == "multipart/form-data":
        return Family.MULTIPART
    if name == "application/x-www-form-urlencoded":
        return Family.FORM
    if name == "text/event-stream":
        return Family.STREAM
    if name in ("application/xml", "text/xml") or (name.endswith("+xml") and name != "image/svg+xml"):
        return Family.OTHER
    if name.startswith("text/") or name in _TEXTS:
        return Family.TEXT
    return Family.OTHER if name.startswith("multipart/") else Family.BYTES


def preferred(holder: Node) -> tuple[str, Family, Node] | None:
    """The content to take of those that a request or a response has; None where it has none. Of two of one family,
    the first."""
    ranked = sorted(
        ((family(media_type), media_type, node) for media_type, node in holder.members("content").items()),
        key=lambda entry: list(Family).index(entry[0]),
    )
    for found, media_type, node in ranked:
        if isinstance(node.value, dict):
            return media_type, found, node
        node.report("It has to be an object.")
    return None
