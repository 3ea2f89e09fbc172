"""A call in doubt, settled by a person: it happened, or it did not; once, and only by those who may see it."""

from __future__ import annotations

import threading

import pytest
from django.utils import timezone

from callcenter.accounts.models import User
from callcenter.lib.errors import Conflict, NotFound
from requests_app.models import CallRequest, LedgerEntry
from requests_app.states import Hold
from telephony.models import CallAttempt, DialerLine
from telephony.services import moves
from telephony.services.dialing import settle_doubt
from telephony.states import AttemptState, MoveReason
from telephony.tests.scenes import claim, deliver, fresh, in_threads, make_callcenter, make_due, placed_call, send

S = AttemptState


@pytest.fixture
def line(db: None) -> DialerLine:
    """A line with an account at the carrier."""
    return make_callcenter()


@pytest.fixture
def actor(db: None) -> User:
    """Somebody who decides."""
    return User.objects.create(email="chefe@example.com")


def doubtful(line: DialerLine) -> CallAttempt:
    """A call in doubt of a new request."""
    make_due(line.company)
    (attempt,) = claim(line)
    send(attempt)
    assert moves.doubt(attempt, reason=MoveReason.AMBIGUOUS, now=timezone.now())
    return attempt


def test_a_call_that_did_not_happen_gives_the_request_back_at_once(line: DialerLine, actor: User) -> None:
    attempt = doubtful(line)
    now = timezone.now()
    settle_doubt(attempt.pk, called=False, actor=actor, scope={line.company_id}, now=now)
    attempt, request = fresh(attempt)
    assert (attempt.state, attempt.outcome, attempt.ended_at) == (S.RELEASED, "not_placed", now)
    entry = attempt.entries.last()
    assert entry is not None
    assert (entry.reason, entry.actor) == (MoveReason.SAID_NOT_CALLED, actor)
    assert (request.in_flight, request.due_at, request.hold_reason) == (False, now, "")
    assert [one.number for one in claim(line)] == [2]


def test_a_call_that_happened_ends_without_news(line: DialerLine, actor: User) -> None:
    attempt = doubtful(line)
    settle_doubt(attempt.pk, called=True, actor=actor, scope=None, now=timezone.now())
    attempt, request = fresh(attempt)
    assert (attempt.state, attempt.outcome) == (S.ENDED, "no_news")
    assert (request.status, request.in_flight, request.hold_reason) == ("no_answer", False, Hold.OUT_OF_TRIES)
    deliver("atendeu", callerid="late", destino=attempt.phone_e164)
    attempt, request = fresh(attempt)
    assert (attempt.outcome, request.status) == ("answered", "completed")


def test_what_a_stranger_may_not_see_is_not_there(line: DialerLine, actor: User) -> None:
    attempt = doubtful(line)
    for scope, number in (({line.company_id + 1}, attempt.pk), (set(), attempt.pk), (None, 0)):
        with pytest.raises(NotFound):
            settle_doubt(number, called=False, actor=actor, scope=scope, now=timezone.now())
    assert fresh(attempt)[0].state == S.IN_DOUBT


def test_only_a_doubt_can_be_settled(line: DialerLine, actor: User) -> None:
    attempt = placed_call(line)
    before = LedgerEntry.objects.count()
    for called in (True, False):
        with pytest.raises(Conflict):
            settle_doubt(attempt.pk, called=called, actor=actor, scope=None, now=timezone.now())
    assert fresh(attempt)[0].state == S.PLACED
    assert LedgerEntry.objects.count() == before


@pytest.mark.django_db(transaction=True)
def test_of_people_and_news_deciding_at_once_one_wins_and_all_agree() -> None:
    line = make_callcenter()
    actor = User.objects.create(email="chefe@example.com")
    for _round in range(5):
        attempt = doubtful(line)
        settled: list[bool] = []
        start = threading.Barrier(4)

        def decide(
            place: int, attempt: CallAttempt = attempt, settled: list[bool] = settled, start: threading.Barrier = start
        ) -> None:
            start.wait(10)
            if place == 3:
                deliver("chamando", callerid=f"call-{attempt.pk}", destino=attempt.phone_e164)
                return
            try:
                settle_doubt(attempt.pk, called=place == 0, actor=actor, scope=None, now=timezone.now())
            except Conflict:
                return
            settled.append(place == 0)

        in_threads(4, decide)
        attempt, request = fresh(attempt)
        expected = {(): S.RINGING, (True,): S.ENDED, (False,): S.RELEASED}[tuple(settled)]
        assert attempt.state == expected
        assert request.in_flight is (attempt.state == S.RINGING)
        CallAttempt.objects.filter(state=S.RINGING).update(state=S.ENDED)
        CallRequest.objects.update(in_flight=False, due_at=None)
