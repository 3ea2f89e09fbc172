"""Calls in doubt and without news are settled by asking the carrier; what is not sure stays in doubt."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import requests
from django.utils import timezone

from requests_app.models import CallRequest
from telephony.models import AttemptEntry, CallAttempt, CarrierInquiry, DialerLine, DirectcallAccount, ProviderEvent
from telephony.services import moves
from telephony.services.asking import WAITS, ask_carrier
from telephony.services.events import apply_event_again
from telephony.services.sweeping import sweep
from telephony.states import MoveReason
from telephony.tests.scenes import claim, deliver, fresh, in_threads, make_callcenter, make_due, placed_call, send
from telephony.tests.simulators.running import SimulatorProcess

pytestmark = pytest.mark.django_db

ONE_MINUTE = timedelta(seconds=61)


@pytest.fixture
def line(directcall: SimulatorProcess) -> DialerLine:
    """A line whose company has its account at the simulator."""
    line = make_callcenter()
    DirectcallAccount.objects.update(base_url=directcall.url, client_id="demo@example.com", client_secret="123456")
    return line


def tell(directcall: SimulatorProcess, attempt: CallAttempt, fate: str, **more: Any) -> str:
    """The callerid of a call to the attempt's number that the carrier has on its lines."""
    call = {"destino": attempt.phone_e164[1:], "origem": "1112000", "fate": fate, **more}
    answer = requests.post(f"{directcall.url}/_simulator/calls", json=call, timeout=5)
    return str(answer.json()["callerid"])


def doubtful_call(line: DialerLine, **fields: Any) -> CallAttempt:
    """A call that was sent, and nobody knows what became of it."""
    make_due(line.company, **fields)
    (attempt,) = claim(line)
    attempt = send(attempt)
    assert moves.doubt(attempt, reason=MoveReason.AMBIGUOUS, now=timezone.now())
    return attempt


def ask(after: timedelta = ONE_MINUTE) -> dict[str, int]:
    return ask_carrier(now=timezone.now() + after)


def reasons(attempt: CallAttempt) -> list[str]:
    return list(AttemptEntry.objects.filter(attempt=attempt).order_by("pk").values_list("reason", flat=True))


def test_a_doubt_is_settled_by_the_statement_and_the_ledger_says_so(
    line: DialerLine, directcall: SimulatorProcess
) -> None:
    attempt = doubtful_call(line)
    callerid = tell(directcall, attempt, "busy", over=True)
    assert ask() == {"taken up": 1, "asked": 1, "settled": 1}
    attempt, request = fresh(attempt)
    assert (attempt.state, attempt.outcome, attempt.carrier_call_id) == ("ended", "busy", callerid)
    assert reasons(attempt)[-1] == MoveReason.ASKED_STATEMENT
    event = ProviderEvent.objects.get(attempt=attempt)
    assert (event.source, event.meaning, event.word) == ("statement", "busy", "ocupado")
    assert CarrierInquiry.objects.get().state == "settled"
    # Tried again because it was busy, by the rule for that; not because it was in doubt.
    assert (request.in_flight, request.hold_reason) == (False, "retry_wait")


def test_an_answered_call_of_the_statement_is_over(line: DialerLine, directcall: SimulatorProcess) -> None:
    attempt = doubtful_call(line)
    tell(directcall, attempt, "answered", over=True)
    ask()
    attempt, request = fresh(attempt)
    assert (attempt.state, attempt.outcome, request.status) == ("ended", "answered", "completed")
    # Late callbacks of the same call change nothing.
    for word in ("chamando", "atendeu", "desligou"):
        deliver(word, callerid=attempt.carrier_call_id, destino=attempt.phone_e164)
    again, _request = fresh(attempt)
    assert (again.state, again.outcome, again.has_conflict) == ("ended", "answered", False)


