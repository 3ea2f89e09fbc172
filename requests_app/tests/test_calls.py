"""What telephony reports about a request: each report's effect on its state, its next call and its ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db.models import Q

from callcenter.tests.factories import make_company
from requests_app import selectors
from requests_app.data import Origin
from requests_app.models import CallRequest, LedgerEntry
from requests_app.services import calls
from requests_app.services.intake import change_call_request, create_call_request, delete_call_request
from requests_app.states import Hold, Outcome, Source, Status

if TYPE_CHECKING:
    from callcenter.accounts.models import Company

pytestmark = pytest.mark.django_db

# Noon in São Paulo.
NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
RETRY_AT = NOW + timedelta(minutes=10)
SHOP = Origin(source=Source.CSCART)
GONE = 2**40


@pytest.fixture
def company() -> Company:
    """A shop in São Paulo."""
    return make_company()


def create(company: Company, **fields: Any) -> CallRequest:
    """A stored request, due at noon."""
    values = {"phone": "(11) 98765-4321", **fields}
    return create_call_request(company.pk, origin=SHOP, now=NOW, fields=values)


def dialed(company: Company, **fields: Any) -> CallRequest:
    """A request whose first call was just placed."""
    request = create(company, **fields)
    calls.claim_requests([request.pk], now=NOW)
    calls.note_try(request.pk, now=NOW)
    return request


def change(request: CallRequest, **fields: Any) -> None:
    """A change by the shop."""
    change_call_request(request.pk, scope=None, origin=SHOP, now=LATER, fields=fields)


def settle(request: CallRequest, outcome: Outcome, retry_at: datetime | None = None, **more: Any) -> None:
    """The call's end, as the carrier told it."""
    calls.settle_request(request.pk, outcome=outcome, retry_at=retry_at, now=LATER, **more)


def correct(request: CallRequest, *, was: Outcome, outcome: Outcome, retry_at: datetime | None = None) -> None:
    """Late news about a call that had ended otherwise."""
    calls.correct_outcome(request.pk, was=was, outcome=outcome, retry_at=retry_at, now=LATER + timedelta(minutes=1))


def situation(request: CallRequest) -> tuple[str, datetime | None, str, bool]:
    """Status, next call, hold reason, in flight; as the database has them."""
    request = CallRequest.objects.get(pk=request.pk)
    return request.status, request.due_at, request.hold_reason, request.in_flight


def ledger(request: CallRequest) -> list[tuple[str, str, str, str]]:
    """The ledger's entries as (kind, from, to, reason)."""
    entries = LedgerEntry.objects.filter(call_request_id=request.pk).order_by("id")
    return [(entry.kind, entry.from_status, entry.to_status, entry.reason) for entry in entries]


# --- Claiming -----------------------------------------------------------------------------------------------------


def test_a_claimed_request_is_in_flight_and_not_due(company: Company) -> None:
    request = create(company)
    assert calls.claim_requests([request.pk, GONE], now=NOW) == {request.pk}
    assert situation(request) == ("new", None, Hold.IN_FLIGHT, True)
    assert ledger(request)[-1] == ("claimed", "", "", "")
    assert LedgerEntry.objects.latest("id").source == Source.DIALER


def test_a_claimed_request_is_not_claimed_again(company: Company) -> None:
    request = create(company)
    calls.claim_requests([request.pk], now=NOW)
    assert calls.claim_requests([request.pk], now=NOW) == set()
    assert [entry[0] for entry in ledger(request)] == ["created", "claimed"]


def test_what_is_not_due_is_not_claimed(company: Company) -> None:
    later = create(company, wanted_at=LATER)
    abroad = create(company, phone="+7(999)111-22-33")
    closed = create(company, status=Status.COMPLETED)
    assert calls.claim_requests([later.pk, abroad.pk, closed.pk], now=NOW) == set()
    assert calls.claim_requests([later.pk, abroad.pk, closed.pk], now=LATER) == {later.pk}


def test_claiming_nothing_writes_nothing(company: Company) -> None:
    assert calls.claim_requests([], now=NOW) == set()
    assert not LedgerEntry.objects.exists()


def test_claiming_costs_the_same_for_one_and_for_many(company: Company, django_assert_num_queries: Any) -> None:
    requests = [create(company, phone=f"(11) 98765-{number:04d}") for number in range(20)]
    with django_assert_num_queries(2):
        calls.claim_requests([requests[0].pk], now=NOW)
    with django_assert_num_queries(2):
        assert len(calls.claim_requests([request.pk for request in requests], now=NOW)) == 19


