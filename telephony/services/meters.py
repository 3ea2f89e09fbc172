"""The meters of calls: kept counts by line and hour, how they stand against the limits in force, and what that stops.

Counted from the table of attempts, of which an index gives the last hours; so nothing is written while a call is
placed, and news that comes late is counted by the next round.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.db.models import Case, Count, Q, Sum, Value, When
from django.db.models.functions import Coalesce, Greatest, Least, TruncHour
from django.utils import timezone

from callcenter.lib.database import serialize
from callcenter.lib.durations import SecondsBetween
from requests_app.states import Outcome
from telephony.metering import Limit, Standing, Tally, Used, day_start, limit_of, month_start, standing, used
from telephony.models import CallAttempt, CallingRule, CallTally, DialerLine
from telephony.rule_terms import Level, OriginKind, Severity
from telephony.services.permission import NOT_CALLED
from telephony.states import OPEN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from callcenter.accounts.models import Company

log = logging.getLogger(__name__)

K = CallTally.Kind

# What a rule of its own may leave out of the counts of short calls.
_EXCEPTIONS: Final = ("authenticated_count", "voicemail_counts_up_to_seconds")
# A call is settled by then, with few exceptions, which the night's round counts.
_FRESH: Final = timedelta(hours=3)
_NIGHTLY: Final = timedelta(days=7)
_FIRST: Final = timedelta(days=32)


@dataclass(frozen=True)
class Reading:
    """One limit of a company, what counts toward it, and how that stands. `until` = when it begins anew."""

    limit: Limit
    used: Used
    standing: Standing
    until: datetime


@dataclass(frozen=True)
class Figures:
    """Calls of a day and a month; how many of the day's are over, and of these short by each measure (seconds)."""

    today: int
    month: int
    over_today: int
    short_today: dict[int, int]


@dataclass(frozen=True)
class Meters:
    """What a line's page shows: the figures of the line, of the number that it shows, of its company; the limits."""

    line: Figures
    number: Figures
    company: Figures
    readings: list[Reading]


def tend_meters(*, now: datetime, nightly: bool = False) -> int:
    """How many lines were stopped by a limit, after the last hours were counted anew. Safe to repeat."""
    count_calls(since=now - (_NIGHTLY if nightly else _FRESH), now=now)
    return apply_limits(now=now)


def count_calls(*, since: datetime, now: datetime) -> None:
    """Nothing; the hours from `since` on are counted anew, of an installation that has no counts its last month.

    Effects: one transaction; a walk along the index by date over the attempts of that time.
    """
    with transaction.atomic():
        serialize("call-tally")
        if not CallTally.objects.exists():
            since = now - _FIRST
        since = since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        before = CallTally.objects.filter(hour_at__gte=since)
        # The number that a line showed stays with the hour, whatever it shows since.
        shown = {(line_id, hour): origin for line_id, hour, origin in before.values_list("line", "hour_at", "origin")}
        before.delete()
        CallTally.objects.bulk_create(
            CallTally(
                line_id=row["line"],
                hour_at=row["hour"],
                origin=shown.get((row["line"], row["hour"]), row["line__originator"]),
                kind=row["kind"],
                seconds=row["talk"],
                calls=row["calls"],
            )
            for row in _counted(since)
        )


def _counted(since: datetime) -> Iterable[dict[str, Any]]:
    # Where the end was told before the answer, it lies before it.
    talk = Greatest(Coalesce(SecondsBetween("answered_at", "ended_at"), 0), Value(0))
    is_talk = Q(outcome__in=[Outcome.ANSWERED, Outcome.MACHINE, Outcome.FAX])
    rows: Iterable[Any] = (
        CallAttempt.objects.filter(claimed_at__gte=since, sending_at__isnull=False)
        .exclude(state__in=NOT_CALLED)
        .annotate(
            hour=TruncHour("claimed_at", tzinfo=UTC),
            kind=Case(
                When(state__in=OPEN, then=Value(K.OPEN)),
                When(outcome=Outcome.ANSWERED, then=Value(K.TALK)),
                When(outcome__in=[Outcome.MACHINE, Outcome.FAX], then=Value(K.MACHINE)),
                default=Value(K.NOBODY),
            ),
            talk=Case(
                When(is_talk & ~Q(state__in=OPEN), then=Least(talk, Value(CallTally.LONGEST_SECONDS))),
                default=Value(0),
            ),
        )
        .order_by()
        .values("line", "line__originator", "hour", "kind", "talk")
        .annotate(calls=Count("pk"))
    )
    return rows


