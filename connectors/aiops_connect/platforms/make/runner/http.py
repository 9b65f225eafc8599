"""The one module that talks HTTP: a request of bytes in, a response of bytes out, within limits."""

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Self

import httpx

from aiops_connect.platforms.make.runner.errors import MakeError
from aiops_connect.platforms.make.runner.limits import Limits

Part = tuple[str, tuple[str | None, bytes] | tuple[str, bytes, str]]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request ready to be sent; `parts` are those of multipart/form-data, else `content` is the body."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    content: bytes | None
    parts: tuple[Part, ...]
    follow: bool
    timeout_seconds: float
    authority: str | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """A response; `sent_headers` are those of the request as it left, `url` is where redirects led."""

    status: int
    reason: str
    url: str
    headers: tuple[tuple[str, str], ...]
    content: bytes
    sent_headers: tuple[tuple[str, str], ...]
    redirects: tuple[tuple[int, str], ...]


class Client:
    """Sends requests one after the other; keeps no cookies between them, as Make does not."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.clients: dict[str | None, httpx.Client] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for client in self.clients.values():
            client.close()

    def send(self, request: Outgoing) -> Incoming:
        """The response, whatever its status.

        :raises MakeError: where there is none: ModuleTimeoutError, ConnectionError, or RuntimeError for what will not
            get better by itself; MaxFileSizeExceededError for a body that is too large
        """
        client = self._client(request.authority)
        deadline = time.monotonic() + request.timeout_seconds
        with _translated(request):
            built = client.build_request(
                request.method,
                request.url,
                headers=[(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers],
                content=request.content,
                files=list(request.parts) or None,
                timeout=request.timeout_seconds,
            )
            response = client.send(built, stream=True, follow_redirects=request.follow)
            try:
                content = self._read(response, deadline, request.timeout_seconds)
            finally:
                response.close()
                client.cookies.clear()
        return Incoming(
            status=response.status_code,
            reason=response.reason_phrase,
            url=str(response.url),
            headers=tuple(response.headers.multi_items()),
            content=content,
            sent_headers=tuple(built.headers.multi_items()),
            redirects=tuple((one.status_code, str(one.url)) for one in response.history),
        )

    def _client(self, authority: str | None) -> httpx.Client:
        if authority not in self.clients:
            try:
                verify = ssl.create_default_context(cadata=authority) if authority else _trusting()
            except ssl.SSLError:
                raise MakeError("RuntimeError", "`ca` is not a certificate in PEM format.") from None
            client = httpx.Client(verify=verify, max_redirects=self.limits.redirects)
            client.headers = httpx.Headers({"User-Agent": "aiops-connect", "Accept": "*/*"})
            self.clients[authority] = client
        return self.clients[authority]

    def _read(self, response: httpx.Response, deadline: float, timeout_seconds: float) -> bytes:
        chunks, size = [], 0
        for chunk in response.iter_bytes():
            size += len(chunk)
            if size > self.limits.response_bytes:
                message = f"The response is larger than {self.limits.response_bytes} bytes."
                raise MakeError("MaxFileSizeExceededError", message)
            if time.monotonic() > deadline:
                raise _timed_out(timeout_seconds)
            chunks.append(chunk)
        return b"".join(chunks)


@cache
def _trusting() -> ssl.SSLContext:
    """Made once: reading the certificates takes longer than most requests."""
    return httpx.create_ssl_context()


def _timed_out(seconds: float) -> MakeError:
    return MakeError("ModuleTimeoutError", f"The service did not answer within {seconds:g} s.")


@contextmanager
def _translated(request: Outgoing) -> Iterator[None]:
    """What goes wrong below HTTP, as Make sorts it."""
    try:
        yield
    except httpx.TimeoutException:
        raise _timed_out(request.timeout_seconds) from None
    except httpx.TooManyRedirects:
        raise MakeError("RuntimeError", "The service redirects too often.") from None
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise MakeError("RuntimeError", f"The URL {request.url!r} cannot be called: {error}") from None
    except httpx.TransportError as error:
        if _is_certificate_error(error):
            raise MakeError("RuntimeError", f"The certificate of the service is not valid: {error}") from None
        raise MakeError("ConnectionError", f"The service cannot be reached: {error}") from None
    except httpx.DecodingError as error:
        raise MakeError("RuntimeError", f"The response cannot be decompressed: {error}") from None


def _is_certificate_error(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False
