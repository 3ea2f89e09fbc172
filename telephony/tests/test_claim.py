"""Claiming: a request is claimed once, by one line, within every limit, whoever else is claiming at the same time."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from callcenter.lib.secrets import SecretUnreadable
from callcenter.tests.factories import make_line
from requests_app.models import CallRequest, LedgerEntry
from requests_app.states import Hold, Outcome, Priority
from telephony import tasks
from telephony.models import CallAttempt, DialerLine
from telephony.services import dialing, moves
from telephony.services.dialing import claim_due_calls
from telephony.states import AttemptState, MoveReason
from telephony.tests.scenes import claim, fresh, in_threads, make_callcenter, make_due, placed_call, send


@pytest.mark.django_db
def test_a_second_tick_does_not_dial_the_same_request() -> None:
    line = make_callcenter()
    make_due(line.company, 3)
    assert len(claim(line)) == 3
    assert claim(line) == []


@pytest.mark.django_db
def test_a_claimed_request_is_in_flight_and_says_so() -> None:
    line = make_callcenter()
    (request,) = make_due(line.company)
    (attempt,) = claim(line)
    attempt, stored = fresh(attempt)
    assert (stored.pk, stored.in_flight, stored.due_at, stored.hold_reason) == (request.pk, True, None, Hold.IN_FLIGHT)
    assert (attempt.state, attempt.number, attempt.phone_e164) == ("claimed", 1, request.phone_e164)
    assert stored.attempts == 0
    assert LedgerEntry.objects.filter(call_request_id=request.pk, kind="claimed").count() == 1
    # Told by the request's ledger and the attempt's own time; its entries are moves from there.
    assert not attempt.entries.exists()


@pytest.mark.django_db
def test_the_most_urgent_and_then_the_longest_waiting_come_first() -> None:
    line = make_callcenter(attendants=3)
    low, normal, later, urgent = (
        *make_due(line.company, priority=Priority.LOW),
        *make_due(line.company, 2),
        *make_due(line.company, priority=Priority.URGENT),
    )
    CallRequest.objects.filter(pk=low.pk).update(due_at=timezone.now() - timedelta(days=1))
    assert [one.call_request_id for one in claim(line)] == [urgent.pk, normal.pk, later.pk]


@pytest.mark.django_db
def test_two_requests_with_one_number_are_called_one_after_the_other() -> None:
    line = make_callcenter()
    make_due(line.company, 2, phone="(11) 98765-4321")
    (first,) = claim(line)
    assert claim(line) == []
    assert claim(make_line(line.company)) == []
    send(first, call_id="x")
    assert moves.end(moves.locked(first.pk), Outcome.BUSY, expected=["placed"], reason="busy", now=timezone.now())
    (second,) = claim(line)
    assert second.phone_e164 == first.phone_e164
    assert second.call_request_id != first.call_request_id


@pytest.mark.django_db
def test_a_number_that_two_companies_want_rings_for_one_after_the_other() -> None:
    first, second = make_callcenter(secret="a"), make_callcenter(secret="b")
    for line in (first, second):
        make_due(line.company, phone="(11) 98765-4321")
    (attempt,) = claim(first)
    assert claim(second) == []
    assert moves.release(attempt, expected=["claimed"], reason="held", due_at=timezone.now(), now=timezone.now())
    assert len(claim(second)) == 1


@pytest.mark.django_db
def test_a_number_of_hundreds_of_requests_does_not_hold_up_the_others() -> None:
    line = make_callcenter(attendants=4)
    make_due(line.company, 60, phone="(11) 98765-4321", priority=Priority.HIGH)
    other = make_due(line.company, 2)
    assert len(claim(line)) == 1
    assert {one.call_request_id for one in claim(line)} == {one.pk for one in other}


@pytest.mark.django_db
def test_a_request_outside_its_contact_window_is_put_off_and_says_so() -> None:
    line = make_callcenter(attendants=1)
    made = make_due(line.company, time_from="14:00", time_to="16:00", priority=Priority.URGENT)[0]
    (other,) = make_due(line.company)
    noon = datetime(2026, 11, 23, 15, tzinfo=UTC)
    CallRequest.objects.update(due_at=noon, hold_reason="")
    assert [one.call_request_id for one in claim(line, now=noon)] == [other.pk]
    made.refresh_from_db()
    assert (made.due_at, made.hold_reason) == (noon + timedelta(hours=2), Hold.CONTACT_WINDOW)


@pytest.mark.django_db
def test_no_more_calls_than_the_lines_limit_counting_those_that_may_still_ring() -> None:
    line = make_callcenter(max_calls_at_once=3)
    placed_call(line)
    doubtful = placed_call(line)
    CallAttempt.objects.filter(pk=doubtful.pk).update(state=AttemptState.IN_DOUBT)
    make_due(line.company, 5)
    now = timezone.now()
    assert len(claim(line, now=now + timedelta(seconds=1))) == 1
    assert claim(line, now=now + timedelta(seconds=9)) == []
    # A call in doubt for longer than a phone rings takes up nothing any more.
    assert len(claim(line, now=now + timedelta(seconds=301))) == 1


@pytest.mark.django_db
def test_calls_leave_no_quicker_than_the_line_allows_over_several_ticks() -> None:
    line = make_callcenter(calls_per_second=2)
    make_due(line.company, 40)
    began = timezone.now()
    leave = [one.send_at for second in range(0, 15, 3) for one in claim(line, now=began + timedelta(seconds=second))]
    assert len(leave) >= 24
    assert leave[0] == began
    gaps = [(later - earlier).total_seconds() for earlier, later in zip(leave, leave[1:], strict=False)]
    assert min(gaps) == pytest.approx(0.5)


@pytest.mark.django_db
def test_a_slow_line_does_not_hoard_claims_that_it_can_only_send_much_later() -> None:
    line = make_callcenter(calls_per_second=0.05)
    make_due(line.company, 30)
    began = timezone.now()
    for tick in range(24):
        now = began + timedelta(seconds=5 * tick)
        assert all(one.send_at <= now + timedelta(seconds=5) for one in claim(line, now=now))
    assert CallAttempt.objects.count() == 6


@pytest.mark.django_db
def test_nothing_is_claimed_for_an_inactive_company_or_a_line_that_is_gone() -> None:
    line = make_callcenter()
    make_due(line.company)
    line.company.is_active = False
    line.company.save()
    assert claim(line) == []
    assert claim_due_calls(0, now=timezone.now()) == []


@pytest.mark.django_db
def test_each_try_of_a_request_has_the_next_number() -> None:
    line = make_callcenter()
    now = timezone.now()
    make_due(line.company)
    for number in (1, 2, 3):
        (attempt,) = claim(line, now=now + timedelta(seconds=number))
        assert attempt.number == number
        assert moves.release(attempt, expected=["claimed"], reason=MoveReason.LEASE_OVER, due_at=now, now=now)


@pytest.mark.django_db
def test_a_line_that_fails_does_not_keep_the_others_from_their_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    broken, sound = make_callcenter(secret="a"), make_callcenter(secret="b")
    make_due(broken.company)
    make_due(sound.company)
    rung: list[list[int]] = []

    def claim_or_fail(line_id: int, *, now: datetime) -> list[int]:
        if line_id == broken.pk:
            raise SecretUnreadable("no key")
        return claim_due_calls(line_id, now=now)

    monkeypatch.setattr(dialing, "claim_due_calls", claim_or_fail)
    monkeypatch.setattr(tasks.place_calls, "delay_on_commit", rung.append)
    tasks.dialer_tick()
    assert [CallAttempt.objects.get(pk=one).line_id for one in rung[0]] == [sound.pk]


@pytest.mark.django_db(transaction=True)
def test_eight_claimers_at_once_claim_each_request_once_and_keep_the_limits() -> None:
    lines = [make_callcenter(attendants=150, max_calls_at_once=60)]
    lines += [make_line(lines[0].company, max_calls_at_once=60) for _ in range(3)]
    make_due(lines[0].company, 200)
    start = threading.Barrier(8)
    in_threads(8, lambda place: claim_often(lines[place % 4], start))
    attempts = list(CallAttempt.objects.all())
    assert len({one.call_request_id for one in attempts}) == len(attempts) == 150
    assert all(calls <= 60 for calls in Counter(one.line_id for one in attempts).values())
    assert CallRequest.objects.filter(in_flight=True).count() == 150
    assert CallRequest.objects.filter(due_at__isnull=False).count() == 50


def claim_often(line: DialerLine, start: threading.Barrier) -> None:
    """Three claims for the line, begun with the others."""
    start.wait(10)
    for _ in range(3):
        claim_due_calls(line.pk, now=timezone.now())
