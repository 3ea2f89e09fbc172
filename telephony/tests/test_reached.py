"""A customer who is reached otherwise, or wants it later, is not called: whatever the dialer is doing meanwhile."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from requests_app.data import Origin
from requests_app.models import CallbackPolicy, CallRequest, LedgerEntry
from requests_app.services.calls import reached_elsewhere
from requests_app.services.intake import change_call_request, dial_now, take_call_request
from requests_app.states import Hold, Outcome, Reach, ReachAction, Source
from telephony.models import CallAttempt, DialerLine, ProviderEvent
from telephony.services import moves
from telephony.services.events import apply_event
from telephony.services.placing import place_call
from telephony.states import AttemptState
from telephony.tests.pabx import TinyPabx
from telephony.tests.scenes import claim, deliver, fresh, in_threads, make_callcenter, make_due

S = AttemptState
SHOP = Origin(source=Source.VENDDOR)


def wants(line: DialerLine, action: ReachAction, *, minutes: int = 60) -> None:
    """Have the line's company do so with whoever is reached otherwise."""
    CallbackPolicy.objects.create(company=line.company, reached_action=action, reached_postpone_minutes=minutes)


def reach(request: CallRequest, *, now: datetime | None = None) -> list[int]:
    return reached_elsewhere(request.company_id, request.phone_e164, how=Reach.ATENDIMENTO, now=now or timezone.now())


def last_entry(request: CallRequest) -> LedgerEntry:
    return LedgerEntry.objects.filter(call_request=request).latest("id")


@pytest.fixture
def pabx() -> Any:
    with TinyPabx() as running:
        yield running


@pytest.fixture
def line(pabx: TinyPabx, db: None) -> DialerLine:
    return make_callcenter(base_url=pabx.url)


def claimed(line: DialerLine) -> CallAttempt:
    make_due(line.company)
    (attempt,) = claim(line)
    return attempt


def test_a_company_that_wants_nothing_of_it_is_left_alone(line: DialerLine) -> None:
    (request,) = make_due(line.company)
    assert reach(request) == []
    wants(line, ReachAction.NOTHING)
    assert reach(request) == []
    assert len(claim(line)) == 1


def test_a_waiting_request_is_closed_and_never_called(line: DialerLine) -> None:
    wants(line, ReachAction.CLOSE)
    (request,) = make_due(line.company)
    (other,) = make_due(line.company)
    assert reach(request) == [request.pk]
    request.refresh_from_db()
    assert (request.status, request.hold_reason, request.due_at) == ("completed", Hold.FINISHED, None)
    assert request.completed_at is not None
    entry = last_entry(request)
    assert (entry.reason, entry.source, entry.to_status) == ("reached_helpdesk", "helpdesk", "completed")
    assert [attempt.call_request_id for attempt in claim(line)] == [other.pk]
    assert reach(request) == []


def test_a_waiting_request_is_put_off_once(line: DialerLine) -> None:
    wants(line, ReachAction.POSTPONE)
    (request,) = make_due(line.company)
    now = timezone.now()
    assert reach(request, now=now) == [request.pk]
    request.refresh_from_db()
    assert (request.hold_reason, request.due_at) == (Hold.POSTPONED, now + timedelta(hours=1))
    assert reach(request, now=now + timedelta(minutes=5)) == []
    assert claim(line, now=now + timedelta(minutes=59)) == []
    assert len(claim(line, now=now + timedelta(minutes=61))) == 1


def test_what_a_person_works_on_is_left_to_them(line: DialerLine) -> None:
    wants(line, ReachAction.CLOSE)
    (request,) = make_due(line.company)
    take_call_request(request.pk, scope=None, origin=Origin(source=Source.ADMIN), now=timezone.now())
    assert reach(request) == []


