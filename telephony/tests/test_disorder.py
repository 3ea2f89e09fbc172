"""Duplicates, disorder and delay: a call and its request end where the orderly run of the same news ends."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from django.utils import timezone

from callcenter.tests.factories import make_supervisor
from requests_app.data import Origin
from requests_app.models import CallRequest, LedgerEntry
from requests_app.services.intake import change_call_request, dial_now
from requests_app.states import Hold, Outcome, Source
from telephony.models import CallAttempt, DialerLine, RetryRule
from telephony.providers.base import NotSent, ProviderError, Refused
from telephony.services import answers, moves
from telephony.services.dialing import settle_doubt
from telephony.states import AttemptState, MoveReason
from telephony.tests.scenes import claim, deliver, fresh, make_callcenter, placed_call, send, standing

S = AttemptState

LIVES = {
    "answered": ["chamando", "atendeu", "desligou"],
    "answered, told twice": ["chamando", "atendeu", "atendeu", "desligou"],
    "busy": ["chamando", "ocupado", "desligou"],
    "no answer": ["chamando", "nao atendeu"],
    "machine": ["chamando", "atendeu", "caixa postal", "desligou"],
    "invalid": ["numero invalido", "desligou"],
    "no rule for it": ["chamando", "fax", "desligou"],
    "busy and answered": ["chamando", "ocupado", "atendeu"],
    "failed and busy": ["falha", "ocupado", "desligou"],
    "a new word in between": ["transferida", "atendeu", "desligou"],
}


@pytest.fixture
def line(db: None) -> DialerLine:
    """A line with an account at the carrier."""
    return make_callcenter()


@pytest.mark.parametrize("news", LIVES.values(), ids=LIVES)
def test_every_order_of_a_life_ends_alike(news: list[str], line: DialerLine) -> None:
    ends = []
    for number, order in enumerate(sorted(set(itertools.permutations(news)))):
        attempt = placed_call(line)
        for word in order:
            assert deliver(word, callerid=f"call-{number}", destino=attempt.phone_e164).status_code == 200
        ends.append((standing(attempt), order))
    orderly = next(end for end, order in ends if list(order) == news)
    assert [order for end, order in ends if end != orderly] == []


def test_where_a_machine_answered_after_all_the_request_is_tried_again(line: DialerLine) -> None:
    attempt = placed_call(line)
    for word in ("atendeu", "desligou"):
        deliver(word, callerid="a-1", destino=attempt.phone_e164)
    assert fresh(attempt)[1].status == "completed"
    deliver("caixa postal", callerid="a-1", destino=attempt.phone_e164)
    attempt, request = fresh(attempt)
    assert (attempt.state, attempt.outcome) == (S.ENDED, "machine")
    assert (request.status, request.hold_reason, request.completed_at) == ("in_progress", Hold.RETRY_WAIT, None)
    assert [one.to_state for one in attempt.entries.all()][-2:] == ["ended", "ended"]


def test_what_a_person_completed_is_not_opened_by_late_news(line: DialerLine) -> None:
    attempt = placed_call(line)
    for word in ("atendeu", "desligou"):
        deliver(word, callerid="a-1", destino=attempt.phone_e164)
    origin = Origin(source=Source.ADMIN, actor=make_supervisor(line.company))
    assert attempt.call_request_id is not None
    for status in ("new", "completed"):
        change_call_request(
            attempt.call_request_id, scope=None, origin=origin, now=timezone.now(), fields={"status": status}
        )
    deliver("caixa postal", callerid="a-1", destino=attempt.phone_e164)
    attempt, request = fresh(attempt)
    assert (attempt.outcome, request.status, request.last_outcome) == ("machine", "completed", "machine")


def busy_then_claimed_again(line: DialerLine) -> tuple[CallAttempt, CallAttempt]:
    """A call that was told to be busy, and the claimed next try of its request."""
    first = placed_call(line)
    deliver("ocupado", callerid="first", destino=first.phone_e164)
    CallRequest.objects.filter(call_attempts=first).update(due_at=timezone.now())
    (second,) = claim(line)
    return first, second


def test_late_answered_completes_a_request_that_waits_for_its_next_try(line: DialerLine) -> None:
    attempt = placed_call(line)
    deliver("ocupado", callerid="a-1", destino=attempt.phone_e164)
    assert fresh(attempt)[1].hold_reason == Hold.RETRY_WAIT
    deliver("atendeu", callerid="a-1", destino=attempt.phone_e164)
    attempt, request = fresh(attempt)
    assert (attempt.outcome, attempt.has_conflict) == ("answered", True)
    assert (request.status, request.due_at, request.last_outcome) == ("completed", None, "answered")


def test_late_answered_completes_a_request_that_was_given_up(line: DialerLine) -> None:
    RetryRule.objects.all().delete()
    attempt = placed_call(line)
    deliver("nao atendeu", callerid="a-1", destino=attempt.phone_e164)
    assert fresh(attempt)[1].status == "no_answer"
    deliver("atendeu", callerid="a-1", destino=attempt.phone_e164)
    _attempt, request = fresh(attempt)
    assert (request.status, request.hold_reason, request.last_outcome) == ("completed", Hold.FINISHED, "answered")


def test_late_answered_stops_the_next_try_that_is_only_claimed(line: DialerLine) -> None:
    first, second = busy_then_claimed_again(line)
    deliver("atendeu", callerid="first", destino=first.phone_e164)
    second, request = fresh(second)
    assert (second.state, second.entries.last().reason) == (S.RELEASED, MoveReason.WITHDRAWN)  # type: ignore[union-attr]
    assert (request.status, request.in_flight, request.due_at) == ("completed", False, None)


def test_late_answered_while_the_next_try_rings_spares_the_person_a_third_call(line: DialerLine) -> None:
    first, second = busy_then_claimed_again(line)
    send(second, call_id="second")
    deliver("atendeu", callerid="first", destino=first.phone_e164)
    second, request = fresh(second)
    assert (second.state, request.in_flight) == (S.PLACED, True)
    deliver("ocupado", callerid="second", destino=second.phone_e164)
    second, request = fresh(second)
    assert (second.outcome, request.status, request.due_at) == ("busy", "completed", None)


def test_late_answered_while_the_next_try_is_in_doubt_spares_the_person_a_third_call(line: DialerLine) -> None:
    first, second = busy_then_claimed_again(line)
    assert moves.doubt(send(second), reason=MoveReason.AMBIGUOUS, now=timezone.now())
    deliver("atendeu", callerid="first", destino=first.phone_e164)
    actor = make_supervisor(line.company)
    settle_doubt(second.pk, called=False, actor=actor, scope=None, now=timezone.now())
    second, request = fresh(second)
    assert (second.state, request.status, request.in_flight, request.due_at) == (S.RELEASED, "completed", False, None)
    kinds = list(LedgerEntry.objects.filter(call_request_id=request.pk).order_by("pk").values_list("kind", flat=True))
    assert kinds[-3:] == ["released", "outcome", "status"]


@pytest.mark.parametrize(
    "failure", [Refused("no", status_code=400), NotSent("no connection")], ids=["refused", "unsent"]
)
def test_late_answered_while_the_next_try_fails_spares_the_person_a_third_call(
    failure: ProviderError, line: DialerLine
) -> None:
    first, second = busy_then_claimed_again(line)
    second = send(second)
    deliver("atendeu", callerid="first", destino=first.phone_e164)
    answers.store_failure(second, failure)
    second, request = fresh(second)
    assert second.state in {S.REFUSED, S.RELEASED}
    assert (request.status, request.hold_reason, request.due_at) == ("completed", Hold.FINISHED, None)


def test_late_news_of_an_earlier_call_does_not_replan_what_the_last_one_brought(line: DialerLine) -> None:
    first, second = busy_then_claimed_again(line)
    send(second, call_id="second")
    deliver("nao atendeu", callerid="second", destino=second.phone_e164)
    before = fresh(second)[1].due_at
    deliver("caixa postal", callerid="first", destino=first.phone_e164)
    assert fresh(first)[0].outcome == "machine"
    _second, request = fresh(second)
    assert (request.due_at, request.last_outcome) == (before, "no_answer")


def test_a_person_who_wants_the_call_again_is_not_overruled_by_old_news(line: DialerLine) -> None:
    attempt = placed_call(line)
    deliver("ocupado", callerid="a-1", destino=attempt.phone_e164)
    assert attempt.call_request_id is not None
    now = timezone.now()
    dial_now(attempt.call_request_id, scope=None, origin=Origin(source=Source.ADMIN), now=now)
    deliver("caixa postal", callerid="a-1", destino=attempt.phone_e164)
    attempt, request = fresh(attempt)
    assert (attempt.outcome, request.due_at, request.hold_reason) == ("machine", now, Hold.NONE)


def test_news_after_a_call_was_closed_for_silence_tells_what_became_of_it(line: DialerLine) -> None:
    attempt = placed_call(line, now=timezone.now() - timedelta(minutes=6))
    now = timezone.now()
    assert moves.end(moves.locked(attempt.pk), Outcome.NO_NEWS, expected=["placed"], reason=MoveReason.NO_NEWS, now=now)
    assert fresh(attempt)[1].status == "no_answer"
    deliver("ocupado", callerid="a-1", destino=attempt.phone_e164)
    attempt, request = fresh(attempt)
    assert (attempt.outcome, request.status, request.hold_reason) == ("busy", "in_progress", Hold.RETRY_WAIT)


def test_news_of_a_call_that_was_taken_for_not_made_is_marked(
    line: DialerLine, caplog: pytest.LogCaptureFixture
) -> None:
    attempt = placed_call(line)
    CallAttempt.objects.filter(pk=attempt.pk).update(state=S.RELEASED, carrier_call_id="a-1")
    deliver("atendeu", callerid="a-1", destino=attempt.phone_e164)
    attempt, _request = fresh(attempt)
    assert (attempt.state, attempt.has_conflict) == (S.RELEASED, True)
    assert "not made" in caplog.text


def test_the_pabxs_answer_after_the_end_changes_only_the_id(line: DialerLine) -> None:
    attempt = placed_call(line)
    CallAttempt.objects.filter(pk=attempt.pk).update(state=S.SENDING, provider_call_id="")
    deliver("ocupado", callerid="a-1", destino=attempt.phone_e164)
    before = standing(attempt)
    answers.store_accepted(attempt, "quick")
    assert standing(attempt) == before
    assert fresh(attempt)[0].provider_call_id == "quick"