def test_a_call_that_is_still_on_is_asked_how_it_stands(line: DialerLine, directcall: SimulatorProcess) -> None:
    attempt = doubtful_call(line)
    tell(directcall, attempt, "answered")
    until = timezone.now() + timedelta(seconds=10)
    while requests.get(f"{directcall.url}/_simulator/calls", timeout=5).json()[0]["status"] != "atendeu":
        assert timezone.now() < until
    ask()
    attempt, _request = fresh(attempt)
    assert attempt.state in {"answered", "ended"}
    assert reasons(attempt)[-1] in {MoveReason.ASKED_STATUS, MoveReason.ASKED_STATEMENT}


def test_a_placed_call_without_news_is_asked_about_too(line: DialerLine, directcall: SimulatorProcess) -> None:
    attempt = placed_call(line)
    tell(directcall, attempt, "no_answer", over=True)
    assert ask(timedelta(seconds=30))["asked"] == 0
    ask()
    attempt, _request = fresh(attempt)
    assert (attempt.state, attempt.outcome) == ("ended", "no_answer")


def test_what_was_closed_without_news_is_corrected_by_what_the_statement_says_later(
    line: DialerLine, directcall: SimulatorProcess
) -> None:
    attempt = placed_call(line)
    ask()
    sweep(now=timezone.now() + timedelta(hours=1))
    attempt, request = fresh(attempt)
    assert (attempt.outcome, request.hold_reason) == ("no_news", "out_of_tries")
    tell(directcall, attempt, "answered", over=True)
    assert ask(timedelta(hours=2))["settled"] == 1
    attempt, request = fresh(attempt)
    assert (attempt.outcome, request.status) == ("answered", "completed")


def test_a_call_that_the_carrier_does_not_know_stays_in_doubt_and_is_not_dialed_again(line: DialerLine) -> None:
    attempt = doubtful_call(line)
    now = timezone.now() + ONE_MINUTE
    for _wait in range(len(WAITS) + 2):
        ask_carrier(now=now)
        now += timedelta(days=31)
    inquiry = CarrierInquiry.objects.get()
    assert (inquiry.state, inquiry.asked) == ("not_found", len(WAITS))
    attempt, request = fresh(attempt)
    assert (attempt.state, request.in_flight, request.hold_reason) == ("in_doubt", True, "in_doubt")
    assert CallAttempt.objects.count() == 1
    assert sum(WAITS[:-1], ONE_MINUTE) < timedelta(days=90)


def test_two_calls_that_fit_leave_it_in_doubt_for_a_person(line: DialerLine, directcall: SimulatorProcess) -> None:
    attempt = doubtful_call(line)
    tell(directcall, attempt, "busy", over=True)
    tell(directcall, attempt, "busy", over=True)
    ask()
    attempt, _request = fresh(attempt)
    inquiry = CarrierInquiry.objects.get()
    assert (attempt.state, inquiry.state, inquiry.candidates) == ("in_doubt", "ambiguous", 2)
    assert not ProviderEvent.objects.exists()
    assert ask(timedelta(days=1))["asked"] == 0


def test_a_call_that_is_another_attempts_by_its_id_is_not_taken(line: DialerLine, directcall: SimulatorProcess) -> None:
    attempt = doubtful_call(line)
    callerid = tell(directcall, attempt, "busy", over=True)
    other = placed_call(line)
    CallAttempt.objects.filter(pk=other.pk).update(carrier_call_id=callerid)
    ask()
    attempt, _request = fresh(attempt)
    assert attempt.state == "in_doubt"


def test_calls_of_another_time_or_from_another_number_are_not_taken(
    line: DialerLine, directcall: SimulatorProcess
) -> None:
    attempt = doubtful_call(line)
    tell(directcall, attempt, "busy", over=True)
    CallAttempt.objects.filter(pk=attempt.pk).update(sending_at=timezone.now() - timedelta(hours=1))
    assert ask()["settled"] == 0
    CallAttempt.objects.filter(pk=attempt.pk).update(sending_at=timezone.now())
    DirectcallAccount.objects.update(origin="551130300001")
    assert ask(timedelta(hours=1))["settled"] == 0
    DirectcallAccount.objects.update(origin="1112000")
    assert ask(timedelta(days=1))["settled"] == 1


