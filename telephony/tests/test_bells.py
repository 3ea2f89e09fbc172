"""The dialer's bells: one that comes late does no harm, and adds nothing to the backlog that held it up."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

from telephony import tasks
from telephony.services.sweeping import sweep
from telephony.states import AttemptState, MoveReason
from telephony.tests.pabx import TinyPabx
from telephony.tests.scenes import claim, fresh, make_callcenter, make_due


def test_a_tick_behind_a_backlog_claims_nothing_that_nobody_can_place_in_time() -> None:
    bells = settings.CELERY_BEAT_SCHEDULE
    for name in ("dialer-tick", "telephony-sweep", "apply-news"):
        assert bells[name]["schedule"] < bells[name]["options"]["expires"] < settings.DIALER_LEASE_SECONDS


@pytest.mark.django_db
def test_calls_whose_bell_comes_after_their_lease_are_not_lost_and_not_placed() -> None:
    later = timezone.now() + timedelta(seconds=settings.DIALER_LEASE_SECONDS + 1)
    with TinyPabx() as pabx:
        line = make_callcenter(attendants=10, base_url=pabx.url)
        make_due(line.company)
        (attempt,) = claim(line)
        with time_machine.travel(later, tick=True):
            tasks.place_calls([attempt.pk])
        assert pabx.posts == []
    assert fresh(attempt)[0].state == AttemptState.CLAIMED
    assert sweep(now=later)["claims"] == 1
    attempt, request = fresh(attempt)
    assert (attempt.state, attempt.entries.last().reason) == (AttemptState.RELEASED, MoveReason.LEASE_OVER)  # type: ignore[union-attr]
    assert (request.due_at, request.in_flight) == (later, False)
    assert [one.number for one in claim(line, now=later)] == [2]
