"""What the operator says of hosts holds for a running server, and nothing else of its environment does."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import trustme

from aiops.accounts.plans import load_plans
from tests.fixtures.server import make_customer, stub_server
from tests.fixtures.web import WebServer, ok, redirect, serving

PORT = "The port of the URL must be 80 or 443."
UNREACHED = "The URL could not be reached, or its server broke off."


@asynccontextmanager
async def calling(folder: Path, database_url: str, **environment: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a key of a server process with that environment."""
    with stub_server(folder, database_url, **environment) as server:
        _, key = await make_customer(database_url, load_plans(None), plan="business", credits=100)
        server.start()
        async with httpx.AsyncClient(
            base_url=server.url, headers={"Authorization": f"Bearer {key}"}, timeout=60, trust_env=False
        ) as client:
            yield client


async def transcribe(client: httpx.AsyncClient, url: str) -> httpx.Response:
    return await client.post("/api/services/transcribe", json={"audio_url": url})


async def test_a_private_host_is_named_with_its_port_and_nothing_beside_it(
    tmp_path: Path, new_database: Callable[[str], str]
) -> None:
    async with serving(ok(b"audio")) as near, serving(ok(b"secret")) as other:
        async with calling(tmp_path, new_database("sqlite"), AIOPS_PRIVATE_HOSTS=near.authority) as client:
            answer = await transcribe(client, near.url)
            assert (answer.status_code, answer.json()["text"]) == (200, "what was said")
            for host in ("127.0.0.1", "127.0.0.2", "localhost", "[::1]", "[::ffff:127.0.0.1]", "127.1"):
                port = other.port if host == "127.0.0.1" else near.port
                refused = await transcribe(client, f"http://{host}:{port}/audio")
                assert (refused.status_code, refused.json()["details"][0]["field"]) == (422, "audio_url"), host
            near.answers[:] = [redirect(other.url)]
            refused = await transcribe(client, near.url)
            assert (refused.status_code, refused.json()["refunded"]) == (422, True)
            assert refused.json()["reason"] == PORT
            assert (await client.get("/api/account")).json()["credits"] == 97
        assert len(near.requests) == 2
        assert other.requests == []


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    """An authority for certificates that only the environment would have one trust."""
    made = trustme.CA()
    made.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    return made


def environment(folder: Path, proxy: WebServer) -> dict[str, str]:
    """All that HTTP clients are wont to read from the environment."""
    netrc = folder / "netrc"
    netrc.write_text("machine 127.0.0.1 login ada password secret\n")
    netrc.chmod(0o600)
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), f"http://{proxy.authority}")
    return {
        **proxies,
        **{name.lower(): url for name, url in proxies.items()},
        "NO_PROXY": "",
        "no_proxy": "",
        "NETRC": str(netrc),
        "SSL_CERT_FILE": str(folder / "authority.pem"),
        "SSL_CERT_DIR": str(folder),
    }


async def test_proxies_passwords_and_authorities_of_the_environment_change_nothing(
    tmp_path: Path, new_database: Callable[[str], str], authority: trustme.CA
) -> None:
    serves = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(serves)
    async with (
        serving(ok(b"from the proxy")) as proxy,
        serving(ok(b"audio")) as near,
        serving(ok(b"audio"), ssl=serves) as encrypted,
    ):
        named = {"AIOPS_PRIVATE_HOSTS": f"{near.authority},{encrypted.authority}"}
        async with calling(tmp_path, new_database("sqlite"), **environment(tmp_path, proxy), **named) as client:
            assert (await transcribe(client, near.url)).status_code == 200
            refused = await transcribe(client, encrypted.url.replace("http:", "https:"))
            assert (refused.status_code, refused.json()["reason"]) == (422, UNREACHED)
            unknown = await transcribe(client, "http://name.invalid/")
            assert (unknown.status_code, unknown.json()["refunded"]) == (422, True)
            assert (await client.get("/api/account")).json()["credits"] == 97
        assert proxy.requests == []
        assert b"authorization" not in near.requests[0].lower()
