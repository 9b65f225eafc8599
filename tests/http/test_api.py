"""The client of providers' APIs: what it sends, and how far a call came when it fails."""

import asyncio
import socket
import ssl
from ipaddress import ip_address
from typing import Any

import pytest
import trustme

from aiops.http import ApiAnswer, ApiCall, ApiClient, FilePart, NoAnswerError, NotSentError
from aiops.http.addresses import IPAddress
from tests.fixtures.web import ok, redirect, serving

pytestmark = pytest.mark.asyncio
KEY = {"Authorization": "Key secret"}


async def call(url: str, method: str = "GET", *, seconds: float = 20, size: int = 1000, **parts: Any) -> ApiAnswer:
    request = ApiCall(method, url, KEY, **parts)
    return await ApiClient().call(request, timeout_seconds=seconds, size_max_bytes=size)


@pytest.mark.parametrize("status", [200, 202, 404, 429, 503])
async def test_an_answer_is_an_answer_whatever_its_status(status: int) -> None:
    answer = f"HTTP/1.1 {status} X\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\nhi".encode()
    async with serving(answer) as server:
        got = await call(server.url)
    assert (got.status, got.headers["retry-after"], got.body, got.is_success) == (status, "7", b"hi", status < 300)


async def test_what_is_sent() -> None:
    async with serving(ok(b"{}")) as server:
        await call(server.url, "POST", json={"a": "ä"})
        await call(server.url, "POST", content=b"sound")
        file = FilePart("audio.mp3", b"sound", "audio/mpeg")
        await call(server.url, "POST", fields={"model": "m"}, files={"file": file})
    heads = [head.decode().lower() for head in server.requests]
    assert all("authorization: key secret\r\n" in head and "cookie" not in head for head in heads)
    assert (server.bodies[0], server.bodies[1]) == ('{"a":"ä"}'.encode(), b"sound")
    assert "content-type: application/json" in heads[0]
    assert "content-type: multipart/form-data; boundary=" in heads[2]
    assert b'name="file"; filename="audio.mp3"\r\nContent-Type: audio/mpeg\r\n\r\nsound' in server.bodies[2]


async def test_no_redirect_is_followed() -> None:
    async with serving(ok(b"stolen")) as thief, serving(redirect(thief.url)) as server:
        assert (await call(server.url)).status == 302
    assert thief.requests == []


async def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with serving(ok(b"direct")) as server:
        assert (await call(server.url)).body == b"direct"


async def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NotSentError):
        await call(f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("answers", [[], OSError("no such name")], ids=["no address", "no such name"])
async def test_a_name_that_leads_nowhere(answers: Any) -> None:
    async def resolve(_name: str) -> list[IPAddress]:
        if isinstance(answers, Exception):
            raise answers
        return []

    with pytest.raises(NotSentError):
        await ApiClient(resolve=resolve).call(ApiCall("GET", "http://api.example/"), timeout_seconds=5)


async def test_a_name_of_this_network_is_called() -> None:
    async def resolve(_name: str) -> list[IPAddress]:
        return [ip_address("127.0.0.1")]

    async with serving(ok(b"hi")) as server:
        url = f"http://localai.internal:{server.port}/"
        answer = await ApiClient(resolve=resolve).call(ApiCall("GET", url), timeout_seconds=5)
        assert answer.body == b"hi"
    assert f"Host: localai.internal:{server.port}\r\n".encode() in server.requests[0]


async def test_a_certificate_that_nobody_vouches_for() -> None:
    authority = trustme.CA()
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server_side)
    async with serving(ok(b"hi"), ssl=server_side) as server:
        with pytest.raises(NotSentError):
            await call(f"https://127.0.0.1:{server.port}/")
        trusting = ssl.create_default_context()
        authority.configure_trust(trusting)
        request = ApiCall("GET", f"https://127.0.0.1:{server.port}/")
        assert (await ApiClient(ssl_context=trusting).call(request, timeout_seconds=20)).body == b"hi"
    assert len(server.requests) == 1


NO_ANSWERS = {
    "hangs up": b"",
    "breaks off in the head": b"HTTP/1.1 200 OK\r\nContent-",
    "breaks off in the body": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
    "announces too much": b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n",
    "sends too much": b"HTTP/1.1 200 OK\r\n\r\n" + bytes(1001),
    "is no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "is no gzip": ok(b"plain", "Content-Encoding: gzip"),
    "is in an unknown encoding": ok(b"plain", "Content-Encoding: br"),
}


@pytest.mark.parametrize("answer", NO_ANSWERS.values(), ids=NO_ANSWERS.keys())
async def test_what_is_no_whole_answer(answer: bytes) -> None:
    async with serving(answer) as server:
        with pytest.raises(NoAnswerError):
            await call(server.url)


async def test_who_does_not_answer_in_time() -> None:
    async def hang(_writer: Any) -> None:
        await never.wait()

    never = asyncio.Event()
    async with serving(hang) as server:
        with pytest.raises(NoAnswerError):
            await call(server.url, seconds=0.2)
