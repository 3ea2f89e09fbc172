"""Who may be dialed now: opening hours in every zone, each reason of a line to wait, and shared attendants."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from callcenter.accounts.models import User
from callcenter.tests.factories import make_attendant, make_call_request, make_company, make_line
from requests_app.timeline import why_not_dialed
from telephony.models import DialerLine, OpeningHours
from telephony.services.policy import allowance, allowances, next_open_instant, why_the_lines_wait
from telephony.states import LineHold
from telephony.tests.scenes import claim, make_callcenter, make_due, placed_call

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
ZONES = ["America/Sao_Paulo", "America/Manaus", "America/Noronha"]
MONDAY, FRIDAY, SATURDAY = 0, 4, 5


def block(weekday: int, opens: time, closes: time) -> OpeningHours:
    """A block that is not stored."""
    return OpeningHours(weekday=weekday, opens_at=opens, closes_at=closes)


OFFICE = [
    *(block(day, time(9), time(12)) for day in range(5)),
    *(block(day, time(13), time(18)) for day in range(5)),
    block(SATURDAY, time(20), time(0)),
]


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2026-11-23 08:59:59", "2026-11-23 09:00"),
        ("2026-11-23 09:00:00", "2026-11-23 09:00"),
        ("2026-11-23 11:59:59", "2026-11-23 11:59:59"),
        ("2026-11-23 12:00:00", "2026-11-23 13:00"),
        ("2026-11-23 18:00:00", "2026-11-24 09:00"),
        ("2026-11-27 18:00:00", "2026-11-28 20:00"),
        ("2026-11-28 23:59:59", "2026-11-28 23:59:59"),
        ("2026-11-29 00:00:00", "2026-11-30 09:00"),
    ],
)
def test_a_line_opens_with_its_next_block(at: str, opens: str) -> None:
    local = datetime.fromisoformat(at).replace(tzinfo=SAO_PAULO)
    assert next_open_instant(OFFICE, at=local) == datetime.fromisoformat(opens).replace(tzinfo=SAO_PAULO)


def test_blocks_may_be_given_in_any_order_and_overlap() -> None:
    hours = [block(MONDAY, time(14), time(18)), block(MONDAY, time(8), time(15))]
    local = datetime(2026, 11, 23, 7, tzinfo=SAO_PAULO)
    assert next_open_instant(hours, at=local) == local.replace(hour=8)
    assert next_open_instant(hours, at=local.replace(hour=16)) == local.replace(hour=16)
    assert next_open_instant(hours, at=local.replace(hour=18)) == local.replace(hour=8) + timedelta(days=7)


def test_without_a_block_it_never_opens() -> None:
    assert next_open_instant([], at=datetime(2026, 11, 23, tzinfo=SAO_PAULO)) is None
    backwards = [block(MONDAY, time(18), time(9)), block(MONDAY, time(9), time(9))]
    assert next_open_instant(backwards, at=datetime(2026, 11, 23, tzinfo=SAO_PAULO)) is None


clocks = st.times().map(lambda clock: clock.replace(second=0, microsecond=0))


@given(
    hours=st.lists(st.builds(block, st.integers(0, 6), clocks, clocks), max_size=5),
    at=st.datetimes(datetime(2015, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 - a zone is put on below
    zone=st.sampled_from(ZONES).map(ZoneInfo),
)
def test_it_never_opens_outside_a_block_nor_before_it_is_asked(
    hours: list[OpeningHours], at: datetime, zone: ZoneInfo
) -> None:
    local = at.replace(tzinfo=zone)
    opens = next_open_instant(hours, at=local)
    if opens is None:
        assert all(one.closes_at <= one.opens_at and one.closes_at != time(0) for one in hours)
        return
    assert opens >= local
    clock = opens.timetz().replace(tzinfo=None)
    assert any(
        one.weekday == opens.weekday() and one.opens_at <= clock and (clock < one.closes_at or one.closes_at == time(0))
        for one in hours
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("zone", "utc_hour"), [("America/Sao_Paulo", 12), ("America/Manaus", 13), ("America/Noronha", 11)]
)
def test_opening_hours_are_those_of_the_companys_zone(zone: str, utc_hour: int) -> None:
    company = make_company(time_zone=zone)
    make_attendant(company)
    line = make_line(company, open_always=False)
    OpeningHours.objects.create(line=line, weekday=MONDAY, opens_at=time(9), closes_at=time(18))
    nine = datetime(2026, 11, 23, utc_hour, tzinfo=UTC)
    before = allowance(line, now=nine - timedelta(seconds=1))
    assert (before.calls, before.hold, before.until) == (0, LineHold.CLOSED, nine)
    assert allowance(line, now=nine).calls == 1
    assert allowance(line, now=nine + timedelta(hours=9)).hold == LineHold.CLOSED


def hold_of(line: DialerLine) -> LineHold:
    """Why the stored line waits."""
    return allowance(DialerLine.objects.select_related("company").get(pk=line.pk), now=timezone.now()).hold


@pytest.mark.django_db
def test_each_reason_to_wait_is_told() -> None:
    line = make_callcenter(attendants=1)
    assert hold_of(line) == LineHold.NONE
    changes: list[tuple[dict[str, Any], LineHold]] = [
        ({"is_enabled": False}, LineHold.DISABLED),
        ({"suspended_reason": "unauthorized"}, LineHold.SUSPENDED),
        ({"channel_id": None}, LineHold.NO_CHANNEL),
        ({"next_slot_at": timezone.now() + timedelta(minutes=1)}, LineHold.PACED),
    ]
    for change, hold in changes:
        before = DialerLine.objects.filter(pk=line.pk).values(*change).get()
        DialerLine.objects.filter(pk=line.pk).update(**change)
        assert hold_of(line) == hold
        DialerLine.objects.filter(pk=line.pk).update(**before)
    placed_call(line)
    assert hold_of(line) == LineHold.ATTENDANTS_BUSY
    make_attendant(line.company)
    DialerLine.objects.filter(pk=line.pk).update(max_calls_at_once=1)
    assert hold_of(line) == LineHold.LINE_BUSY
    User.objects.update(presence=User.Presence.PAUSED)
    assert hold_of(line) == LineHold.NO_ATTENDANT
    OpeningHours.objects.all().delete()
    assert hold_of(line) == LineHold.CLOSED
    line.company.is_active = False
    line.company.save()
    assert hold_of(line) == LineHold.COMPANY_INACTIVE


@pytest.mark.django_db
def test_a_due_request_tells_the_reason_of_the_line_that_needs_the_least_work() -> None:
    company = make_company()
    request = make_call_request(company)
    assert why_not_dialed(request) == str(LineHold.NO_LINE.label)
    make_line(company, is_enabled=False)
    assert why_the_lines_wait(request) == str(LineHold.DISABLED.label)
    make_line(company)
    assert why_the_lines_wait(request) == str(LineHold.NO_ATTENDANT.label)
    make_attendant(company)
    assert why_the_lines_wait(request) == ""


@pytest.mark.django_db
def test_a_request_whose_waiting_time_is_over_tells_what_it_waits_for_now() -> None:
    company = make_company()
    request = make_call_request(company, wanted_at=timezone.now() + timedelta(hours=1))
    assert why_not_dialed(request) == request.get_hold_reason_display()
    request.due_at = timezone.now() - timedelta(seconds=1)
    assert why_not_dialed(request) == str(LineHold.NO_LINE.label)


@pytest.mark.django_db
def test_attendants_are_shared_by_all_lines_of_all_their_companies() -> None:
    first, second = make_company(), make_company()
    shared = [make_attendant(first, second), make_attendant(), make_attendant(first)]
    line, twin, other = make_line(first), make_line(first), make_line(second)
    make_due(first, 2)
    make_due(second, 3)
    assert len(claim(line)) == 2
    assert allowance(twin, now=timezone.now()).calls == 1
    # Of the second company's two attendants, both may be in a call of the first.
    assert claim(other) == []
    shared[0].presence = User.Presence.OFFLINE
    shared[0].save()
    assert hold_of(twin) == LineHold.ATTENDANTS_BUSY


@pytest.mark.django_db
def test_the_reading_of_many_lines_at_once_says_what_each_line_says() -> None:
    lines = [make_callcenter(attendants=2, secret="a"), make_callcenter(attendants=0, secret="b")]
    make_attendant()
    make_due(lines[0].company, 2)
    claim(lines[0])
    now = timezone.now()
    stored = list(DialerLine.objects.select_related("company").prefetch_related("opening_hours"))
    assert allowances(stored, now=now) == {line.pk: allowance(line, now=now) for line in stored}
