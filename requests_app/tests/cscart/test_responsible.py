"""`responsible`, the sixteenth key of newer programs: absent unless the installation asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from callcenter.accounts.models import User
from callcenter.tests.factories import make_attendant, make_call_request, make_company, make_user
from requests_app.tests.api import Shop

if TYPE_CHECKING:
    from callcenter.accounts.models import Company

URL = "/api/2.0/call_requests"


@pytest.mark.conforms("CS-responsible")
def test_the_staff_of_the_requests_company_by_last_and_first_name(company: Company, settings: Any) -> None:
    settings.CSCART_RESPONSIBLE = True
    other = make_company()
    shop = Shop(make_user(company, other, first_name="Zoe", last_name="Lima"))
    ana = make_attendant(company, first_name="Ana", last_name="Souza")
    everywhere = make_attendant(first_name="Bia")
    make_attendant(company, is_active=False)
    make_user(company, is_staff=False)
    ours, theirs = make_call_request(company), make_call_request(other)

    first = shop.get(f"{URL}/{ours.pk}").json()
    second = shop.get(f"{URL}/{theirs.pk}").json()

    assert list(first)[-1] == "responsible"
    assert first["responsible"] == {str(shop.user.pk): "Lima Zoe", str(ana.pk): "Souza Ana", str(everywhere.pk): "Bia"}
    assert second["responsible"] == {str(shop.user.pk): "Lima Zoe", str(everywhere.pk): "Bia"}
    assert shop.get(URL).json()["call_requests"] == [second, first]


@pytest.mark.conforms("CS-responsible")
def test_nobody_is_an_empty_list_as_php_writes_it(shop: Shop, company: Company, settings: Any) -> None:
    settings.CSCART_RESPONSIBLE = True
    User.objects.update(is_staff=False)

    assert shop.get(f"{URL}/{make_call_request(company).pk}").json()["responsible"] == []


@pytest.mark.conforms("CS-responsible")
@pytest.mark.parametrize("count", [1, 9])
def test_it_costs_one_query_more_whatever_the_size(shop: Shop, company: Company, settings: Any, count: int) -> None:
    for _number in range(count):
        make_call_request(company)
    make_attendant(company)
    shop.get(URL)
    with CaptureQueriesContext(connection) as without:
        shop.get(URL)
    settings.CSCART_RESPONSIBLE = True

    with CaptureQueriesContext(connection) as with_it:
        assert len(shop.get(URL).json()["call_requests"]) == count
    assert len(with_it) == len(without) + 1
