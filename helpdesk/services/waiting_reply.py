"""Resposta automática: the company's ready text for somebody who waits too long, or writes outside the hours.

Once a waiting period, whichever of the two came first. It is no answer: the requester waits on.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from helpdesk.selectors import work
from helpdesk.selectors.calendars import company_calendars
from helpdesk.services.canned_replies import say_canned
from helpdesk.services.occurrences import log_occurrence
from helpdesk.services.rows import change, locked_atendimento
from helpdesk.states import OccurrenceCategory, S

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable
    from datetime import datetime

    from helpdesk.calendar import WorkingCalendar
    from helpdesk.models import CannedMessage, HelpdeskSettings

log = logging.getLogger(__name__)


def send_waiting_replies(scope: Iterable[int] | None, *, now: datetime) -> int:
    """How many requesters were told that they are not forgotten. Safe to repeat, and for several to run at once.

    Effects: one transaction per conversation; one that fails stops no other.
    """
    sent = 0
    has_text = Q(waiting_message__isnull=False) | Q(out_of_hours_message__isnull=False)
    companies = work.settings_where(scope, has_text)
    calendars = company_calendars([one.company_id for one in companies], now=now)
    for settings in companies:
        calendar = calendars[settings.company_id].company
        canned, wait = _due(settings, calendar, now=now)
        if canned is None or not canned.is_active:
            continue
        until, platform = now - wait, canned.platform
        for atendimento_id in work.without_auto_reply(settings.company_id, until=until, platform=platform):
            try:
                sent += reply_to_waiting(
                    atendimento_id, canned, company_id=settings.company_id, wait=wait, calendar=calendar, now=now
                )
            except Exception:
                log.exception("atendimento %s: no automatic reply now; the next round tries again", atendimento_id)
    return sent


@transaction.atomic
def reply_to_waiting(
    atendimento_id: uuid.UUID,
    canned: CannedMessage,
    *,
    company_id: int,
    wait: timedelta,
    calendar: WorkingCalendar,
    now: datetime,
) -> bool:
    """Whether this call sent the reply of this waiting period."""
    atendimento = locked_atendimento(atendimento_id, scope=[company_id])
    since, last = atendimento.waiting_since, atendimento.auto_replied_at
    if since is None or not atendimento.is_open or atendimento.state == S.AUTOMATIC:
        return False
    if (last is not None and last >= since) or (wait and calendar.worked(since, now) < wait):
        return False
    if say_canned(atendimento, canned, now=now) is None:
        return False
    change(atendimento, now=now, auto_replied_at=now)
    log_occurrence(
        atendimento,
        OccurrenceCategory.AUTO_REPLY,
        now=now,
        message=_("Resposta automática: %(title)s") % {"title": canned.title},
    )
    return True


def _due(
    settings: HelpdeskSettings, calendar: WorkingCalendar, *, now: datetime
) -> tuple[CannedMessage | None, timedelta]:
    """The text that is for now, and after how much waiting; outside the hours at once."""
    if not calendar.is_open(now):
        return settings.out_of_hours_message, timedelta()
    if not settings.waiting_minutes:
        return None, timedelta()
    return settings.waiting_message, timedelta(minutes=settings.waiting_minutes)
