"""When a request is called again after an outcome: by its company's rule, else everybody's, and not for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from callcenter.tests.factories import make_company
from requests_app.models import CallRequest
from requests_app.states import Hold, Outcome
from telephony.models import DialerLine, RetryRule
from telephony.services import moves
from telephony.services.retries import next_try_at, wait_after_not_sent
from telephony.states import MoveReason
from telephony.tests.scenes import claim, fresh, make_callcenter, make_due, placed_call, send

if TYPE_CHECKING:
    from telephony.models import CallAttempt


@pytest.fixture
def line(db: None) -> DialerLine:
    """A line, and no rules but those of the test."""
    RetryRule.objects.all().delete()
    return make_callcenter()


def rule(outcome: Outcome, *, tries: int, wait: int, line: DialerLine | None = None) -> None:
    """Store a rule: for the line's company, or for everybody."""
    company = None if line is None else line.company
    RetryRule.objects.create(company=company, outcome=outcome, max_tries=tries, wait_seconds=wait)


def ended(line: DialerLine, outcome: Outcome, *, request: CallRequest | None = None) -> CallAttempt:
    """A call of the request (or of a new one) that ended so."""
    if request is None:
        attempt = placed_call(line)
    else:
        CallRequest.objects.filter(pk=request.pk).update(due_at=timezone.now())
        (attempt,) = claim(line)
        send(attempt, call_id=f"id {attempt.pk}")
    assert moves.end(moves.locked(attempt.pk), outcome, expected=["placed"], reason=outcome, now=timezone.now())
    return fresh(attempt)[0]


def test_a_companys_own_rule_comes_before_everybodys(line: DialerLine) -> None:
    rule(Outcome.BUSY, tries=5, wait=600)
    rule(Outcome.BUSY, tries=5, wait=60, line=line)
    RetryRule.objects.create(company=make_company(), outcome=Outcome.BUSY, max_tries=5, wait_seconds=7)
    now = timezone.now()
    attempt = ended(line, Outcome.BUSY)
    assert next_try_at(attempt, outcome=Outcome.BUSY, now=now) == now + timedelta(seconds=60)
    RetryRule.objects.filter(company=line.company).delete()
    assert next_try_at(attempt, outcome=Outcome.BUSY, now=now) == now + timedelta(seconds=600)


def test_an_outcome_without_a_rule_is_never_tried_again(line: DialerLine) -> None:
    rule(Outcome.BUSY, tries=3, wait=60)
    _attempt, request = fresh(ended(line, Outcome.INVALID))
    assert (request.status, request.hold_reason, request.due_at) == ("no_answer", Hold.OUT_OF_TRIES, None)


def test_a_request_is_tried_as_often_as_the_rule_says_and_then_given_up(line: DialerLine) -> None:
    rule(Outcome.BUSY, tries=3, wait=60)
    attempt = ended(line, Outcome.BUSY)
    _attempt, request = fresh(attempt)
    for tries in (2, 3):
        assert (request.status, request.hold_reason) == ("in_progress", Hold.RETRY_WAIT)
        assert attempt.ended_at is not None
        assert request.due_at == attempt.ended_at + timedelta(seconds=60)
        attempt = ended(line, Outcome.BUSY, request=request)
        _attempt, request = fresh(attempt)
        assert request.attempts == tries
    assert (request.status, request.hold_reason, request.due_at) == ("no_answer", Hold.OUT_OF_TRIES, None)
    assert request.last_outcome == "busy"
    assert claim(line, now=timezone.now() + timedelta(days=1)) == []


def test_each_outcome_has_a_count_of_its_own(line: DialerLine) -> None:
    rule(Outcome.BUSY, tries=2, wait=0)
    rule(Outcome.NO_ANSWER, tries=2, wait=0)
    _attempt, request = fresh(ended(line, Outcome.BUSY))
    _attempt, request = fresh(ended(line, Outcome.NO_ANSWER, request=request))
    assert request.status == "in_progress"
    _attempt, request = fresh(ended(line, Outcome.BUSY, request=request))
    assert (request.status, request.attempts) == ("no_answer", 3)


def test_calls_that_never_left_are_no_tries(line: DialerLine) -> None:
    rule(Outcome.BUSY, tries=2, wait=0)
    (request,) = make_due(line.company)
    for _ in range(4):
        (attempt,) = claim(line)
        now = timezone.now()
        assert moves.release(attempt, expected=["claimed"], reason=MoveReason.NOT_SENT, due_at=now, now=now)
    _attempt, request = fresh(ended(line, Outcome.BUSY, request=request))
    assert (request.status, request.attempts) == ("in_progress", 1)


def test_a_next_try_waits_for_the_customers_contact_window(line: DialerLine) -> None:
    rule(Outcome.BUSY, tries=2, wait=60)
    local = timezone.now().astimezone(line.company.zone)
    opens, closes = (local + timedelta(hours=3)).hour, (local + timedelta(hours=5)).hour
    attempt = placed_call(line)
    CallRequest.objects.update(time_from=f"{opens}:00", time_to=f"{closes}:00")
    assert moves.end(moves.locked(attempt.pk), Outcome.BUSY, expected=["placed"], reason="busy", now=timezone.now())
    _attempt, request = fresh(attempt)
    assert request.due_at is not None
    assert request.due_at.astimezone(line.company.zone).strftime("%H:%M") == f"{opens:02d}:00"
    assert request.hold_reason == Hold.RETRY_WAIT


def test_the_wait_after_a_call_that_never_left_doubles_up_to_a_quarter_of_an_hour(line: DialerLine) -> None:
    make_due(line.company)
    waits = []
    for number in range(8):
        now = timezone.now() + timedelta(seconds=number)
        (attempt,) = claim(line, now=now)
        waits.append((wait_after_not_sent(attempt, now=now) - now).total_seconds())
        assert moves.release(attempt, expected=["claimed"], reason=MoveReason.NOT_SENT, due_at=now, now=now)
    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]


def test_a_call_that_left_starts_the_waiting_anew(line: DialerLine) -> None:
    rule(Outcome.BUSY, tries=5, wait=0)
    (request,) = make_due(line.company)
    (attempt,) = claim(line)
    now = timezone.now()
    assert moves.release(attempt, expected=["claimed"], reason=MoveReason.NOT_SENT, due_at=now, now=now)
    ended(line, Outcome.BUSY, request=request)
    (attempt,) = claim(line, now=timezone.now())
    assert wait_after_not_sent(attempt, now=now) == now + timedelta(seconds=30)
