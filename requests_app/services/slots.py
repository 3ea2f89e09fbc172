"""Callback slots: no quarter of an hour is promised to more customers than the attendants on duty can call."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Q

from callcenter.lib.database import serialize
from requests_app.models import CallbackPolicy, CallRequest, Shift
from requests_app.schedule import QUARTER, Duty, contact_window, next_opening, people_on_duty, quarter_of
from requests_app.states import OPEN, Hold

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

# How far ahead a free quarter is looked for.
HORIZON_DAYS: Final = 14
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Slot:
    """The instant that a callback was given instead of the one that was asked for; `is_free` = there was room."""

    asked_at: datetime
    given_at: datetime
    is_free: bool = True

    @property
    def told(self) -> dict[str, Any]:
        """What the ledger says of it."""
        reason = "slot" if self.given_at == self.asked_at else "slot_full"
        reason = reason if self.is_free else "slot_none"
        return {"reason": reason, "asked_at": self.asked_at.isoformat(), "given_at": self.given_at.isoformat()}


@dataclass(frozen=True)
class Quarter:
    """One quarter of an hour: how many callbacks it has room for, and how many it has."""

    starts_at: datetime
    capacity: int
    taken: int


def slot_for(call_request: CallRequest, *, desired_at: datetime, now: datetime) -> Slot | None:
    """The first instant from the desired one on that has room for the request's callback; None without slots.

    The customer's contact window holds. Where nothing is free within two weeks the desired instant stays: a customer
    is not turned away.

    Effects: no other callback of the company is given a slot until the transaction ends; call it in the one that
    stores what it gave. Four queries where there is room on the first day.
    """
    policy = CallbackPolicy.objects.filter(company_id=call_request.company_id, uses_slots=True).first()
    if policy is None:
        return None
    serialize(f"callback-slots:{call_request.company_id}")
    duties = duties_of(call_request.company_id)
    if not duties:
        return None
    zone = call_request.company.zone
    window = contact_window(call_request.time_from, call_request.time_to)
    for quarter in _quarters(call_request, policy, duties, first=quarter_of(desired_at), zone=zone):
        at = max(quarter.starts_at, desired_at)
        if quarter.taken < quarter.capacity and next_opening(at, window=window, zone=zone) == at:
            return Slot(desired_at, at)
    return Slot(desired_at, desired_at, is_free=False)


def duties_of(company_id: int) -> list[Duty]:
    """When who is on duty in the company. One query."""
    shifts = Shift.objects.filter(Q(attendant=None) | Q(attendant__is_active=True), company_id=company_id)
    columns = ("weekday", "starts_at", "ends_at", "headcount", "attendant_id")
    return [Duty(*row) for row in shifts.order_by("id").values_list(*columns)]


def quarters_of_day(policy: CallbackPolicy, *, starts_at: datetime, zone: ZoneInfo) -> list[Quarter]:
    """The quarters of the 24 hours from an instant that have room or callbacks, for people to look at. Two queries."""
    duties = duties_of(policy.company_id)
    taken = _taken(policy.company_id, since=starts_at, until=starts_at + _DAY)
    found = []
    for place in range(96):
        at = starts_at + place * QUARTER
        capacity = people_on_duty(duties, quarter=at, zone=zone) * policy.calls_per_attendant
        if capacity or taken[at]:
            found.append(Quarter(at, capacity, taken[at]))
    return found


def _quarters(
    call_request: CallRequest, policy: CallbackPolicy, duties: list[Duty], *, first: datetime, zone: ZoneInfo
) -> Iterator[Quarter]:
    """The quarters from the first one on; a query for each day that is reached."""
    for days in range(HORIZON_DAYS):
        day = first + days * _DAY
        taken = _taken(policy.company_id, since=day, until=day + _DAY, but=call_request.pk)
        for place in range(96):
            at = day + place * QUARTER
            capacity = people_on_duty(duties, quarter=at, zone=zone) * policy.calls_per_attendant
            yield Quarter(at, capacity, taken[at])


def _taken(company_id: int, *, since: datetime, until: datetime, but: int | None = None) -> Counter[datetime]:
    """How many open requests are wanted in each quarter; whoever is called, closed, moved or listed makes room."""
    wanted = CallRequest.objects.filter(
        company_id=company_id, status__in=OPEN, wanted_at__gte=since, wanted_at__lt=until
    )
    wanted = wanted.exclude(pk=but).exclude(hold_reason=Hold.DO_NOT_CALL)
    return Counter(quarter_of(at.astimezone(UTC)) for at in wanted.values_list("wanted_at", flat=True) if at)
