"""The circuit breaker of a line: failures in a row open it, one call tries it again, and staff see how it stands."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from requests_app.models import CallRequest
from telephony.models import CallAttempt, DialerLine, LineBreaker
from telephony.services import breaker
from telephony.services.placing import place_call
from telephony.services.policy import allowance
from telephony.states import AttemptState, BreakerState, LineHold, MoveReason
from telephony.tests.pabx import TinyPabx
from telephony.tests.scenes import claim, fresh, make_callcenter, make_due

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db

B = BreakerState


@pytest.fixture
def pabx() -> Iterator[TinyPabx]:
    """A PABX that answers as it is told."""
    with TinyPabx() as running:
        yield running


@pytest.fixture
def line(pabx: TinyPabx, settings: Any) -> DialerLine:
    """A line at it, whose breaker opens at the third failure."""
    settings.DIALER_BREAKER_FAILURES = 3
    return make_callcenter(base_url=pabx.url)


def place(line: DialerLine, count: int) -> list[CallAttempt]:
    """So many new calls, claimed together and placed one after the other."""
    CallRequest.objects.filter(in_flight=False).update(due_at=None, status="completed")
    make_due(line.company, count)
    attempts = claim(line)
    for attempt in attempts:
        place_call(attempt.pk)
    return [fresh(attempt)[0] for attempt in attempts]


def stored(line: DialerLine) -> LineBreaker:
    return LineBreaker.objects.get(pk=line.pk)


def due_for_its_probe(line: DialerLine) -> None:
    LineBreaker.objects.filter(pk=line.pk).update(next_probe_at=timezone.now() - timedelta(seconds=1))


@pytest.mark.parametrize("failure", ["doubt", "no connection"])
def test_failures_in_a_row_open_it_and_the_calls_that_were_claimed_do_not_leave(
    failure: str, line: DialerLine, pabx: TinyPabx
) -> None:
    if failure == "doubt":
        pabx.status_code = 500
    else:
        DialerLine.objects.update(base_url="http://127.0.0.1:9")
    attempts = place(line, 5)
    failed = AttemptState.IN_DOUBT if failure == "doubt" else AttemptState.RELEASED
    assert [one.state for one in attempts] == [failed] * 3 + [AttemptState.RELEASED] * 2
    # Without a connection there is no intent, at which the breaker would be asked.
    reason = MoveReason.BREAKER if failure == "doubt" else MoveReason.NOT_SENT
    assert [one.entries.last().reason for one in attempts[3:]] == [reason] * 2  # type: ignore[union-attr]
    assert len(pabx.posts) == (3 if failure == "doubt" else 0)
    held = allowance(line, now=timezone.now())
    assert (held.calls, held.hold, held.until) == (0, LineHold.BREAKER, stored(line).next_probe_at)
    assert "tenta de novo em" in held.explanation
    assert (stored(line).state, stored(line).reason) == (B.OPEN, "ambiguous" if failure == "doubt" else "not_sent")


def test_one_call_tries_the_line_and_closes_it_when_it_goes_well(line: DialerLine, pabx: TinyPabx) -> None:
    pabx.status_code = 500
    place(line, 3)
    due_for_its_probe(line)
    pabx.status_code = 200
    make_due(line.company, 5)
    (probe,) = claim(line)
    assert (stored(line).state, claim(line)) == (B.HALF_OPEN, [])
    place_call(probe.pk)
    assert (stored(line).state, stored(line).failures, stored(line).next_probe_at) == (B.CLOSED, 0, None)
    assert len(claim(line)) > 1


def test_a_probe_that_fails_opens_it_for_twice_as_long(line: DialerLine, pabx: TinyPabx) -> None:
    pabx.status_code = 500
    place(line, 3)
    waits = []
    for _ in range(3):
        waits.append(round((stored(line).next_probe_at - stored(line).changed_at).total_seconds()))  # type: ignore[operator]
        due_for_its_probe(line)
        assert len(place(line, 1)) == 1
    assert waits == [30, 60, 120]
    assert stored(line).state == B.OPEN


def test_a_probe_whose_worker_died_is_followed_by_another(line: DialerLine, pabx: TinyPabx) -> None:
    pabx.status_code = 500
    place(line, 3)
    due_for_its_probe(line)
    make_due(line.company, 2)
    assert len(claim(line)) == 1
    due_for_its_probe(line)
    assert len(claim(line)) == 1


def test_a_sure_no_is_no_failure_and_success_starts_the_count_anew(line: DialerLine, pabx: TinyPabx) -> None:
    answers = iter([500, 500, 400, 500, 500, 200, 500, 500])
    pabx.choose_status_code = lambda: next(answers)
    place(line, 8)
    assert (stored(line).state, stored(line).failures) == (B.CLOSED, 2)


def test_a_person_closes_it(line: DialerLine, pabx: TinyPabx) -> None:
    pabx.status_code = 500
    place(line, 3)
    assert breaker.close(line.pk, now=timezone.now())
    assert not breaker.close(line.pk, now=timezone.now())
    make_due(line.company, 2)
    assert len(claim(line)) == 2
