"""The client's address is what our own proxies say, never what a client invents."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from callcenter.lib.client_address import client_address


def address(settings: Any, proxies: int, forwarded: str | None, peer: str = "10.0.0.9") -> str:
    """What a request from `peer` with that header counts as."""
    settings.PROXY_COUNT = proxies
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    return client_address(RequestFactory().get("/", headers=headers, REMOTE_ADDR=peer))


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, None, "10.0.0.9"),
        (0, "203.0.113.7", "10.0.0.9"),
        (1, None, "10.0.0.9"),
        (1, "", "10.0.0.9"),
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "1.1.1.1, 2.2.2.2,203.0.113.7 ", "203.0.113.7"),
        (2, "1.1.1.1, 203.0.113.7, 198.51.100.2", "203.0.113.7"),
        # It came past the outer proxy: what the inner one wrote is all there is.
        (2, "203.0.113.7", "203.0.113.7"),
        (1, "203.0.113.7:4711", "203.0.113.7"),
        (1, "1.1.1.1, nonsense", "10.0.0.9"),
        (1, "1.1.1.1,", "10.0.0.9"),
    ],
)
def test_only_what_trusted_proxies_wrote_is_believed(
    settings: Any, proxies: int, forwarded: str | None, expected: str
) -> None:
    assert address(settings, proxies, forwarded) == expected


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:bbbb::2", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("", "unknown"),
        ("a socket's path", "unknown"),
    ],
)
def test_an_ipv6_client_is_its_network(settings: Any, peer: str, expected: str) -> None:
    assert address(settings, 0, None, peer=peer) == expected


def test_an_ipv6_client_behind_a_proxy_that_names_the_port(settings: Any) -> None:
    assert address(settings, 1, "[2001:db8:1:2::5]:4711") == "2001:db8:1:2::/64"
