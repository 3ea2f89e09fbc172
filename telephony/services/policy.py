"""Who may be dialed now, on which line, and why not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from callcenter.accounts.selectors import (
    available_attendant_ids,
    companies_by_available_attendant,
    companies_served_by,
)
from telephony import pacing
from telephony.models import DialerLine
from telephony.selectors import channel_in_use, open_call_count, open_calls_by_company, open_calls_by_line
from telephony.services.breaker import breakers_of, may_probe
from telephony.services.switches import dialer_is_on
from telephony.states import BreakerState, LineHold

if TYPE_CHECKING:
    from collections.abc import Iterable

    from requests_app.models import CallRequest
    from telephony.models import LineBreaker, OpeningHours, RetryHours


@dataclass(frozen=True)
class Allowance:
    """How many calls a line may start now; when none, `hold` says why, and `until` when that ends if it is known."""

    calls: int
    hold: LineHold = LineHold.NONE
    until: datetime | None = None

    @property
    def explanation(self) -> str:
        """The reason as staff read it; empty when the line may dial."""
        if not self.hold:
            return ""
        if self.until is None:
            return str(self.hold.label)
        opens = date_format(timezone.localtime(self.until), "d/m H:i")
        if self.hold == LineHold.BREAKER:
            return _("%(reason)s (tenta de novo em %(opens)s)") % {"reason": self.hold.label, "opens": opens}
        if self.hold == LineHold.LIMIT:
            return _("%(reason)s (volta em %(opens)s)") % {"reason": self.hold.label, "opens": opens}
        return _("%(reason)s (abre em %(opens)s)") % {"reason": self.hold.label, "opens": opens}


def next_opening_of(line: DialerLine, *, at: datetime) -> datetime | None:
    """The first instant from `at` on in which the line's opening hours let it dial; None when it never opens."""
    return next_open_instant(line.opening_hours.all(), at=at.astimezone(line.company.zone))


def next_open_instant(hours: Iterable[OpeningHours | RetryHours], *, at: datetime) -> datetime | None:
    """The first instant from the local time `at` on that lies in one of the blocks; None when there are none.

    A block is opens_at ≤ t < closes_at on its weekday; closes_at 00:00 is the end of the day.
    """
    blocks = list(hours)
    for days_ahead in range(8):
        day = at.date() + timedelta(days=days_ahead)
        for block in sorted((b for b in blocks if b.weekday == day.weekday()), key=lambda b: b.opens_at):
            opens = datetime.combine(day, block.opens_at, at.tzinfo)
            end_day = day + timedelta(days=1) if block.closes_at == time(0) else day
            closes = datetime.combine(end_day, block.closes_at, at.tzinfo)
            if at < closes and opens < closes:
                return max(at, opens)
    return None


def allowance(line: DialerLine, *, now: datetime, horizon_seconds: float | None = None) -> Allowance:
    """How many calls the line may start now, or why none; never more than its limit and the free attendants.

    Call it under the dialer's lock when the answer is acted on. At most seven queries.
    """
    breaker = breakers_of([line.pk]).get(line.pk)
    if shut := _shut(line, breaker, dialer_is_on=dialer_is_on(), now=now):
        return shut
    attendants = available_attendant_ids(line.company_id)
    return _paced(
        line,
        attendants=len(attendants),
        their_calls=open_call_count(companies_served_by(attendants), now=now) if attendants else 0,
        line_calls=open_calls_by_line([line.pk], now=now).get(line.pk, 0),
        horizon_seconds=_horizon_left(line, now=now, horizon_seconds=horizon_seconds),
        is_probe=is_probing(breaker),
    )


def is_probing(breaker: LineBreaker | None) -> bool:
    """Whether the next call of the line is the one that tries whether its PABX is well again."""
    return breaker is not None and breaker.state != BreakerState.CLOSED


