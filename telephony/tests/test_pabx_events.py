"""Events of the PABX find their call by token or id, whenever they come, and end it like the carrier's news."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from callcenter.tests.factories import make_company, make_line
from telephony.models import CallAttempt, EventName, ProviderEvent
from telephony.services import answers
from telephony.services.events import apply_event, apply_event_again
from telephony.services.sweeping import sweep
from telephony.states import AttemptState, Meaning
from telephony.tests.scenes import claim, deliver, fresh, make_callcenter, make_due, placed_call, send, standing

if TYPE_CHECKING:
    from telephony.models import DialerLine

pytestmark = pytest.mark.django_db

RINGS, ANSWERS, ENDS, BUSY = (
    f"EVENTO_CHAMADA_{word}" for word in ("CHAMANDO", "ATENDIDA", "ENCERRADA", "OCUPADA")
)  # fmt: skip


def told(line: DialerLine, name: str, **fields: Any) -> ProviderEvent:
    """A stored event of the line's channel, applied."""
    raw = f"event: {name}\ndata: {json.dumps(fields)}".encode()
    event = ProviderEvent.objects.create(line=line, company=line.company, received_at=timezone.now(), raw=raw)
    apply_event(event.pk, now=timezone.now())
    event.refresh_from_db()
    return event


@pytest.mark.parametrize("order", list(itertools.permutations((RINGS, ANSWERS, ENDS))))
def test_every_order_with_every_event_doubled_ends_alike(order: tuple[str, ...]) -> None:
    line = make_callcenter()
    call = placed_call(line)
    for name in order:
        for _ in range(2):
            told(line, name, ID_CHAMADA=call.provider_call_id)
    after, request = fresh(call)
    assert (after.state, after.outcome, after.has_conflict) == (AttemptState.ENDED, "answered", False)
    assert request.completed_at is not None


def test_events_before_the_answer_fit_by_our_token_and_bring_the_calls_id() -> None:
    line = make_callcenter()
    make_due(line.company)
    (attempt,) = claim(line)
    send(attempt)
    event = told(line, RINGS, ID_CHAMADA="A 1", DADOS=f"{attempt.token.hex};VIP")
    assert (event.state, event.attempt_id) == (ProviderEvent.State.APPLIED, attempt.pk)
    after, _request = fresh(attempt)
    assert (after.state, after.provider_call_id) == (AttemptState.RINGING, "A 1")
    answers.store_accepted(attempt, "A 1")
    assert fresh(attempt)[0].state == AttemptState.RINGING


def test_events_before_the_answer_without_a_token_wait_for_it() -> None:
    line = make_callcenter()
    make_due(line.company)
    (attempt,) = claim(line)
    send(attempt)
    early = told(line, BUSY, ID_CHAMADA="A 1")
    assert early.state == ProviderEvent.State.UNMATCHED
    answers.store_accepted(attempt, "A 1")
    ProviderEvent.objects.update(received_at=timezone.now() - timedelta(seconds=5))
    sweep(now=timezone.now())
    assert standing(attempt)["outcome"] == "busy"


def test_another_id_of_the_call_is_known_once_it_came_with_our_token() -> None:
    line = make_callcenter()
    call = placed_call(line)
    told(line, RINGS, ID_CHAMADA="leg 2", DADOS=call.token.hex)
    told(line, BUSY, ID_CHAMADA="leg 2")
    assert standing(call)["outcome"] == "busy"


def test_the_id_of_another_call_is_not_taken_from_it() -> None:
    line = make_callcenter()
    first, second = placed_call(line), placed_call(line)
    CallAttempt.objects.filter(pk=second.pk).update(provider_call_id="")
    told(line, RINGS, ID_CHAMADA=first.provider_call_id, DADOS=second.token.hex)
    after, _request = fresh(second)
    assert (after.state, after.provider_call_id) == (AttemptState.RINGING, "")
    assert fresh(first)[0].state == AttemptState.PLACED


def test_another_lines_call_and_what_is_about_no_call_are_ignored() -> None:
    line = make_callcenter()
    call = placed_call(line)
    other = make_line(make_company())
    for event in (
        told(other, BUSY, ID_CHAMADA=call.provider_call_id, DADOS=call.token.hex),
        told(line, "EVENTO_DE_ABERTURA_DE_CANAL", channelID=1),
        told(line, "EVENTO_LOGIN_DAC", DISPOSITIVO="2001"),
    ):
        assert (event.state, event.attempt_id) == (ProviderEvent.State.IGNORED, None)
    # The same id at another line's PABX is another call.
    assert told(other, BUSY, ID_CHAMADA=call.provider_call_id).state == ProviderEvent.State.UNMATCHED
    assert fresh(call)[0].state == AttemptState.PLACED


def test_the_carrier_and_the_pabx_may_both_tell() -> None:
    line = make_callcenter()
    call = placed_call(line)
    deliver("atendeu", callerid="x", destino=call.phone_e164.removeprefix("+"))
    told(line, ENDS, ID_CHAMADA=call.provider_call_id)
    deliver("desligou", callerid="x", destino=call.phone_e164.removeprefix("+"))
    assert (standing(call)["outcome"], standing(call)["conflict"]) == ("answered", False)


def test_an_event_whose_name_is_explained_afterwards_is_applied_again() -> None:
    line = make_callcenter()
    call = placed_call(line)
    event = told(line, "EVENTO_X", ID_CHAMADA=call.provider_call_id, RESULTADO="NINGUEM")
    assert (event.state, event.meaning) == (ProviderEvent.State.APPLIED, Meaning.UNKNOWN)
    EventName.objects.create(name="EVENTO_X", detail="NINGUEM", meaning=Meaning.NO_ANSWER)
    EventName.objects.create(name="EVENTO_X", meaning=Meaning.BUSY)
    assert apply_event_again(event.pk, now=timezone.now())
    assert standing(call)["outcome"] == "no_answer"


def test_what_can_not_be_read_is_set_aside_with_its_reason() -> None:
    line = make_callcenter()
    event = ProviderEvent.objects.create(
        line=line, company=line.company, received_at=timezone.now(), raw=b"event: E\ndata: {"
    )
    assert not apply_event(event.pk, now=timezone.now())
    event.refresh_from_db()
    assert (event.state, event.problem) == (ProviderEvent.State.UNREADABLE, "not_json")
