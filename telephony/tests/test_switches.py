"""The kill switches: off, nothing leaves any more, whatever was claimed before; who, when and why are kept."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from callcenter.accounts.models import User
from callcenter.lib.errors import Conflict
from requests_app.models import CallRequest
from telephony.models import DialerSwitch, SwitchEntry
from telephony.services.placing import place_call
from telephony.services.policy import allowance
from telephony.services.switches import turn_dialer, turn_line
from telephony.states import AttemptState, LineHold, MoveReason
from telephony.tests.pabx import TinyPabx
from telephony.tests.scenes import claim, fresh, make_callcenter, make_due

pytestmark = pytest.mark.django_db


@pytest.fixture
def pabx() -> Any:
    """A PABX that takes every call."""
    with TinyPabx() as running:
        yield running


def test_with_the_main_switch_off_nothing_is_claimed_and_every_line_says_why() -> None:
    line = make_callcenter()
    make_due(line.company)
    actor = User.objects.create(email="chefe@example.com")
    turn_dialer(on=False, now=timezone.now(), actor=actor, note="o PABX disca errado")
    assert (claim(line), allowance(line, now=timezone.now()).hold) == ([], LineHold.ALL_STOPPED)
    with pytest.raises(Conflict):
        turn_dialer(on=False, now=timezone.now(), actor=actor)
    turn_dialer(on=True, now=timezone.now(), actor=actor, note="mudou a rota")
    assert len(claim(line)) == 1
    told = SwitchEntry.objects.order_by("id").values_list("is_on", "note", "actor")
    assert list(told) == [(False, "o PABX disca errado", actor.pk), (True, "mudou a rota", actor.pk)]


@pytest.mark.parametrize("which", ["dialer", "line"])
def test_a_switch_that_is_turned_off_after_the_claim_stops_the_call(which: str, pabx: TinyPabx) -> None:
    line = make_callcenter(base_url=pabx.url)
    make_due(line.company)
    (attempt,) = claim(line)
    if which == "dialer":
        turn_dialer(on=False, now=timezone.now(), actor=None, note="x")
    else:
        turn_line(line.pk, on=False, now=timezone.now(), actor=None, note="x")
    place_call(attempt.pk)
    attempt, request = fresh(attempt)
    assert (pabx.posts, attempt.state, request.due_at is not None) == ([], AttemptState.RELEASED, True)
    reason = MoveReason.ALL_STOPPED if which == "dialer" else MoveReason.HELD
    assert attempt.entries.last().reason == reason  # type: ignore[union-attr]
    if which == "line":
        entry = SwitchEntry.objects.get()
        assert (entry.line_id, entry.is_on, entry.note) == (line.pk, False, "x")
        with pytest.raises(Conflict):
            turn_line(line.pk, on=False, now=timezone.now(), actor=None)


def test_an_installation_that_never_touched_it_dials() -> None:
    line = make_callcenter()
    make_due(line.company)
    assert not DialerSwitch.objects.exists()
    assert len(claim(line)) == 1
    assert CallRequest.objects.get().in_flight
