"""What these tests have in common: loopback may be reached, but by the tests that say otherwise."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest

LOOPBACK = [ip_network("127.0.0.0/8"), ip_network("::1/128")]


@pytest.fixture
def loopback(settings: Any) -> Any:
    """Webhooks may go to this machine, and nobody waits long."""
    settings.WEBHOOK_ALLOWED_NETWORKS = LOOPBACK
    settings.WEBHOOK_CONNECT_TIMEOUT_SECONDS = 1.0
    settings.WEBHOOK_TIMEOUT_SECONDS = 2.0
    return settings
