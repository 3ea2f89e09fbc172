"""The carrier's news finds its call, or waits where people see it; what can't be read or applied stops nobody else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DataError, OperationalError
from django.utils import timezone

from telephony.models import CallAttempt, DialerLine, ProviderEvent
from telephony.providers.directcall.callback import parse_callback
from telephony.services import events, moves, news_batch
from telephony.services.sweeping import sweep
from telephony.states import AttemptState, MoveReason
from telephony.tests.scenes import deliver, fresh, in_threads, make_callcenter, placed_call

S = AttemptState
State = ProviderEvent.State


@pytest.fixture
def line(db: None) -> DialerLine:
    """A line with an account at the carrier."""
    return make_callcenter()


def last_event() -> ProviderEvent:
    """The newest delivery."""
    return ProviderEvent.objects.latest("id")


def test_first_news_is_matched_by_number_and_gives_the_attempt_the_carriers_id(line: DialerLine) -> None:
    attempt, other = placed_call(line), placed_call(line)
    # The number as Directcall writes it: country code, DDD, number.
    deliver("chamando", callerid="a-1", destino=attempt.phone_e164.removeprefix("+"))
    assert (fresh(attempt)[0].carrier_call_id, fresh(attempt)[0].state) == ("a-1", S.RINGING)
    assert fresh(other)[0].state == S.PLACED
    # From now on the id is enough, whatever the number.
    deliver("atendeu", callerid="a-1", destino=other.phone_e164)
    assert fresh(attempt)[0].state == S.ANSWERED
    assert (last_event().attempt_id, last_event().state) == (attempt.pk, State.APPLIED)


def test_an_answered_call_is_told_while_it_is_on_and_completes_its_request_when_it_ends(line: DialerLine) -> None:
    attempt = placed_call(line)
    deliver("atendeu", callerid="a-1", destino=attempt.phone_e164)
    attempt, request = fresh(attempt)
    assert (request.status, request.last_outcome, request.in_flight) == ("in_progress", "answered", True)
    deliver("desligou", callerid="a-1", destino=attempt.phone_e164)
    attempt, request = fresh(attempt)
    assert (attempt.state, attempt.outcome) == (S.ENDED, "answered")
    assert (request.status, request.in_flight, request.due_at) == ("completed", False, None)
    assert request.completed_at == attempt.ended_at


@pytest.mark.django_db
def test_a_line_that_asks_for_a_disposition_leaves_the_request_with_the_attendant() -> None:
    attempt = placed_call(make_callcenter(requires_disposition=True))
    deliver("atendeu", callerid="a-1", destino=attempt.phone_e164)
    deliver("desligou", callerid="a-1", destino=attempt.phone_e164)
    _attempt, request = fresh(attempt)
    assert (request.status, request.hold_reason) == ("in_progress", "awaiting_disposition")


def test_news_that_fits_two_calls_waits_and_is_matched_when_one_is_left(line: DialerLine) -> None:
    attempt = placed_call(line)
    twin = placed_call(line)
    # Two calls to one number, one after the other, that both ended without news.
    CallAttempt.objects.filter(pk=attempt.pk).update(state=S.ENDED, ended_at=timezone.now(), outcome="no_news")
    CallAttempt.objects.filter(pk=twin.pk).update(
        state=S.ENDED, ended_at=timezone.now(), outcome="no_news", phone_e164=attempt.phone_e164
    )
    deliver("ocupado", callerid="a-1", destino=attempt.phone_e164)
    assert (last_event().state, last_event().attempt_id) == (State.UNMATCHED, None)
    CallAttempt.objects.filter(pk=twin.pk).update(carrier_call_id="b-2")
    assert sweep(now=timezone.now() + timedelta(seconds=3))["events"] == 1
    assert (last_event().state, last_event().attempt_id) == (State.APPLIED, attempt.pk)
    assert fresh(attempt)[0].outcome == "busy"


def test_news_without_the_carriers_id_finds_a_call_that_has_one(line: DialerLine) -> None:
    attempt = placed_call(line)
    deliver("chamando", callerid="a-1", destino=attempt.phone_e164)
    deliver("atendeu", destino=attempt.phone_e164)
    assert fresh(attempt)[0].state == S.ANSWERED


def test_news_of_another_call_to_the_number_is_not_taken_for_ours(line: DialerLine) -> None:
    attempt = placed_call(line)
    deliver("chamando", callerid="a-1", destino=attempt.phone_e164)
    deliver("ocupado", callerid="z-9", destino=attempt.phone_e164)
    assert (fresh(attempt)[0].state, last_event().state) == (S.RINGING, State.UNMATCHED)


def test_news_of_a_call_that_began_before_ours_is_not_ours(line: DialerLine) -> None:
    attempt = placed_call(line)
    earlier = (timezone.now() - timedelta(minutes=10)).astimezone(line.company.zone)
    deliver("ocupado", callerid="z-9", destino=attempt.phone_e164, inicio=f"{earlier:%Y-%m-%d %H:%M:%S}")
    assert (fresh(attempt)[0].state, last_event().state) == (S.PLACED, State.UNMATCHED)


def test_a_doubt_of_yesterday_is_not_settled_by_a_call_of_today(line: DialerLine) -> None:
    attempt = placed_call(line)
    CallAttempt.objects.filter(pk=attempt.pk).update(state=S.IN_DOUBT, sending_at=timezone.now() - timedelta(days=1))
    deliver("atendeu", callerid="z-9", destino=attempt.phone_e164)
    assert (fresh(attempt)[0].state, last_event().state) == (S.IN_DOUBT, State.UNMATCHED)


def test_news_settles_a_doubt(line: DialerLine) -> None:
    attempt = placed_call(line)
    CallAttempt.objects.filter(pk=attempt.pk).update(state=S.SENDING)
    attempt.refresh_from_db()
    assert moves.doubt(attempt, reason=MoveReason.AMBIGUOUS, now=timezone.now())
    deliver("chamando", callerid="a-1", destino=attempt.phone_e164)
    attempt, request = fresh(attempt)
    assert (attempt.state, request.hold_reason) == (S.RINGING, "in_flight")


def test_another_companys_account_cant_move_our_calls(line: DialerLine) -> None:
    attempt = placed_call(line)
    make_callcenter(secret="theirs", attendants=0)
    deliver("chamando", callerid="a-1", destino=attempt.phone_e164)
    for data in (
        {"callerid": "a-1"},
        {"destino": attempt.phone_e164},
        {"callerid": "n", "destino": attempt.phone_e164},
    ):
        assert deliver("ocupado", secret="theirs", **data).status_code == 200
        assert last_event().state == State.UNMATCHED
    assert fresh(attempt)[0].state == S.RINGING


def test_news_of_an_unknown_call_creates_nothing(line: DialerLine) -> None:
    deliver("atendeu", callerid="unheard-of", destino="5511999990000")
    assert (CallAttempt.objects.count(), last_event().state) == (0, State.UNMATCHED)


def test_an_unknown_word_is_kept_with_its_call_and_moves_nothing(line: DialerLine) -> None:
    attempt = placed_call(line)
    deliver("transferida", callerid="a-1", destino=attempt.phone_e164)
    assert (last_event().state, last_event().meaning, last_event().word) == (State.APPLIED, "unknown", "transferida")
    assert fresh(attempt)[0].state == S.PLACED


def test_a_poisonous_event_is_set_aside_after_five_tries_and_stops_no_other(
    line: DialerLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = placed_call(line)
    parse = parse_callback

    def parse_or_fail(body: bytes, *given: Any, **named: Any) -> Any:
        if b"poison" in body:
            raise DataError("a value that the column does not take")
        return parse(body, *given, **named)

    for module in (events, news_batch):
        monkeypatch.setattr(module, "parse_callback", parse_or_fail)
    assert deliver("atendeu", callerid="poison").status_code == 200
    poison = last_event()
    assert deliver("chamando", callerid="a-1", destino=attempt.phone_e164).status_code == 200
    assert fresh(attempt)[0].state == S.RINGING
    for later in range(1, 6):
        assert (sweep(now=timezone.now() + timedelta(seconds=10 * later))["events"]) == 0
    poison.refresh_from_db()
    assert (poison.state, poison.tries, poison.problem) == (State.FAILED, 5, "internal_error")


def test_a_deadlock_is_no_fault_of_the_event(line: DialerLine, monkeypatch: pytest.MonkeyPatch) -> None:
    attempt = placed_call(line)
    with monkeypatch.context() as patched:
        patched.setattr(
            events, "_apply", lambda *_a, **_n: (_ for _ in ()).throw(OperationalError("deadlock detected"))
        )
        patched.setattr(
            news_batch, "_store_calls", lambda *_a, **_n: (_ for _ in ()).throw(OperationalError("deadlock detected"))
        )
        assert deliver("atendeu", callerid="a-1", destino=attempt.phone_e164).status_code == 200
    assert (last_event().state, last_event().tries) == (State.RECEIVED, 0)
    assert sweep(now=timezone.now() + timedelta(seconds=3))["events"] == 1
    assert fresh(attempt)[0].state == S.ANSWERED


@pytest.mark.django_db(transaction=True)
def test_eight_deliveries_of_two_calls_to_one_number_at_once_move_one_of_them() -> None:
    attempt = placed_call(make_callcenter())
    in_threads(8, lambda place: deliver("chamando", callerid=f"call-{place % 2}", destino=attempt.phone_e164))
    attempt, _request = fresh(attempt)
    assert attempt.state == S.RINGING
    assert set(attempt.events.values_list("carrier_call_id", flat=True)) == {attempt.carrier_call_id}
    assert ProviderEvent.objects.filter(state=State.UNMATCHED).count() == 4
