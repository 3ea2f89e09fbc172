"""What a retry rule would do to the requests that wait now: worked out before it is saved, and done if asked for."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, TypeVar

from callcenter.accounts.models import Company
from requests_app import selectors as requests
from requests_app.schedule import contact_window, next_opening
from requests_app.services import calls
from telephony.models import CallAttempt, RetryRule
from telephony.services.retries import CALLED, Tried, planned_try, share_of
from telephony.states import AttemptState

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from zoneinfo import ZoneInfo

    from requests_app.data import Origin, WaitingRetry
    from telephony.models import RetryHours

T = TypeVar("T")

# So many waiting requests are looked at, the soonest due first.
MOST: Final = 5000
_CHUNK: Final = 500
# So many hours are shown one by one; what is later, by the day.
_HOURS_SHOWN: Final = 36


@dataclass(frozen=True)
class Replanned:
    """One waiting request, and when the rule would have it called; None = not at all."""

    request: WaitingRetry
    due_at: datetime | None


@dataclass(frozen=True)
class Span:
    """How many requests are due in an hour (or a whole day) that starts at a local instant, now and under the rule."""

    starts_at: datetime
    is_day: bool
    before: int
    after: int


@dataclass(frozen=True)
class Simulation:
    """The waiting requests as the rule would have them; `is_cut` = there are more than were looked at."""

    planned: Sequence[Replanned]
    is_cut: bool

    @property
    def instants(self) -> list[datetime]:
        """When those that would be called would be called, the soonest first."""
        return sorted(one.due_at for one in self.planned if one.due_at)

    @property
    def given_up(self) -> int:
        """How many have had all the tries that the rule allows."""
        return sum(one.due_at is None for one in self.planned)

    @property
    def moves(self) -> list[tuple[WaitingRetry, datetime]]:
        """The requests that would be called at another instant than now planned."""
        return [(one.request, one.due_at) for one in self.planned if one.due_at and one.due_at != one.request.due_at]


def simulated(rule: RetryRule, *, hours: Iterable[RetryHours], now: datetime) -> Simulation:
    """What the rule, saved or not, would do to the requests that wait after its outcome.

    The next try is counted from the last call's end, as if the rule had held then, and is never before now.
    Three queries, and one for each 500 requests.
    """
    waiting = _waiting(rule)
    blocks = list(hours)
    zones = {company.pk: company.zone for company in Company.objects.filter(pk__in={one.company_id for one in waiting})}
    planned = []
    for chunk in _chunks(waiting[:MOST]):
        calls_of = _calls_of([one.id for one in chunk])
        for one in chunk:
            due_at = _due_at(rule, blocks, one, calls_of.get(one.id, []), zone=zones[one.company_id], now=now)
            planned.append(Replanned(one, due_at))
    return Simulation(planned, is_cut=len(waiting) > MOST)


def by_hour(simulation: Simulation, *, zone: ZoneInfo) -> list[Span]:
    """The requests by the hour in which they are due, as planned now and under the rule; later ones by the day."""
    before: Counter[datetime] = Counter(_hour(one.request.due_at, zone) for one in simulation.planned)
    after: Counter[datetime] = Counter(_hour(one.due_at, zone) for one in simulation.planned if one.due_at)
    hours = sorted(before.keys() | after.keys())
    spans = [Span(hour, False, before[hour], after[hour]) for hour in hours[:_HOURS_SHOWN]]
    days: dict[datetime, list[int]] = defaultdict(lambda: [0, 0])
    for hour in hours[_HOURS_SHOWN:]:
        day = days[hour.replace(hour=0)]
        day[0] += before[hour]
        day[1] += after[hour]
    return spans + [Span(day, True, *counts) for day, counts in days.items()]


def apply_to_waiting(rule: RetryRule, *, origin: Origin, now: datetime) -> int:
    """How many waiting requests were given the instant that the rule, as it is stored, plans for them.

    One that has had all its tries keeps the one that it was promised.
    Effects: see `calls.move_retries`.
    """
    simulation = simulated(rule, hours=rule.hours.all(), now=now)
    return sum(calls.move_retries(chunk, origin=origin, now=now) for chunk in _chunks(simulation.moves))


def _waiting(rule: RetryRule) -> list[WaitingRetry]:
    """One more than are looked at, to know whether there are more."""
    if rule.company_id:
        return requests.waiting_retries(rule.outcome, company_id=rule.company_id, limit=MOST + 1)
    own = RetryRule.objects.filter(outcome=rule.outcome, company__isnull=False).values_list("company_id", flat=True)
    ids = [company_id for company_id in own if company_id is not None]
    return requests.waiting_retries(rule.outcome, except_companies=ids, limit=MOST + 1)


def _calls_of(request_ids: Sequence[int]) -> dict[int, list[CallAttempt]]:
    """The calls of these requests, in their order. One query."""
    columns = ("call_request_id", "state", "outcome", "sending_at", "ended_at")
    found: dict[int, list[CallAttempt]] = defaultdict(list)
    for attempt in CallAttempt.objects.filter(call_request_id__in=request_ids).only(*columns).order_by("number"):
        if attempt.call_request_id is not None:
            found[attempt.call_request_id].append(attempt)
    return found


def _due_at(
    rule: RetryRule,
    hours: Sequence[RetryHours],
    waiting: WaitingRetry,
    attempts: Sequence[CallAttempt],
    *,
    zone: ZoneInfo,
    now: datetime,
) -> datetime | None:
    ended = [one for one in attempts if one.state == AttemptState.ENDED and one.ended_at]
    if not ended:
        # Nothing to count from: it was never called, or its calls are gone.
        return waiting.due_at
    last = ended[-1]
    ended_at = last.ended_at or now
    called = [one for one in attempts if one.state in CALLED]
    midnight = ended_at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    tried = Tried(
        with_outcome=sum(one.outcome == rule.outcome for one in ended),
        on_day=sum(bool(one.sending_at and one.sending_at >= midnight) for one in called),
        in_all=len(called),
        share=share_of(last.pk),
    )
    due_at = planned_try(rule, tried, ended_at=ended_at, zone=zone, hours=hours)
    if due_at is None:
        return None
    window = contact_window(waiting.time_from, waiting.time_to)
    return next_opening(max(due_at, now), window=window, zone=zone).astimezone(UTC)


def _chunks(items: Sequence[T]) -> Iterable[Sequence[T]]:
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))


def _hour(at: datetime, zone: ZoneInfo) -> datetime:
    # As clocks show it: the two hours of a change to winter time are one row.
    return at.astimezone(zone).replace(minute=0, second=0, microsecond=0, fold=0)
