"""Requests that a list or a rule holds are let go when it is gone, and only then."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from callcenter.tests.factories import make_call_request, make_line
from requests_app.models import CallRequest
from requests_app.states import Hold
from telephony.models import DialerLine, DoNotCallList
from telephony.services.do_not_call import stop_calling
from telephony.services.held import PAGE, release_permitted
from telephony.services.rule_snapshot import mark_changed
from telephony.tests.scenes import make_callcenter

pytestmark = pytest.mark.django_db

PHONE, E164 = "(11) 98765-4321", "+5511987654321"


@pytest.fixture
def line() -> DialerLine:
    """A line of a company with one request."""
    found = make_callcenter()
    make_call_request(found.company, phone=PHONE)
    return found


def request() -> CallRequest:
    """The one."""
    return CallRequest.objects.get()


@pytest.mark.parametrize("hour", range(0, 24, 3))
def test_who_opted_out_stays_so_at_any_hour(line: DialerLine, hour: int) -> None:
    now = timezone.now().replace(hour=hour, minute=30)
    stop_calling(E164, company_id=line.company_id, reason="opt_out", actor=None, now=now)
    assert request().hold_reason == Hold.DO_NOT_CALL
    assert release_permitted(now=now) == release_permitted(now=now + timedelta(hours=1)) == 0
    assert (request().hold_reason, request().due_at) == (Hold.DO_NOT_CALL, None)


def test_a_list_out_of_use_lets_go(line: DialerLine) -> None:
    now = timezone.now()
    stop_calling(E164, company_id=line.company_id, reason="opt_out", actor=None, now=now)
    DoNotCallList.objects.update(is_active=False)
    mark_changed()
    assert release_permitted(now=now) == 1
    assert (request().hold_reason, request().due_at) == (Hold.NONE, now)
    assert request().ledger.last().kind == "scheduled"  # type: ignore[union-attr]
    assert release_permitted(now=now) == 0


def test_what_a_person_holds_and_other_reasons_stay(line: DialerLine) -> None:
    for hold in (Hold.WITH_PERSON, Hold.IN_DOUBT, Hold.NO_PHONE, Hold.REFUSED):
        CallRequest.objects.update(due_at=None, hold_reason=hold)
        assert release_permitted(now=timezone.now()) == 0
        assert request().hold_reason == hold


def test_pages_are_walked_to_their_end_and_without_a_line_nobody_judges(
    line: DialerLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert PAGE > 1
    monkeypatch.setattr("telephony.services.held.PAGE", 2)
    for _ in range(4):
        make_call_request(line.company, phone=PHONE)
    CallRequest.objects.update(due_at=None, hold_reason=Hold.RULES)
    DialerLine.objects.update(is_enabled=False)
    assert release_permitted(now=timezone.now()) == 0
    # Each line that calls for something else is asked.
    make_line(line.company)
    assert release_permitted(now=timezone.now()) == 5
