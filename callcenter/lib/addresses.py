"""Which IP addresses belong to the public Internet, so that a stranger's URL can't lead into our own network.

The networks are listed here because `ipaddress` can't be asked: `is_private` is false for carriers' NAT, NAT64, 6to4
and multicast, and what `is_global` says differs between versions of Python.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

# Source: https://www.iana.org/assignments/iana-ipv4-special-registry, and multicast (RFC 5771)
_SPECIAL_IPV4: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # a carrier's NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local; a cloud's metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved; broadcast
    )
)
# Only this block is handed out; what lies outside of it (loopback, link-local, unique local, site-local, multicast,
# NAT64, IPv4-compatible, SRv6, discard) is never public.
# Source: https://www.iana.org/assignments/ipv6-address-space
_UNICAST_IPV6: Final = IPv6Network("2000::/3")
# Source: https://www.iana.org/assignments/iana-ipv6-special-registry
_SPECIAL_IPV6: Final = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo (which holds an IPv4 address), ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which holds an IPv4 address
        "3fff::/20",  # documentation
    )
)


def plain(address: Address) -> Address:
    """The address that is really meant: the IPv4 one inside an IPv4-mapped (`::ffff:127.0.0.1`), else the same."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def is_public(address: Address) -> bool:
    """Whether the address is one of the public Internet."""
    address = plain(address)
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_IPV4)
    return address in _UNICAST_IPV6 and not any(address in network for network in _SPECIAL_IPV6)


def is_in(address: Address, networks: Iterable[Network]) -> bool:
    """Whether the address lies in one of the networks."""
    address = plain(address)
    return any(address in network for network in networks)


def networks_of(texts: Iterable[str]) -> list[Network]:
    """The networks that are written as `10.0.0.0/8`.

    Errors: `ValueError`, for host bits too.
    """
    return [ip_network(text) for text in texts]
