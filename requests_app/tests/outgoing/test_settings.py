"""The networks that webhooks may lead to are read strictly: a slip must not open more than was meant."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from django.core.exceptions import ImproperlyConfigured

from callcenter.lib.env import reader

NAME = "WEBHOOK_ALLOWED_NETWORKS"


def test_networks_of_both_families_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, "10.1.2.0/24, fd00:1::/32,127.0.0.1,")
    assert reader(None).networks(NAME) == [
        ip_network("10.1.2.0/24"),
        ip_network("fd00:1::/32"),
        ip_network("127.0.0.1/32"),
    ]


def test_none_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NAME, raising=False)
    assert reader(None).networks(NAME, default=[]) == []


@pytest.mark.parametrize("text", ["10.1.2.3/24", "10.0.0.0/33", "10.0.0", "localhost", "10.0.0.0-10.0.0.9", "*"])
def test_what_is_no_network_stops_the_start_with_a_sentence(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NAME, text)
    with pytest.raises(ImproperlyConfigured, match=f"{NAME} must be networks like 10.0.0.0/8"):
        reader(None).networks(NAME)