def apply_limits(*, now: datetime) -> int:
    """How many lines a limit stops now; each line says until when and by which rule, and one that need not wait dials.

    Effects: an UPDATE of the lines for which that changed.
    """
    lines = list(DialerLine.objects.defer(*DialerLine.SECRET_FIELDS).select_related("company").order_by("pk"))
    limits = _limits(now=now)
    counts = _tallies(lines, now=now) if any(one.limit.holds for one in limits) else {}
    stopped = 0
    for line in lines:
        of_company = [one for one in lines if one.company_id == line.company_id]
        binding = [
            one
            for one in _readings(of_company, limits=limits, counts=counts, now=now)
            if one.standing == Standing.REACHED and one.limit.holds and _binds(one.limit, line)
        ]
        last = max(binding, key=lambda one: one.until, default=None)
        until, rule_id = (last.until, last.limit.rule_id) if last else (None, None)
        stopped += last is not None
        if (line.limited_until, line.limited_by_id) != (until, rule_id):
            DialerLine.objects.filter(pk=line.pk).update(limited_until=until, limited_by=rule_id)
            if until is not None:
                log.error("line %s: stopped until %s, by the limit of rule %s", line.pk, until, rule_id)
    return stopped


def readings_of(companies: Iterable[Company], *, now: datetime) -> dict[int, list[Reading]]:
    """How the calls of each of these companies stand against the limits in force, by company. Three queries."""
    ids = [company.pk for company in companies]
    lines = list(DialerLine.objects.filter(company__in=ids).defer(*DialerLine.SECRET_FIELDS).select_related("company"))
    limits, counts = _limits(now=now), _tallies(lines, now=now)
    by_company: dict[int, list[DialerLine]] = defaultdict(list)
    for line in lines:
        by_company[line.company_id].append(line)
    return {company_id: _readings(own, limits=limits, counts=counts, now=now) for company_id, own in by_company.items()}


def meters_of(line: DialerLine, *, now: datetime) -> Meters:
    """What the line, its number and its company have called, and how that stands. Three queries."""
    lines = list(
        DialerLine.objects.filter(company_id=line.company_id).defer(*DialerLine.SECRET_FIELDS).select_related("company")
    )
    limits, counts = _limits(now=now), _tallies(lines, now=now)
    readings = _readings(lines, limits=limits, counts=counts, now=now)
    measures = sorted({one.limit.short_seconds for one in readings if one.limit.is_daily})
    everything = [row for one in lines for row in counts.get(one.pk, ())]
    return Meters(
        line=_figures((row for row in everything if row.line_id == line.pk), measures),
        number=_figures((row for row in everything if row.origin == line.originator), measures),
        company=_figures(everything, measures),
        readings=readings,
    )


@dataclass(frozen=True)
class _InForce:
    """A limit and whose it is; None = every company's."""

    company_id: int | None
    limit: Limit


@dataclass(frozen=True)
class _Row(Tally):
    """A tally of the present month, with the number that was shown, and how many of its calls are of today."""

    origin: str = ""
    today: int = 0


