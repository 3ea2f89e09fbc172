"""What is remembered of a company is only a guess: a new request is stored as the company is now."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest

from callcenter.accounts.models import Company
from callcenter.lib.database import is_postgresql
from callcenter.lib.errors import InvalidInput
from callcenter.tests.factories import make_company, make_user, make_webhook_endpoint
from requests_app.models import CallbackPolicy, CallRequest, LedgerEntry, Shift, WebhookDelivery
from requests_app.services.intake import create_call_request
from requests_app.tests.api import Shop
from requests_app.tests.intake import NOW, SHOP, create, ledger

pytestmark = pytest.mark.django_db

URL = "/api/2.0/call_requests"


@pytest.fixture
def company() -> Company:
    """A shop that is told of nothing and has no slots, and is known to be so."""
    made = make_company(duplicate_window_minutes=0)
    create(made)
    return made


def test_a_post_takes_two_statements_where_nothing_is_told_and_no_slots_are_given(
    django_assert_num_queries: Any,
) -> None:
    shop = Shop(make_user(make_company()))
    assert shop.post(URL, {"phone": "11987654321"}).status_code == 201

    # The key with its rights; the request and its ledger entry. SQLite: the company, two INSERTs in a
    # transaction, and the lists of the number, which PostgreSQL looks at while it stores the request.
    with django_assert_num_queries(2 if is_postgresql() else 7):
        answer = shop.post(URL, {"phone": "11987654322", "cart_products": [{"product_id": "1"}], "notes": "ü"})

    stored = CallRequest.objects.get(pk=answer.json()["request_id"])
    assert (stored.phone, stored.notes, stored.cart_products) == ("11987654322", "ü", [{"product_id": "1"}])
    assert ledger(stored.pk) == [("created", "", "new", "")]
    assert LedgerEntry.objects.get(call_request=stored).actor == shop.user


def test_a_company_that_is_told_since_a_moment_ago_is_told(company: Company) -> None:
    make_webhook_endpoint(company)
    create(company)
    assert WebhookDelivery.objects.count() == 1


def test_a_duplicate_window_holds_from_the_moment_it_is_set(company: Company) -> None:
    Company.objects.filter(pk=company.pk).update(duplicate_window_minutes=10)
    first = CallRequest.objects.get()
    again = create_call_request(company.pk, origin=SHOP, now=NOW, fields={"phone": first.phone}, may_be_repeated=True)
    assert again.pk == first.pk


def test_slots_are_given_from_the_moment_they_are_set(company: Company) -> None:
    wanted = NOW + timedelta(days=1)
    before = create(company, wanted_at=wanted)
    CallbackPolicy.objects.create(company=company, uses_slots=True)
    # Round the clock, one person: room for one callback in each quarter of an hour.
    Shift.objects.bulk_create(
        Shift(company=company, weekday=day, starts_at=time(0), ends_at=time(0), headcount=1) for day in range(7)
    )
    after = create(company, wanted_at=wanted)
    # The one from before has the quarter that was asked for, and was given none.
    assert (before.due_at, len(ledger(before.pk))) == (wanted, 1)
    given = wanted + timedelta(minutes=15)
    assert (after.wanted_at, after.due_at) == (given, given)
    assert ledger(after.pk)[-1] == ("scheduled", "", "", "slot_full")


def test_the_contact_window_is_read_in_the_companys_time_zone_of_now(company: Company) -> None:
    before = create(company, time_from="20:00", time_to="21:00")
    Company.objects.filter(pk=company.pk).update(time_zone="America/Manaus")
    after = create(company, time_from="20:00", time_to="21:00")
    assert before.due_at is not None
    assert after.due_at is not None
    assert (after.due_at - before.due_at).total_seconds() == 3600


def test_a_company_that_was_closed_takes_nothing_more_and_nothing_is_stored(company: Company) -> None:
    Company.objects.filter(pk=company.pk).update(is_active=False)
    with pytest.raises(InvalidInput) as refused:
        create(company)
    assert refused.value.field == "company_id"
    assert (CallRequest.objects.count(), LedgerEntry.objects.count()) == (1, 1)
    # And again, now that it is forgotten; until it is opened.
    with pytest.raises(InvalidInput):
        create(company)
    Company.objects.filter(pk=company.pk).update(is_active=True)
    assert create(company).pk
