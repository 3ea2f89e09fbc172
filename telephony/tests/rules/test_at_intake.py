"""A number on a do-not-call list that comes in is stored, held, and says why at once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from callcenter.accounts.data import Activity
from callcenter.tests.factories import make_company, make_line
from requests_app import timeline
from requests_app.data import Origin
from requests_app.models import CallbackPolicy, LedgerEntry, Shift
from requests_app.services.intake import change_call_request, create_call_request
from requests_app.states import Hold, Source
from telephony.models import CallingRule, DoNotCallEntry
from telephony.services.calling_rules import store_rule
from telephony.services.do_not_call import list_for, stop_calling
from telephony.services.permission import Number, judged
from telephony.tests.rules.test_permission import E164, NOON, PHONE, imported, make_rule

if TYPE_CHECKING:
    from callcenter.accounts.models import Company
    from requests_app.models import CallRequest

pytestmark = pytest.mark.django_db


def posted(company: Company, **fields: Any) -> CallRequest:
    """A request that a shop's customer made at noon."""
    return create_call_request(
        company.pk, origin=Origin(source=Source.CSCART), now=NOON, fields={"phone": PHONE, **fields}
    )


def list_number(company: Company | None, **fields: Any) -> None:
    """Have the number say, a day ago, that it wants no calls."""
    values = {"reason": DoNotCallEntry.Reason.OPT_OUT, "actor": None, "now": NOON - timedelta(days=1), **fields}
    stop_calling(E164, company_id=company.pk if company else None, **values)


@pytest.mark.parametrize("for_all", [False, True])
def test_a_listed_number_is_stored_and_held_at_once(for_all: bool) -> None:
    line = make_line(make_company())
    list_number(None if for_all else line.company)
    request = posted(line.company)
    for row in (request, type(request).objects.get(pk=request.pk)):
        assert (row.hold_reason, row.due_at) == (Hold.DO_NOT_CALL, None)
    kinds = list(LedgerEntry.objects.filter(call_request=request).order_by("pk").values_list("kind", "reason"))
    assert kinds == [(LedgerEntry.Kind.CREATED, Hold.NONE), (LedgerEntry.Kind.HELD, Hold.DO_NOT_CALL)]
    told = timeline.explanation(request, now=NOON)
    assert told.reasons[0].code == Hold.DO_NOT_CALL
    assert told.reasons[0].needs_person


@pytest.mark.parametrize("hour", [23, 26, 29])
def test_who_wants_no_calls_is_called_no_more_that_same_night_wherever_they_live(hour: int) -> None:
    line = make_line(make_company())
    # 20:00 and 23:00 in São Paulo, and 2:00 of the next day, when it is midnight in Acre.
    told_at = NOON.replace(hour=0) + timedelta(hours=hour)
    acre = "+5568987654321"
    for phone in (E164, acre):
        stop_calling(phone, company_id=line.company_id, reason=DoNotCallEntry.Reason.OPT_OUT, actor=None, now=told_at)
        (verdict,) = judged([Number(phone)], line=line, now=told_at + timedelta(seconds=1))
        assert verdict.hold == Hold.DO_NOT_CALL


def test_another_companys_list_holds_nothing() -> None:
    line = make_line(make_company())
    list_number(make_company())
    assert posted(line.company).hold_reason == Hold.NONE


def test_a_company_without_a_line_holds_it_too() -> None:
    company = make_company()
    list_number(company)
    assert posted(company).hold_reason == Hold.DO_NOT_CALL


def test_who_asks_after_they_were_listed_is_called_where_the_rule_says_so() -> None:
    line = make_line(make_company())
    rule = CallingRule.objects.get(code="lgpd-oposicao")
    rule.is_liftable = True
    store_rule(rule, actor=None)
    list_number(line.company)
    assert posted(line.company).hold_reason == Hold.NONE
    # An import proves nothing of the sort.
    assert imported(line.company).hold_reason == Hold.DO_NOT_CALL


def test_a_public_list_holds_what_the_company_calls_for_and_nothing_else() -> None:
    company = make_company()
    listed = list_for("procon_sp", company_id=None)
    list_number(None, list_id=listed.pk, now=NOON - timedelta(days=40))
    line = make_line(company)
    assert posted(company).hold_reason == Hold.NONE
    company.activity = Activity.TELEMARKETING
    company.save(update_fields=["activity"])
    assert line.activity == ""
    assert posted(company).hold_reason == Hold.DO_NOT_CALL
    # A line of another activity may still call it.
    make_line(company, activity=Activity.SERVICE)
    assert posted(company).hold_reason == Hold.NONE


def test_a_listed_number_that_is_written_into_a_request_holds_it() -> None:
    line = make_line(make_company())
    list_number(line.company)
    request = posted(line.company, phone="(11) 98765-0000")
    origin = Origin(source=Source.ADMIN)
    changed = change_call_request(request.pk, scope=None, origin=origin, now=NOON, fields={"phone": PHONE})
    assert (changed.hold_reason, changed.due_at) == (Hold.DO_NOT_CALL, None)


def test_a_held_callback_takes_no_place_of_a_quarter_of_an_hour() -> None:
    line = make_line(make_company())
    CallbackPolicy.objects.create(company=line.company, uses_slots=True)
    Shift.objects.bulk_create(
        Shift(company=line.company, weekday=day, starts_at="00:00", ends_at="00:00") for day in range(7)
    )
    list_number(line.company)
    wanted_at = NOON + timedelta(days=1)
    request = posted(line.company, wanted_at=wanted_at)
    assert (request.hold_reason, request.booked_at) == (Hold.DO_NOT_CALL, None)
    other = posted(line.company, wanted_at=wanted_at, phone="(11) 98765-0000")
    assert (other.hold_reason, other.booked_at) == (Hold.WANTED_TIME, wanted_at)


def test_a_number_on_no_list_costs_no_statement_more_on_postgresql() -> None:
    line = make_line(make_company())
    list_number(line.company)
    posted(line.company, phone="(11) 98765-0000")
    with CaptureQueriesContext(
        connection,
    ) as taken:
        posted(line.company, phone="(11) 98765-0001")
    statements = [one["sql"] for one in taken if not one["sql"].startswith(("BEGIN", "SAVEPOINT", "RELEASE", "COMMIT"))]
    if connection.vendor == "postgresql":
        assert len(statements) == 1
    else:
        assert len(statements) == 4


def test_a_rule_for_hours_is_left_to_the_claim() -> None:
    line = make_line(make_company())
    make_rule(hours="seg 00:00-00:01")
    list_number(make_company())
    assert posted(line.company).hold_reason == Hold.NONE
