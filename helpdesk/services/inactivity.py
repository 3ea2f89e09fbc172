"""Requesters who fell silent: reminded so many times, then the conversation is closed.

The minutes are working time since the last word of our side, or the last reminder. One that waits for our answer, or
for which a message is scheduled, is not inactive.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q

from helpdesk.models import ScheduledMessage
from helpdesk.selectors import work
from helpdesk.selectors.calendars import company_calendars
from helpdesk.services.canned_replies import say
from helpdesk.services.closing import close_locked
from helpdesk.services.rows import change, locked_atendimento
from helpdesk.states import ClosedWith, ScheduledState

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable
    from datetime import datetime

    from helpdesk.calendar import WorkingCalendar
    from helpdesk.models import Atendimento, HelpdeskSettings

log = logging.getLogger(__name__)


def remind_or_close(scope: Iterable[int] | None, *, now: datetime) -> dict[str, int]:
    """How many requesters were `reminded`, and how many conversations `closed`.

    Nothing happens outside the hours. Without a text for it a reminder is not said, but its time passes.
    Safe to repeat, and for several to run at once: one transaction per conversation; one that fails stops no other.
    """
    done = {"reminded": 0, "closed": 0}
    companies = work.settings_where(scope, Q(inactivity_minutes__gt=0))
    calendars = company_calendars([one.company_id for one in companies], now=now)
    for settings in companies:
        calendar = calendars[settings.company_id].company
        if not calendar.is_open(now):
            continue
        until = now - timedelta(minutes=settings.inactivity_minutes)
        for atendimento_id in work.requesters_in_silence(settings.company_id, until=until):
            try:
                if what := _step(atendimento_id, settings=settings, calendar=calendar, now=now):
                    done[what] += 1
            except Exception:
                log.exception("atendimento %s: not reminded now; the next round tries again", atendimento_id)
    return done


@transaction.atomic
def _step(atendimento_id: uuid.UUID, *, settings: HelpdeskSettings, calendar: WorkingCalendar, now: datetime) -> str:
    """What this call did: `reminded`, `closed`, or nothing."""
    atendimento = locked_atendimento(atendimento_id, scope=[settings.company_id])
    since = _silent_since(atendimento)
    if since is None or calendar.worked(since, now) < timedelta(minutes=settings.inactivity_minutes):
        return ""
    if atendimento.reminders < settings.inactivity_reminders:
        say(atendimento, settings.inactivity_message, now=now)
        change(atendimento, now=now, reminders=atendimento.reminders + 1, reminded_at=now)
        return "reminded"
    say(atendimento, settings.closing_message, now=now)
    close_locked(atendimento, now=now, with_=ClosedWith.INACTIVITY)
    return "closed"


def _silent_since(atendimento: Atendimento) -> datetime | None:
    """Since when nobody has said anything, our side having had the last word; None when that is not so."""
    if not atendimento.is_open or atendimento.is_waiting or atendimento.attendant_at is None:
        return None
    if ScheduledMessage.objects.filter(atendimento=atendimento, state=ScheduledState.PENDING).exists():
        return None
    return max(atendimento.attendant_at, atendimento.reminded_at or atendimento.attendant_at)
