"""URLs that are refused at once: by `check_url`, and by the client before it resolves or connects."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.http import GuardedClient, RefusedUrlError, canonical_private_hosts, check_url
from aiops.http.addresses import IPAddress
from aiops.http.urls import URL_LENGTH_MAX

REFUSED = {
    # schemes
    "file": "file:///etc/passwd",
    "ftp": "ftp://example.com/a.mp3",
    "gopher": "gopher://example.com:80/_x",
    "data": "data:audio/wav;base64,AAAA",
    "javascript": "javascript:alert(1)",
    "unix_socket": "http+unix://%2Fvar%2Frun%2Fdocker.sock/info",
    "websocket": "wss://example.com/",
    "no_scheme": "example.com/a.mp3",
    "no_scheme_with_slashes": "//example.com/a.mp3",
    "empty": "",
    # structure
    "no_host": "http:///a.mp3",
    "no_authority": "http:example.com",
    "port_without_host": "http://:80/",
    "user": "http://user@example.com/",
    "user_and_password": "https://user:password@example.com/",
    "empty_user_and_password": "http://:@example.com/",
    "userinfo_that_looks_like_the_host": "http://example.com@127.0.0.1/",
    "userinfo_with_port": "http://example.com:80@127.0.0.1/",
    "backslash_before_at": "http://example.com\\@127.0.0.1/",
    "backslash_in_host": "http://127.0.0.1\\.example.com/",
    "two_ats": "http://a@b@example.com/",
    "too_long": "http://example.com/" + "a" * URL_LENGTH_MAX,
    "host_too_long": "http://" + "a." * 126 + "com/",
    "label_too_long": "http://" + "a" * 64 + ".com/",
    "empty_label": "http://example..com/",
    "leading_dot": "http://.example.com/",
    "trailing_dot": "http://example.com./",
    "lone_bracket": "http://[::1/",
    "ipv6_without_brackets": "http://::1/",
    "ipv_future": "http://[v1.fe80]/",
    # characters
    "leading_space": " http://example.com/",
    "trailing_space": "http://example.com/ ",
    "space_in_path": "http://example.com/a b",
    "tab_in_scheme": "ht\ttp://example.com/",
    "newline_in_host": "http://exam\nple.com/",
    "carriage_return_header": "http://example.com/\r\nX-Injected: 1",
    "null": "http://example.com/\x00",
    "delete": "http://example.com/\x7f",
    "no_break_space": "http://example.com/\u00a0",
    "zero_width_space_in_host": "http://127.0.0.1\u200b/",
    "soft_hyphen_in_host": "http://local\u00adhost/",
    "right_to_left_override": "http://example.com/\u202emp3",
    "lone_surrogate": "http://example.com/\ud800",
    # ports
    "port_22": "http://example.com:22/",
    "port_8080": "http://example.com:8080/",
    "port_8443": "https://example.com:8443/",
    "port_6379": "http://example.com:6379/",
    "port_0": "http://example.com:0/",
    "port_65616_wraps_to_80": "http://example.com:65616/",
    "port_negative": "http://example.com:-80/",
    "port_no_number": "http://example.com:http/",
    # names of what is near
    "localhost": "http://localhost/",
    "localhost_https_upper_case": "HTTPS://LOCALHOST/",
    "localhost_trailing_dot": "http://localhost./",
    "localhost_subdomain": "http://anything.localhost/",
    "localdomain": "http://localhost.localdomain/",
    "ip6_localhost": "http://ip6-localhost/",
    "single_label": "http://redis/",
    "mdns": "http://printer.local/",
    "google_metadata": "http://metadata.google.internal/computeMetadata/v1/",
    "home_network": "http://nas.home.arpa/",
    # IPv4
    "loopback": "http://127.0.0.1/",
    "loopback_https": "https://127.0.0.1/",
    "loopback_other_end": "http://127.255.255.254/",
    "unspecified": "http://0.0.0.0/",
    "this_network": "http://0.1.2.3/",
    "private_10": "http://10.0.0.1/",
    "private_172": "http://172.31.255.255/",
    "private_192": "http://192.168.1.1/",
    "carrier_nat": "http://100.64.0.1/",
    "alibaba_metadata": "http://100.100.100.200/latest/meta-data/",
    "link_local_metadata": "http://169.254.169.254/latest/meta-data/",
    "link_local_containers": "http://169.254.170.2/v2/credentials",
    "oracle_metadata": "http://192.0.0.192/",
    "azure_platform": "http://168.63.129.16/",
    "6to4_relay": "http://192.88.99.1/",
    "documentation_1": "http://192.0.2.1/",
    "documentation_2": "http://198.51.100.1/",
    "documentation_3": "http://203.0.113.1/",
    "benchmarking": "http://198.18.0.1/",
    "multicast": "http://224.0.0.1/",
    "reserved": "http://240.0.0.1/",
    "broadcast": "http://255.255.255.255/",
    # notations of IPv4
    "decimal": "http://2130706433/",
    "decimal_public": "http://134744072/",
    "hexadecimal": "http://0x7f000001/",
    "hexadecimal_upper_case": "http://0X7F000001/",
    "hexadecimal_parts": "http://0x7f.0x0.0x0.0x1/",
    "hexadecimal_empty": "http://127.0.0.0x/",
    "octal": "http://017700000001/",
    "octal_parts": "http://0177.0.0.01/",
    "octal_padded": "http://00000177.0.0.1/",
    "octal_that_looks_public": "http://012.0.0.1/",
    "two_parts": "http://127.1/",
    "three_parts": "http://127.0.1/",
    "five_parts": "http://127.0.0.1.1/",
    "mixed": "http://127.0x1/",
    "zero": "http://0/",
    "overflowing_part": "http://127.0.0.257/",
    "overflowing_number": "http://4294967297/",
    "address_with_trailing_dot": "http://127.0.0.1./",
    "percent_encoded_digits": "http://%31%32%37.0.0.1/",
    "percent_encoded_dot": "http://127%2e0%2e0%2e1/",
    "percent_encoded_name": "http://%6cocalhost/",
    "fullwidth_digits": "http://\uff11\uff12\uff17.0.0.1/",
    "fullwidth_letters": "http://\uff4cocalhost/",
    "circled_digits": "http://\u2460\u2461\u2466.0.0.1/",
    "ideographic_dots": "http://127\u30020\u30020\u30021/",
    "fullwidth_dots": "http://169\uff0e254\uff0e169\uff0e254/",
    "halfwidth_ideographic_dots": "http://10\uff610\uff610\uff611/",
    "arabic_digits": "http://\u0661\u0662\u0667.0.0.1/",
    # IPv6
    "ipv6_loopback": "http://[::1]/",
    "ipv6_loopback_in_full": "http://[0000:0000:0000:0000:0000:0000:0000:0001]/",
    "ipv6_unspecified": "http://[::]/",
    "ipv6_unique_local": "http://[fd00:ec2::254]/latest/meta-data/",
    "ipv6_link_local": "http://[fe80::1]/",
    "ipv6_zone": "http://[fe80::1%eth0]/",
    "ipv6_zone_encoded": "http://[fe80::1%25eth0]/",
    "ipv6_zone_on_public_address": "http://[2606:4700:4700::1111%1]/",
    "ipv6_site_local": "http://[fec0::1]/",
    "ipv6_multicast": "http://[ff02::1]/",
    "ipv6_documentation": "http://[2001:db8::1]/",
    "ipv6_documentation_2": "http://[3fff::1]/",
    "ipv6_discard": "http://[100::1]/",
    "ipv6_segment_routing": "http://[5f00::1]/",
    "ipv6_unassigned": "http://[4000::1]/",
    "ipv4_mapped": "http://[::ffff:127.0.0.1]/",
    "ipv4_mapped_hexadecimal": "http://[::ffff:7f00:1]/",
    "ipv4_mapped_metadata": "http://[::ffff:a9fe:a9fe]/",
    "ipv4_mapped_in_full": "http://[0:0:0:0:0:ffff:7f00:1]/",
    "ipv4_compatible": "http://[::127.0.0.1]/",
    "ipv4_translated": "http://[::ffff:0:7f00:1]/",
    "nat64": "http://[64:ff9b::7f00:1]/",
    "nat64_dotted": "http://[64:ff9b::10.0.0.1]/",
    "nat64_local_prefix": "http://[64:ff9b:1::a9fe:a9fe]/",
    "6to4": "http://[2002:7f00:1::]/",
    "6to4_metadata": "http://[2002:a9fe:a9fe::1]/",
    "teredo": "http://[2001:0:7f00:1::]/",
    "isatap": "http://[2a00:1450::5efe:10.0.0.1]/",
    "orchid": "http://[2001:20::1]/",
}

ALLOWED = {
    "name": "http://example.com/a.mp3",
    "https": "https://example.com/a.mp3?signature=%2Fx%3D&a=b",
    "port_80": "http://example.com:80/",
    "port_443": "https://example.com:443/",
    "https_on_80": "https://example.com:80/",
    "upper_case": "HTTP://EXAMPLE.COM/A.MP3",
    "idna": "https://b\u00fccher.example/h\u00f6rbuch.mp3",
    "punycode": "https://xn--bcher-kva.example/",
    "underscore": "https://my_bucket.example.com/",
    "public_ipv4": "http://8.8.8.8/",
    "public_ipv6": "http://[2606:4700:4700::1111]/",
    "name_that_begins_with_an_address": "http://127.0.0.1.example.com/",
    "at_in_path": "https://example.com/@user/a.mp3",
    "local_inside_a_label": "https://notlocalhost.com/",
    "longest": "http://example.com/" + "a" * (URL_LENGTH_MAX - len("http://example.com/")),
}


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
