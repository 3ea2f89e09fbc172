"""The carrier's simulator, and our account at it, for the tests of this folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests
from django.utils import timezone

from callcenter.tests.factories import make_company
from telephony.models import DirectcallAccount
from telephony.services.callbacks import prepare_callback
from telephony.tests.simulators.running import SimulatorProcess

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def directcall_process() -> Iterator[SimulatorProcess]:
    """The carrier's simulator, started once."""
    running = SimulatorProcess("directcall", "--port", "0")
    yield running
    running.stop()


@pytest.fixture
def directcall(directcall_process: SimulatorProcess) -> SimulatorProcess:
    """The simulator without registrations and tokens."""
    requests.post(f"{directcall_process.url}/_simulator/reset", timeout=5).raise_for_status()
    return directcall_process


@pytest.fixture
def account(directcall: SimulatorProcess, db: None, settings: Any) -> DirectcallAccount:
    """An account at the simulator, with the credentials that it takes and a prepared address where nobody listens."""
    settings.PUBLIC_URL = "http://127.0.0.1:9"
    account = DirectcallAccount.objects.create(
        company=make_company(),
        name="Directcall",
        base_url=directcall.url,
        client_id="demo@example.com",
        client_secret="123456",
    )
    prepare_callback(account, now=timezone.now())
    return account
