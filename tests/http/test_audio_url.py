"""URLs as a stranger hands them to `transcribe_audio`: refused with the credits back, and nobody near is disturbed."""

import asyncio
import itertools
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from aiops.http import urls
from aiops.jobs import execution
from tests.fixtures.service import TRANSCRIPTION, Customer, Service, running_service, until
from tests.fixtures.urls import REFUSED, REFUSED_HOSTS
from tests.fixtures.web import Answer, WebServer, ok, redirect, serving

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOT_PUBLIC = "The host of the URL does not lead to a public address."
numbers = itertools.count()


@dataclass
class Surroundings:
    """A service whose operator has named one private host, `near`."""

    service: Service
    near: WebServer


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def surroundings(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Surroundings]:
    folder = tmp_path_factory.mktemp("audio_url")
    database = folder / "aiops.sqlite3"
    database.write_bytes(sqlite_template.read_bytes())
    async with (
        serving(ok(b"audio")) as near,
        running_service(folder, f"sqlite:///{database}", private_hosts=[near.authority]) as service,
    ):
        yield Surroundings(service, near)


@pytest_asyncio.fixture(loop_scope="module")
async def ada(surroundings: Surroundings) -> Customer:
    return await surroundings.service.customer(f"ada{next(numbers)}@example.com", credits=100)


@pytest.fixture
def near(surroundings: Surroundings) -> WebServer:
    """The server on the private host that is named; its answers are a test's to set."""
    surroundings.near.answers[:] = [ok(b"audio")]
    surroundings.near.requests.clear()
    return surroundings.near


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[list[str]]]:
    """What the system's resolver answers, call by call; the last answer again, and none for other names."""
    table: dict[str, list[list[str]]] = {}

    def getaddrinfo(name: str, *_: object, **__: object) -> list[Any]:
        answers = table.get(name)
        if answers is None:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_UNSPEC, socket.SOCK_STREAM, 0, "", (address, 0)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return table


async def transcribe(customer: Customer, url: str) -> httpx.Response:
    """The call; its body is written in ASCII, which can hold half a surrogate."""
    body = json.dumps({"audio_url": url})
    return await customer.client.post(TRANSCRIPTION, content=body, headers={"Content-Type": "application/json"})


async def refused_at_once(customer: Customer, url: str) -> str:
    """What is said of the URL, before any job or hold was made."""
    answer = await transcribe(customer, url)
    body = answer.json()
    assert (answer.status_code, body["code"]) == (422, "invalid_input"), body
    assert {detail["field"] for detail in body["details"]} == {"audio_url"}
    assert (await customer.client.get("/api/jobs")).json()["data"] == []
    assert await customer.credits() == 100
    return str(body["details"][0]["message"])


async def refused_with_refund(customer: Customer, url: str) -> str:
    """The reason why what the URL leads to cannot be had."""
    answer = await transcribe(customer, url)
    body = answer.json()
    assert (answer.status_code, body["code"], body["refunded"]) == (422, "unprocessable", True), body
    assert await customer.credits() == 100
    return str(body["reason"])


