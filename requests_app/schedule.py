"""When a request may be dialed: pure arithmetic over the wanted time and the customer's contact window."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from requests_app.states import Hold

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

_CLOCK: Final = re.compile(r"^\s*([01]?\d|2[0-4])[:hH.]([0-5]\d)?\s*$|^\s*([01]?\d|2[0-4])\s*[hH]?\s*$")
_DAY: Final = timedelta(days=1)


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
