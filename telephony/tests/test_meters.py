"""The meters of calls: what is counted, how that stands against the limits in force, and what a limit stops."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from callcenter.tests.factories import make_company, make_line
from requests_app import timeline
from requests_app.states import Outcome
from telephony import metering
from telephony.metering import Limit, Standing, Tally, Used, limit_of, standing, used
from telephony.models import CallAttempt, CallingRule, CallTally
from telephony.rule_terms import OriginKind, Severity
from telephony.services.calling_rules import store_rule
from telephony.services.intents import commit_intents
from telephony.services.lines import lines_now
from telephony.services.meters import count_calls, meters_of, readings_of, tend_meters
from telephony.services.permission import purpose_of
from telephony.services.policy import allowances, standing_hold
from telephony.states import AttemptState, LineHold
from telephony.tests.scenes import claim, make_callcenter, make_due

if TYPE_CHECKING:
    from telephony.models import DialerLine

# A Monday, noon in São Paulo.
NOON = datetime(2026, 11, 23, 15, tzinfo=UTC)
S = AttemptState
_numbers = itertools.count(1)
DAILY = Limit(1, "curtas", 100, short_share=0.85, short_seconds=6)
MONTHLY = Limit(2, "mês", 1000)


def made(line: DialerLine, count: int = 1, *, at: datetime = NOON, talk: float | None = None, **fields: Any) -> None:
    """Calls of the line that are over: answered for so many seconds, or by nobody."""
    values: dict[str, Any] = {"state": S.ENDED, "sending_at": at, "ended_at": at + timedelta(minutes=5)}
    values["outcome"] = Outcome.NO_ANSWER
    if talk is not None:
        values |= {"outcome": Outcome.ANSWERED, "answered_at": values["ended_at"] - timedelta(seconds=talk)}
    CallAttempt.objects.bulk_create(
        CallAttempt(
            company=line.company,
            line=line,
            number=1,
            phone_e164=f"+55119{70000000 + next(_numbers)}",
            claimed_at=at,
            send_at=at,
            **{**values, **fields},
        )
        for _place in range(count)
    )


def limit_rule(code: str, *, severity: str = Severity.BLOCK, **parameters: Any) -> CallingRule:
    """The seeded rule with other figures."""
    rule = CallingRule.objects.get(code=code)
    rule.parameters = {**rule.parameters, **parameters}
    rule.severity = severity
    return store_rule(rule, actor=None)


def stored(line: DialerLine) -> DialerLine:
    """The line as it is stored now."""
    return type(line).objects.select_related("company", "event_channel").get(pk=line.pk)


def tallies(*counts: tuple[str, int, int]) -> list[Tally]:
    """Tallies of one line, by kind, seconds and calls."""
    return [Tally(1, False, kind, seconds, calls) for kind, seconds, calls in counts]


def test_a_call_is_short_by_the_limits_own_measure() -> None:
    rows = tallies(("nobody", 0, 40), ("talk", 3, 10), ("talk", 6, 10), ("talk", 7, 30), ("open", 0, 5))
    assert used(rows, DAILY) == Used(calls=95, over=90, short=60)
    assert used(rows, Limit(1, "", 100, short_share=0.85, short_seconds=3)) == Used(calls=95, over=90, short=50)


def test_voicemail_that_was_heard_out_and_authenticated_calls_are_left_out_where_a_rule_says_so() -> None:
    rows = [*tallies(("machine", 6, 10), ("machine", 20, 10)), Tally(2, True, "nobody", 0, 10)]
    assert used(rows, DAILY) == Used(calls=30, over=30, short=30)
    lenient = Limit(1, "", 100, short_share=0.85, short_seconds=6, voicemail_seconds=6, counts_authenticated=False)
    assert used(rows, lenient) == Used(calls=10, over=10, short=10)


@pytest.mark.parametrize(
    ("limit", "count", "expected"),
    [
        (DAILY, Used(79, 79, 79), Standing.CLEAR),
        (DAILY, Used(80, 80, 60), Standing.NEAR),
        (DAILY, Used(98, 98, 82), Standing.REACHED if 82 / 98 >= 0.833 else Standing.NEAR),
        (DAILY, Used(98, 98, 70), Standing.NEAR),
        (DAILY, Used(500, 500, 300), Standing.CLEAR),
        (DAILY, Used(98, 0, 0), Standing.CLEAR),
        (MONTHLY, Used(799), Standing.CLEAR),
        (MONTHLY, Used(800), Standing.NEAR),
        (MONTHLY, Used(980), Standing.REACHED),
    ],
)
def test_one_is_warned_before_the_limit_and_stopped_just_before_it(limit: Limit, count: Used, expected: str) -> None:
    assert standing(count, limit) == expected


def test_parameters_that_say_no_limit_or_nonsense_set_none() -> None:
    assert limit_of(1, "", {"prefix": "0303"}) is None
    assert limit_of(1, "", {"calls_per_month": "many"}) is None
    assert limit_of(1, "", {"calls_per_month": 5, "warn_at": 0.5}) == Limit(1, "", 5, warn_at=0.5)


def test_days_and_months_are_the_companys_own() -> None:
    zone = ZoneInfo("America/Sao_Paulo")
    late = datetime(2026, 12, 1, 1, tzinfo=UTC)
    assert MONTHLY.ends_at(late, zone=zone) == datetime(2026, 12, 1, 3, tzinfo=UTC)
    assert MONTHLY.begins_at(late, zone=zone) == datetime(2026, 11, 1, 3, tzinfo=UTC)
    assert DAILY.ends_at(late, zone=zone) == datetime(2026, 12, 1, 3, tzinfo=UTC)
    assert metering.day_start(late, zone=zone) == datetime(2026, 11, 30, 3, tzinfo=UTC)


@pytest.mark.django_db
def test_calls_are_counted_by_hour_and_by_what_became_of_them() -> None:
    line = make_line(make_company(), originator="1130000000")
    made(line, 3)
    made(line, 2, talk=6.9)
    made(line, talk=300)
    # The carrier told of the end before the answer.
    made(line, talk=-3)
    made(line, outcome=Outcome.MACHINE, talk=None)
    made(line, state=S.PLACED, outcome="", ended_at=None)
    # Not called at all.
    made(line, state=S.RELEASED, outcome="")
    made(line, state=S.CLAIMED, outcome="", sending_at=None)
    count_calls(since=NOON - timedelta(hours=1), now=NOON)
    found = CallTally.objects.order_by("kind", "seconds").values_list("kind", "seconds", "calls", "origin")
    assert list(found) == [
        ("machine", 0, 1, "1130000000"),
        ("nobody", 0, 3, "1130000000"),
        ("open", 0, 1, "1130000000"),
        ("talk", 0, 1, "1130000000"),
        ("talk", 6, 2, "1130000000"),
        ("talk", 31, 1, "1130000000"),
    ]


@pytest.mark.django_db
def test_counting_twice_counts_once_and_late_news_moves_a_call() -> None:
    line = make_line(make_company(), originator="1130000000")
    made(line, state=S.PLACED, outcome="", ended_at=None)
    count_calls(since=NOON - timedelta(hours=1), now=NOON)
    type(line).objects.update(originator="1140000000")
    CallAttempt.objects.update(state=S.ENDED, outcome=Outcome.BUSY, ended_at=NOON)
    for _ in range(2):
        count_calls(since=NOON - timedelta(hours=1), now=NOON)
    # The number that the line showed then stays.
    assert list(CallTally.objects.values_list("kind", "calls", "origin")) == [("nobody", 1, "1130000000")]


@pytest.mark.django_db
def test_a_reached_limit_stops_the_companys_lines_until_midnight_and_why_says_so() -> None:
    line = make_callcenter()
    other = make_line(line.company)
    stranger = make_callcenter(secret="another-secret-of-the-path")
    rule = limit_rule("anatel-short-calls", calls_per_day=10)
    made(line, 9)
    made(other, 1, talk=100)
    with time_machine.travel(NOON, tick=False):
        (request,) = make_due(line.company)
        assert tend_meters(now=NOON) == 2
        midnight = datetime(2026, 11, 24, 3, tzinfo=UTC)
        line = stored(line)
        assert (line.limited_until, line.limited_by) == (midnight, rule)
        found = allowances([line], now=NOON)[line.pk]
        assert (found.hold, found.until) == (LineHold.LIMIT, midnight)
        assert claim(line, now=NOON) == []
        told = timeline.explanation(request, now=NOON)
        assert (told.reasons[0].code, told.reasons[0].until) == (LineHold.LIMIT, midnight)
        assert not allowances([stored(stranger)], now=NOON)[stranger.pk].hold
        # Where more were answered, the next round lets it dial.
        made(line, 3, talk=60, at=NOON - timedelta(minutes=1))
        assert tend_meters(now=NOON) == 0
        assert len(claim(stored(line), now=NOON)) == 1
    assert stored(line).limited_until is None


@pytest.mark.django_db
def test_a_call_that_was_claimed_before_the_limit_does_not_leave_after_it() -> None:
    line = make_callcenter()
    make_due(line.company)
    (attempt,) = claim(line)
    type(line).objects.filter(pk=line.pk).update(limited_until=timezone.now() + timedelta(hours=1))
    assert commit_intents([attempt]) == set()
    attempt.refresh_from_db()
    assert attempt.state == S.RELEASED


@pytest.mark.django_db
def test_what_decides_before_sending_is_read_at_once() -> None:
    line = make_callcenter()
    (known,) = lines_now([line.pk]).values()
    with CaptureQueriesContext(connection) as taken:
        assert standing_hold(known.line, now=NOON) == LineHold.NONE
        assert purpose_of(known.line).activity == line.company.activity
    assert not taken


@pytest.mark.django_db
def test_a_new_day_begins_without_a_round() -> None:
    line = make_callcenter()
    limit_rule("anatel-short-calls", calls_per_day=10)
    made(line, 10)
    with time_machine.travel(NOON, tick=False):
        make_due(line.company)
        assert tend_meters(now=NOON) == 1
    tomorrow = NOON + timedelta(days=1)
    with time_machine.travel(tomorrow, tick=False):
        assert len(claim(stored(line), now=tomorrow)) == 1
        assert tend_meters(now=tomorrow) == 0


@pytest.mark.django_db
def test_a_rule_that_warns_stops_nothing() -> None:
    line = make_callcenter()
    limit_rule("origem-verificada", severity=Severity.WARN, calls_per_month=10)
    made(line, 20, at=NOON - timedelta(days=3))
    assert tend_meters(now=NOON, nightly=True) == 0
    states = {one.limit.name: one.standing for one in readings_of([line.company], now=NOON)[line.company_id]}
    assert Standing.REACHED in states.values()


@pytest.mark.django_db
def test_the_limit_by_the_month_stops_only_what_is_not_authenticated() -> None:
    line = make_callcenter()
    proven = make_line(line.company, origin_kind=OriginKind.AUTHENTICATED)
    limit_rule("origem-verificada", calls_per_month=10)
    made(line, 6)
    made(proven, 5)
    assert tend_meters(now=NOON) == 1
    assert stored(line).limited_until == datetime(2026, 12, 1, 3, tzinfo=UTC)
    assert stored(proven).limited_until is None


@pytest.mark.django_db
def test_a_limit_that_is_not_in_force_says_nothing() -> None:
    line = make_callcenter()
    names = {one.limit.name for one in meters_of(line, now=NOON).readings}
    assert CallingRule.objects.get(code="anatel-short-calls").name in names
    assert CallingRule.objects.get(code="anatel-short-calls-3s").name not in names
    before = datetime(2024, 5, 1, 15, tzinfo=UTC)
    (one,) = meters_of(line, now=before).readings
    assert (one.limit.short_seconds, one.limit.counts_authenticated) == (3, True)


@pytest.mark.django_db
def test_the_figures_are_of_the_line_its_number_and_its_company() -> None:
    line = make_line(make_company(), originator="1130000000")
    twin = make_line(line.company, originator="1130000000")
    other = make_line(line.company, originator="1140000000")
    made(line, 2)
    made(line, 1, talk=10)
    made(twin, 4, at=NOON - timedelta(days=2))
    made(other, 8, talk=5)
    made(other, 8, at=NOON - timedelta(days=30))
    count_calls(since=NOON, now=NOON)
    with CaptureQueriesContext(connection) as taken:
        found = meters_of(line, now=NOON)
    assert len(taken) == 3
    assert (found.line.today, found.line.month, found.line.over_today) == (3, 3, 3)
    assert (found.number.today, found.number.month) == (3, 7)
    assert (found.company.today, found.company.month) == (11, 15)
    assert (found.line.short_today, found.company.short_today) == ({6: 2}, {6: 10})