def by_id(table: dict[str, Any]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("row", table.values(), ids=table.keys())


class TestAtOnce:
    """What can be judged without a connection."""

    @by_id(REFUSED)
    async def test_is_refused_before_anything_is_held(self, ada: Customer, connections: list[Any], row: str) -> None:
        assert await refused_at_once(ada, row)
        assert connections == []


class TestRedirects:
    @by_id(REFUSED)
    async def test_to_what_is_refused_are_refused(
        self, ada: Customer, near: WebServer, connections: list[Any], names: dict[str, list[list[str]]], row: str
    ) -> None:
        near.answers[:] = [redirect(row)]
        assert await refused_with_refund(ada, near.url)
        assert set(connections) == {("127.0.0.1", near.port)}

    @pytest.mark.parametrize(("redirects", "status"), [(3, 200), (4, 422)])
    async def test_are_three_at_most(self, ada: Customer, near: WebServer, redirects: int, status: int) -> None:
        near.answers[:] = [*[redirect("/next")] * redirects, ok(b"audio")]
        assert (await transcribe(ada, near.url)).status_code == status


RESOLVED = {
    "nothing": [[]],
    "loopback": [["127.0.0.1"]],
    "ipv6_loopback": [["::1"]],
    "private": [["10.0.0.1"]],
    "metadata": [["169.254.169.254"]],
    "public_and_private": [["8.8.8.8", "192.168.1.1"]],
    "private_behind_many": [["8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "10.0.0.1"]],
    "mapped": [["::ffff:127.0.0.1"]],
    "nat64": [["64:ff9b::7f00:1"]],
    "6to4": [["2002:7f00:1::"]],
    "unique_local": [["fd00:ec2::254"]],
    "zone": [["fe80::1%lo"]],
    "no_address": [["nonsense"]],
}


class TestNames:
    """What needs a resolver."""

    @by_id(RESOLVED)
    async def test_that_lead_to_what_is_refused_are_refused(
        self, ada: Customer, connections: list[Any], names: dict[str, list[list[str]]], row: list[list[str]]
    ) -> None:
        names["name.example"] = row
        assert await refused_with_refund(ada, "http://name.example/") == NOT_PUBLIC
        assert connections == []

    async def test_that_nobody_knows_are_told_alike(
        self, ada: Customer, connections: list[Any], names: dict[str, list[list[str]]]
    ) -> None:
        assert await refused_with_refund(ada, "http://name.example/") == NOT_PUBLIC
        assert connections == []

    async def test_of_other_alphabets_are_judged_as_they_are_resolved(
        self, ada: Customer, connections: list[Any], names: dict[str, list[list[str]]]
    ) -> None:
        names["xn--bcher-kva.example"] = [["127.0.0.1"]]
        assert await refused_with_refund(ada, "http://b\u00fccher.example/") == NOT_PUBLIC
        assert connections == []

    async def test_that_are_bound_anew_lead_where_they_were_judged_to_lead(
        self, ada: Customer, connections: list[Any], names: dict[str, list[list[str]]]
    ) -> None:
        names["rebind.example"] = [["198.41.0.4"], ["127.0.0.1"]]
        await refused_with_refund(ada, "http://rebind.example/")
        assert connections == [("198.41.0.4", 80)]

    async def test_that_are_bound_anew_between_two_calls_are_judged_again(
        self, ada: Customer, near: WebServer, connections: list[Any], names: dict[str, list[list[str]]]
    ) -> None:
        names["rebind.example"] = [["198.41.0.4"], ["127.0.0.1"]]
        near.answers[:] = [redirect("http://rebind.example/")]
        await refused_with_refund(ada, near.url)
        assert await refused_with_refund(ada, near.url) == NOT_PUBLIC
        assert connections == [("127.0.0.1", near.port), ("198.41.0.4", 80), ("127.0.0.1", near.port)]


@contextmanager
def canary(*hosts: str) -> Iterator[tuple[int, Callable[[], int]]]:
    """A port on which nobody answers at these addresses, and how many have come to it."""
    listeners = [socket.create_server((hosts[0], 0))]
    port: int = listeners[0].getsockname()[1]
    listeners += [
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        for host in hosts[1:]
    ]

    def visitors() -> int:
        return sum(map(accepted, listeners))

    try:
        yield port, visitors
    finally:
        for listener in listeners:
            listener.close()


def accepted(listener: socket.socket) -> int:
    """How many connections wait at a socket; each is closed."""
    listener.setblocking(False)
    for number in itertools.count():
        try:
            listener.accept()[0].close()
        except BlockingIOError:
            return number
    raise AssertionError("without end")


class TestCanary:
    """Without the rule of ports, whose refusals would come first, and without a spy: really nobody comes."""

    async def test_is_not_visited(self, ada: Customer, near: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
        with canary("127.0.0.1", "::1") as (port, visitors):
            monkeypatch.setattr(urls, "PORTS", frozenset({port}))
            for host in REFUSED_HOSTS.values():
                await refused_at_once(ada, f"http://{host}:{port}/")
            assert visitors() == 0
            with socket.create_connection(("127.0.0.1", port)):
                assert visitors() == 1, "it counts"

    async def test_is_not_visited_by_redirects(
        self, surroundings: Surroundings, near: WebServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        eve = await surroundings.service.customer("eve@example.com", credits=100)
        with canary("127.0.0.1", "::1") as (port, visitors):
            monkeypatch.setattr(urls, "PORTS", frozenset({port}))
            for host in REFUSED_HOSTS.values():
                near.answers[:] = [redirect(f"http://{host}:{port}/")]
                await refused_with_refund(eve, near.url)
            assert visitors() == 0


async def silence(_writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.01)


BEHIND: dict[str, bytes | Answer | None] = {
    "closed": None,
    "silent": silence,
    "slow": drip,
    "200": ok(b"audio"),
    "404": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    "500": b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
    "garbage": b"SSH-2.0-OpenSSH\r\n",
    "hangs_up": b"",
}


@by_id(BEHIND)
async def test_the_answer_does_not_tell_what_is_behind_a_refused_address(
    ada: Customer,
    near: WebServer,
    names: dict[str, list[list[str]]],
    monkeypatch: pytest.MonkeyPatch,
    row: bytes | Answer | None,
) -> None:
    async with serving(row or b"") as inside:
        monkeypatch.setattr(urls, "PORTS", frozenset({inside.port}))
        if row is None:
            inside.close()
        names["inside.example"] = [["127.0.0.1"]]
        near.answers[:] = [redirect(inside.url)]
        assert await refused_at_once(ada, inside.url) == NOT_PUBLIC
        assert await refused_with_refund(ada, near.url) == NOT_PUBLIC
        assert await refused_with_refund(ada, f"http://inside.example:{inside.port}/") == NOT_PUBLIC
        assert inside.requests == []


class TestCaps:
    """Exactly so much, so many and so long, and not one more."""

    @pytest.mark.parametrize("headers", [(), ("Connection: close",)], ids=["declared", "until it closes"])
    async def test_of_the_size(
        self, ada: Customer, near: WebServer, monkeypatch: pytest.MonkeyPatch, headers: tuple[str, ...]
    ) -> None:
        monkeypatch.setattr(execution, "DOWNLOAD_BYTES_MAX", 1000)
        answers = [ok(bytes(size), *headers) for size in (1000, 1001)]
        if headers:
            answers = [answer.replace(b"Content-Length", b"X-Length") for answer in answers]
        near.answers[:] = answers[1:]
        assert await refused_with_refund(ada, near.url) == "The file is larger than 1000 bytes."
        near.answers[:] = answers[:1]
        assert (await transcribe(ada, near.url)).status_code == 200

    async def test_of_the_time(self, ada: Customer, near: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(execution, "DOWNLOAD_SECONDS", 0.2)
        near.answers[:] = [silence]
        assert await refused_with_refund(ada, near.url) == "The URL could not be fetched in time."


async def test_nothing_is_kept_of_what_was_fetched(ada: Customer, near: WebServer, surroundings: Surroundings) -> None:
    assert (await transcribe(ada, near.url)).status_code == 200
    await until(lambda: _nothing_is_kept(surroundings.service))


async def _nothing_is_kept(service: Service) -> bool:
    return list(service.runtime.settings.downloads_dir.iterdir()) == []
