"""When companies and their attendants work, and which times of theirs are free."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.db.models import Exists, OuterRef, Q

from callcenter.accounts.models import Company
from helpdesk.calendar import Block, Span, WorkingCalendar, free_slots
from helpdesk.models import Appointment, Attendant, HelpdeskSettings, SpecialDay, WorkingHours
from helpdesk.states import AttendantKind

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Mapping
    from datetime import date

# How far back special days still matter: nothing that waits or is silent is reckoned over more.
LOOK_BACK: Final = timedelta(days=400)
# A grid finer than this, or a zero, would be a mistake in the settings.
FINEST_GRID_MINUTES: Final = 5


@dataclass(frozen=True)
class CompanyCalendars:
    """A company's calendar, and those of its attendants who have hours of their own."""

    company: WorkingCalendar
    own: Mapping[uuid.UUID, WorkingCalendar] = field(default_factory=dict)

    def of(self, attendant_id: uuid.UUID) -> WorkingCalendar:
        """The attendant's calendar: their own, else the company's."""
        return self.own.get(attendant_id, self.company)


@dataclass(frozen=True)
class Slot:
    """A free time of an attendant."""

    starts_at: datetime
    attendant: Attendant


def company_calendars(company_ids: Iterable[int], *, now: datetime) -> dict[int, CompanyCalendars]:
    """The calendars of these companies. Four queries, whatever their number."""
    ids = set(company_ids)
    states = dict(HelpdeskSettings.objects.filter(company_id__in=ids).values_list("company_id", "holiday_state"))
    hours: dict[tuple[int, uuid.UUID | None], dict[int, list[Block]]] = defaultdict(lambda: defaultdict(list))
    for row in WorkingHours.objects.filter(company_id__in=ids):
        hours[row.company_id, row.attendant_id][row.weekday].append(Block(row.opens_at, row.closes_at))
    special: dict[int, dict[date, tuple[Block, ...]]] = defaultdict(dict)
    for day in SpecialDay.objects.filter(company_id__in=ids, on__gte=(now - LOOK_BACK).date()):
        blocks = special[day.company_id].get(day.on, ())
        if day.opens_at is not None and day.closes_at is not None:
            blocks = (*blocks, Block(day.opens_at, day.closes_at))
        special[day.company_id][day.on] = blocks

    def calendar(company: Company, attendant_id: uuid.UUID | None) -> WorkingCalendar:
        weekly = {day: tuple(blocks) for day, blocks in hours[company.pk, attendant_id].items()}
        return WorkingCalendar(company.zone, weekly, special[company.pk], states.get(company.pk, ""))

    found = {}
    for company in Company.objects.filter(pk__in=ids):
        theirs = [who for company_id, who in list(hours) if company_id == company.pk and who is not None]
        found[company.pk] = CompanyCalendars(calendar(company, None), {who: calendar(company, who) for who in theirs})
    return found


def free_appointment_slots(company_id: int, *, now: datetime, attendant: Attendant | None = None) -> list[Slot]:
    """The free times of the company's people, or of one of them, by time and then by name. Seven queries.

    How far ahead and on what grid is the company's setting (14 days, 30 minutes). Without an attendant, the
    company's active people who get conversations or have hours of their own.
    """
    settings = HelpdeskSettings.objects.filter(company_id=company_id).first() or HelpdeskSettings()
    grid = timedelta(minutes=max(settings.slot_minutes, FINEST_GRID_MINUTES))
    ends = now + timedelta(days=settings.slot_days)
    people = Attendant.objects.filter(company_id=company_id, is_active=True, kind=AttendantKind.HUMAN)
    if attendant is not None:
        people = people.filter(pk=attendant.pk)
    else:
        # Not a program's user: nobody who gets no conversations and has no hours of their own.
        own_hours = WorkingHours.objects.filter(attendant=OuterRef("pk"))
        people = people.filter(Q(capacity__gt=0) | Exists(own_hours))
    busy: dict[uuid.UUID, list[Span]] = defaultdict(list)
    taken = Appointment.objects.filter(company_id=company_id, cancelled_at=None, starts_at__lt=ends, ends_at__gt=now)
    for one in taken:
        busy[one.attendant_id].append(Span(one.starts_at, one.ends_at))
    calendars = company_calendars([company_id], now=now)
    slots = [
        Slot(at, person)
        for person in people
        for at in free_slots(
            calendars[company_id].of(person.pk), begins=now, ends=ends, busy=busy[person.pk], grid=grid
        )
    ]
    return sorted(slots, key=lambda slot: (slot.starts_at, slot.attendant.name, slot.attendant.hash))
