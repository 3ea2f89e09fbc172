"""Calendars as they are stored: companies, attendants with hours of their own, special days, free slots."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from callcenter.tests.factories import make_company
from helpdesk.models import Appointment, SpecialDay, WorkingHours
from helpdesk.selectors.calendars import company_calendars, free_appointment_slots
from helpdesk.tests.factories import make_attendant, make_bot, make_settings

if TYPE_CHECKING:
    from pytest_django.fixtures import DjangoAssertNumQueries

    from callcenter.accounts.models import Company
    from helpdesk.models import Attendant

pytestmark = pytest.mark.django_db

# A Monday, 11:00 in São Paulo.
NOW = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)


def make_hours(company: Company, *blocks: tuple[int, int], attendant: Attendant | None = None) -> None:
    """Working hours from Monday to Friday, each block as (opens, closes) in whole hours."""
    WorkingHours.objects.bulk_create(
        WorkingHours(
            company=company, attendant=attendant, weekday=day, opens_at=time(opens), closes_at=time(closes % 24)
        )
        for day in range(5)
        for opens, closes in blocks
    )


def test_an_attendant_has_the_companys_hours_or_their_own() -> None:
    company, other = make_company(), make_company(time_zone="America/Manaus")
    day, night = make_attendant(company), make_attendant(company)
    make_hours(company, (8, 12), (13, 18))
    make_hours(company, (22, 6), attendant=night)
    calendars = company_calendars([company.pk, other.pk], now=NOW)
    midnight = NOW + timedelta(hours=13)
    assert calendars[company.pk].company.is_open(NOW)
    assert calendars[company.pk].of(day.pk).is_open(NOW)
    assert not calendars[company.pk].of(night.pk).is_open(NOW)
    assert calendars[company.pk].of(night.pk).is_open(midnight)
    assert calendars[other.pk].company.is_open(midnight)
    assert calendars[other.pk].company.zone == ZoneInfo("America/Manaus")


def test_special_days_close_open_and_have_several_blocks() -> None:
    company = make_company()
    make_settings(company, holiday_state="SP")
    make_hours(company, (8, 18))
    SpecialDay.objects.create(company=company, on=date(2026, 12, 1))
    for opens, closes in ((9, 11), (14, 15)):
        SpecialDay.objects.create(company=company, on=date(2026, 12, 25), opens_at=time(opens), closes_at=time(closes))
    calendar = company_calendars([company.pk], now=NOW)[company.pk].company
    opened = [
        span.begins.astimezone(company.zone).strftime("%d %H") for span in calendar.spans(NOW, NOW + timedelta(days=27))
    ]
    assert opened[:2] == ["30 11", "02 08"]
    assert {"25 09", "25 14"} <= set(opened)


def test_the_cost_of_calendars_does_not_grow(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    companies = [make_company() for _ in range(4)]
    for company in companies:
        make_hours(company, (8, 18), attendant=make_attendant(company))
    with django_assert_num_queries(4):
        company_calendars([company.pk for company in companies], now=NOW)


def test_free_slots_are_by_time_and_then_by_name_without_what_is_taken() -> None:
    company = make_company()
    make_settings(company, slot_days=1, slot_minutes=60)
    make_hours(company, (8, 14))
    zelia, ana = make_attendant(company, "Zélia"), make_attendant(company, "Ana")
    make_attendant(company, "Fora", is_active=False)
    make_bot(company)
    make_attendant(make_company(), "De outra empresa")
    program = make_attendant(company, "Programa", capacity=0)
    noon = NOW + timedelta(hours=1)
    Appointment.objects.create(company=company, attendant=ana, starts_at=noon, ends_at=noon + timedelta(minutes=30))
    Appointment.objects.create(
        company=company, attendant=zelia, starts_at=noon, ends_at=noon + timedelta(hours=1), cancelled_at=NOW
    )
    slots = free_appointment_slots(company.pk, now=NOW)
    shown = [(one.starts_at.astimezone(company.zone).strftime("%d %H:%M"), one.attendant.name) for one in slots]
    assert shown[:5] == [
        ("30 11:00", "Ana"),
        ("30 11:00", "Zélia"),
        ("30 12:00", "Zélia"),
        ("30 13:00", "Ana"),
        ("30 13:00", "Zélia"),
    ]
    assert shown[5:7] == [("01 08:00", "Ana"), ("01 08:00", "Zélia")]
    assert {one.attendant for one in free_appointment_slots(company.pk, now=NOW, attendant=ana)} == {ana}
    assert free_appointment_slots(company.pk, now=NOW, attendant=program)
    make_hours(company, (8, 14), attendant=program)
    assert program in {one.attendant for one in free_appointment_slots(company.pk, now=NOW)}
