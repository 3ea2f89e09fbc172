"""When a company works: pure arithmetic over weekly hours, holidays and one-off exceptions. Knows no database.

A day's hours are blocks, as many as it takes; a block that closes at or before the time it opens passes midnight and
belongs to the day on which it opens. What a day's hours are: the exception for its date, else none on a holiday, else
the weekday's. A calendar without weekly hours never closes, but for its exceptions.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import holidays

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from zoneinfo import ZoneInfo

_DAY: Final = timedelta(days=1)
# A calendar that does not open in a year will not open: whoever asks further ahead has made a mistake in it.
LOOK_AHEAD: Final = timedelta(days=366)
COUNTRY: Final = "BR"
STATES: Final[tuple[str, ...]] = tuple(holidays.country_holidays(COUNTRY).subdivisions)


@dataclass(frozen=True)
class Block:
    """Hours of a day, `opens` ≤ t < `closes`; 00:00–00:00 is the whole day, 22:00–06:00 passes midnight."""

    opens: time
    closes: time


@dataclass(frozen=True)
class Span:
    """A stretch of time in UTC, `begins` ≤ t < `ends`."""

    begins: datetime
    ends: datetime

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.ends - self.begins


ALL_DAY: Final = Block(time(0), time(0))


@dataclass(frozen=True)
class WorkingCalendar:
    """The hours of a company, a team or a person.

    Shape: `weekly` maps a weekday (0 = Monday) to its blocks; `exceptions` a date to the blocks of that date alone,
    none = closed; `state` is a Brazilian state's two letters, empty = national holidays only; `keeps_holidays` False
    works on holidays as on any day.
    """

    zone: ZoneInfo
    weekly: Mapping[int, tuple[Block, ...]] = field(default_factory=dict)
    exceptions: Mapping[date, tuple[Block, ...]] = field(default_factory=dict)
    state: str = ""
    keeps_holidays: bool = True

    def blocks_on(self, on: date) -> tuple[Block, ...]:
        """The blocks that open on that date."""
        if on in self.exceptions:
            return self.exceptions[on]
        if not self.weekly:
            return (ALL_DAY,)
        if self.keeps_holidays and holiday_name(on, state=self.state):
            return ()
        return self.weekly.get(on.weekday(), ())

    def is_open(self, at: datetime) -> bool:
        """Whether the instant lies in working hours."""
        local_day = at.astimezone(self.zone).date()
        return any(span.begins <= at < span.ends for day in (local_day - _DAY, local_day) for span in self._opened(day))

    def spans(self, begins: datetime, ends: datetime) -> Iterator[Span]:
        """The working hours between two instants, in order, touching ones joined."""
        joined: Span | None = None
        day = begins.astimezone(self.zone).date() - _DAY
        last = ends.astimezone(self.zone).date()
        while day <= last:
            for span in sorted(self._opened(day), key=lambda one: one.begins):
                clipped = Span(max(span.begins, begins), min(span.ends, ends))
                if clipped.begins >= clipped.ends:
                    continue
                if joined is None:
                    joined = clipped
                elif clipped.begins <= joined.ends:
                    joined = Span(joined.begins, max(joined.ends, clipped.ends))
                else:
                    yield joined
                    joined = clipped
            day += _DAY
        if joined is not None:
            yield joined

    def worked(self, begins: datetime, ends: datetime) -> timedelta:
        """How much of the time between two instants is working time."""
        return sum((span.length for span in self.spans(begins, ends)), timedelta())

    def next_opening(self, at: datetime) -> datetime | None:
        """The first working instant from `at` on, `at` itself when it is one; None when a year passes without any."""
        first = next(self.spans(at, at + LOOK_AHEAD), None)
        return None if first is None else first.begins

    def after_work(self, at: datetime, duration: timedelta) -> datetime | None:
        """The instant by which so much working time has passed since `at`; None when a year is not enough."""
        left = duration
        for span in self.spans(at, at + LOOK_AHEAD):
            if span.length >= left:
                return span.begins + left
            left -= span.length
        return None

    def _opened(self, on: date) -> Iterator[Span]:
        """The blocks that open on a date as instants."""
        for block in self.blocks_on(on):
            closes_on = on + _DAY if block.closes <= block.opens else on
            begins = datetime.combine(on, block.opens, self.zone).astimezone(UTC)
            ends = datetime.combine(closes_on, block.closes, self.zone).astimezone(UTC)
            # A clock that is put forward can swallow a block.
            if begins < ends:
                yield Span(begins, ends)


def holiday_name(on: date, *, state: str = "") -> str:
    """The national or state holiday of that date in Portuguese; empty when it is none.

    Carnival and the like are optional days, and municipal holidays are not in the law's tables: they are exceptions.
    Source: https://holidays.readthedocs.io/en/latest/auto_gen_docs/brazil/
    """
    return _holidays_of(on.year, state).get(on, "")


def free_slots(
    calendar: WorkingCalendar,
    *,
    begins: datetime,
    ends: datetime,
    busy: Iterable[Span],
    grid: timedelta = timedelta(minutes=30),
) -> list[datetime]:
    """The starts, on the grid of the local clock, of slots of one grid step that lie in working hours and are free."""
    taken = sorted(busy, key=lambda one: one.begins)
    starts: list[datetime] = []
    for span in calendar.spans(begins, ends):
        at = _on_grid(span.begins, grid, calendar.zone)
        while at + grid <= span.ends:
            if _is_free(Span(at, at + grid), taken):
                starts.append(at)
            at += grid
    return starts


def _on_grid(at: datetime, grid: timedelta, zone: ZoneInfo) -> datetime:
    """The first instant from `at` on whose local time of day is a multiple of the grid."""
    local = at.astimezone(zone)
    since_midnight = timedelta(
        hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond
    )
    return at + -since_midnight % grid


def _is_free(slot: Span, taken: Sequence[Span]) -> bool:
    return not any(one.begins < slot.ends and slot.begins < one.ends for one in taken)


@lru_cache(maxsize=256)
def _holidays_of(year: int, state: str) -> dict[date, str]:
    return dict(holidays.country_holidays(COUNTRY, subdiv=state or None, years=year, language="pt_BR").items())
