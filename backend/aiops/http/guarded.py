"""The one client through which a URL that a user supplied is fetched.

Own code, because of the packages for it that were tried httpx-secure lets 192.0.0.192 pass, and ssrfguard is one
author's work of a few months: too little to rest this on. Every hop is parsed, resolved, judged and connected to in
that order, each once; nothing is kept from one hop to the next.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import httpx

from aiops.http.addresses import IPAddress, is_public
from aiops.http.agent import user_agent
from aiops.http.errors import FetchError, RefusedUrlError
from aiops.http.pinned import Resolver, resolve, send, usual_authorities
from aiops.http.receiving import decoded
from aiops.http.urls import NOT_PUBLIC, CheckedUrl, parse_url

REDIRECTS_MAX = 3
ADDRESSES_MAX = 4
RESOLVE_TIMEOUT_SECONDS = 5.0
NO_HEADERS: Mapping[str, str] = MappingProxyType({})

R = TypeVar("R")

_CONTENT_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,64}/[a-z0-9!#$&^_.+-]{1,64}")


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file that was fetched whole. `content_type` is what its server claims, lower case, without parameters."""

    content_type: str | None
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Answered:
    """What a receiver answered to what it was sent; its body is not read."""

    status: int
    retry_after: str | None


class GuardedClient:
    """Connects to public addresses, and to those that the operator names. Holds no connections and no state.

    `private_hosts` are "host:port" entries from `canonical_private_hosts`: each lifts the rules of addresses and ports
    for that host and port. `resolve` and `ssl_context` replace the system's resolver and the usual authorities.
    """

    def __init__(
        self,
        private_hosts: frozenset[str] = frozenset(),
        *,
        resolve: Resolver = resolve,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._private_hosts = private_hosts
        self._resolve = resolve
        self._ssl_context = ssl_context or usual_authorities()

    async def download(self, url: str, target: Path, *, size_max_bytes: int, timeout_seconds: float) -> Downloaded:
        """Fetches `url` into `target`, which is overwritten, and removed unless all went well.

        `size_max_bytes` holds for what comes over the wire and for what it decodes to; `timeout_seconds` for everything
        together. Raises `RefusedUrlError`, `FetchError`, and `OSError` when `target` cannot be written.
        """

        async def save(response: httpx.Response) -> Downloaded:
            return await _save(response, target, size_max_bytes)

        with _whole_or_absent(target):
            async with _within(timeout_seconds):
                return await self._get(url, save)

    async def fetch(self, url: str, *, size_max_bytes: int, timeout_seconds: float) -> bytes:
        """As `download`, into memory: for files that are small."""

        async def read(response: httpx.Response) -> bytes:
            _check_success(response)
            async with aclosing(decoded(response, size_max_bytes)) as body:
                return b"".join([piece async for piece in body])

        async with _within(timeout_seconds):
            return await self._get(url, read)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, timeout_seconds: float) -> Answered:
        """Sends `body` to `url` and returns the status that is answered; a redirect is not followed.

        `timeout_seconds` holds for everything together. Raises `RefusedUrlError` and `FetchError`.
        """
        return await self._send("POST", url, body, headers, timeout_seconds)

    async def put(self, url: str, body: bytes, headers: Mapping[str, str], *, timeout_seconds: float) -> Answered:
        """As `post`, with PUT."""
        return await self._send("PUT", url, body, headers, timeout_seconds)

    async def _send(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str], timeout_seconds: float
    ) -> Answered:
        async with _within(timeout_seconds):
            checked = parse_url(url, self._private_hosts)
            async with self._open(method, checked, body, headers) as response:
                return Answered(response.status_code, response.headers.get("retry-after"))

    async def _get(self, url: str, receive: Callable[[httpx.Response], Awaitable[R]]) -> R:
        checked = parse_url(url, self._private_hosts)
        for _ in range(1 + REDIRECTS_MAX):
            async with self._open("GET", checked) as response:
                if not response.has_redirect_location:
                    return await receive(response)
                checked = self._redirected(checked, response.headers["location"])
        raise FetchError(f"The URL redirects more than {REDIRECTS_MAX} times.")

    @asynccontextmanager
    async def _open(
        self, method: str, checked: CheckedUrl, body: bytes | None = None, more: Mapping[str, str] = NO_HEADERS
    ) -> AsyncIterator[httpx.Response]:
        addresses = await self._addresses(checked)
        headers = {"User-Agent": user_agent(), "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close"}
        request = httpx.Request(method, checked.url, headers={**headers, **more}, content=body)
        async with send(request, addresses, self._ssl_context) as response:
            yield response

    async def _addresses(self, checked: CheckedUrl) -> list[IPAddress]:
        if checked.address is not None:
            return [checked.address]
        try:
            async with asyncio.timeout(RESOLVE_TIMEOUT_SECONDS):
                answers = await self._resolve(checked.host)
        except (OSError, ValueError) as error:
            raise FetchError(NOT_PUBLIC) from error
        if not answers:
            raise FetchError(NOT_PUBLIC)
        # The same sentence as for a name that does not exist, lest the inside's names be found by guessing.
        if not checked.private and not all(is_public(answer) for answer in answers):
            raise RefusedUrlError(NOT_PUBLIC)
        return answers[:ADDRESSES_MAX]

    def _redirected(self, checked: CheckedUrl, location: str) -> CheckedUrl:
        try:
            joined = str(checked.url.join(location))
        except (httpx.InvalidURL, ValueError) as error:
            raise RefusedUrlError("The URL redirects to a malformed URL.") from error
        return parse_url(joined, self._private_hosts)


@asynccontextmanager
async def _within(timeout_seconds: float) -> AsyncIterator[None]:
    """Raises FetchError where it takes longer, or the other side fails."""
    deadline = asyncio.timeout(timeout_seconds)
    try:
        async with deadline:
            yield
    except TimeoutError as error:
        if not deadline.expired():
            raise
        raise FetchError("The URL could not be fetched in time.") from error
    except (httpx.HTTPError, httpx.StreamError, ssl.SSLError) as error:
        raise FetchError("The URL could not be reached, or its server broke off.") from error


@contextmanager
def _whole_or_absent(target: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        target.unlink(missing_ok=True)
        raise


async def _save(response: httpx.Response, target: Path, size_max_bytes: int) -> Downloaded:
    _check_success(response)
    return Downloaded(_content_type(response), await _write(response, target, size_max_bytes))


def _check_success(response: httpx.Response) -> None:
    if not response.is_success:
        raise FetchError("The server of the URL did not answer with a file.")


async def _write(response: httpx.Response, target: Path, size_max_bytes: int) -> int:
    size_bytes = 0
    with target.open("wb") as file:
        async with aclosing(decoded(response, size_max_bytes)) as body:
            async for piece in body:
                size_bytes += len(piece)
                await asyncio.to_thread(file.write, piece)
    return size_bytes


def _content_type(response: httpx.Response) -> str | None:
    claimed = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return claimed if _CONTENT_TYPE.fullmatch(claimed) else None
