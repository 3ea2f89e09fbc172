"""A part of a name or phone finds the requests that have it now, whoever wrote them and however."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection, transaction

from callcenter.lib.database import is_postgresql
from callcenter.tests.factories import make_call_request, make_company, make_user
from requests_app.models import CallRequest
from requests_app.models.text_search import TEXTS, keep_texts
from requests_app.tests.api import Shop

if TYPE_CHECKING:
    from callcenter.accounts.models import Company

URL = "/api/2.0/call_requests"


@pytest.fixture
def company(db: None) -> Company:
    """A company."""
    return make_company()


def found(company: Company, **texts: str) -> list[str]:
    """The names that a search finds, by the quick way (by date) and the plain one (by name) alike."""
    shop = Shop(make_user(company))
    quick, plain = (
        shop.get(URL, {**texts, "sort_by": sort_by, "items_per_page": 50}).json()["call_requests"]
        for sort_by in ("date", "name")
    )
    names = sorted(one["name"] for one in quick)
    assert names == sorted(one["name"] for one in plain)
    return names


def test_each_way_to_write_is_found(company: Company) -> None:
    CallRequest.objects.bulk_create(CallRequest(company=company, name=f"Ana {n}", phone=f"555-{n}") for n in range(4))
    assert found(company, name="aNa") == ["Ana 0", "Ana 1", "Ana 2", "Ana 3"]
    CallRequest.objects.filter(name="Ana 0").update(name="Rosa")
    CallRequest.objects.filter(name="Ana 1").update(phone="777-1")
    CallRequest.objects.filter(name="Ana 2").delete()
    CallRequest.objects.filter(name="Ana 3").update(attempts=3, due_at=None)
    assert found(company, name="ana") == ["Ana 1", "Ana 3"]
    assert found(company, name="osa") == ["Rosa"]
    assert (found(company, phone="777"), found(company, phone="555-1")) == (["Ana 1"], [])
    assert found(company, name="ana", phone="555") == ["Ana 3"]


def test_what_is_rolled_back_is_not_found(company: Company) -> None:
    with transaction.atomic():
        make_call_request(company, name="Rosa")
        transaction.set_rollback(True)
    assert found(company, name="Rosa") == []


@pytest.mark.django_db(transaction=True)
def test_texts_that_were_there_before_the_table_are_found() -> None:
    company = make_company()
    for name in ("Ana", "Rosa"):
        make_call_request(company, name=name)
    if is_postgresql():
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {TEXTS}")
        assert found(company, name="Rosa") == []
    # As when a migration was interrupted and is run again.
    for _ in range(2):
        keep_texts(connection)
    assert found(company, name="Rosa") == ["Rosa"]
    if is_postgresql():
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {TEXTS}")
            assert cursor.fetchone()[0] == 2
            cursor.execute("TRUNCATE requests_app_callrequest CASCADE")
            cursor.execute(f"SELECT count(*) FROM {TEXTS}")
            assert cursor.fetchone()[0] == 0
