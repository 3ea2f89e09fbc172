"""A shop with its key."""

from __future__ import annotations

from typing import Any

import pytest

from callcenter.accounts.models import Company
from callcenter.tests.factories import make_company, make_user
from requests_app.tests.api import Shop


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    """Nobody logs in with a password here, and a real hash takes longer than most of these tests."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def company(db: None) -> Company:
    """The shop's company."""
    return make_company("Loja")


@pytest.fixture
def shop(company: Company) -> Shop:
    """The shop's program; its user is bound to the one company and may do everything there."""
    return Shop(make_user(company))
