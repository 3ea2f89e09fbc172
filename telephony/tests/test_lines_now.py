"""A line as it stands now, read by hand before every call, is what the ORM reads of it."""

from __future__ import annotations

from datetime import time, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from callcenter.tests.factories import make_company, make_line
from telephony.models import DialerLine, EventChannel, LineBreaker, OpeningHours
from telephony.selectors import channel_in_use
from telephony.services.breaker import breakers_of, stands_against
from telephony.services.lines import lines_now
from telephony.services.permission import purpose_of
from telephony.services.policy import next_opening_of, standing_hold
from telephony.states import BreakerState, ChannelState

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db


def lines_of_every_kind() -> None:
    """Lines that differ in everything that decides whether they dial."""
    now = timezone.now()
    company = make_company(time_zone="America/Noronha")
    kinds: list[dict[str, Any]] = [
        {},
        {"is_enabled": False},
        {"suspended_reason": "unauthorized"},
        {"activity": "collection", "sector": "telecom"},
    ]
    for place, fields in enumerate(kinds):
        line = make_line(company, name=f"fixed {place}", channel_id=place or 7, **fields)
        line.opening_hours.all().delete()
        OpeningHours.objects.bulk_create(
            OpeningHours(line=line, weekday=day, opens_at=time(8 + place, 30), closes_at=closes)
            for day in range(place, 7)
            for closes in (time(12), time(0))
        )
    for place, until in enumerate((None, now - timedelta(seconds=5), now + timedelta(hours=1))):
        line = make_line(company, name=f"learned {place}", channel_id=None)
        EventChannel.objects.create(line=line, state=ChannelState.OPEN, channel_id=40 + place, lease_until=until)
        LineBreaker.objects.create(line=line, state=BreakerState.values[place], changed_at=now)
    make_line(make_company(is_active=False), name="inactive", channel_id=None)


def test_what_decides_is_read_as_the_orm_reads_it() -> None:
    lines_of_every_kind()
    now = timezone.now()
    found = lines_now(DialerLine.objects.values_list("pk", flat=True))
    assert len(found) == DialerLine.objects.count() == 8
    for line in DialerLine.objects.select_related("company", "event_channel"):
        known, breaker = found[line.pk], breakers_of([line.pk]).get(line.pk)
        for hours in range(0, 24 * 7, 5):
            at = now + timedelta(hours=hours)
            assert known.opens_at(at) == next_opening_of(line, at=at)
        assert standing_hold(known.line, now=now) == standing_hold(line, now=now)
        assert channel_in_use(known.line, now=now) == channel_in_use(line, now=now)
        assert purpose_of(known.line) == purpose_of(line)
        for claimed_at in (now - timedelta(days=1), now + timedelta(days=1)):
            assert stands_against(known.breaker, claimed_at=claimed_at) == stands_against(
                breaker, claimed_at=claimed_at
            )


def test_it_is_one_query_however_many_lines(django_assert_num_queries: Callable[..., Any]) -> None:
    lines_of_every_kind()
    ids = list(DialerLine.objects.values_list("pk", flat=True))
    now = timezone.now()
    with django_assert_num_queries(1):
        for known in lines_now(ids).values():
            known.opens_at(now)
            standing_hold(known.line, now=now)
            channel_in_use(known.line, now=now)
            purpose_of(known.line)
