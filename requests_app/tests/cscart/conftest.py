"""A shop with its key."""

from __future__ import annotations

import pytest

from callcenter.accounts.models import Company
from callcenter.tests.factories import make_company, make_user
from requests_app.tests.api import Shop


@pytest.fixture
def company(db: None) -> Company:
    """The shop's company."""
    return make_company("Loja")


@pytest.fixture
def shop(company: Company) -> Shop:
    """The shop's program; its user is bound to the one company and may do everything there."""
    return Shop(make_user(company))