def allowances(lines: Iterable[DialerLine], *, now: datetime) -> dict[int, Allowance]:
    """What `allowance` says of each of these lines, by id, for people to read: seven queries, however many lines.

    Give it lines whose company, opening hours and event channel are read already.
    """
    breakers = breakers_of(line.pk for line in lines)
    is_on = dialer_is_on()
    found = {line.pk: _shut(line, breakers.get(line.pk), dialer_is_on=is_on, now=now) for line in lines}
    open_lines = [line for line in lines if not found[line.pk]]
    if open_lines:
        serving = companies_by_available_attendant()
        calls = open_calls_by_company(now=now)
        line_calls = open_calls_by_line([line.pk for line in open_lines], now=now)
        for line in open_lines:
            crew = [companies for companies in serving.values() if not companies or line.company_id in companies]
            served = set(calls) if not all(crew) else set().union(*crew)
            found[line.pk] = _paced(
                line,
                attendants=len(crew),
                their_calls=sum(calls.get(company_id, 0) for company_id in served),
                line_calls=line_calls.get(line.pk, 0),
                horizon_seconds=_horizon_left(line, now=now),
                is_probe=is_probing(breakers.get(line.pk)),
            )
    return {line_id: one for line_id, one in found.items() if one is not None}


def _shut(line: DialerLine, breaker: LineBreaker | None, *, dialer_is_on: bool, now: datetime) -> Allowance | None:
    """Why the line starts no call whoever is there; None when it is open."""
    if line.company.is_active and not dialer_is_on:
        return Allowance(0, LineHold.ALL_STOPPED)
    if hold := standing_hold(line, now=now):
        return Allowance(0, hold, line.limited_until if hold == LineHold.LIMIT else None)
    if breaker is not None and is_probing(breaker) and not may_probe(breaker, now=now):
        return Allowance(0, LineHold.BREAKER, breaker.next_probe_at)
    opens = next_opening_of(line, at=now)
    if opens is None or opens > now:
        return Allowance(0, LineHold.CLOSED, opens)
    return None


def _horizon_left(line: DialerLine, *, now: datetime, horizon_seconds: float | None = None) -> float:
    """The seconds until the next tick less those that calls claimed already take up; never below 0."""
    horizon = settings.DIALER_TICK_SECONDS if horizon_seconds is None else horizon_seconds
    taken = (line.next_slot_at - now).total_seconds() if line.next_slot_at else 0.0
    return float(max(0.0, horizon - max(0.0, taken)))


def _paced(
    line: DialerLine, *, attendants: int, their_calls: int, line_calls: int, horizon_seconds: float, is_probe: bool
) -> Allowance:
    """What an open line may start, given who is there and what is going on."""
    if not attendants:
        return Allowance(0, LineHold.NO_ATTENDANT)
    free = pacing.free_attendants(available=attendants, open_calls=their_calls)
    if not free:
        return Allowance(0, LineHold.ATTENDANTS_BUSY)
    if line_calls >= line.max_calls_at_once:
        return Allowance(0, LineHold.LINE_BUSY)
    if not horizon_seconds:
        return Allowance(0, LineHold.PACED)
    calls = pacing.calls_to_place(
        free_attendants=free,
        line_open_calls=line_calls,
        line_max_calls=line.max_calls_at_once,
        calls_per_second=line.calls_per_second,
        horizon_seconds=horizon_seconds,
    )
    return Allowance(min(calls, 1) if is_probe else calls)


def standing_hold(line: DialerLine, *, now: datetime) -> LineHold:
    """Why the line can't dial, whoever is there and whatever the hour; `LineHold.NONE` = nothing is against it."""
    if not line.company.is_active:
        return LineHold.COMPANY_INACTIVE
    if not line.is_enabled:
        return LineHold.DISABLED
    if line.suspended_reason:
        return LineHold.SUSPENDED
    if channel_in_use(line, now=now) is None:
        return LineHold.NO_CHANNEL
    if line.limited_until is not None and line.limited_until > now:
        return LineHold.LIMIT
    return LineHold.NONE


def why_the_lines_wait(call_request: CallRequest) -> str:
    """Why none of the company's lines dials a request that is due; empty when one may dial it now."""
    now = timezone.now()
    lines = list(
        DialerLine.objects.filter(company_id=call_request.company_id)
        .defer(*DialerLine.SECRET_FIELDS)
        .select_related("company", "event_channel")
        .prefetch_related("opening_hours")
    )
    if not lines:
        return str(LineHold.NO_LINE.label)
    found = allowances(lines, now=now).values()
    if any(one.calls for one in found):
        return ""
    # The line that a person need do the least about speaks for all.
    return max(found, key=lambda one: LineHold.values.index(one.hold)).explanation
