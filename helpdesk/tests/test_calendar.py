"""The working calendar: blocks, midnight, holidays, exceptions, and the arithmetic over them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from helpdesk.calendar import Block, Span, WorkingCalendar, free_slots, holiday_name

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
MORNING, AFTERNOON = Block(time(8), time(12)), Block(time(13, 30), time(18))
NIGHT = Block(time(22), time(6))
OFFICE = WorkingCalendar(SAO_PAULO, weekly=dict.fromkeys(range(5), (MORNING, AFTERNOON)))


def local(text: str, zone: ZoneInfo = SAO_PAULO) -> datetime:
    """An instant written as a local time."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        ("2026-11-30T07:59:59", False),
        ("2026-11-30T08:00", True),
        ("2026-11-30T12:00", False),
        ("2026-11-30T13:30", True),
        ("2026-11-30T17:59:59.999999", True),
        ("2026-11-30T18:00", False),
        ("2026-11-29T10:00", False),
        ("2026-12-25T10:00", False),
    ],
)
def test_the_office_is_open_in_its_blocks_and_not_at_lunch_on_sundays_or_at_christmas(at: str, is_open: bool) -> None:
    assert OFFICE.is_open(local(at)) is is_open


def test_lunch_does_not_count_as_working_time() -> None:
    assert OFFICE.worked(local("2026-11-30T11:30"), local("2026-11-30T14:00")) == timedelta(hours=1)
    assert OFFICE.after_work(local("2026-11-30T11:30"), timedelta(hours=1)) == local("2026-11-30T14:00")


def test_working_time_passes_over_a_weekend_and_a_holiday() -> None:
    friday_evening, wednesday = local("2027-09-03T17:30"), local("2027-09-08T08:30")
    # The Tuesday is Independence Day.
    assert OFFICE.worked(friday_evening, wednesday) == timedelta(minutes=30 + 8 * 60 + 30 + 30)
    assert OFFICE.next_opening(local("2027-09-06T18:00")) == local("2027-09-08T08:00")


def test_a_block_past_midnight_belongs_to_the_day_on_which_it_opens() -> None:
    calendar = WorkingCalendar(SAO_PAULO, weekly={4: (NIGHT,)})
    assert calendar.is_open(local("2026-11-27T22:00"))
    assert calendar.is_open(local("2026-11-28T05:59"))
    assert not calendar.is_open(local("2026-11-28T06:00"))
    assert not calendar.is_open(local("2026-11-28T22:00"))
    assert list(calendar.spans(local("2026-11-28T01:00"), local("2026-12-04T23:00"))) == [
        Span(local("2026-11-28T01:00"), local("2026-11-28T06:00")),
        Span(local("2026-12-04T22:00"), local("2026-12-04T23:00")),
    ]


def test_a_night_that_opened_before_a_holiday_goes_on_into_it() -> None:
    calendar = WorkingCalendar(SAO_PAULO, weekly=dict.fromkeys(range(7), (NIGHT,)))
    assert calendar.is_open(local("2026-12-25T02:00"))
    assert not calendar.is_open(local("2026-12-25T23:00"))
    assert not calendar.is_open(local("2026-12-26T02:00"))


def test_whole_days_join_into_one_stretch() -> None:
    calendar = WorkingCalendar(SAO_PAULO, weekly={day: (Block(time(0), time(0)),) for day in range(7)})
    begins, ends = local("2026-11-28T10:00"), local("2026-12-01T10:00")
    assert list(calendar.spans(begins, ends)) == [Span(begins, ends)]


def test_an_exception_beats_the_weekday_and_the_holiday() -> None:
    exceptions = {date(2026, 11, 30): (), date(2026, 12, 25): (Block(time(9), time(11)),)}
    calendar = WorkingCalendar(SAO_PAULO, weekly=OFFICE.weekly, exceptions=exceptions)
    assert not calendar.is_open(local("2026-11-30T10:00"))
    assert calendar.is_open(local("2026-12-25T10:00"))
    assert not calendar.is_open(local("2026-12-25T11:00"))


def test_a_state_keeps_its_own_holidays_too() -> None:
    revolution = date(2027, 7, 9)
    assert holiday_name(revolution) == ""
    assert "Constitucionalista" in holiday_name(revolution, state="SP")
    paulista = WorkingCalendar(SAO_PAULO, weekly=OFFICE.weekly, state="SP")
    assert OFFICE.is_open(local("2027-07-09T10:00"))
    assert not paulista.is_open(local("2027-07-09T10:00"))


def test_a_company_that_works_on_holidays() -> None:
    calendar = WorkingCalendar(SAO_PAULO, weekly=OFFICE.weekly, keeps_holidays=False)
    assert calendar.is_open(local("2026-12-25T10:00"))


def test_without_weekly_hours_it_never_closes_but_for_exceptions() -> None:
    calendar = WorkingCalendar(SAO_PAULO, exceptions={date(2026, 12, 26): ()})
    assert calendar.is_open(local("2026-12-25T03:00"))
    assert not calendar.is_open(local("2026-12-26T03:00"))


def test_a_calendar_that_never_opens_says_so() -> None:
    calendar = WorkingCalendar(SAO_PAULO, weekly={0: ()})
    assert calendar.next_opening(local("2026-11-30T10:00")) is None
    assert calendar.after_work(local("2026-11-30T10:00"), timedelta(minutes=1)) is None


def test_a_clock_that_is_put_forward_makes_the_night_shorter() -> None:
    new_york = ZoneInfo("America/New_York")
    calendar = WorkingCalendar(new_york, weekly={5: (NIGHT,)}, keeps_holidays=False)
    begins, ends = local("2027-03-13T20:00", new_york), local("2027-03-14T12:00", new_york)
    assert calendar.worked(begins, ends) == timedelta(hours=7)


def test_free_slots_lie_on_the_grid_inside_hours_and_beside_appointments() -> None:
    busy = [Span(local("2026-11-30T09:15"), local("2026-11-30T10:00"))]
    slots = free_slots(OFFICE, begins=local("2026-11-30T08:10"), ends=local("2026-11-30T13:45"), busy=busy)
    clocks = [at.astimezone(SAO_PAULO).strftime("%H:%M") for at in slots]
    assert clocks == ["08:30", "10:00", "10:30", "11:00", "11:30"]
