"""Placing while the world moves: the same task twice, news before the answer, answers after a decision."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from callcenter.accounts.models import User
from callcenter.lib.errors import Conflict
from requests_app.states import Hold
from telephony import tasks
from telephony.models import CallAttempt, DialerLine
from telephony.providers.base import Refused
from telephony.services import answers, moves
from telephony.services.dialing import settle_doubt
from telephony.services.placing import place_call, place_calls
from telephony.services.sweeping import sweep
from telephony.states import AttemptState, MoveReason
from telephony.tests.pabx import TinyPabx
from telephony.tests.scenes import claim, deliver, fresh, in_threads, make_callcenter, make_due, send

S = AttemptState


@pytest.fixture
def pabx() -> Any:
    """A PABX that takes every call."""
    with TinyPabx() as running:
        yield running


@pytest.fixture
def line(pabx: TinyPabx, db: None) -> DialerLine:
    """A line at it."""
    return make_callcenter(base_url=pabx.url)


def claimed(line: DialerLine) -> CallAttempt:
    """One claimed attempt of a new request."""
    make_due(line.company)
    (attempt,) = claim(line)
    return attempt


@pytest.mark.django_db(transaction=True)
def test_the_same_task_delivered_four_times_at_once_posts_each_call_once() -> None:
    with TinyPabx() as pabx:
        line = make_callcenter(base_url=pabx.url)
        make_due(line.company, 20)
        ids = [attempt.pk for attempt in claim(line)]
        in_threads(4, lambda _place: tasks.place_calls(ids))
        assert len(pabx.posts) == 20
        assert set(Counter(pabx.numbers).values()) == {1}
    assert set(CallAttempt.objects.values_list("state", flat=True)) == {S.PLACED}


@pytest.mark.django_db(transaction=True)
def test_news_before_the_answer_to_the_post_is_applied_and_the_id_kept() -> None:
    with TinyPabx() as pabx:
        line = make_callcenter(base_url=pabx.url)
        attempt = claimed(line)

        def tell_early(_fields: dict[str, Any]) -> None:
            for word in ("chamando", "atendeu", "desligou"):
                assert deliver(word, callerid="early-1", destino=attempt.phone_e164).status_code == 200
            connection.close()

        pabx.before_answer = tell_early
        place_calls([attempt.pk])
    attempt, request = fresh(attempt)
    assert (attempt.state, attempt.outcome, attempt.carrier_call_id) == (S.ENDED, "answered", "early-1")
    assert attempt.provider_call_id == "08/07/24 10:46:19 010A 0001/00"
    assert (request.status, request.attempts) == ("completed", 1)


def test_an_id_that_another_call_has_is_not_stored_and_stays_marked(line: DialerLine, pabx: TinyPabx) -> None:
    pabx.body = b'{"ID_CHAMADA": "again"}'
    first, second = claimed(line), claimed(line)
    place_call(first.pk)
    place_call(second.pk)
    second, _request = fresh(second)
    assert (second.state, second.provider_call_id, second.has_conflict) == (S.PLACED, "", True)
    assert second.entries.last().reason == MoveReason.DUPLICATE_ID  # type: ignore[union-attr]
    deliver("chamando", callerid="x", destino=second.phone_e164)
    second, _request = fresh(second)
    assert (second.state, second.has_conflict) == (S.RINGING, True)
    assert fresh(first)[0].provider_call_id == "again"


def in_doubt(line: DialerLine) -> CallAttempt:
    """A call whose sender went silent."""
    attempt = send(claimed(line))
    assert moves.doubt(attempt, reason=MoveReason.LEASE_OVER_SENDING, now=timezone.now())
    return attempt


def test_a_late_acceptance_settles_the_doubt(line: DialerLine) -> None:
    attempt = in_doubt(line)
    answers.store_accepted(attempt, "late")
    attempt, request = fresh(attempt)
    assert (attempt.state, attempt.provider_call_id) == (S.PLACED, "late")
    assert (request.hold_reason, request.attempts) == (Hold.IN_FLIGHT, 1)


def test_a_late_refusal_settles_the_doubt(line: DialerLine) -> None:
    attempt = in_doubt(line)
    answers.store_failure(attempt, Refused("no", status_code=400))
    attempt, request = fresh(attempt)
    assert (attempt.state, request.hold_reason, request.in_flight) == (S.REFUSED, Hold.REFUSED, False)


def test_another_senders_refusal_changes_nothing(line: DialerLine) -> None:
    attempt = claimed(line)
    stranger = CallAttempt.objects.get(pk=attempt.pk)
    CallAttempt.objects.update(claim_token="0" * 32)
    answers.store_failure(stranger, Refused("no", status_code=400))
    assert fresh(attempt)[0].state == S.CLAIMED


def test_a_late_acceptance_after_a_person_said_not_called_is_marked_and_not_undone(
    line: DialerLine, caplog: pytest.LogCaptureFixture
) -> None:
    attempt = in_doubt(line)
    actor = User.objects.create(email="chefe@example.com")
    settle_doubt(attempt.pk, called=False, actor=actor, scope=None, now=timezone.now())
    answers.store_accepted(attempt, "late")
    attempt, request = fresh(attempt)
    assert (attempt.state, attempt.provider_call_id, attempt.has_conflict) == (S.RELEASED, "late", True)
    assert (request.in_flight, request.due_at is not None) == (False, True)
    assert "may be called twice" in caplog.text


def test_a_late_acceptance_after_a_person_said_called_keeps_the_decision(line: DialerLine) -> None:
    attempt = in_doubt(line)
    actor = User.objects.create(email="chefe@example.com")
    settle_doubt(attempt.pk, called=True, actor=actor, scope=None, now=timezone.now())
    answers.store_accepted(attempt, "late")
    attempt, _request = fresh(attempt)
    assert (attempt.state, attempt.provider_call_id, attempt.outcome) == (S.ENDED, "late", "no_news")
    with pytest.raises(Conflict):
        settle_doubt(attempt.pk, called=False, actor=actor, scope=None, now=timezone.now())


def test_an_answer_is_stored_even_when_the_database_hiccups(
    line: DialerLine, pabx: TinyPabx, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = claimed(line)
    store, failures = answers.store_accepted, iter([OperationalError("locked"), OperationalError("locked"), None])

    def store_or_fail(*given: Any) -> None:
        if error := next(failures):
            raise error
        store(*given)

    monkeypatch.setattr(answers, "store_accepted", store_or_fail)
    monkeypatch.setattr("telephony.services.answers.time.sleep", lambda _seconds: None)
    monkeypatch.setattr("telephony.services.answers.connection.close", lambda: None)
    place_call(attempt.pk)
    assert fresh(attempt)[0].state == S.PLACED


def test_a_worker_that_dies_between_intent_and_answer_leaves_a_doubt_and_no_second_call(
    line: DialerLine, pabx: TinyPabx, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = claimed(line)

    class Killed(BaseException):
        """A SIGKILL, as far as the code can tell."""

    def die(*_given: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(answers, "store_accepted", die)
        with pytest.raises(Killed):
            place_call(attempt.pk)
    assert fresh(attempt)[0].state == S.SENDING
    later = timezone.now() + timedelta(seconds=61)
    assert sweep(now=later)["sends"] == 1
    attempt, request = fresh(attempt)
    assert (attempt.state, request.hold_reason, request.attempts) == (S.IN_DOUBT, Hold.IN_DOUBT, 1)
    assert claim(line, now=later) == []
    place_call(attempt.pk)
    assert len(pabx.posts) == 1
