"""What can be said of a user's URL before anything is connected to.

There is one parser: the `httpx.URL` that is judged is the object that is fetched. What is ambiguous is refused
rather than repaired, so no second reading of the same characters can lead elsewhere.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

import httpx

from aiops.http.addresses import IPAddress, is_public
from aiops.http.errors import RefusedUrlError

URL_LENGTH_MAX = 8192
HOST_LENGTH_MAX = 253
PORTS = frozenset({80, 443})

NOT_PUBLIC = "The host of the URL does not lead to a public address."

_HOST = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_LOCAL_DOMAINS = ("localhost", "localdomain", "local", "internal", "home.arpa")


@dataclass(frozen=True, slots=True)
class CheckedUrl:
    """A URL that may be fetched, if what `host` resolves to may be connected to.

    `address` is set where the host is an address itself. `private` says that the operator has named this host
    and port, so that the rules of addresses and ports do not hold for it.
    """

    url: httpx.URL
    host: str
    address: IPAddress | None
    private: bool


def check_url(url: str, private_hosts: frozenset[str]) -> None:
    """Refuses what no resolver needs to be asked about; raises `RefusedUrlError`."""
    parse_url(url, private_hosts)


def parse_url(url: str, private_hosts: frozenset[str]) -> CheckedUrl:
    """`url`, parsed and judged. Raises `RefusedUrlError`.

    `private_hosts` holds "host:port" as `canonical_private_hosts` writes them.
    """
    parsed = _parse(url)
    host = parsed.raw_host.decode("ascii")
    address = _literal(host)
    port = _port(parsed)
    private = _authority(host, address, port) in private_hosts
    if not private:
        _check_public(host, address, port)
    return CheckedUrl(parsed, host, address, private)


def authority_of(url: str) -> str:
    """The host and port of an operator's URL, as `canonical_private_hosts` writes them. Raises `RefusedUrlError`."""
    parsed = _parse(url)
    host = parsed.raw_host.decode("ascii")
    return _authority(host, _literal(host), _port(parsed))


def canonical_private_hosts(entries: Iterable[str]) -> frozenset[str]:
    """The operator's "host:port" entries as URLs are compared with them. Raises `ValueError` on any other form."""
    return frozenset(_canonical_private_host(entry.strip()) for entry in entries)


def _canonical_private_host(entry: str) -> str:
    try:
        parsed = _parse(f"http://{entry}/")
        host = parsed.raw_host.decode("ascii")
        address = _literal(host)
    except RefusedUrlError as error:
        raise ValueError(f"{entry!r} is not a host:port. {error.reason}") from error
    port = re.search(r":([0-9]{1,5})$", entry)
    if port is None or parsed.raw_path != b"/" or parsed.fragment:
        raise ValueError(f"{entry!r} is not a host:port.")
    return _authority(host, address, int(port[1]))


def _parse(url: str) -> httpx.URL:
    if len(url) > URL_LENGTH_MAX:
        raise RefusedUrlError(f"The URL is longer than {URL_LENGTH_MAX} characters.")
    if any(character.isspace() or not character.isprintable() for character in url):
        raise RefusedUrlError("The URL contains white space or characters that cannot be printed.")
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise RefusedUrlError("The URL is malformed.") from error
    if parsed.scheme not in ("http", "https"):
        raise RefusedUrlError("The URL must begin with http:// or https://.")
    if parsed.userinfo:
        raise RefusedUrlError("The URL must not contain a user name or password.")
    if not parsed.raw_host:
        raise RefusedUrlError("The URL has no host.")
    return parsed


def _literal(host: str) -> IPAddress | None:
    """The address that `host` is, None if it is a name. Raises `RefusedUrlError` on what is neither.

    A host whose last label is a number is an address to everyone who reads it, in decimal, octal or hexadecimal and
    of one to four parts; only the ordinary notation is taken.
    """
    if ":" not in host and (len(host) > HOST_LENGTH_MAX or not _HOST.fullmatch(host)):
        raise RefusedUrlError("The host of the URL is malformed.")
    if ":" not in host and not _NUMBER.fullmatch(host.rpartition(".")[2]):
        return None
    try:
        address = ip_address(host)
    except ValueError as error:
        raise RefusedUrlError("The address in the URL is not in its ordinary notation.") from error
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        raise RefusedUrlError("The address in the URL must not have a zone.")
    return address


def _port(url: httpx.URL) -> int:
    return {"http": 80, "https": 443}[url.scheme] if url.port is None else url.port


def _authority(host: str, address: IPAddress | None, port: int) -> str:
    if isinstance(address, IPv6Address):
        return f"[{address.compressed}]:{port}"
    return f"{host}:{port}"


def _check_public(host: str, address: IPAddress | None, port: int) -> None:
    if port not in PORTS:
        raise RefusedUrlError("The port of the URL must be 80 or 443.")
    if address is not None and not is_public(address):
        raise RefusedUrlError(NOT_PUBLIC)
    if address is None and _is_local(host):
        raise RefusedUrlError(NOT_PUBLIC)


def _is_local(name: str) -> bool:
    """Names that are set aside for what is near: single labels are this machine's or this network's own."""
    return "." not in name or any(name.endswith(f".{domain}") for domain in _LOCAL_DOMAINS)