# --- Putting off and giving back ----------------------------------------------------------------------------------


def test_a_due_request_is_put_off(company: Company) -> None:
    request = create(company)
    assert calls.postpone_request(request.pk, until=RETRY_AT, hold=Hold.CONTACT_WINDOW, now=NOW)
    assert situation(request) == ("new", RETRY_AT, Hold.CONTACT_WINDOW, False)
    assert not calls.postpone_request(request.pk, until=LATER, hold=Hold.CONTACT_WINDOW, now=NOW)


def test_a_claimed_request_is_not_put_off(company: Company) -> None:
    request = create(company)
    calls.claim_requests([request.pk], now=NOW)
    assert not calls.postpone_request(request.pk, until=RETRY_AT, hold=Hold.CONTACT_WINDOW, now=NOW)
    assert situation(request) == ("new", None, Hold.IN_FLIGHT, True)


@pytest.mark.parametrize(("due_at", "hold"), [(NOW, Hold.NONE), (RETRY_AT, Hold.RETRY_WAIT)])
def test_a_released_request_is_due_again(company: Company, due_at: datetime, hold: str) -> None:
    request = create(company)
    calls.claim_requests([request.pk], now=NOW)
    calls.release_request(request.pk, due_at=due_at, now=NOW, reason="not_sent")
    assert situation(request) == ("new", due_at, hold, False)
    assert ledger(request)[-1] == ("released", "", "", "not_sent")
    assert CallRequest.objects.get(pk=request.pk).attempts == 0


def test_a_request_closed_during_the_claim_is_released_to_nobody(company: Company) -> None:
    request = create(company)
    calls.claim_requests([request.pk], now=NOW)
    change(request, status=Status.COMPLETED)
    calls.release_request(request.pk, due_at=LATER, now=LATER, reason="withdrawn")
    assert situation(request) == ("completed", None, Hold.FINISHED, False)


def test_a_request_whose_window_changed_is_released_into_it(company: Company) -> None:
    request = create(company)
    calls.claim_requests([request.pk], now=NOW)
    change(request, time_from="16:00", time_to="18:00")
    calls.release_request(request.pk, due_at=NOW, now=NOW, reason="held")
    assert situation(request) == ("new", NOW + timedelta(hours=4), Hold.CONTACT_WINDOW, False)


def test_a_number_that_became_undialable_is_released_to_a_person(company: Company) -> None:
    request = create(company)
    calls.claim_requests([request.pk], now=NOW)
    change(request, phone="+351 912 345 678")
    calls.release_request(request.pk, due_at=LATER, now=LATER, reason="withdrawn")
    assert situation(request) == ("new", None, Hold.NOT_BRAZILIAN, False)


# --- While it rings -----------------------------------------------------------------------------------------------


def test_the_first_try_moves_the_request_on_and_each_is_counted(company: Company) -> None:
    request = dialed(company)
    assert situation(request) == ("in_progress", None, Hold.IN_FLIGHT, True)
    assert ledger(request)[-1] == ("status", "new", "in_progress", "dialed")
    calls.note_try(request.pk, now=NOW)
    assert CallRequest.objects.get(pk=request.pk).attempts == 2
    assert len(ledger(request)) == 3


def test_a_call_in_doubt_waits_for_news_or_a_person(company: Company) -> None:
    request = dialed(company)
    calls.hold_in_doubt(request.pk, now=NOW)
    assert situation(request) == ("in_progress", None, Hold.IN_DOUBT, True)
    assert ledger(request)[-1] == ("in_doubt", "", "", "")
    calls.note_call_confirmed(request.pk, now=NOW)
    assert situation(request) == ("in_progress", None, Hold.IN_FLIGHT, True)


def test_confirming_a_call_that_was_not_in_doubt_changes_nothing(company: Company) -> None:
    request = create(company)
    calls.note_call_confirmed(request.pk, now=NOW)
    assert situation(request) == ("new", NOW, Hold.NONE, False)


def test_an_answer_is_remembered_while_they_talk(company: Company) -> None:
    request = dialed(company)
    calls.note_answered(request.pk, now=LATER)
    assert situation(request) == ("in_progress", None, Hold.IN_FLIGHT, True)
    assert CallRequest.objects.get(pk=request.pk).last_outcome == Outcome.ANSWERED
    assert ledger(request)[-1] == ("answered", "", "", "")


