"""Directives to an HTTP request: URL, headers, query string and body."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from aiops_connect.platforms.make.runner import bodies, oauth1
from aiops_connect.platforms.make.runner.app import Block
from aiops_connect.platforms.make.runner.blocks import Request
from aiops_connect.platforms.make.runner.http import Outgoing, Part
from aiops_connect.platforms.make.runner.iml.errors import ImlError
from aiops_connect.platforms.make.runner.iml.functions.encoding import URI_SAFE
from aiops_connect.platforms.make.runner.iml.template import SPREAD
from aiops_connect.platforms.make.runner.iml.values import UNDEFINED, Value, is_missing, to_text, type_name
from aiops_connect.platforms.make.runner.run import Run

ABSOLUTE = re.compile(r"https?://", re.IGNORECASE)
METHOD = re.compile(r"[A-Z]{1,20}")
HEADER = re.compile(r"[!#$%&'*+.^`|~\w-]+: [\t\x20-\x7e\x80-\xff]*", re.ASCII)
BODILESS = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Built:
    """A request with the parts that the trace shows as they were before they became bytes."""

    outgoing: Outgoing
    body: Value
    qs: dict[str, Value]


def build(run: Run, request: Request, base_url: Block | None, timeout_seconds: float) -> Built:
    """The request that the directives describe.

    :raises AppError: for a directive that cannot be followed
    """
    _refuse_unsupported(request)
    method = _method(run, request)
    headers = _headers(run, request.layers["headers"])
    qs = _merge_layers(run, request.layers["qs"], fold=False)
    body = UNDEFINED if method in BODILESS else _body(run, request.layers["body"])
    kind = _choice(run, request, "type", "json", bodies.REQUEST_TYPES)
    url = _url(run, request, base_url, qs)
    content, parts = _encode(run, request, body, kind)
    headers.setdefault("accept-encoding", "gzip" if _flag(run, request, "gzip", default=False) else "identity")
    if content is not None and kind in bodies.CONTENT_TYPES:
        headers.setdefault("content-type", bodies.CONTENT_TYPES[kind])
    if (signing := request.get("oauth")) is not None:
        signed = oauth1.sign(run, signing, oauth1.Unsigned(method, url, headers, content))
        url, headers, content = signed.url, signed.headers, signed.content
    authority = run.evaluate_optional(request.get("ca"))
    outgoing = Outgoing(
        method=method,
        url=url,
        headers=tuple(headers.items()),
        content=content,
        parts=parts,
        follow=_flag(run, request, "followRedirects" if method in BODILESS else "followAllRedirects", default=True),
        timeout_seconds=timeout_seconds,
        authority=None if is_missing(authority) else to_text(authority),
    )
    return Built(outgoing, body, qs or {})


def _refuse_unsupported(request: Request) -> None:
    if (aws := request.get("aws")) is not None:
        raise aws.error("This runner does not sign requests for AWS.")


def _method(run: Run, request: Request) -> str:
    block = request.get("method")
    value = to_text(run.evaluate_optional(block)).upper() or "GET"
    if block is not None and not METHOD.fullmatch(value):
        raise block.error(f"{value[:40]!r} is not an HTTP method.")
    return value


def _choice(run: Run, request: Request, name: str, otherwise: str, allowed: tuple[str, ...]) -> str:
    block = request.get(name)
    value = to_text(run.evaluate_optional(block)) or otherwise
    if block is not None and value not in allowed:
        raise block.error(f"Unknown type {value!r}. Make has {', '.join(allowed)}.")
    return value


def _flag(run: Run, request: Request, name: str, *, default: bool) -> bool:
    block = request.get(name)
    return default if block is None else run.holds(block)


def timeout_of(run: Run, request: Request) -> float:
    """Seconds: that of the request or base, else that of the common data, else Make's 40 s; at most 300 s."""
    common = run.number_of_common("timeout", run.limits.timeout_seconds * 1000)
    return min(run.number(request.get("timeout"), common) / 1000, run.limits.timeout_seconds_max)


