"""A person takes a request over: the dialer leaves it alone, at whatever moment that is."""

from __future__ import annotations

import pytest
from django.utils import timezone

from callcenter.accounts.models import Company, User
from callcenter.lib.errors import Conflict
from callcenter.tests.factories import make_attendant, make_call_request, make_company
from requests_app import selectors
from requests_app.data import Origin
from requests_app.models import CallRequest
from requests_app.services import calls
from requests_app.services.intake import change_call_request, dial_now, take_call_request
from requests_app.states import Hold, Outcome, Source, Status

pytestmark = pytest.mark.django_db


@pytest.fixture
def company() -> Company:
    """A shop."""
    return make_company()


@pytest.fixture
def attendant(company: Company) -> User:
    """One of the shop's attendants."""
    return make_attendant(company)


def take(request: CallRequest, attendant: User) -> CallRequest:
    origin = Origin(source=Source.ADMIN, actor=attendant)
    return take_call_request(request.pk, scope=None, origin=origin, now=timezone.now())


def claimed(company: Company) -> CallRequest:
    request = make_call_request(company)
    assert calls.claim_requests([request.pk], now=timezone.now()) == {request.pk}
    return request


def test_a_taken_request_is_not_due_and_belongs_to_who_took_it(company: Company, attendant: User) -> None:
    taken = take(make_call_request(company), attendant)
    assert (taken.status, taken.hold_reason, taken.due_at) == (Status.IN_PROGRESS, Hold.WITH_PERSON, None)
    assert taken.responsible == attendant
    assert selectors.due_requests(company.pk, now=timezone.now(), limit=5) == []


def test_a_claimed_request_that_is_taken_is_not_called_any_more(company: Company, attendant: User) -> None:
    request = claimed(company)
    take(request, attendant)
    assert selectors.locked_if_wanted([request.pk]) == {}
    now = timezone.now()
    calls.release_request(request.pk, due_at=now, now=now, reason="withdrawn")
    request.refresh_from_db()
    assert (request.in_flight, request.due_at, request.hold_reason) == (False, None, Hold.WITH_PERSON)


def test_a_shop_that_says_in_progress_while_it_rings_takes_it_over(company: Company) -> None:
    request = claimed(company)
    now = timezone.now()
    change_call_request(
        request.pk, scope=None, origin=Origin(source=Source.CSCART), now=now, fields={"status": "in_progress"}
    )
    calls.settle_request(request.pk, outcome=Outcome.BUSY, retry_at=now, now=now)
    request.refresh_from_db()
    assert (request.in_flight, request.due_at, request.hold_reason) == (False, None, Hold.WITH_PERSON)
    assert (request.status, request.last_outcome) == (Status.IN_PROGRESS, Outcome.BUSY)


def test_a_taken_request_goes_back_to_the_dialer_when_it_is_told_so(company: Company, attendant: User) -> None:
    request = take(make_call_request(company), attendant)
    now = timezone.now()
    dial_now(request.pk, scope=None, origin=Origin(source=Source.ADMIN, actor=attendant), now=now)
    assert [due.id for due in selectors.due_requests(company.pk, now=now, limit=5)] == [request.pk]


def test_a_closed_request_can_not_be_taken(company: Company, attendant: User) -> None:
    request = make_call_request(company, status="completed")
    with pytest.raises(Conflict):
        take(request, attendant)