# --- The end of the call ------------------------------------------------------------------------------------------


def test_an_answered_call_completes_the_request(company: Company) -> None:
    request = dialed(company)
    settle(request, Outcome.ANSWERED)
    assert situation(request) == ("completed", None, Hold.FINISHED, False)
    assert CallRequest.objects.get(pk=request.pk).completed_at == LATER
    assert ledger(request)[-2:] == [
        ("outcome", "", "", "answered"), ("status", "in_progress", "completed", "answered")
    ]  # fmt: skip


def test_an_answered_call_waits_for_its_disposition_where_the_line_asks_for_one(company: Company) -> None:
    request = dialed(company)
    settle(request, Outcome.ANSWERED, needs_disposition=True)
    assert situation(request) == ("in_progress", None, Hold.AWAITING_DISPOSITION, False)
    assert CallRequest.objects.get(pk=request.pk).completed_at is None
    assert ledger(request)[-1] == ("outcome", "", "", "answered")


def test_an_unanswered_call_waits_for_its_next_try(company: Company) -> None:
    request = dialed(company)
    settle(request, Outcome.BUSY, RETRY_AT)
    assert situation(request) == ("in_progress", RETRY_AT, Hold.RETRY_WAIT, False)
    assert ledger(request)[-1] == ("outcome", "", "", "busy")


def test_the_next_try_is_kept_inside_the_contact_window(company: Company) -> None:
    request = dialed(company, time_from="10:00", time_to="12:05")
    settle(request, Outcome.BUSY, RETRY_AT)
    tomorrow = datetime(2026, 11, 24, 13, tzinfo=UTC)
    assert situation(request) == ("in_progress", tomorrow, Hold.RETRY_WAIT, False)


@pytest.mark.parametrize("outcome", [Outcome.BUSY, Outcome.NO_ANSWER, Outcome.INVALID, Outcome.NO_NEWS])
def test_without_a_next_try_the_request_is_given_up(company: Company, outcome: Outcome) -> None:
    request = dialed(company)
    settle(request, outcome)
    assert situation(request) == ("no_answer", None, Hold.OUT_OF_TRIES, False)
    assert ledger(request)[-2:] == [
        ("outcome", "", "", outcome), ("status", "in_progress", "no_answer", outcome)
    ]  # fmt: skip


def test_a_call_that_the_pabx_refused_waits_for_a_person(company: Company) -> None:
    request = create(company)
    calls.claim_requests([request.pk], now=NOW)
    settle(request, Outcome.REFUSED, origin=calls.DIALER)
    assert situation(request) == ("new", None, Hold.REFUSED, False)
    assert LedgerEntry.objects.latest("id").source == Source.DIALER


@pytest.mark.parametrize("outcome", [Outcome.ANSWERED, Outcome.BUSY])
@pytest.mark.parametrize("status", [Status.COMPLETED, Status.NO_ANSWER])
def test_what_a_person_decided_while_it_rang_stays(company: Company, status: str, outcome: Outcome) -> None:
    request = dialed(company)
    change(request, status=status)
    settle(request, outcome, RETRY_AT)
    assert situation(request) == (status, None, Hold.FINISHED, False)
    assert CallRequest.objects.get(pk=request.pk).last_outcome == outcome


def test_a_number_that_became_undialable_while_it_rang_is_not_tried_again(company: Company) -> None:
    request = dialed(company)
    change(request, phone="98765-4321")
    settle(request, Outcome.BUSY, RETRY_AT)
    assert situation(request) == ("in_progress", None, Hold.NO_AREA_CODE, False)


# --- Late news ----------------------------------------------------------------------------------------------------


def test_late_news_that_it_was_answered_drops_the_next_try(company: Company) -> None:
    request = dialed(company)
    settle(request, Outcome.BUSY, RETRY_AT)
    correct(request, was=Outcome.BUSY, outcome=Outcome.ANSWERED)
    assert situation(request) == ("completed", None, Hold.FINISHED, False)