@pytest.mark.parametrize("action", [ReachAction.CLOSE, ReachAction.POSTPONE])
def test_a_claimed_call_is_not_sent_any_more(line: DialerLine, pabx: TinyPabx, action: ReachAction) -> None:
    wants(line, action)
    attempt = claimed(line)
    before = timezone.now()
    assert reach(fresh(attempt)[1]) == [attempt.call_request_id]
    place_call(attempt.pk)
    attempt, request = fresh(attempt)
    assert (pabx.posts, attempt.state, request.in_flight) == ([], S.RELEASED, False)
    if action == ReachAction.CLOSE:
        assert (request.status, request.hold_reason, request.due_at) == ("completed", Hold.FINISHED, None)
    else:
        assert (request.status, request.hold_reason) == ("new", Hold.POSTPONED)
        assert request.due_at is not None
        assert request.due_at >= before + timedelta(hours=1)


@pytest.mark.parametrize("outcome", [Outcome.BUSY, Outcome.NO_NEWS, Outcome.ANSWERED])
def test_a_sent_call_that_is_put_off_goes_on_and_is_neither_lost_nor_repeated(
    line: DialerLine, pabx: TinyPabx, outcome: Outcome
) -> None:
    wants(line, ReachAction.POSTPONE)
    attempt = claimed(line)
    place_call(attempt.pk)
    before = timezone.now()
    assert reach(fresh(attempt)[1]) == [attempt.call_request_id]
    attempt, request = fresh(attempt)
    assert (attempt.state, request.in_flight, request.due_at) == (S.PLACED, True, None)
    assert last_entry(request).detail == {"in_flight": True}
    assert claim(line) == []
    now = timezone.now()
    assert moves.end(moves.locked(attempt.pk), outcome, expected=["placed"], reason=outcome, now=now)
    _attempt, request = fresh(attempt)
    assert (len(pabx.posts), request.in_flight) == (1, False)
    if outcome == Outcome.ANSWERED:
        assert (request.status, request.due_at) == ("completed", None)
    else:
        # The rule for "no news" is no further try; who put it off wants it all the same.
        assert (request.status, request.hold_reason) == ("in_progress", Hold.POSTPONED)
        assert request.due_at is not None
        assert request.due_at >= before + timedelta(hours=1)


def test_a_sent_call_that_is_closed_stays_and_the_ledger_says_so(line: DialerLine, pabx: TinyPabx) -> None:
    wants(line, ReachAction.CLOSE)
    attempt = claimed(line)
    place_call(attempt.pk)
    reach(fresh(attempt)[1])
    attempt, request = fresh(attempt)
    assert (attempt.state, request.status, request.in_flight) == (S.PLACED, "completed", True)
    assert last_entry(request).detail == {"in_flight": True}
    now = timezone.now()
    assert moves.end(moves.locked(attempt.pk), Outcome.BUSY, expected=["placed"], reason="busy", now=now)
    _attempt, request = fresh(attempt)
    assert (request.status, request.hold_reason, request.in_flight) == ("completed", Hold.FINISHED, False)
    assert claim(line, now=now + timedelta(days=1)) == []


def test_a_shop_that_wants_it_later_while_it_is_claimed_gets_it_later(line: DialerLine, pabx: TinyPabx) -> None:
    attempt = claimed(line)
    later = (timezone.now() + timedelta(hours=2)).replace(microsecond=0)
    request = fresh(attempt)[1]
    change_call_request(request.pk, scope=None, origin=SHOP, now=timezone.now(), fields={"wanted_at": later})
    place_call(attempt.pk)
    _attempt, request = fresh(attempt)
    assert (pabx.posts, request.due_at, request.in_flight) == ([], later, False)
    # And at once after all.
    change_call_request(request.pk, scope=None, origin=SHOP, now=timezone.now(), fields={"wanted_at": None})
    assert len(claim(line)) == 1


def test_told_to_dial_now_a_request_that_was_put_off_is_dialed_now(line: DialerLine, pabx: TinyPabx) -> None:
    wants(line, ReachAction.POSTPONE)
    (request,) = make_due(line.company)
    reach(request)
    dial_now(request.pk, scope=None, origin=Origin(source=Source.ADMIN), now=timezone.now())
    (attempt,) = claim(line)
    place_call(attempt.pk)
    now = timezone.now()
    assert moves.end(moves.locked(attempt.pk), Outcome.BUSY, expected=["placed"], reason="busy", now=now)
    assert fresh(attempt)[1].hold_reason == Hold.RETRY_WAIT


