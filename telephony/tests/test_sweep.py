"""The sweep settles what hangs, each kind once, whoever else sweeps; one row that fails keeps no other waiting."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from requests_app.models import CallRequest, LedgerEntry
from requests_app.states import Hold
from telephony import tasks
from telephony.models import CallAttempt, DialerLine, ProviderEvent
from telephony.services import moves
from telephony.services.placing import place_call
from telephony.services.sweeping import sweep
from telephony.states import AttemptState, MoveReason
from telephony.tests.scenes import claim, deliver, fresh, in_threads, make_callcenter, make_due, placed_call, send, tell

S = AttemptState


@pytest.fixture
def line(db: None) -> DialerLine:
    """A line with an account at the carrier, at a PABX that is not there."""
    return make_callcenter()


def after(**delta: float) -> datetime:
    """That long from now."""
    return timezone.now() + timedelta(**delta)


def test_nothing_hangs_nothing_is_settled(line: DialerLine) -> None:
    make_due(line.company)
    claim(line)
    placed_call(line)
    assert set(sweep(now=after(seconds=59)).values()) == {0}


def test_a_claim_whose_worker_died_before_the_intent_goes_back_to_the_queue_at_once(line: DialerLine) -> None:
    (request,) = make_due(line.company)
    (attempt,) = claim(line)
    later = after(seconds=61)
    assert sweep(now=later)["claims"] == 1
    attempt, request = fresh(attempt)
    assert (attempt.state, attempt.entries.last().reason) == (S.RELEASED, MoveReason.LEASE_OVER)  # type: ignore[union-attr]
    assert (request.due_at, request.in_flight, request.attempts, request.status) == (later, False, 0, "new")
    # The worker wakes up: its claim is gone.
    place_call(attempt.pk)
    assert fresh(attempt)[0].state == S.RELEASED
    assert [one.number for one in claim(line, now=later)] == [2]


def test_a_send_whose_worker_died_is_in_doubt_and_never_tried_by_itself(line: DialerLine) -> None:
    make_due(line.company)
    (attempt,) = claim(line)
    send(attempt)
    CallAttempt.objects.update(lease_until=after(seconds=60))
    later = after(seconds=61)
    assert sweep(now=later)["sends"] == 1
    attempt, request = fresh(attempt)
    assert (attempt.state, request.hold_reason, request.attempts) == (S.IN_DOUBT, Hold.IN_DOUBT, 1)
    assert (request.in_flight, request.due_at) == (True, None)
    assert set(sweep(now=later + timedelta(days=7)).values()) == {0}
    assert claim(line, now=later + timedelta(days=7)) == []


@pytest.mark.parametrize("state", [S.PLACED, S.RINGING])
def test_a_call_without_news_is_closed_and_a_person_decides(state: AttemptState, line: DialerLine) -> None:
    attempt = placed_call(line)
    CallAttempt.objects.update(state=state)
    assert sweep(now=after(seconds=299))["silent"] == 0
    assert sweep(now=after(seconds=301))["silent"] == 1
    attempt, request = fresh(attempt)
    assert (attempt.state, attempt.outcome) == (S.ENDED, "no_news")
    assert (request.status, request.hold_reason) == ("no_answer", Hold.OUT_OF_TRIES)


def test_an_endless_conversation_ends_as_answered(line: DialerLine) -> None:
    attempt = placed_call(line)
    deliver("atendeu", callerid="a-1", destino=attempt.phone_e164)
    assert sweep(now=after(seconds=7100)) == {"events": 0, "claims": 0, "sends": 0, "silent": 0, "endless": 0}
    assert sweep(now=after(seconds=7300))["endless"] == 1
    attempt, request = fresh(attempt)
    assert (attempt.outcome, request.status) == ("answered", "completed")


def test_a_long_silence_before_the_answer_does_not_shorten_the_conversation(line: DialerLine) -> None:
    attempt = placed_call(line)
    answered_at = after(seconds=200)
    CallAttempt.objects.update(state=S.ANSWERED, answered_at=answered_at)
    assert sweep(now=after(seconds=7300))["endless"] == 0
    assert sweep(now=answered_at + timedelta(seconds=7201))["endless"] == 1
    assert fresh(attempt)[0].state == S.ENDED


@pytest.mark.parametrize("words", [("chamando",), ("chamando", "ocupado")])
def test_a_call_whose_sending_was_forgotten_is_known_by_its_number_and_ends(
    words: tuple[str, ...], line: DialerLine
) -> None:
    """Claimed by what the database knows, sent in the history that it lost."""
    make_due(line.company)
    (attempt,) = claim(line)
    assert moves.doubt(attempt, expected=[S.CLAIMED], reason=MoveReason.HISTORY_LOST, now=timezone.now())
    for word in words:
        deliver(word, callerid="a-1", destino=attempt.phone_e164)
    assert fresh(attempt)[0].state == (S.RINGING if len(words) == 1 else S.ENDED)
    assert sweep(now=after(seconds=299))["silent"] == 0
    assert sweep(now=after(seconds=301))["silent"] == (len(words) == 1)
    attempt, request = fresh(attempt)
    assert (attempt.state, attempt.outcome) == (S.ENDED, "no_news" if len(words) == 1 else "busy")
    assert not request.in_flight


def test_an_event_for_which_no_bell_rang_is_applied(line: DialerLine) -> None:
    attempt = placed_call(line)
    tell("ocupado", callerid="a-1", destino=attempt.phone_e164)
    assert fresh(attempt)[0].state == S.PLACED
    assert sweep(now=timezone.now())["events"] == 1
    assert fresh(attempt)[0].outcome == "busy"


def test_an_unmatched_event_is_tried_for_an_hour_and_stays_visible(line: DialerLine) -> None:
    deliver("ocupado", callerid="a-1", destino="5511999990000")
    assert sweep(now=after(minutes=59)) == dict.fromkeys(("events", "claims", "sends", "silent", "endless"), 0)
    attempt = placed_call(line, phone="(11) 99999-0000", now=timezone.now() - timedelta(seconds=5))
    assert sweep(now=after(minutes=61))["events"] == 0
    assert ProviderEvent.objects.get().state == ProviderEvent.State.UNMATCHED
    assert sweep(now=after(minutes=2))["events"] == 1
    assert fresh(attempt)[0].outcome == "busy"


def test_news_counts_before_silence(line: DialerLine) -> None:
    attempt = placed_call(line)
    deliver("ocupado", callerid="a-1", destino=attempt.phone_e164)
    CallAttempt.objects.update(state=S.PLACED, outcome="", ended_at=None, carrier_call_id="")
    CallRequest.objects.update(in_flight=True, due_at=None)
    ProviderEvent.objects.update(state=ProviderEvent.State.RECEIVED, attempt=None)
    settled = sweep(now=after(seconds=400))
    assert (settled["events"], settled["silent"]) == (1, 0)
    assert fresh(attempt)[0].outcome == "busy"


def test_a_row_that_fails_keeps_no_other_waiting(line: DialerLine, monkeypatch: pytest.MonkeyPatch) -> None:
    make_due(line.company, 3)
    attempts = claim(line)
    release = moves.release

    def release_or_fail(attempt: CallAttempt, **named: Any) -> bool:
        if attempt.pk == attempts[0].pk:
            raise RuntimeError("a bug")
        return bool(release(attempt, **named))

    monkeypatch.setattr(moves, "release", release_or_fail)
    assert sweep(now=after(seconds=61))["claims"] == 2
    assert [fresh(one)[0].state for one in attempts] == [S.CLAIMED, S.RELEASED, S.RELEASED]


def test_a_line_whose_secrets_cant_be_decrypted_is_settled_like_any_other(line: DialerLine, settings: Any) -> None:
    attempt = placed_call(line)
    settings.FIELD_ENCRYPTION_KEYS = ["BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA="]
    assert sweep(now=after(seconds=301))["silent"] == 1
    assert fresh(attempt)[0].state == S.ENDED


@pytest.mark.django_db(transaction=True)
def test_four_sweeps_at_once_settle_each_row_once() -> None:
    line = make_callcenter()
    make_due(line.company, 12)
    claimed = claim(line)
    for attempt in claimed[6:]:
        send(attempt, call_id=f"id {attempt.pk}")
    in_threads(4, lambda _place: sweep(now=after(seconds=400)))
    assert CallAttempt.objects.filter(state=S.RELEASED).count() == 6
    assert CallAttempt.objects.filter(state=S.ENDED).count() == 6
    kinds = LedgerEntry.objects.values_list("kind", flat=True)
    assert (list(kinds).count("released"), list(kinds).count("outcome")) == (6, 6)


@pytest.mark.django_db
def test_the_task_says_what_it_settled(caplog: pytest.LogCaptureFixture, line: DialerLine) -> None:
    caplog.set_level("INFO")
    tasks.sweep()
    assert "sweep:" not in caplog.text
    placed_call(line, now=timezone.now() - timedelta(seconds=400))
    tasks.sweep()
    assert "sweep: silent 1" in caplog.text
