"""A company whose lines call for different things: what one may not call is left to the one that may."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from callcenter.tests.factories import make_line
from requests_app.models import CallRequest
from requests_app.states import Hold
from telephony.models import DialerLine, OpeningHours
from telephony.rule_terms import Activity
from telephony.services import dialing
from telephony.services.do_not_call import list_for, stop_calling
from telephony.services.why import reasons_of
from telephony.tests.rules.test_permission import E164, NOON, PHONE, imported
from telephony.tests.scenes import claim, make_callcenter

pytestmark = pytest.mark.django_db


def two_lines(**other: Any) -> tuple[DialerLine, DialerLine]:
    """A telemarketing line, and one of the same company that serves clients; the number is on São Paulo's list."""
    line = make_callcenter(activity=Activity.TELEMARKETING)
    public = list_for("procon_sp", company_id=None)
    stop_calling(E164, company_id=None, list_id=public.pk, reason="", actor=None, now=NOON - timedelta(days=40))
    return line, make_line(line.company, name="Serviço", **{"activity": Activity.SERVICE, **other})


def test_what_only_the_other_line_may_call_stays_in_the_queue_for_it() -> None:
    line, service = two_lines()
    request = imported(line.company)
    assert claim(line, now=NOON) == []
    request.refresh_from_db()
    assert (request.due_at, request.hold_reason) == (NOON, Hold.NONE)
    assert [one.call_request_id for one in claim(service, now=NOON)] == [request.pk]


def test_why_does_not_tell_of_a_list_that_another_line_may_pass() -> None:
    line, service = two_lines()
    request = imported(line.company)
    assert "do_not_call" not in {one.code for one in reasons_of(request, NOON)}
    service.is_enabled = False
    service.save(update_fields=["is_enabled"])
    assert "do_not_call" in {one.code for one in reasons_of(request, NOON)}


def test_it_does_not_stand_in_the_way_of_what_the_line_may_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialing, "SPARE_CANDIDATES", 0)
    line, _service = two_lines(max_calls_at_once=1)
    line.max_calls_at_once = 1
    line.save(update_fields=["max_calls_at_once"])
    imported(line.company)
    free = imported(line.company, phone="(11) 98765-0000")
    assert [one.call_request_id for one in claim(line, now=NOON)] == [free.pk]


def test_it_waits_for_the_other_line_to_open() -> None:
    line, service = two_lines()
    service.opening_hours.all().delete()
    OpeningHours.objects.create(line=service, weekday=NOON.weekday(), opens_at="14:00", closes_at="15:00")
    request = imported(line.company)
    assert claim(line, now=NOON) == []
    request.refresh_from_db()
    assert (request.due_at, request.hold_reason) == (NOON + timedelta(hours=2), Hold.CALLING_HOURS)


@pytest.mark.parametrize(
    ("other", "hold"),
    [({"is_enabled": False}, Hold.DO_NOT_CALL), ({"activity": Activity.TELEMARKETING}, Hold.DO_NOT_CALL)],
)
def test_no_line_that_may_call_is_for_a_person(other: dict[str, Any], hold: Hold) -> None:
    line, _other = two_lines(**other)
    request = imported(line.company, phone="(11) 98765-0000")
    CallRequest.objects.filter(pk=request.pk).update(phone=PHONE, phone_e164=E164)
    assert claim(line, now=NOON) == []
    request.refresh_from_db()
    assert (request.due_at, request.hold_reason) == (None, hold)


def test_a_line_out_of_order_is_asked_again_before_long() -> None:
    line, service = two_lines(suspended_reason="refused")
    request = imported(line.company)
    assert service.suspended_reason
    assert claim(line, now=NOON) == []
    request.refresh_from_db()
    assert request.due_at == NOON + timedelta(minutes=15)
