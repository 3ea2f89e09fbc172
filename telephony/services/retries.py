"""When a request is tried again after an outcome, by the rules that staff edit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from django.db.models import Count, Q

from telephony.models import CallAttempt
from telephony.selectors import retry_rule
from telephony.services.policy import next_open_instant
from telephony.states import RANK, AttemptState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from zoneinfo import ZoneInfo

    from requests_app.states import Outcome
    from telephony.models import RetryHours, RetryRule

NOT_SENT_FIRST_WAIT: Final = timedelta(seconds=30)
NOT_SENT_LONGEST_WAIT: Final = timedelta(minutes=15)
# However a wait grows.
LONGEST_WAIT: Final = timedelta(days=30)
# What may have rung counts as a call, a doubt too.
CALLED: Final = tuple(RANK)


@dataclass(frozen=True)
class Tried:
    """What has been tried for a request: calls that ended in the outcome, of the day, and in all, this one included.

    `share` (0 to 1) is the call's own part of the jitter: the same whenever it is asked for.
    """

    with_outcome: int
    on_day: int
    in_all: int
    share: float = 0.0


def next_try_at(attempt: CallAttempt, *, outcome: Outcome, now: datetime) -> datetime | None:
    """When to call again after this attempt ended in `outcome`; None = never (out of tries, or no rule allows it).

    Counts the request's attempts, this one included. Four queries at most.
    """
    rule = retry_rule(attempt.company_id, outcome=outcome)
    if rule is None or rule.max_tries == 1:
        return None
    zone = attempt.company.zone
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    called = Q(state__in=CALLED)
    found = CallAttempt.objects.filter(call_request_id=attempt.call_request_id).aggregate(
        with_outcome=Count("pk", filter=Q(state=AttemptState.ENDED, outcome=outcome)),
        on_day=Count("pk", filter=called & Q(sending_at__gte=midnight)),
        in_all=Count("pk", filter=called),
    )
    return planned_try(rule, Tried(**found, share=share_of(attempt.pk)), ended_at=now, zone=zone)


def next_tries(
    ended: Iterable[EndedCall], *, zones: Mapping[int, ZoneInfo], now: datetime
) -> dict[int, datetime | None]:
    """As `next_try_at` for each of these calls, by request; `zones` by company.

    Two queries for each company and outcome, and one.
    """
    rules: dict[tuple[int, str], RetryRule | None] = {}
    planned: list[tuple[EndedCall, RetryRule]] = []
    for one in ended:
        key = (one.company_id, one.outcome)
        if key not in rules:
            rules[key] = retry_rule(one.company_id, outcome=one.outcome)
        if (rule := rules[key]) is not None and rule.max_tries != 1:
            planned.append((one, rule))
    calls = _calls_of(one.call_request_id for one, _rule in planned)
    tries = {}
    for one, rule in planned:
        zone = zones[one.company_id]
        midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        made = calls.get(one.call_request_id, [])
        tried = Tried(
            with_outcome=sum(state == AttemptState.ENDED and outcome == one.outcome for state, outcome, _at in made),
            on_day=sum(at is not None and at >= midnight for _state, _outcome, at in made),
            in_all=len(made),
            share=share_of(one.attempt_id),
        )
        tries[one.call_request_id] = planned_try(rule, tried, ended_at=now, zone=zone)
    return tries


class EndedCall(NamedTuple):
    """A call that has just ended, as far as the rules ask for it."""

    attempt_id: int
    call_request_id: int
    company_id: int
    outcome: Outcome


def _calls_of(request_ids: Iterable[int]) -> dict[int, list[tuple[str, str, datetime | None]]]:
    """State, outcome and instant of every call that was made, or may have been, for each request. One query."""
    made: dict[int, list[tuple[str, str, datetime | None]]] = {}
    ids = list(request_ids)
    if ids:
        rows = CallAttempt.objects.filter(call_request_id__any_of=ids, state__in=CALLED)
        found = rows.values_list("call_request_id", "state", "outcome", "sending_at")
        for request_id, state, outcome, sending_at in found:
            if request_id is not None:
                made.setdefault(request_id, []).append((state, outcome, sending_at))
    return made


def planned_try(
    rule: RetryRule, tried: Tried, *, ended_at: datetime, zone: ZoneInfo, hours: Iterable[RetryHours] | None = None
) -> datetime | None:
    """When the rule has a request called again, in UTC; None = never. Pure but for the rule's hours, unless given.

    The wait first, then the day's limit, then the preferred hours: each may only put the call off.
    """
    if tried.with_outcome >= rule.max_tries or (rule.max_in_all is not None and tried.in_all >= rule.max_in_all):
        return None
    blocks = list(rule.hours.all() if hours is None else hours)
    local = (ended_at + wait_of(rule, tried)).astimezone(zone)
    is_same_day = local.date() == ended_at.astimezone(zone).date()
    if is_same_day and rule.max_per_day is not None and tried.on_day >= rule.max_per_day:
        local = _next_day(local, from_midnight=bool(blocks))
    if not blocks:
        return local.astimezone(ended_at.tzinfo)
    lands = next_open_instant(blocks, at=local)
    return None if lands is None else lands.astimezone(ended_at.tzinfo)


def wait_of(rule: RetryRule, tried: Tried) -> timedelta:
    """How long to wait after the nth call with this outcome: wait × growth^(n-1), at most the ceiling, plus jitter."""
    seconds = float(rule.wait_seconds) * rule.growth ** min(max(tried.with_outcome, 1) - 1, 50)
    ceiling = LONGEST_WAIT.total_seconds() if rule.longest_wait_seconds is None else float(rule.longest_wait_seconds)
    seconds = min(seconds, ceiling, LONGEST_WAIT.total_seconds())
    return timedelta(seconds=seconds * (1 + rule.jitter_percent / 100 * tried.share))


def share_of(attempt_id: int) -> float:
    """A number from 0 to 1 that belongs to the attempt: spread evenly, and the same on every machine and at any time.

    Chance would give a simulation other instants than the rule gives later.
    """
    # Knuth's multiplicative hash.
    return (attempt_id * 2_654_435_761 % 2**32) / 2**32


def wait_after_not_sent(attempt: CallAttempt, *, now: datetime) -> datetime:
    """When to call again after an attempt that never left: 30 s, doubled with each one in a row, 15 minutes at most."""
    states = CallAttempt.objects.filter(call_request_id=attempt.call_request_id, number__lt=attempt.number)
    in_a_row = 0
    for state in states.order_by("-number").values_list("state", flat=True)[:5]:
        if state != AttemptState.RELEASED:
            break
        in_a_row += 1
    wait: timedelta = min(NOT_SENT_FIRST_WAIT * 2**in_a_row, NOT_SENT_LONGEST_WAIT)
    return now + wait


def _next_day(local: datetime, *, from_midnight: bool) -> datetime:
    """The next day at the same clock time; from its start where preferred hours say when in it."""
    day = local + timedelta(days=1)
    return day.replace(hour=0, minute=0, second=0, microsecond=0) if from_midnight else day
