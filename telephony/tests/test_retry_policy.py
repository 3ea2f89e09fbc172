"""How long a rule waits, in which hours it lands and when it stops; and what it would do, before it is saved."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from callcenter.tests.factories import make_company
from requests_app.data import Origin
from requests_app.models import CallRequest, LedgerEntry
from requests_app.states import Hold, Outcome, Source
from telephony.models import CallAttempt, DialerLine, RetryHours, RetryRule
from telephony.services import moves
from telephony.services.retries import Tried, next_try_at, planned_try, share_of
from telephony.services.retry_simulation import apply_to_waiting, by_hour, simulated
from telephony.tests.scenes import claim, fresh, make_callcenter, placed_call, send

ZONE = ZoneInfo("America/Sao_Paulo")
# A Monday, 20:00 in São Paulo.
MONDAY_EVENING = datetime(2026, 11, 23, 23, tzinfo=UTC)


def rule_of(**fields: Any) -> RetryRule:
    return RetryRule(**{"outcome": Outcome.BUSY, "max_tries": 10, "wait_seconds": 600, **fields})


def planned(rule: RetryRule, *, hours: tuple[RetryHours, ...] = (), at: datetime = MONDAY_EVENING, **tried: Any) -> Any:
    counts = {"with_outcome": 1, "on_day": 1, "in_all": 1, **tried}
    return planned_try(rule, Tried(**counts), ended_at=at, zone=ZONE, hours=hours)


def minutes(rule: RetryRule, **tried: Any) -> float:
    return float((planned(rule, **tried) - MONDAY_EVENING).total_seconds() / 60)


@pytest.mark.parametrize(("tries", "wait"), [(1, 10), (2, 20), (3, 40), (4, 60), (9, 60)])
def test_a_growing_wait_doubles_up_to_its_ceiling(tries: int, wait: int) -> None:
    assert minutes(rule_of(growth=2.0, longest_wait_seconds=3600), with_outcome=tries) == wait


def test_no_growth_takes_a_wait_beyond_thirty_days() -> None:
    wait = minutes(rule_of(max_tries=50, growth=10.0, wait_seconds=3600), with_outcome=49)
    assert wait == 30 * 24 * 60


def test_jitter_only_adds_and_belongs_to_the_attempt() -> None:
    rule = rule_of(jitter_percent=50)
    waits = [minutes(rule, share=share_of(attempt_id)) for attempt_id in range(1, 500)]
    assert all(10 <= wait <= 15 for wait in waits)
    # Spread over all of the range, and the same when it is asked again.
    assert {int(wait) for wait in waits} == {10, 11, 12, 13, 14}
    assert waits[0] == minutes(rule, share=share_of(1))


def test_a_try_lands_in_the_next_preferred_hour() -> None:
    tuesday = RetryHours(weekday=1, opens_at=time(10), closes_at=time(12))
    friday = RetryHours(weekday=4, opens_at=time(18), closes_at=time(0))
    rule = rule_of()
    lands = planned(rule, hours=(friday, tuesday))
    assert lands.astimezone(ZONE).strftime("%a %H:%M") == "Tue 10:00"
    in_hours = datetime(2026, 11, 27, 22, 30, tzinfo=UTC)
    assert planned(rule, hours=(friday, tuesday), at=in_hours) == in_hours + timedelta(minutes=10)


def test_the_days_limit_puts_the_call_off_to_the_same_hour_of_the_next_day() -> None:
    rule = rule_of(max_per_day=2)
    assert minutes(rule, on_day=1) == 10
    assert minutes(rule, on_day=2) == 24 * 60 + 10
    # With preferred hours, to the first of them on another day.
    evening = tuple(RetryHours(weekday=day, opens_at=time(8), closes_at=time(21)) for day in range(7))
    assert planned(rule, hours=evening, on_day=2).astimezone(ZONE).strftime("%a %H:%M") == "Tue 08:00"


def test_a_wait_that_ends_on_another_day_is_not_held_by_todays_calls() -> None:
    assert minutes(rule_of(max_per_day=1, wait_seconds=5 * 3600), on_day=9) == 5 * 60


@pytest.mark.parametrize(
    ("fields", "tried"), [({"max_tries": 3}, {"with_outcome": 3}), ({"max_in_all": 5}, {"in_all": 5})]
)
def test_the_tries_end(fields: dict[str, int], tried: dict[str, Any]) -> None:
    assert planned(rule_of(**fields), **tried) is None
    assert planned(rule_of(**fields), **{name: count - 1 for name, count in tried.items()}) is not None


@pytest.fixture
def line(db: None) -> DialerLine:
    RetryRule.objects.all().delete()
    return make_callcenter()


def busy(line: DialerLine, *, request: CallRequest | None = None) -> CallAttempt:
    """A call that ended busy: of a new request, or of this one."""
    if request is None:
        attempt = placed_call(line)
    else:
        CallRequest.objects.filter(pk=request.pk).update(due_at=timezone.now())
        (attempt,) = claim(line)
        send(attempt, call_id=f"id {attempt.pk}")
    now = timezone.now()
    assert moves.end(moves.locked(attempt.pk), Outcome.BUSY, expected=["placed"], reason="busy", now=now)
    return fresh(attempt)[0]


def test_all_calls_of_the_request_count_for_its_limits_whatever_became_of_them(line: DialerLine) -> None:
    RetryRule.objects.create(outcome=Outcome.BUSY, max_tries=9, wait_seconds=0, max_in_all=2)
    RetryRule.objects.create(outcome=Outcome.NO_ANSWER, max_tries=9, wait_seconds=0, max_in_all=2)
    attempt = placed_call(line)
    now = timezone.now()
    assert moves.end(moves.locked(attempt.pk), Outcome.NO_ANSWER, expected=["placed"], reason="no_answer", now=now)
    _attempt, request = fresh(attempt)
    assert request.hold_reason == Hold.RETRY_WAIT
    _attempt, request = fresh(busy(line, request=request))
    assert (request.status, request.hold_reason) == ("no_answer", Hold.OUT_OF_TRIES)


def test_a_doubt_counts_as_a_call_of_the_day(line: DialerLine) -> None:
    rule = RetryRule.objects.create(outcome=Outcome.BUSY, max_tries=9, wait_seconds=0, max_per_day=2)
    attempt = busy(line)
    now = timezone.now()
    assert next_try_at(attempt, outcome=Outcome.BUSY, now=now) == now
    CallAttempt.objects.create(
        call_request=attempt.call_request, company=line.company, line=line, number=2, state="in_doubt",
        phone_e164="+5511987650000", claimed_at=now, send_at=now, sending_at=now,
    )  # fmt: skip
    assert next_try_at(attempt, outcome=Outcome.BUSY, now=now) == now + timedelta(days=1)
    rule.delete()
    assert next_try_at(attempt, outcome=Outcome.BUSY, now=now) is None


def test_the_simulation_says_when_those_who_wait_would_be_called_and_changes_nothing(line: DialerLine) -> None:
    rule = RetryRule.objects.create(outcome=Outcome.BUSY, max_tries=3, wait_seconds=3600)
    attempts = [busy(line) for _ in range(3)]
    now = timezone.now()
    planned_before = dict(CallRequest.objects.values_list("pk", "due_at"))
    rule.wait_seconds = 7200
    found = simulated(rule, hours=(), now=now)
    ended = {attempt.call_request_id: attempt.ended_at for attempt in attempts}
    assert {one.request.id: one.due_at for one in found.planned} == {
        request_id: at + timedelta(hours=2) for request_id, at in ended.items() if at
    }
    spans = by_hour(found, zone=line.company.zone)
    assert (sum(one.before for one in spans), sum(one.after for one in spans)) == (3, 3)
    assert dict(CallRequest.objects.values_list("pk", "due_at")) == planned_before
    rule.max_tries = 1
    assert (simulated(rule, hours=(), now=now).given_up, found.given_up, found.is_cut) == (3, 0, False)


def test_a_simulation_touches_only_the_companies_of_the_rule(line: DialerLine) -> None:
    for_all = RetryRule.objects.create(outcome=Outcome.BUSY, max_tries=3, wait_seconds=3600)
    busy(line)
    other = make_callcenter(secret="another-path")
    busy(other)
    now = timezone.now()
    assert len(simulated(for_all, hours=(), now=now).planned) == 2
    own = RetryRule.objects.create(company=line.company, outcome=Outcome.BUSY, max_tries=3, wait_seconds=60)
    assert [one.request.company_id for one in simulated(own, hours=(), now=now).planned] == [line.company_id]
    assert [one.request.company_id for one in simulated(for_all, hours=(), now=now).planned] == [other.company_id]
    stranger = RetryRule(company=make_company(), outcome=Outcome.BUSY, max_tries=3, wait_seconds=60)
    assert simulated(stranger, hours=(), now=now).planned == []


def test_a_rule_can_be_applied_to_those_who_wait_and_the_ledger_says_so(line: DialerLine) -> None:
    rule = RetryRule.objects.create(outcome=Outcome.BUSY, max_tries=3, wait_seconds=3600)
    moved, taken = busy(line), fresh(busy(line))[1]
    RetryRule.objects.update(wait_seconds=7200)
    CallRequest.objects.filter(pk=taken.pk).update(hold_reason=Hold.WITH_PERSON, due_at=None)
    rule.refresh_from_db()
    origin, now = Origin(source=Source.ADMIN), timezone.now()
    assert apply_to_waiting(rule, origin=origin, now=now) == 1
    _attempt, request = fresh(moved)
    assert moved.ended_at is not None
    assert request.due_at == moved.ended_at + timedelta(hours=2)
    entry = LedgerEntry.objects.filter(call_request=request).latest("id")
    assert (entry.kind, entry.reason) == (LedgerEntry.Kind.SCHEDULED, "retry_rule")
    assert apply_to_waiting(rule, origin=origin, now=now) == 0
