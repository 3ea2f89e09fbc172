"""Turns: a line's calls keep their distance although all of them are late."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from django.utils import timezone

from telephony.models import CallAttempt
from telephony.services import turns
from telephony.services.placing import place_calls
from telephony.services.turns import seconds_until_turn
from telephony.tests.pabx import TinyPabx
from telephony.tests.scenes import claim, make_callcenter, make_due

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock, which stands still unless a test moves it."""
    found = [1000.0]
    monkeypatch.setattr(turns, "_free_from", {})
    monkeypatch.setattr("telephony.services.turns.time.monotonic", lambda: found[0])
    return found


def claimed(number: int, *, per_second: float) -> list[CallAttempt]:
    """So many claimed calls of one line."""
    line = make_callcenter(attendants=number, max_calls_at_once=number, calls_per_second=per_second)
    make_due(line.company, number)
    return claim(line)


def test_late_calls_leave_one_after_another(clock: list[float]) -> None:
    attempts = claimed(4, per_second=4.0)
    for attempt in attempts:
        attempt.send_at -= timedelta(seconds=20)
    assert [seconds_until_turn(attempt) for attempt in attempts] == [0.0, 0.25, 0.5, 0.75]
    clock[0] += 60
    assert seconds_until_turn(attempts[0]) == 0.0


def test_calls_in_time_leave_at_their_own_instants(clock: list[float]) -> None:
    attempts = claimed(3, per_second=2.0)
    began = timezone.now()
    waits = [seconds_until_turn(attempt) or 0.0 for attempt in attempts]
    due = [(attempt.send_at - began).total_seconds() for attempt in attempts]
    assert waits == pytest.approx([max(0.0, instant) for instant in due], abs=0.5)
    assert [round(later - earlier, 1) for earlier, later in zip(waits[1:], waits[2:], strict=False)] == [0.5]


def test_a_turn_after_the_lease_is_given_to_nobody(clock: list[float]) -> None:
    late, next_one = claimed(2, per_second=1.0)
    late.lease_until = timezone.now() - timedelta(seconds=1)
    assert seconds_until_turn(late) is None
    # Nor does it hold up the next.
    next_one.send_at = timezone.now() - timedelta(seconds=1)
    assert seconds_until_turn(next_one) == 0.0


@pytest.mark.django_db(transaction=True)
def test_placing_waits_for_the_turn_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(turns, "_free_from", {})
    monkeypatch.setattr("telephony.services.placing.time.sleep", waited.append)
    with TinyPabx() as pabx:
        line = make_callcenter(base_url=pabx.url, attendants=4, max_calls_at_once=4, calls_per_second=0.2)
        # One claim gives few instants of so slow a line.
        make_due(line.company, 4)
        attempts = [attempt for _ in range(4) for attempt in claim(line)]
        CallAttempt.objects.update(send_at=timezone.now() - timedelta(seconds=20))
        place_calls([attempt.pk for attempt in attempts])
    # The journal gathers for milliseconds.
    apart = sorted(seconds for seconds in waited if seconds > 1)
    assert len(apart) == len(attempts) - 1 > 0
    assert all(later - earlier > 4 for earlier, later in itertools.pairwise(apart))