def _headers(run: Run, layers: tuple[Block, ...]) -> dict[str, str]:
    """By lower-case name; what is missing is not sent, several values are one with commas."""
    merged = _merge_layers(run, layers, fold=True) or {}
    headers = {name: to_text(value) for name, value in merged.items() if not is_missing(value)}
    for name, value in headers.items():
        if not HEADER.fullmatch(f"{name}: {value}"):
            raise layers[-1].error(f"The header {name!r} has characters that a header cannot have.")
    return headers


def _merge_layers(run: Run, layers: tuple[Block, ...], *, fold: bool) -> dict[str, Value] | None:
    """Collections over each other, names in lower case if `fold`; None where there is none.

    A member that evaluates to undefined takes away the one below; a whole block in one expression replaces all below.
    """
    merged: dict[str, Value] | None = None
    for layer in layers:
        value = run.evaluate(layer)
        if is_missing(value):
            continue
        if not isinstance(value, dict):
            raise layer.error(f"A collection is needed here, and this is {type_name(value)}.")
        below = {} if merged is None or isinstance(layer.value, str) else merged
        named: Mapping[str, Any] = layer.value if isinstance(layer.value, dict) else {}
        gone = {_folded(name, fold=fold) for name in named if name != SPREAD}
        merged = {name: item for name, item in below.items() if name not in gone}
        merged |= {_folded(name, fold=fold): item for name, item in value.items()}
    return merged


def _folded(name: str, *, fold: bool) -> str:
    return name.lower() if fold else name


def _body(run: Run, layers: tuple[Block, ...]) -> Value:
    """The last body; collections over each other."""
    body: Value = UNDEFINED
    for layer in layers:
        value = run.evaluate(layer)
        body = {**body, **value} if isinstance(body, dict) and isinstance(value, dict) else value
    return body


def _encode(run: Run, request: Request, body: Value, kind: str) -> tuple[bytes | None, tuple[Part, ...]]:
    place = request.layers["body"][-1] if request.layers["body"] else request.block
    try:
        content, parts = bodies.encode_body(body, kind)
    except ImlError as error:
        raise place.error(error.message) from None
    except ValueError as error:
        raise place.error(f"The body cannot be sent: {error}.") from None
    size = len(content or b"") + sum(len(part[1][1]) for part in parts)
    if size > run.limits.request_bytes:
        raise place.error(f"The body is larger than {run.limits.request_bytes} bytes.")
    return content, parts


def _url(run: Run, request: Request, base_url: Block | None, qs: dict[str, Value] | None) -> str:
    block = request.directives["url"]
    url = to_text(run.evaluate(block))
    if not ABSOLUTE.match(url):
        if base_url is None:
            raise block.error(f"The URL {url!r} is relative, and there is no baseUrl.")
        url = f"{to_text(run.evaluate(base_url)).rstrip('/')}/{url.lstrip('/')}"
    if not ABSOLUTE.match(url):
        raise block.error(f"The URL {url!r} does not begin with http:// or https://.")
    return normalize(url, encode=_flag(run, request, "encodeUrl", default=True), query=_query(request, qs))


def _query(request: Request, qs: dict[str, Value] | None) -> str | None:
    """The query string; None leaves that of the URL."""
    if qs is None:
        return None
    pairs: list[tuple[str, Value]] = []
    for name, value in qs.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict | list):
                raise request.layers["qs"][-1].error(f"`qs` is flat, and {name!r} holds a {type_name(item)}.")
            if item is not UNDEFINED:
                pairs.append((name, item))
    return "&".join(f"{bodies.component(name)}={bodies.component(value)}" for name, value in pairs)


def normalize(url: str, *, encode: bool, query: str | None) -> str:
    """As Make before it calls: slashes that follow each other are one, the path is encoded as by encodeURI.

    A trailing slash stays. `query`, unless None, takes the place of the URL's own.
    """
    scheme, rest = url.split("://", 1)
    rest = rest.partition("#")[0]
    address, _, own = rest.partition("?")
    host, slash, path = address.partition("/")
    path = re.sub("/{2,}", "/", slash + path)
    if encode:
        path = quote(path, safe=URI_SAFE, errors="replace")
    text = own if query is None else query
    return f"{scheme}://{host}{path if path != '/' else ''}{'?' + text if text else ''}"
