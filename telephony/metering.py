"""Limits on how many calls one may make, and what a count says of them: pure arithmetic, knows no database.

The limits are Anatel's on short calls in a day and on calls in a month, and whatever rows staff add to them. A call is
short when nobody answered, when a machine did, or when either side hung up within the limit's seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import tzinfo

# Where a rule does not say: the share of a limit from which staff are warned, and at which dialing stops.
WARN_AT: Final = 0.8
HOLD_AT: Final = 0.98


class Standing(StrEnum):
    """How a count stands against a limit."""

    CLEAR = "clear"
    NEAR = "near"
    REACHED = "reached"


@dataclass(frozen=True)
class Limit:
    """One limit in force. `short_share` None = every call counts, by the month; else by the day, from that share on.

    `voicemail_seconds` not None = a machine that was listened to for longer does not count at all.
    `counts_authenticated` False = calls from authenticated numbers don't count.
    """

    rule_id: int
    name: str
    calls: int
    short_share: float | None = None
    short_seconds: int = 0
    warn_at: float = WARN_AT
    hold_at: float = HOLD_AT
    holds: bool = False
    voicemail_seconds: int | None = None
    counts_authenticated: bool = True

    @property
    def is_daily(self) -> bool:
        """Whether it begins anew each day, else each month."""
        return self.short_share is not None

    def begins_at(self, now: datetime, *, zone: tzinfo) -> datetime:
        """Midnight, or the first of the month, by the company's clock."""
        return day_start(now, zone=zone) if self.is_daily else month_start(now, zone=zone)

    def ends_at(self, now: datetime, *, zone: tzinfo) -> datetime:
        """When it begins anew."""
        if self.is_daily:
            return day_start(now, zone=zone, days=1)
        return month_start(month_start(now, zone=zone) + timedelta(days=32), zone=zone)


@dataclass(frozen=True)
class Tally:
    """So many calls of one line in one period that came to the same: `kind` is a `CallTally.Kind`."""

    line_id: int
    is_authenticated: bool
    kind: str
    seconds: int
    calls: int


@dataclass(frozen=True)
class Used:
    """What counts toward a limit: calls made, those that are over, and the short ones among these."""

    calls: int = 0
    over: int = 0
    short: int = 0

    @property
    def short_share(self) -> float:
        """The short ones among the calls that are over, 0 to 1; 0 before the first is over."""
        return self.short / self.over if self.over else 0.0


def limit_of(rule_id: int, name: str, parameters: Mapping[str, Any], **known: Any) -> Limit | None:
    """The limit that a rule's parameters say; None when they are about something else, or can't be read.

    Shape: `calls_per_day` with `short_share` and `short_seconds`, or `calls_per_month`; `warn_at`, `hold_at` (0 to 1).
    """
    try:
        shares: dict[str, Any] = {
            share: float(parameters[share]) for share in ("warn_at", "hold_at") if share in parameters
        }
        if "calls_per_day" in parameters and "short_share" in parameters:
            return Limit(
                rule_id,
                name,
                int(parameters["calls_per_day"]),
                short_share=float(parameters["short_share"]),
                short_seconds=int(parameters.get("short_seconds", 0)),
                **shares,
                **known,
            )
        if "calls_per_month" in parameters:
            return Limit(rule_id, name, int(parameters["calls_per_month"]), **shares, **known)
    except (TypeError, ValueError):
        return None
    return None


def used(tallies: Iterable[Tally], limit: Limit) -> Used:
    """What of these calls, all of the limit's own period, counts toward it."""
    calls = over = short = 0
    for one in tallies:
        if one.is_authenticated and not limit.counts_authenticated:
            continue
        if is_unmetered_voicemail(one, limit):
            continue
        calls += one.calls
        if one.kind != "open":
            over += one.calls
            short += one.calls if is_short(one, limit.short_seconds) else 0
    return Used(calls, over, short)


def is_short(tally: Tally, short_seconds: int) -> bool:
    """Whether these calls, which are over, were short ones."""
    return tally.kind != "talk" or tally.seconds <= short_seconds


def is_unmetered_voicemail(tally: Tally, limit: Limit) -> bool:
    """Whether a machine took these calls for so long that they don't count."""
    return tally.kind == "machine" and limit.voicemail_seconds is not None and tally.seconds > limit.voicemail_seconds


def standing(count: Used, limit: Limit) -> Standing:
    """How the count stands: reached a little before the limit itself, because calls are on their way meanwhile."""
    if _is_beyond(count, limit, limit.hold_at):
        return Standing.REACHED
    return Standing.NEAR if _is_beyond(count, limit, limit.warn_at) else Standing.CLEAR


def day_start(now: datetime, *, zone: tzinfo, days: int = 0) -> datetime:
    """The midnight before `now`, or so many days later."""
    return datetime.combine(now.astimezone(zone).date() + timedelta(days=days), time(), zone)


def month_start(now: datetime, *, zone: tzinfo) -> datetime:
    """The first midnight of the month of `now`."""
    return datetime.combine(now.astimezone(zone).date().replace(day=1), time(), zone)


def _is_beyond(count: Used, limit: Limit, at: float) -> bool:
    if count.calls < limit.calls * at:
        return False
    return limit.short_share is None or count.short_share >= limit.short_share * at
