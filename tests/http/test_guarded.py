"""The client against loopback servers, which only `private_hosts` lets it reach."""

import asyncio
import gzip
import random
import socket
import ssl
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import trustme

from aiops.http import (
    Downloaded,
    FetchError,
    GuardedClient,
    RefusedUrlError,
    TooLargeError,
    UrlError,
    guarded,
    pinned,
    receiving,
)
from aiops.http.addresses import IPAddress
from tests.fixtures.web import ok, redirect, serving

pytestmark = pytest.mark.asyncio


class Names:
    """A resolver: answers a name with its next list of addresses, the last one again. Knows who was asked for."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self.answers = {name.replace("_", "."): lists for name, lists in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, name: str) -> list[IPAddress]:
        self.asked.append(name)
        lists = self.answers[name]
        return [ip_address(text) for text in (lists.pop(0) if len(lists) > 1 else lists[0])]


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "audio"


async def fetch(
    url: str,
    target: Path,
    *private_hosts: str,
    size_max_bytes: int = 1_000_000,
    timeout_seconds: float = 20,
    **client: Any,
) -> Downloaded:
    guarded_client = GuardedClient(frozenset(private_hosts), **client)
    return await guarded_client.download(url, target, size_max_bytes=size_max_bytes, timeout_seconds=timeout_seconds)


async def reason(error: type[UrlError], fetching: Awaitable[object]) -> str:
    with pytest.raises(error) as raised:
        await fetching
    assert type(raised.value) is error
    return raised.value.reason


class TestDownload:
    async def test_writes_the_body_and_says_what_it_is(self, target: Path) -> None:
        async with serving(ok(b"RIFF....", "Content-Type: Audio/WAV; codecs=1")) as server:
            downloaded = await fetch(server.url, target, server.authority)
        assert downloaded == Downloaded(content_type="audio/wav", size_bytes=8)
        assert target.read_bytes() == b"RIFF...."

    @pytest.mark.parametrize("claimed", ["", "audio", "audio/\xe9", "a/b/c", "a/" + "b" * 65, "<script>/x"])
    async def test_takes_no_content_type_that_is_none(self, claimed: str, target: Path) -> None:
        async with serving(ok(b"", f"Content-Type: {claimed}")) as server:
            assert await fetch(server.url, target, server.authority) == Downloaded(None, 0)
        assert target.read_bytes() == b""

    async def test_overwrites_what_an_earlier_attempt_left(self, target: Path) -> None:
        target.write_bytes(b"half of something longer")
        async with serving(ok(b"whole")) as server:
            await fetch(server.url, target, server.authority)
        assert target.read_bytes() == b"whole"

    async def test_sends_our_name_and_no_cookies(self, target: Path) -> None:
        cookie = redirect("/audio").replace(b"\r\n\r\n", b"\r\nSet-Cookie: session=1; Path=/\r\n\r\n")
        async with serving(cookie, ok(b"x")) as server:
            await fetch(server.url + "?a=%2F#fragment", target, server.authority)
        first, second = server.requests
        assert first.startswith(b"GET /audio?a=%2F HTTP/1.1\r\n")
        for request in (first, second):
            headers = dict(line.split(b": ") for line in request.lower().split(b"\r\n")[1:-2])
            agent = headers.pop(b"user-agent")
            assert agent == b"aiops" or agent.startswith(b"aiops/")
            assert headers == {
                b"host": server.authority.encode(),
                b"accept": b"*/*",
                b"accept-encoding": b"identity",
                b"connection": b"close",
            }

    async def test_ignores_proxies_of_the_environment(self, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        async with serving(ok(b"from the proxy")) as proxy, serving(ok(b"direct")) as server:
            for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
                monkeypatch.setenv(variable, f"http://{proxy.authority}")
                monkeypatch.setenv(variable.lower(), f"http://{proxy.authority}")
            await fetch(server.url, target, server.authority)
        assert target.read_bytes() == b"direct"
        assert proxy.requests == []

    async def test_leaves_an_unwritable_target_to_the_operator(self, tmp_path: Path) -> None:
        async with serving(ok(b"x")) as server:
            with pytest.raises(FileNotFoundError):
                await fetch(server.url, tmp_path / "missing" / "audio", server.authority)

    async def test_removes_the_target_when_cancelled(self, target: Path) -> None:
        started = asyncio.Event()

        async def half(writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(receiving.PIECE_BYTES))
            await writer.drain()
            while not target.exists() or target.stat().st_size == 0:  # noqa: ASYNC110 - written by the client
                await asyncio.sleep(0.001)
            started.set()
            await asyncio.sleep(60)

        async with serving(half) as server:
            fetching = asyncio.create_task(fetch(server.url, target, server.authority))
            await started.wait()
            fetching.cancel()
            with pytest.raises(asyncio.CancelledError):
                await fetching
        assert not target.exists()


class TestSizeCap:
    @pytest.mark.parametrize("headers", [(), ("Transfer-Encoding: chunked",)], ids=["length", "chunked"])
    async def test_holds_exactly(self, headers: tuple[str, ...], target: Path) -> None:
        body = b"186a1\r\n" + bytes(100_001) + b"\r\n0\r\n\r\n" if headers else bytes(100_001)
        answer = ok(body, *headers).replace(b"Content-Length", b"X-Length" if headers else b"Content-Length")
        async with serving(answer) as server:
            whole = await fetch(server.url, target, server.authority, size_max_bytes=100_001)
            assert whole.size_bytes == target.stat().st_size == 100_001
            too_large = fetch(server.url, target, server.authority, size_max_bytes=100_000)
            assert await reason(TooLargeError, too_large) == "The file is larger than 100000 bytes."
        assert not target.exists()

    async def test_holds_for_a_declared_length_before_a_byte_of_it_came(self, target: Path) -> None:
        async def endless(writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(60)

        async with serving(endless) as server:
            too_large = fetch(server.url, target, server.authority, size_max_bytes=1000, timeout_seconds=5)
            assert "larger" in await reason(TooLargeError, too_large)

    async def test_holds_for_what_the_body_decodes_to(self, target: Path) -> None:
        bomb = gzip.compress(bytes(5_000_001))
        assert len(bomb) < 10_000
        async with serving(ok(bomb, "Content-Encoding: gzip")) as server:
            whole = await fetch(server.url, target, server.authority, size_max_bytes=5_000_001)
            assert whole.size_bytes == target.stat().st_size == 5_000_001
            too_large = fetch(server.url, target, server.authority, size_max_bytes=5_000_000)
            assert "larger" in await reason(TooLargeError, too_large)
        assert not target.exists()

    async def test_holds_for_what_comes_over_the_wire(self, target: Path) -> None:
        """Larger than what it decodes to, and not declared."""
        body = random.Random(1).randbytes(5000)
        wire = gzip.compress(body)
        assert len(wire) > len(body)
        answer = ok(wire, "Content-Encoding: gzip").replace(b"Content-Length", b"X-Length")
        async with serving(answer) as server:
            await fetch(server.url, target, server.authority, size_max_bytes=len(wire))
            assert target.read_bytes() == body
            too_large = fetch(server.url, target, server.authority, size_max_bytes=len(wire) - 1)
            assert "larger" in await reason(TooLargeError, too_large)
        assert not target.exists()

    async def test_holds_for_an_endless_body(self, target: Path) -> None:
        async def endless(writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                writer.write(bytes(65536))
                await writer.drain()

        async with serving(endless) as server:
            assert "larger" in await reason(TooLargeError, fetch(server.url, target, server.authority))

    async def test_holds_for_an_endless_body_that_decodes_to_nothing(self, target: Path) -> None:
        empty_block = b"\x00\x00\x00\xff\xff"

        async def endless(writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"")[:10])
            while True:
                writer.write(empty_block * 10_000)
                await writer.drain()

        async with serving(endless) as server:
            assert "larger" in await reason(TooLargeError, fetch(server.url, target, server.authority))

    async def test_bounds_the_headers(self, target: Path) -> None:
        async def endless(writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\n")
            while True:
                writer.write(b"X-Filler: " + b"x" * 5000 + b"\r\n")
                await writer.drain()

        async with serving(endless) as server:
            assert "broke off" in await reason(FetchError, fetch(server.url, target, server.authority))

    async def test_bounds_the_number_of_pieces(self, target: Path) -> None:
        async def crumbs(writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                writer.write(b"1\r\nx\r\n" * 1000)
                await writer.drain()

        async with serving(crumbs) as server:
            assert "too small" in await reason(FetchError, fetch(server.url, target, server.authority))


class TestDeadline:
    @pytest.mark.parametrize("drip", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\n\r\n"], ids=["head", "body"])
    async def test_ends_a_slow_drip(self, drip: bytes, target: Path) -> None:
        async def endless(writer: asyncio.StreamWriter) -> None:
            writer.write(drip)
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.02)

        async with serving(endless) as server:
            start = time.monotonic()
            slow = fetch(server.url, target, server.authority, timeout_seconds=0.3)
            assert await reason(FetchError, slow) == "The URL could not be fetched in time."
            assert 0.29 < time.monotonic() - start < 20
        assert not target.exists()

    async def test_is_one_for_all_redirects(self, target: Path) -> None:
        async def slow_redirect(writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(0.2)
            writer.write(redirect("/next"))

        async with serving(slow_redirect) as server:
            slow = fetch(server.url, target, server.authority, timeout_seconds=0.5)
            assert "in time" in await reason(FetchError, slow)
            assert 2 <= len(server.requests) <= 3

    async def test_counts_the_resolver(self, target: Path) -> None:
        async def hanging(name: str) -> list[IPAddress]:
            await asyncio.sleep(60)
            return []

        slow = fetch("http://slow.example/", target, resolve=hanging, timeout_seconds=0.2)
        assert "in time" in await reason(FetchError, slow)

    async def test_gives_the_resolver_a_limit_of_its_own(self, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        async def hanging(name: str) -> list[IPAddress]:
            await asyncio.sleep(60)
            return []

        monkeypatch.setattr(guarded, "RESOLVE_TIMEOUT_SECONDS", 0.1)
        slow = fetch("http://slow.example/", target, resolve=hanging)
        assert "does not lead to a public address" in await reason(FetchError, slow)


class TestRedirects:
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    async def test_are_followed(self, status: int, target: Path) -> None:
        async with serving(redirect("../audio.mp3?x=1", status), ok(b"there")) as server:
            await fetch(server.url, target, server.authority)
        assert target.read_bytes() == b"there"
        assert server.requests[1].startswith(b"GET /audio.mp3?x=1 HTTP/1.1")

    async def test_may_hold_what_only_a_browser_forgives(self, target: Path) -> None:
        async with serving(redirect("/h\xf6rbuch 1.mp3"), ok(b"there")) as server:
            await fetch(server.url, target, server.authority)
        assert server.requests[1].startswith(b"GET /h%C3%B6rbuch%201.mp3 HTTP/1.1")

    async def test_are_three_at_most(self, target: Path) -> None:
        async with serving(*[redirect("/next")] * 3, ok(b"there")) as server:
            assert (await fetch(server.url, target, server.authority)).size_bytes == 5
        async with serving(*[redirect("/next")] * 4, ok(b"there")) as server:
            too_many = fetch(server.url, target, server.authority)
            assert await reason(FetchError, too_many) == "The URL redirects more than 3 times."
            assert len(server.requests) == 4
        assert not target.exists()

    @pytest.mark.parametrize(
        "location",
        [
            "http://169.254.169.254/latest/meta-data/",
            "//10.0.0.1/",
            "http://[::ffff:127.0.0.1]/",
            "http://[64:ff9b::7f00:1]/",
            "http://0x7f.1/",
            "http://2130706433/",
            "http://localhost/",
            "http://127.0.0.1:6379/",
            "http://8.8.8.8:22/",
            "https://user@8.8.8.8/",
            "file:///etc/passwd",
            "ftp://8.8.8.8/",
            "http://[::1",
        ],
    )
    async def test_to_what_is_refused_are_refused(self, location: str, target: Path, connections: list[Any]) -> None:
        async with serving(redirect(location)) as server:
            await reason(RefusedUrlError, fetch(server.url, target, server.authority, resolve=Names()))
            assert connections == [("127.0.0.1", server.port)]

    async def test_to_a_name_with_a_refused_address_are_refused(self, target: Path, connections: list[Any]) -> None:
        names = Names(inside_example=[["10.0.0.1"]])
        async with serving(redirect("http://inside.example/")) as server:
            await reason(RefusedUrlError, fetch(server.url, target, server.authority, resolve=names))
            assert connections == [("127.0.0.1", server.port)]
        assert names.asked == ["inside.example"]

    async def test_from_a_private_host_lead_to_no_other(self, target: Path) -> None:
        async with serving(ok(b"secret")) as other, serving(redirect(other.url)) as server:
            await reason(RefusedUrlError, fetch(server.url, target, server.authority))
            assert other.requests == []
            await fetch(server.url, target, server.authority, other.authority)
            assert len(other.requests) == 1

    async def test_without_a_location_are_no_file(self, target: Path) -> None:
        async with serving(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n") as server:
            assert "did not answer with a file" in await reason(FetchError, fetch(server.url, target, server.authority))


class TestResolving:
    @pytest.mark.parametrize(
        "answers",
        [
            ["10.0.0.1"],
            ["8.8.8.8", "127.0.0.1"],
            ["127.0.0.1", "8.8.8.8"],
            ["8.8.8.8", "::1"],
            ["8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "192.168.0.1"],
            ["fe80::1%lo"],
            ["64:ff9b::808:808"],
            ["2002:808:808::1"],
        ],
        ids=", ".join,
    )
    async def test_refuses_a_name_with_any_refused_address(
        self, answers: list[str], target: Path, connections: list[Any]
    ) -> None:
        names = Names(name_example=[answers])
        refusal = await reason(RefusedUrlError, fetch("http://name.example/", target, resolve=names))
        assert refusal == "The host of the URL does not lead to a public address."
        assert connections == []

    async def test_says_of_a_name_that_is_none_what_it_says_of_an_inside_one(self, target: Path) -> None:
        async def unknown(name: str) -> list[IPAddress]:
            raise OSError(-2, "Name or service not known")

        inside = await reason(RefusedUrlError, fetch("http://a.example/", target, resolve=Names(a_example=[["::1"]])))
        assert await reason(FetchError, fetch("http://a.example/", target, resolve=unknown)) == inside
        assert await reason(FetchError, fetch("http://a.example/", target, resolve=Names(a_example=[[]]))) == inside

    async def test_connects_to_the_address_that_was_judged(self, target: Path, connections: list[Any]) -> None:
        names = Names(rebind_example=[["198.41.0.4"], ["127.0.0.1"]])
        await reason(FetchError, fetch("http://rebind.example/", target, resolve=names))
        assert names.asked == ["rebind.example"]
        assert connections == [("198.41.0.4", 80)]

    async def test_judges_a_name_again_at_each_hop(self, target: Path, connections: list[Any]) -> None:
        async with serving(redirect("http://rebind.example/")) as server:
            private = f"rebind.example:{server.port}"
            names = Names(rebind_example=[["127.0.0.1"], ["127.0.0.1"]])
            await reason(RefusedUrlError, fetch(f"http://{private}/", target, private, resolve=names))
            assert connections == [("127.0.0.1", server.port)]
        assert names.asked == ["rebind.example"] * 2

    async def test_sends_the_name_and_tries_the_addresses_in_turn(self, target: Path, connections: list[Any]) -> None:
        async with serving(ok(b"x")) as server:
            private = f"name.example:{server.port}"
            names = Names(name_example=[["127.0.0.2", "127.0.0.1"]])
            await fetch(f"http://{private}/", target, private, resolve=names)
            assert connections == [("127.0.0.2", server.port), ("127.0.0.1", server.port)]
        assert f"\r\nHost: {private}\r\n".encode() in server.requests[0]

    async def test_asks_the_system(self, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        asked = []

        def getaddrinfo(name: str, *_: object, **__: object) -> list[Any]:
            asked.append(name)
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        assert ip_address("127.0.0.1") in await pinned.resolve("localhost")
        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        await reason(FetchError, fetch("http://a.example/", target))
        assert asked == ["a.example"]


ANSWERS = {
    "dead_link": b"HTTP/1.1 404 SECRET\r\nServer: SECRET\r\nContent-Length: 6\r\n\r\nSECRET",
    "server_error": b"HTTP/1.1 500 SECRET\r\n\r\nSECRET",
    "unauthorized": b"HTTP/1.1 401 SECRET\r\nWWW-Authenticate: Basic realm=SECRET\r\n\r\n",
    "not_modified": b"HTTP/1.1 304 SECRET\r\n\r\n",
    "switching_protocols": b"HTTP/1.1 101 SECRET\r\nUpgrade: SECRET\r\nConnection: upgrade\r\n\r\n",
    "ssh": b"SSH-2.0-SECRET\r\n",
    "redis": b"-ERR unknown command 'SECRET'\r\n",
    "nothing": b"",
    "truncated_head": b"HTTP/1.1 200 OK\r\nServer: SECRET",
    "truncated_body": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nSECRET",
    "truncated_chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nSECRET\r\n",
    "bad_chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nSECRET\r\n",
    "bad_length": b"HTTP/1.1 200 OK\r\nContent-Length: SECRET\r\n\r\n",
    "two_lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nSECRET",
    "huge_length": b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\nSECRET",
    "unknown_encoding": b"HTTP/1.1 200 OK\r\nContent-Encoding: SECRET\r\n\r\nSECRET",
    "false_encoding": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nSECRET",
    "truncated_encoding": ok(gzip.compress(b"SECRET")[:-1], "Content-Encoding: gzip"),
    "redirect_to_secret": b"HTTP/1.1 302 Found\r\nLocation: http://SECRET.internal/\r\n\r\n",
}


class TestFailures:
    """Whatever answers, the caller learns nothing of it."""

    @pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS.keys())
    async def test_tell_nothing_of_what_answered(self, answer: bytes, target: Path) -> None:
        async with serving(answer) as server:
            with pytest.raises(UrlError) as failed:
                await fetch(server.url, target, server.authority)
            for told in ("SECRET", "127.0.0.1", str(server.port), "40", "500"):
                assert told not in failed.value.reason
        assert failed.value.reason.endswith(".")
        assert not target.exists()

    async def test_are_alike_for_closed_ports_and_other_protocols(self, target: Path) -> None:
        async with serving(b"SSH-2.0-OpenSSH_9.6\r\n") as server:
            other_protocol = await reason(FetchError, fetch(server.url, target, server.authority))
        closed_port = await reason(FetchError, fetch(server.url, target, server.authority))
        assert closed_port == other_protocol

    async def test_remove_what_an_earlier_attempt_left(self, target: Path) -> None:
        target.write_bytes(b"half")
        await reason(RefusedUrlError, fetch("http://127.0.0.1/", target))
        assert not target.exists()


@dataclass
class Certificate:
    """A certificate for audio.example, and who trusts the authority that gave it."""

    serving: ssl.SSLContext
    trusting: ssl.SSLContext


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    authority = trustme.CA()
    certificate = Certificate(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context())
    authority.issue_cert("audio.example").configure_cert(certificate.serving)
    authority.configure_trust(certificate.trusting)
    return certificate


class TestTls:
    async def fetch(self, host: str, target: Path, certificate: Certificate, trust: ssl.SSLContext | None) -> list[str]:
        """Fetches from `host`, which is on this machine; the names that the client gave by SNI."""
        given: list[str] = []
        certificate.serving.sni_callback = lambda _socket, name, _context: given.append(name)
        async with serving(ok(b"audio"), ssl=certificate.serving) as server:
            private = f"{host}:{server.port}"
            names = Names(audio_example=[["127.0.0.1"]], other_example=[["127.0.0.1"]])
            await fetch(f"https://{private}/", target, private, resolve=names, ssl_context=trust)
        return given

    async def test_verifies_the_name_at_the_pinned_address(self, target: Path, certificate: Certificate) -> None:
        assert await self.fetch("audio.example", target, certificate, certificate.trusting) == ["audio.example"]
        assert target.read_bytes() == b"audio"

    async def test_refuses_a_certificate_for_another_name(self, target: Path, certificate: Certificate) -> None:
        for host in ("other.example", "127.0.0.1"):
            await reason(FetchError, self.fetch(host, target, certificate, certificate.trusting))

    async def test_refuses_an_unknown_authority(
        self, target: Path, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
        await reason(FetchError, self.fetch("audio.example", target, certificate, None))