def received(line: DialerLine, request: CallRequest, word: str = "atendeu") -> ProviderEvent:
    """The carrier's callback of a call that the request's customer made to us."""
    origin = request.phone_e164.removeprefix("+")
    assert deliver(word, callerid=f"in-{request.pk}", origem=origin, destino="551133334444").status_code == 200
    return ProviderEvent.objects.latest("id")


def test_a_customer_who_rings_us_and_is_answered_is_not_called_back(line: DialerLine) -> None:
    (request,) = make_due(line.company)
    assert received(line, request).state == ProviderEvent.State.UNMATCHED
    wants(line, ReachAction.CLOSE)
    assert received(line, request, "chamando").state == ProviderEvent.State.UNMATCHED
    event = received(line, request)
    assert (event.state, event.attempt) == (ProviderEvent.State.APPLIED, None)
    request.refresh_from_db()
    assert request.status == "completed"
    assert (last_entry(request).reason, last_entry(request).source) == ("reached_inbound", "carrier")


def test_a_call_of_a_customer_settles_nothing_that_they_asked_for_afterwards(line: DialerLine) -> None:
    wants(line, ReachAction.CLOSE)
    (request,) = make_due(line.company)
    CallRequest.objects.filter(pk=request.pk).update(requested_at=timezone.now() + timedelta(minutes=20))
    event = received(line, request)
    assert event.state == ProviderEvent.State.UNMATCHED
    # The sweep reads it again for an hour.
    assert not apply_event(event.pk, now=timezone.now() + timedelta(minutes=21))
    request.refresh_from_db()
    assert (request.status, request.in_flight) == ("new", False)
    assert request.due_at is not None


def test_a_callback_asked_for_in_a_conversation_is_settled_by_the_customers_own_call(line: DialerLine) -> None:
    wants(line, ReachAction.CLOSE)
    (request,) = make_due(line.company)
    CallRequest.objects.filter(pk=request.pk).update(source=Source.HELPDESK)
    assert received(line, request).state == ProviderEvent.State.APPLIED
    request.refresh_from_db()
    assert request.status == "completed"


def test_news_that_may_be_of_our_own_call_is_left_until_that_is_over(line: DialerLine) -> None:
    wants(line, ReachAction.CLOSE)
    attempt = claimed(line)
    place_call(attempt.pk)
    event = received(line, fresh(attempt)[1])
    assert event.state == ProviderEvent.State.UNMATCHED
    now = timezone.now()
    assert moves.end(moves.locked(attempt.pk), Outcome.BUSY, expected=["placed"], reason="busy", now=now)
    assert apply_event(event.pk, now=now)
    assert fresh(attempt)[1].status == "completed"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("action", [ReachAction.CLOSE, ReachAction.POSTPONE])
def test_reaching_customers_while_they_are_claimed_and_dialed(action: ReachAction) -> None:
    """Sixteen requests; one thread claims and dials them, two others reach their customers at the same moments."""
    with TinyPabx() as pabx:
        line = make_callcenter(base_url=pabx.url)
        wants(line, action)
        requests = make_due(line.company, 16)
        reached: set[int] = set()

        def work(place: int) -> None:
            if place == 0:
                for attempt in claim(line):
                    place_call(attempt.pk)
                return
            for request in requests if place == 1 else reversed(requests):
                reached.update(reach(request))

        in_threads(3, work)
        dialed = set(pabx.numbers)
        assert len(dialed) == len(pabx.posts)
    assert reached == {request.pk for request in requests}
    for request in CallRequest.objects.all():
        attempts = list(request.call_attempts.all())
        assert len(attempts) <= 1
        was_dialed = f"0{request.phone_e164[3:]}" in dialed
        assert was_dialed is any(attempt.state == S.PLACED for attempt in attempts)
        assert request.in_flight is was_dialed
        # Whoever was closed or put off before the intent was not dialed; who was dialed, was so under way.
        entries = LedgerEntry.objects.filter(call_request=request, reason="reached_helpdesk")
        (entry,) = entries
        assert not was_dialed or entry.detail["in_flight"]
        if action == ReachAction.CLOSE:
            assert (request.status, request.due_at) == ("completed", None)
        else:
            assert was_dialed or (request.hold_reason == Hold.POSTPONED and request.due_at is not None)