def test_late_news_that_it_was_answered_completes_a_request_that_was_given_up(company: Company) -> None:
    request = dialed(company)
    settle(request, Outcome.NO_ANSWER)
    correct(request, was=Outcome.NO_ANSWER, outcome=Outcome.ANSWERED)
    assert situation(request) == ("completed", None, Hold.FINISHED, False)
    moves = [entry[1:3] for entry in ledger(request) if entry[0] == "status"]
    assert all(before == after for (_from, before), (after, _to) in zip(moves, moves[1:], strict=False))
    assert moves[-1][1] == "completed"


def test_late_news_that_a_machine_answered_plans_the_next_try_after_all(company: Company) -> None:
    request = dialed(company)
    settle(request, Outcome.ANSWERED)
    correct(request, was=Outcome.ANSWERED, outcome=Outcome.MACHINE, retry_at=RETRY_AT)
    assert situation(request) == ("in_progress", RETRY_AT, Hold.RETRY_WAIT, False)
    assert CallRequest.objects.get(pk=request.pk).completed_at is None


def test_late_news_changes_nothing_that_a_person_decided(company: Company) -> None:
    request = dialed(company)
    settle(request, Outcome.BUSY, RETRY_AT)
    change(request, status=Status.NO_ANSWER)
    before = situation(request)
    correct(request, was=Outcome.BUSY, outcome=Outcome.ANSWERED)
    assert situation(request) == before == ("no_answer", None, Hold.FINISHED, False)
    assert ledger(request)[-1] == ("outcome", "", "", "answered")


def test_late_news_does_not_take_away_the_call_that_rings_now(company: Company) -> None:
    request = dialed(company)
    settle(request, Outcome.BUSY, LATER)
    calls.claim_requests([request.pk], now=LATER)
    correct(request, was=Outcome.BUSY, outcome=Outcome.NO_ANSWER, retry_at=RETRY_AT)
    assert situation(request) == ("in_progress", None, Hold.IN_FLIGHT, True)


# --- Requests that are gone ---------------------------------------------------------------------------------------


def test_reports_about_a_deleted_request_do_nothing(company: Company) -> None:
    request = create(company)
    request_id = request.pk
    delete_call_request(request_id, scope=None, origin=SHOP, now=NOW)
    entries = LedgerEntry.objects.count()
    calls.note_try(request_id, now=NOW)
    calls.note_answered(request_id, now=NOW)
    calls.note_call_confirmed(request_id, now=NOW)
    calls.hold_in_doubt(request_id, now=NOW)
    calls.release_request(request_id, due_at=NOW, now=NOW, reason="stale")
    calls.settle_request(request_id, outcome=Outcome.BUSY, retry_at=RETRY_AT, now=NOW)
    calls.correct_outcome(request_id, was=Outcome.BUSY, outcome=Outcome.ANSWERED, retry_at=None, now=NOW)
    assert not calls.postpone_request(request_id, until=LATER, hold=Hold.CONTACT_WINDOW, now=NOW)
    assert not CallRequest.objects.exists()
    assert LedgerEntry.objects.count() == entries


# --- What the dialer asks -----------------------------------------------------------------------------------------


def test_the_urgent_come_first_then_the_longest_waiting(company: Company) -> None:
    old = create(company, phone="(11) 98765-0001")
    newer = create_call_request(company.pk, origin=SHOP, now=LATER, fields={"phone": "(11) 98765-0002"})
    urgent = create_call_request(company.pk, origin=SHOP, now=LATER, fields={"phone": "(11) 98765-0003", "priority": 3})
    create(make_company())
    found = selectors.due_requests(company.pk, now=LATER, limit=10)
    assert [request.id for request in found] == [urgent.pk, old.pk, newer.pk]
    assert [r.id for r in selectors.due_requests(company.pk, now=LATER, limit=1)] == [urgent.pk]
    without = selectors.due_requests(company.pk, now=LATER, limit=10, but=Q(phone_e164="+5511987650003"))
    assert [request.id for request in without] == [old.pk, newer.pk]


def test_only_a_claimed_open_request_is_still_wanted(company: Company) -> None:
    request = create(company)
    assert selectors.locked_if_wanted([request.pk]) == {}
    calls.claim_requests([request.pk], now=NOW)
    wanted = selectors.locked_if_wanted([request.pk]).get(request.pk)
    assert wanted is not None
    assert (wanted.id, wanted.phone_e164) == (request.pk, "+5511987654321")
    change(request, status=Status.COMPLETED)
    assert selectors.locked_if_wanted([request.pk]) == {}
    assert selectors.locked_if_wanted([GONE]) == {}
