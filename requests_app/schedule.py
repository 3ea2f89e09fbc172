"""When a request may be dialed: pure arithmetic over the wanted time and the customer's contact window."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from requests_app.states import Hold

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

_CLOCK: Final = re.compile(r"^\s*([01]?\d|2[0-4])[:hH.]([0-5]\d)?\s*$|^\s*([01]?\d|2[0-4])\s*[hH]?\s*$")
_DAY: Final = timedelta(days=1)
QUARTER: Final = timedelta(minutes=15)
_MINUTES_OF_DAY: Final = 24 * 60


@dataclass(frozen=True)
class Window:
    """The hours of a day in which a customer wants to be called, `opens` ≤ t < `closes`; may pass midnight."""

    opens: time
    closes: time

    def contains(self, clock: time) -> bool:
        """Whether a local time of day lies in the window."""
        if self.opens < self.closes:
            return self.opens <= clock < self.closes
        return clock >= self.opens or clock < self.closes


def clock_time(text: str) -> time | None:
    """The time of day in a shop's free text (`10:00`, `10h`, `9`); None for blanks, masks (`__:__`) and prose."""
    match = _CLOCK.match(text)
    if match is None:
        return None
    hour, minute = int(match[1] or match[3]), int(match[2] or 0)
    if hour == 24:
        hour, minute = 0, 0
    return time(hour, minute)


def contact_window(time_from: str, time_to: str) -> Window | None:
    """The window that the two texts of a request mean; None = any time of the day."""
    opens, closes = clock_time(time_from), clock_time(time_to)
    if opens is None and closes is None:
        return None
    window = Window(opens or time(0), closes or time(0))
    return None if window.opens == window.closes else window


def next_opening(at: datetime, *, window: Window | None, zone: ZoneInfo) -> datetime:
    """The first instant from `at` on that lies in the window, in UTC; `at` itself when it already does."""
    local = at.astimezone(zone)
    if window is None or window.contains(local.timetz().replace(tzinfo=None)):
        return at.astimezone(UTC)
    opening = datetime.combine(local.date(), window.opens, zone)
    if opening <= local:
        opening = datetime.combine(local.date() + _DAY, window.opens, zone)
    return opening.astimezone(UTC)


def first_due_at(
    *, now: datetime, wanted_at: datetime | None, time_from: str, time_to: str, zone: ZoneInfo
) -> tuple[datetime, Hold]:
    """When the request becomes due, and what it waits for until then (`Hold.NONE` when it is due at once)."""
    earliest = max(now, wanted_at) if wanted_at else now
    due_at = next_opening(earliest, window=contact_window(time_from, time_to), zone=zone)
    if due_at > earliest:
        return due_at, Hold.CONTACT_WINDOW
    return due_at, Hold.WANTED_TIME if due_at > now else Hold.NONE


@dataclass(frozen=True)
class Duty:
    """A block of a weekday in which people are on duty, local time; `ends` 00:00 = the end of the day.

    `attendant_id` None = `headcount` people without names; one with a name counts once however many blocks they have.
    """

    weekday: int
    starts: time
    ends: time
    headcount: int = 1
    attendant_id: int | None = None

    def covers(self, local: datetime) -> bool:
        """Whether the block holds the whole quarter of an hour that begins at that local instant."""
        begin = local.hour * 60 + local.minute
        first = self.starts.hour * 60 + self.starts.minute
        last = self.ends.hour * 60 + self.ends.minute or _MINUTES_OF_DAY
        return local.weekday() == self.weekday and first <= begin and begin + 15 <= last


def quarter_of(at: datetime) -> datetime:
    """The start of the quarter of an hour in which the instant lies, in UTC."""
    at = at.astimezone(UTC)
    return at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0)


def people_on_duty(duties: Iterable[Duty], *, quarter: datetime, zone: ZoneInfo) -> int:
    """How many people are on duty all through the quarter of an hour that begins at that instant."""
    local = quarter.astimezone(zone)
    found = [duty for duty in duties if duty.covers(local)]
    named = {duty.attendant_id for duty in found if duty.attendant_id is not None}
    return len(named) + sum(duty.headcount for duty in found if duty.attendant_id is None)