def test_news_that_came_first_ends_the_asking(line: DialerLine) -> None:
    attempt = doubtful_call(line)
    ask()
    deliver("ocupado", callerid="a-1", destino=attempt.phone_e164)
    ask(timedelta(hours=1))
    assert CarrierInquiry.objects.get().state == "settled"


def test_a_persons_word_is_not_overruled(line: DialerLine, directcall: SimulatorProcess) -> None:
    attempt = doubtful_call(line)
    ask()
    moves.release(
        attempt, expected=["in_doubt"], reason=MoveReason.SAID_NOT_CALLED, due_at=timezone.now(), now=timezone.now()
    )
    tell(directcall, attempt, "answered", over=True)
    ask(timedelta(hours=1))
    assert fresh(attempt)[0].state == "released"
    assert CarrierInquiry.objects.get().state == "settled"


def test_an_answer_can_be_read_anew_like_any_news(line: DialerLine, directcall: SimulatorProcess) -> None:
    attempt = doubtful_call(line)
    tell(directcall, attempt, "busy", over=True)
    ask()
    event = ProviderEvent.objects.get()
    ProviderEvent.objects.update(state="failed")
    assert apply_event_again(event.pk, now=timezone.now())
    again, _request = fresh(attempt)
    assert (again.state, again.outcome) == ("ended", "busy")


def test_the_carrier_is_asked_no_more_often_than_set_over_all_workers(line: DialerLine, settings: Any) -> None:
    settings.DIRECTCALL_ASKS_PER_MINUTE = 12
    for _ in range(9):
        placed_call(line)
    now = timezone.now() + ONE_MINUTE
    asked = [ask_carrier(now=now + timedelta(seconds=seconds))["asked"] for seconds in range(0, 60, 5)]
    assert asked == [3, 0, 0, 3, 0, 0, 3, 0, 0, 0, 0, 0]


@pytest.mark.django_db(transaction=True)
def test_four_workers_at_once_ask_once_about_each_call(line: DialerLine, directcall: SimulatorProcess) -> None:
    attempts = [placed_call(line) for _ in range(3)]
    for attempt in attempts:
        tell(directcall, attempt, "busy", over=True)
    now: datetime = timezone.now() + ONE_MINUTE
    ask_carrier(now=now - timedelta(minutes=5))
    in_threads(4, lambda _place: ask_carrier(now=now))
    assert set(CarrierInquiry.objects.values_list("state", "asked")) == {("settled", 1)}
    assert ProviderEvent.objects.count() == 3


@pytest.mark.parametrize(("fault", "problem"), [("500", "unavailable"), ("201", "misconfigured")])
def test_a_carrier_that_does_not_answer_is_asked_again_later(
    line: DialerLine, directcall: SimulatorProcess, fault: str, problem: str
) -> None:
    attempt = doubtful_call(line)
    tell(directcall, attempt, "busy", over=True)
    plan = {"path": "/extrato/list", "faults": [fault, fault]}
    requests.post(f"{directcall.url}/_simulator/faults", json=plan, timeout=5).raise_for_status()
    assert ask()["settled"] == 0
    assert CarrierInquiry.objects.get().problem == problem
    requests.post(f"{directcall.url}/_simulator/faults", json={"path": "/voz/status", "faults": []}, timeout=5)
    ask(timedelta(minutes=10))
    if problem == "misconfigured":
        ask(timedelta(hours=1))
    assert CarrierInquiry.objects.get().state == "settled"


def test_without_credentials_nobody_is_asked(line: DialerLine) -> None:
    DirectcallAccount.objects.update(client_id="")
    doubtful_call(line)
    assert ask() == {"taken up": 0, "asked": 0, "settled": 0}
    assert CallRequest.objects.get().hold_reason == "in_doubt"
