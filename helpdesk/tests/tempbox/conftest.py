"""What the tests of the API share."""

from __future__ import annotations

from typing import Any

import pytest

from helpdesk.tests.tempbox.api import Program


@pytest.fixture(autouse=True)
def _without_limits(settings: Any) -> None:
    settings.API_CALLS_PER_MINUTE_PER_KEY = 0
    settings.API_CALLS_PER_MINUTE_PER_ADDRESS = 0


@pytest.fixture
def program(db: None) -> Program:
    """A program of one company."""
    return Program()
