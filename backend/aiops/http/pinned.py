"""One request to an address that was checked, under the name that the URL gives.

httpx would resolve the name again at connect time, and the second answer need not be the first. So the URL that
httpx connects to holds the address, while the Host header, SNI and the certificate's name stay those of the
name. A transport is used without `httpx.Client`: no cookies, proxies, netrc, redirects or logged URLs can come in.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import cache
from ipaddress import ip_address

import httpx

from aiops.http.addresses import IPAddress

CONNECT_TIMEOUT_SECONDS = 5.0

Resolver = Callable[[str], Awaitable[list[IPAddress]]]

# Threads of their own: names that hang must not take the ones that write files.
_RESOLVER_THREADS = ThreadPoolExecutor(max_workers=16, thread_name_prefix="resolve")


@cache
def usual_authorities() -> ssl.SSLContext:
    """Whom a server's certificate must be signed by; read once, as it takes longer than many a call."""
    return httpx.create_ssl_context(trust_env=False)


async def resolve(name: str) -> list[IPAddress]:
    """All addresses of `name`, best first. Raises `OSError`, or `ValueError` on an answer that is no address."""
    loop = asyncio.get_running_loop()
    answers = await loop.run_in_executor(_RESOLVER_THREADS, _getaddrinfo, name)
    return [ip_address(answer) for answer in dict.fromkeys(answers)]


def _getaddrinfo(name: str) -> list[str]:
    return [str(sockaddr[0]) for *_, sockaddr in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)]


@asynccontextmanager
async def send(
    request: httpx.Request, addresses: Sequence[IPAddress], ssl_context: ssl.SSLContext
) -> AsyncIterator[httpx.Response]:
    """The answer, its body unread, of the first of `addresses` that takes a connection; closed at the end.

    Raises `httpx.HTTPError`. Time is limited while connecting only: the rest is the caller's deadline.
    """
    async with httpx.AsyncHTTPTransport(verify=ssl_context, trust_env=False) as transport:
        response = await _first_answer(transport, request, addresses)
        try:
            yield response
        finally:
            await response.aclose()


async def _first_answer(
    transport: httpx.AsyncHTTPTransport, request: httpx.Request, addresses: Sequence[IPAddress]
) -> httpx.Response:
    for address in addresses[:-1]:
        try:
            return await transport.handle_async_request(_pin(request, address))
        except (httpx.ConnectError, httpx.ConnectTimeout):
            continue
    return await transport.handle_async_request(_pin(request, addresses[-1]))


def _pin(request: httpx.Request, address: IPAddress) -> httpx.Request:
    return httpx.Request(
        request.method,
        request.url.copy_with(host=str(address)),
        headers=request.headers,
        stream=request.stream,
        extensions={
            "sni_hostname": request.url.raw_host.decode("ascii"),
            "timeout": {"connect": CONNECT_TIMEOUT_SECONDS},
        },
    )
