"""The nightly check: each promise's violation is found when one is planted, and none where there is none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from callcenter.accounts.models import User
from callcenter.lib.errors import Conflict
from requests_app.models import CallRequest
from requests_app.states import Hold, Outcome
from telephony.models import AttemptEntry, CallAttempt, DialerLine, PromiseCheck, PromiseViolation, ProviderEvent
from telephony.services import moves
from telephony.services.promises import check_promises, settle_violation
from telephony.services.replay import replay
from telephony.services.switches import turn_dialer
from telephony.states import AttemptState, MoveReason, Promise
from telephony.tests.scenes import claim, deliver, make_callcenter, make_due, placed_call, send

pytestmark = pytest.mark.django_db


@pytest.fixture
def line() -> DialerLine:
    return make_callcenter()


def live_a_day(line: DialerLine) -> list[CallAttempt]:
    """Calls of several fates, each told by the carrier."""
    calls = [placed_call(line) for _ in range(4)]
    fates = [("chamando", "atendeu", "desligou"), ("ocupado",), ("chamando",), ()]
    for number, (attempt, words) in enumerate(zip(calls, fates, strict=True)):
        for word in words:
            assert deliver(word, callerid=f"c{number}", destino=attempt.phone_e164).status_code == 200
    (claimed,) = [one for _ in range(1) if make_due(line.company) for one in claim(line)]
    sent = send(claimed)
    assert moves.doubt(sent, reason=MoveReason.AMBIGUOUS, now=timezone.now())
    return [*calls, sent]


def found() -> set[str]:
    """The promises that the check finds broken now."""
    check_promises(now=timezone.now())
    return set(PromiseViolation.objects.filter(gone_at=None).values_list("promise", flat=True))


def test_a_day_of_every_fate_breaks_no_promise(line: DialerLine) -> None:
    live_a_day(line)
    assert found() == set()
    check = PromiseCheck.objects.get()
    assert (check.found, check.seconds < 60) == (0, True)


def sent_twice(calls: list[CallAttempt]) -> None:
    AttemptEntry.objects.create(
        attempt=calls[0], at=timezone.now(), from_state="claimed", to_state="sending", reason="intent"
    )


def two_at_one_number(calls: list[CallAttempt]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX attempt_one_open_per_number")
    CallAttempt.objects.filter(pk=calls[3].pk).update(phone_e164=calls[2].phone_e164)


def doubt_ended_by_nobody(calls: list[CallAttempt]) -> None:
    assert moves.end(calls[4], Outcome.NO_NEWS, expected=["in_doubt"], reason="lease_over", now=timezone.now())


def doubt_called_again(calls: list[CallAttempt]) -> None:
    CallAttempt.objects.filter(pk=calls[1].pk).update(call_request_id=calls[4].call_request_id, number=9)


def another_outcome(calls: list[CallAttempt]) -> None:
    CallAttempt.objects.filter(pk=calls[1].pk).update(outcome=Outcome.NO_ANSWER)


def an_end_that_no_news_told(calls: list[CallAttempt]) -> None:
    assert moves.end(moves.locked(calls[2].pk), Outcome.BUSY, expected=["ringing"], reason="busy", now=timezone.now())


def news_left_lying(calls: list[CallAttempt]) -> None:
    event = ProviderEvent.objects.filter(attempt=calls[2])
    event.update(state="received", attempt=None, received_at=timezone.now() - timedelta(minutes=6))


def flies_without_a_call(calls: list[CallAttempt]) -> None:
    CallRequest.objects.filter(call_attempts=calls[1]).update(in_flight=True, due_at=None)


def a_call_that_its_request_knows_nothing_of(calls: list[CallAttempt]) -> None:
    CallRequest.objects.filter(call_attempts=calls[2]).update(in_flight=False)


def open_and_forgotten(calls: list[CallAttempt]) -> None:
    CallRequest.objects.filter(call_attempts=calls[1]).update(due_at=None, hold_reason=Hold.RETRY_WAIT)


def no_ledger(calls: list[CallAttempt]) -> None:
    AttemptEntry.objects.filter(attempt=calls[0], to_state="ended").delete()


def hanging(state: str, **columns: str) -> Callable[[list[CallAttempt]], None]:
    def plant(calls: list[CallAttempt]) -> None:
        values = {"sending_at": None, **{name: timezone.now() - timedelta(days=1) for name in columns}}
        CallAttempt.objects.filter(pk=calls[3].pk).update(state=state, **values)
        AttemptEntry.objects.create(attempt=calls[3], at=timezone.now(), to_state=state)

    return plant


PLANTED: dict[str, tuple[Callable[[list[CallAttempt]], None], set[Promise]]] = {
    "sent twice": (sent_twice, {Promise.SENT_ONCE}),
    "two calls at one number": (two_at_one_number, {Promise.ONE_PER_NUMBER}),
    "a doubt that nobody decided": (doubt_ended_by_nobody, {Promise.DOUBT_STAYS}),
    "a doubt that was called again": (doubt_called_again, {Promise.DOUBT_STAYS}),
    "an outcome that the news don't tell": (another_outcome, {Promise.NEWS_COUNT}),
    "an end that no news told": (an_end_that_no_news_told, {Promise.NEWS_COUNT}),
    "news that lie there": (news_left_lying, {Promise.NEWS_APPLIED}),
    "in flight without a call": (flies_without_a_call, {Promise.WAY_ON}),
    "a call without its request": (a_call_that_its_request_knows_nothing_of, {Promise.WAY_ON}),
    "open and forgotten": (open_and_forgotten, {Promise.WAY_ON}),
    "no ledger": (no_ledger, {Promise.LEDGER}),
    "claimed for a day": (hanging("claimed", lease_until=""), {Promise.NOTHING_HANGS}),
    "sending for a day": (hanging("sending", lease_until=""), {Promise.NOTHING_HANGS}),
    "ringing for a day": (hanging("ringing", sending_at=""), {Promise.NOTHING_HANGS}),
    "ringing for a day, its sending forgotten": (hanging("ringing", claimed_at=""), {Promise.NOTHING_HANGS}),
    "talking for a day": (hanging("answered", answered_at=""), {Promise.NOTHING_HANGS}),
}


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_a_planted_violation_is_found_and_no_other(
    planted: tuple[Callable[[list[CallAttempt]], None], set[Promise]], line: DialerLine
) -> None:
    plant, promises = planted
    calls = live_a_day(line)
    plant(calls)
    assert found() - {Promise.SENT_ONCE} == promises - {Promise.SENT_ONCE}
    assert promises <= set(PromiseViolation.objects.values_list("promise", flat=True))


def test_a_violation_is_one_row_however_often_it_is_found_and_goes_when_it_is_mended(line: DialerLine) -> None:
    calls = live_a_day(line)
    no_ledger(calls)
    assert found() == found() == {Promise.LEDGER}
    violation = PromiseViolation.objects.get()
    assert (violation.attempt_id, violation.company_id) == (calls[0].pk, line.company_id)
    AttemptEntry.objects.create(attempt=calls[0], at=timezone.now(), from_state="answered", to_state="ended")
    assert found() == set()
    violation.refresh_from_db()
    assert violation.gone_at is not None


def test_a_violation_is_looked_after_once_and_only_by_its_own_people(line: DialerLine) -> None:
    no_ledger(live_a_day(line))
    found()
    violation, actor = PromiseViolation.objects.get(), User.objects.create(email="chefe@example.com")
    with pytest.raises(Exception, match="no such"):
        settle_violation(violation.pk, actor=actor, scope=[0], now=timezone.now())
    settle_violation(violation.pk, actor=actor, scope=None, now=timezone.now())
    with pytest.raises(Conflict):
        settle_violation(violation.pk, actor=actor, scope=None, now=timezone.now())


def test_the_command_says_what_it_found_and_fails(line: DialerLine) -> None:
    call_command("check_promises")
    no_ledger(live_a_day(line))
    with pytest.raises(CommandError, match="promise is broken"):
        call_command("check_promises")


def test_a_replay_tells_an_end_that_no_news_told_from_one_after_silence(line: DialerLine) -> None:
    calls = live_a_day(line)
    turn_dialer(on=False, now=timezone.now(), actor=None)
    since, now = timezone.now() - timedelta(days=1), timezone.now()
    assert moves.end(moves.locked(calls[2].pk), Outcome.NO_NEWS, expected=["ringing"], reason="no_news", now=now)
    assert replay(since=since, seed=1, now=now) == (3, [])
    assert found() == set()
    CallAttempt.objects.filter(pk=calls[2].pk).update(outcome=Outcome.BUSY)
    _number, differences = replay(since=since, seed=1, now=now)
    assert [one.attempt_id for one in differences] == [calls[2].pk]


def test_all_news_in_another_order_end_every_call_alike_and_nothing_is_changed(line: DialerLine) -> None:
    live_a_day(line)
    before = list(CallAttempt.objects.order_by("pk").values_list("pk", "state", "outcome"))
    since = timezone.now() - timedelta(days=1)
    with pytest.raises(Conflict):
        replay(since=since, seed=1, now=timezone.now())
    turn_dialer(on=False, now=timezone.now(), actor=None)
    for seed in range(5):
        assert replay(since=since, seed=seed, now=timezone.now()) == (2, [])
    assert list(CallAttempt.objects.order_by("pk").values_list("pk", "state", "outcome")) == before
    call_command("check_promises", "--replay")
    CallAttempt.objects.filter(state=AttemptState.ENDED).update(outcome=Outcome.FAX)
    with pytest.raises(CommandError, match="ended a call otherwise"):
        call_command("check_promises", "--replay")
