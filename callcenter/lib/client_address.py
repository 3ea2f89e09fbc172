"""Where a request comes from, as far as that can be known behind reverse proxies."""

from __future__ import annotations

import re
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Final

from django.conf import settings

if TYPE_CHECKING:
    from django.http import HttpRequest

# What an address is that nobody can read; all such clients count as one.
UNKNOWN: Final = "unknown"

# Some proxies name the port too: 203.0.113.7:4711, [2001:db8::1]:4711.
_WITH_PORT: Final = re.compile(r"\[(?P<six>[^\]]+)\](?::\d+)?|(?P<four>[\d.]+):\d+")


def client_address(request: HttpRequest) -> str:
    """The client's IPv4 address, or the /64 network of its IPv6 address, which one client has to itself.

    Of `X-Forwarded-For` only what the `PROXY_COUNT` proxies in front wrote is believed, and they write at its end; the
    rest is the client's invention. Without proxies it is the address of the socket.
    """
    peer: str = request.META.get("REMOTE_ADDR", "")
    header: str = request.META.get("HTTP_X_FORWARDED_FOR", "")
    if not settings.PROXY_COUNT or not header:
        return _counted(peer) or UNKNOWN
    hops = header.split(",")
    return _counted(hops[-min(settings.PROXY_COUNT, len(hops))]) or _counted(peer) or UNKNOWN


def _counted(text: str) -> str:
    match = _WITH_PORT.fullmatch(text.strip())
    try:
        address = ip_address((match["six"] or match["four"]) if match else text.strip())
    except ValueError:
        return ""
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), 64), strict=False))