def _tallies(lines: Sequence[DialerLine], *, now: datetime) -> dict[int, list[_Row]]:
    """The present month of these lines, by line; the days are those of each company. One query."""
    if not lines:
        return {}
    known = {line.pk: line for line in lines}
    # One query however many zones: which calls are of whose month and day is told from the hour.
    zones = {line.company.zone for line in lines}
    months = {zone: month_start(now, zone=zone) for zone in zones}
    days = {zone: day_start(now, zone=zone) for zone in zones}
    rows = CallTally.objects.filter(line__in=known, hour_at__gte=min(months.values()))
    of_month, of_today = Q(pk__in=[]), Q(pk__in=[])
    for zone in zones:
        there = Q(line__in=[pk for pk, line in known.items() if line.company.zone == zone])
        of_month |= there & Q(hour_at__gte=months[zone])
        of_today |= there & Q(hour_at__gte=days[zone])
    found: dict[int, list[_Row]] = defaultdict(list)
    grouped = rows.filter(of_month).order_by().values("line", "origin", "kind", "seconds")
    for row in grouped.annotate(month=Sum("calls"), today=Coalesce(Sum("calls", filter=of_today), 0)):
        is_authenticated = known[row["line"]].origin_kind == OriginKind.AUTHENTICATED
        found[row["line"]].append(
            _Row(row["line"], is_authenticated, row["kind"], row["seconds"], row["month"], row["origin"], row["today"])
        )
    return found


def _of_today(rows: Iterable[_Row]) -> list[_Row]:
    return [replace(row, calls=row.today) for row in rows if row.today]


def _figures(rows: Iterable[_Row], measures: Iterable[int]) -> Figures:
    month = list(rows)
    today = _of_today(month)
    return Figures(
        today=sum(row.calls for row in today),
        month=sum(row.calls for row in month),
        over_today=sum(row.calls for row in today if row.kind != K.OPEN),
        short_today={
            seconds: used(today, Limit(0, "", 0, short_share=1.0, short_seconds=seconds)).short for seconds in measures
        },
    )


def _readings(
    lines: Sequence[DialerLine], *, limits: Iterable[_InForce], counts: Mapping[int, list[_Row]], now: datetime
) -> list[Reading]:
    """How one company's lines, which are given, stand together against each limit that concerns it."""
    if not lines:
        return []
    company = lines[0].company
    month = [row for line in lines for row in counts.get(line.pk, ())]
    today = _of_today(month)
    found = []
    for one in limits:
        if one.company_id not in {None, company.pk}:
            continue
        count = used(today if one.limit.is_daily else month, one.limit)
        until = one.limit.ends_at(now, zone=company.zone)
        found.append(Reading(one.limit, count, standing(count, one.limit), until))
    return found


def _limits(*, now: datetime) -> list[_InForce]:
    """The limits that rules in force today set, with what other rules leave out of the count. One query."""
    today = timezone.localdate(now)
    rules = (
        CallingRule.objects.filter(
            Q(valid_from=None) | Q(valid_from__lte=today), Q(valid_to=None) | Q(valid_to__gte=today)
        )
        .exclude(parameters={})
        .exclude(level=Level.FOREIGN)
        .order_by("pk")
    )
    rows = [row for row in rules if isinstance(row.parameters, dict)]
    exceptions = {name: value for row in rows for name, value in row.parameters.items() if name in _EXCEPTIONS}
    counts_authenticated = exceptions.get("authenticated_count", True) is not False
    voicemail = exceptions.get("voicemail_counts_up_to_seconds")
    found = []
    for row in rows:
        limit = limit_of(row.pk, row.name, row.parameters, holds=row.severity == Severity.BLOCK)
        if limit is not None and limit.is_daily:
            limit = replace(limit, counts_authenticated=counts_authenticated, voicemail_seconds=voicemail)
        if limit is not None:
            found.append(_InForce(row.company_id, limit))
    return found


def _binds(limit: Limit, line: DialerLine) -> bool:
    """Whether the limit stops that line: authenticated calls are what the limit by the month asks for."""
    if line.origin_kind != OriginKind.AUTHENTICATED:
        return True
    return limit.is_daily and limit.counts_authenticated
