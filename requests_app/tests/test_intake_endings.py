"""Requests that are deleted, and requests that staff have dialed at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from callcenter.accounts.models import Company, User
from callcenter.lib.errors import Conflict
from callcenter.lib.phones import InvalidPhone
from callcenter.tests.factories import make_attendant, make_company, make_user
from requests_app.data import Origin
from requests_app.models import CallRequest, LedgerEntry
from requests_app.services import calls
from requests_app.services.intake import (
    delete_call_request,
    dial_now,
)
from requests_app.states import Hold, Source, Status
from requests_app.tests.intake import NOW, SHOP, claim, create, ledger, situation

pytestmark = pytest.mark.django_db


@pytest.fixture
def company() -> Company:
    """A shop in São Paulo."""
    return make_company()


# --- Deleting -----------------------------------------------------------------------------------------------------


def test_a_deleted_request_leaves_its_ledger(company: Company) -> None:
    request = create(company)
    delete_call_request(request.pk, scope={company.pk}, origin=SHOP, now=NOW)
    assert not CallRequest.objects.exists()
    assert ledger(request.pk) == [("created", "", "new", ""), ("deleted", "new", "", "")]


def test_a_request_with_a_call_in_flight_is_not_deleted(company: Company) -> None:
    request = create(company)
    claim(request)
    with pytest.raises(Conflict):
        delete_call_request(request.pk, scope=None, origin=SHOP, now=NOW)
    assert CallRequest.objects.filter(pk=request.pk, in_flight=True).exists()
    assert [entry[0] for entry in ledger(request.pk)] == ["created", "claimed"]


# --- Dialing now --------------------------------------------------------------------------------------------------


def test_dialing_now_makes_a_waiting_request_due(company: Company) -> None:
    person = make_user()
    request = create(company, wanted_at=NOW + timedelta(days=2))
    dial_now(request.pk, scope=None, origin=Origin(source=Source.ADMIN, actor=person), now=NOW)
    request.refresh_from_db()
    assert situation(request) == ("new", NOW, Hold.NONE)
    assert ledger(request.pk)[-1] == ("scheduled", "", "", "dial_now")
    assert LedgerEntry.objects.latest("id").actor == person


@pytest.mark.parametrize(("attempts", "status"), [(0, "new"), (2, "in_progress")])
def test_dialing_now_opens_a_finished_request_again(company: Company, attempts: int, status: str) -> None:
    request = create(company, status=Status.COMPLETED)
    CallRequest.objects.filter(pk=request.pk).update(attempts=attempts)
    dial_now(request.pk, scope=None, origin=SHOP, now=NOW)
    request.refresh_from_db()
    assert situation(request) == (status, NOW, Hold.NONE)
    assert request.completed_at is None
    assert ledger(request.pk)[-1] == ("scheduled", "completed", status, "dial_now")


def test_a_request_in_flight_is_not_dialed_a_second_time(company: Company) -> None:
    request = create(company)
    claim(request)
    with pytest.raises(Conflict):
        dial_now(request.pk, scope=None, origin=SHOP, now=NOW)
    calls.hold_in_doubt(request.pk, now=NOW)
    with pytest.raises(Conflict):
        dial_now(request.pk, scope=None, origin=SHOP, now=NOW)
    request.refresh_from_db()
    assert situation(request) == ("new", None, Hold.IN_DOUBT)


def test_a_number_that_cannot_be_dialed_is_not_dialed_now_either(company: Company) -> None:
    request = create(company, phone="+7(999)111-22-33")
    with pytest.raises(InvalidPhone):
        dial_now(request.pk, scope=None, origin=SHOP, now=NOW)
    request.refresh_from_db()
    assert situation(request) == ("new", None, Hold.NOT_BRAZILIAN)


def test_a_user_who_leaves_keeps_their_entries_readable(company: Company) -> None:
    person = make_attendant(company)
    request = create(company, responsible_id=person.pk)
    User.objects.get(pk=person.pk).delete()
    request.refresh_from_db()
    assert request.responsible is None
