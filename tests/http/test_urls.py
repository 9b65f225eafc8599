"""URLs that are refused at once: by `check_url`, and by the client before it resolves or connects."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.http import GuardedClient, RefusedUrlError, canonical_private_hosts, check_url
from aiops.http.addresses import IPAddress
from tests.fixtures.urls import ALLOWED, REFUSED


def by_id(table: dict[str, str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("url", table.values(), ids=table.keys())


def test_the_table_is_long_enough() -> None:
    assert len(set(REFUSED.values())) == len(REFUSED) >= 60


class TestCheckUrl:
    @by_id(REFUSED)
    def test_refuses(self, url: str) -> None:
        with pytest.raises(RefusedUrlError) as refused:
            check_url(url, frozenset())
        assert refused.value.reason.endswith(".")

    @pytest.mark.parametrize(
        ("url", "reason"),
        [
            ("file:///etc/passwd", "The URL must begin with http:// or https://."),
            ("http:///a.mp3", "The URL has no host."),
            ("http://u:p@example.com/", "The URL must not contain a user name or password."),
            ("http://example.com:8080/", "The port of the URL must be 80 or 443."),
            ("http://127.1/", "The address in the URL is not in its ordinary notation."),
            ("http://127.0.0.1/", "The host of the URL does not lead to a public address."),
            ("http://localhost/", "The host of the URL does not lead to a public address."),
        ],
    )
    def test_says_why(self, url: str, reason: str) -> None:
        with pytest.raises(RefusedUrlError) as refused:
            check_url(url, frozenset())
        assert refused.value.reason == reason

    @by_id(ALLOWED)
    def test_allows(self, url: str) -> None:
        check_url(url, frozenset())

    @given(st.text(max_size=40), st.sampled_from(["", "http://", "https://", "http://[", "http://127.0.0.1"]))
    def test_fails_in_no_other_way(self, text: str, prefix: str) -> None:
        with suppress(RefusedUrlError):
            check_url(prefix + text, frozenset())

    @given(st.ip_addresses(v=4))
    def test_refuses_every_number_for_an_address(self, address: IPAddress) -> None:
        number = int(address)
        for notation in (f"{number}", f"{number:#x}", f"0{number:o}", f"{number >> 24}.{number & 0xFFFFFF}"):
            with pytest.raises(RefusedUrlError):
                check_url(f"http://{notation}/", frozenset())


class TestDownload:
    @by_id(REFUSED)
    @pytest.mark.asyncio
    async def test_refuses_without_resolving_or_connecting(
        self, url: str, tmp_path: Path, connections: list[Any]
    ) -> None:
        resolved: list[str] = []

        async def resolve(name: str) -> list[IPAddress]:
            resolved.append(name)
            return []

        client = GuardedClient(resolve=resolve)
        with pytest.raises(RefusedUrlError):
            await client.download(url, tmp_path / "audio", size_max_bytes=1000, timeout_seconds=5)
        assert (resolved, connections, list(tmp_path.iterdir())) == ([], [], [])


class TestPrivateHosts:
    @pytest.mark.parametrize(
        ("entry", "url"),
        [
            ("localhost:8000", "http://localhost:8000/a"),
            ("LocalHost:8000", "http://LOCALHOST:8000/a"),
            ("nas.local:80", "http://nas.local/a"),
            ("nas.local:443", "https://nas.local/a"),
            (" minio:9000 ", "https://minio:9000/a"),
            ("127.0.0.1:8000", "http://127.0.0.1:8000/a"),
            ("[::1]:8000", "http://[0:0::1]:8000/a"),
            ("b\u00fccher.example:8000", "http://xn--bcher-kva.example:8000/"),
        ],
    )
    def test_lift_the_rules_for_the_host_and_port_they_name(self, entry: str, url: str) -> None:
        check_url(url, canonical_private_hosts([entry]))

    @pytest.mark.parametrize(
        "url",
        [
            "http://127.0.0.1:8001/",
            "http://127.0.0.1/",
            "http://127.0.0.1:80/",
            "http://127.0.0.2:8000/",
            "http://localhost:8000/",
            "http://[::ffff:127.0.0.1]:8000/",
            "http://127.1:8000/",
            "http://2130706433:8000/",
            "http://127.0.0.1:8000@10.0.0.1/",
            "http://user@127.0.0.1:8000/",
            "ftp://127.0.0.1:8000/",
            "http://127.0.0.1.:8000/",
            "http://nas.local/",
            "http://x.nas.local:8443/",
        ],
    )
    def test_lift_nothing_else(self, url: str) -> None:
        with pytest.raises(RefusedUrlError):
            check_url(url, canonical_private_hosts(["127.0.0.1:8000", "nas.local:8443"]))

    @pytest.mark.parametrize(
        "entry",
        [
            "",
            "localhost",
            "localhost:",
            ":80",
            "127.1:80",
            "::1:80",
            "http://nas:80",
            "nas:80/",
            "a/b:80",
            "u@nas:80",
            "nas:80#",
            "nas#:80",
            "nas?x:80",
            "*:80",
            "nas:port",
            "[fe80::1%eth0]:80",
            "nas: 80",
        ],
    )
    def test_are_refused_when_they_are_no_host_and_port(self, entry: str) -> None:
        with pytest.raises(ValueError, match="is not a host:port"):
            canonical_private_hosts([entry])
