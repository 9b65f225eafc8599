"""The refused networks are written out again here, from IANA's special-purpose registries and the clouds' manuals."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.http.addresses import IPAddress, is_public

REFUSED = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16",
    "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32",
    "::/128", "::1/128", "::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64",
    "100:0:0:1::/64", "2001::/23", "2001::/32", "2001:2::/48", "2001:10::/28", "2001:20::/28", "2001:db8::/32",
    "2002::/16", "3fff::/20", "4000::/3", "5f00::/16", "fc00::/7", "fd00:ec2::254/128", "fe80::/10", "fec0::/10",
    "ff00::/8",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
    "168.63.129.15", "168.63.129.17", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0",
    "191.255.255.255", "192.0.1.0", "192.0.3.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
    "203.0.112.255", "203.0.114.0", "223.255.255.255",
    "2001:200::1", "2001:4860:4860::8888", "2003::1", "2606:4700:4700::1111", "2a00:1450:4001::1", "3ffe:ffff::1",
]  # fmt: skip


@st.composite
def refused_addresses(draw: st.DrawFn) -> IPAddress:
    network = ip_network(draw(st.sampled_from(REFUSED)))
    offset = draw(st.integers(0, network.num_addresses - 1))
    return network[offset]


@given(refused_addresses())
def test_no_address_in_a_refused_network_is_public(address: IPAddress) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("network", REFUSED)
def test_both_ends_of_a_refused_network_are_refused(network: str) -> None:
    assert not is_public(ip_network(network)[0])
    assert not is_public(ip_network(network)[-1])


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_beside_the_refused_networks_are_public(address: str) -> None:
    assert is_public(ip_address(address))


@given(st.ip_addresses())
def test_nothing_is_public_that_python_calls_private(address: IPAddress) -> None:
    assert address.is_global or not is_public(address)


IPV4_EMBEDDINGS: dict[str, Callable[[IPv4Address], int]] = {
    "compatible": int,
    "mapped": lambda v4: 0xFFFF << 32 | int(v4),
    "translated": lambda v4: 0xFFFF << 48 | int(v4),
    "nat64": lambda v4: int(IPv6Address("64:ff9b::")) | int(v4),
    "nat64_local": lambda v4: int(IPv6Address("64:ff9b:1::")) | int(v4),
    "6to4": lambda v4: 0x2002 << 112 | int(v4) << 80,
    "teredo": lambda v4: 0x20010000 << 96 | (int(v4) ^ 0xFFFFFFFF),
    "isatap": lambda v4: int(IPv6Address("2a00:1450::5efe:0:0")) | int(v4),
    "isatap_global": lambda v4: int(IPv6Address("2a00:1450::200:5efe:0:0")) | int(v4),
}


@pytest.mark.parametrize("form", IPV4_EMBEDDINGS)
@given(v4=st.ip_addresses(v=4))
def test_no_ipv6_form_that_embeds_ipv4_is_public(form: str, v4: IPv4Address) -> None:
    assert not is_public(IPv6Address(IPV4_EMBEDDINGS[form](v4)))


@given(st.ip_addresses(network=IPv6Network("2600::/12")))
def test_ordinary_ipv6_addresses_are_public(address: IPv6Address) -> None:
    isatap = (int(address) >> 32) & 0xFDFF_FFFF == 0x0000_5EFE
    assert is_public(address) is not isatap
