"""Calls to the APIs that the operator has chosen, with an account of how far a call came when it fails.

Unlike a user's URL, such a server may stand anywhere. No redirect is followed, so a key goes nowhere else.
"""

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from ipaddress import ip_address

import httpx

from aiops.http.addresses import IPAddress
from aiops.http.agent import user_agent
from aiops.http.errors import FetchError, TooLargeError
from aiops.http.pinned import Resolver, resolve, send, usual_authorities
from aiops.http.receiving import decoded

ANSWER_BYTES_MAX = 4 * 1024 * 1024
RESOLVE_TIMEOUT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file in a form."""

    name: str
    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class ApiCall:
    """A request. Its body is JSON, or bytes, or a form where there are `files`, with `fields` beside them."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    json: object = None
    content: bytes | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, FilePart] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """A whole answer, whatever its status; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


class NotSentError(Exception):
    """There was no connection: the call has not left, so nothing has been done about it."""


class NoAnswerError(Exception):
    """The call has left, or may have, and no whole answer came back: what was done about it is not known."""


class OversizedAnswerError(NoAnswerError):
    """The answer is larger than may be, and would be again."""


class ApiClient:
    """Makes a connection for each call, and keeps nothing. `resolve` and `ssl_context` are as in `GuardedClient`."""

    def __init__(self, *, resolve: Resolver = resolve, ssl_context: ssl.SSLContext | None = None) -> None:
        self._resolve = resolve
        self._ssl_context = ssl_context or usual_authorities()

    async def call(self, call: ApiCall, *, timeout_seconds: float, size_max_bytes: int = ANSWER_BYTES_MAX) -> ApiAnswer:
        """Raises `NotSentError` and `NoAnswerError`; an answer that is cut off, too large or too late is none."""
        try:
            async with asyncio.timeout(timeout_seconds):
                request = _request(call)
                addresses = await self._addresses(request.url)
                return await self._answer(request, addresses, size_max_bytes)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise NotSentError(_what(error)) from error
        except TooLargeError as error:
            raise OversizedAnswerError(error.reason) from error
        except (TimeoutError, FetchError, httpx.HTTPError, httpx.StreamError, ssl.SSLError, OSError) as error:
            raise NoAnswerError(_what(error)) from error

    async def _addresses(self, url: httpx.URL) -> list[IPAddress]:
        host = url.raw_host.decode("ascii")
        try:
            return [ip_address(host)]
        except ValueError:
            pass
        try:
            async with asyncio.timeout(RESOLVE_TIMEOUT_SECONDS):
                addresses = await self._resolve(host)
        except (OSError, ValueError) as error:
            raise NotSentError(f"The name {host} cannot be resolved.") from error
        if not addresses:
            raise NotSentError(f"The name {host} has no address.")
        return addresses

    async def _answer(self, request: httpx.Request, addresses: list[IPAddress], size_max_bytes: int) -> ApiAnswer:
        async with send(request, addresses, self._ssl_context) as response:
            async with aclosing(decoded(response, size_max_bytes)) as body:
                content = b"".join([piece async for piece in body])
            headers = {name.lower(): value for name, value in response.headers.items()}
            return ApiAnswer(response.status_code, headers, content)


def _request(call: ApiCall) -> httpx.Request:
    headers = {"User-Agent": user_agent(), "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close"}
    files = {name: (part.name, part.content, part.content_type) for name, part in call.files.items()}
    return httpx.Request(
        call.method,
        call.url,
        headers={**headers, **call.headers},
        json=call.json,
        content=call.content,
        data=dict(call.fields) or None,
        files=files or None,
    )


def _what(error: Exception) -> str:
    return str(error) or type(error).__name__
