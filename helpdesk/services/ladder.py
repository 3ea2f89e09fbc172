"""The no-answer ladder: a conversation whose holder is silent goes on, and never stays with nobody's knowledge.

    held in silence ──► the next available ──► the queue ──► the supervisor
                    └── nobody available ────────┘

The minutes are working time, counted from the later of two instants: the requester began to wait, the holder got it.
Each hop is a transfer with its reason and an entry in the log. An answer begins everything anew.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Q

from helpdesk.models import Attendant, Team, Transfer
from helpdesk.selectors import work
from helpdesk.selectors.calendars import company_calendars
from helpdesk.selectors.people import in_turn, people_there, queue_team_id, supervisors
from helpdesk.services import forwarding
from helpdesk.services.assignment import assignment_lock, silent_people
from helpdesk.services.rows import locked_atendimento
from helpdesk.states import HELD, S, TransferReason

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable
    from datetime import datetime

    from django.db.models import QuerySet

    from helpdesk.models import Atendimento, HelpdeskSettings
    from helpdesk.selectors.calendars import CompanyCalendars

log = logging.getLogger(__name__)

R = TransferReason
HOPS: Final = (R.NO_ANSWER_NEXT, R.NO_ANSWER_QUEUE, R.NO_ANSWER_SUPERVISOR)


def climb_ladders(scope: Iterable[int] | None, *, now: datetime) -> int:
    """How many conversations went on because of silence. Safe to repeat, and for several to run at once.

    Companies that are closed now, or whose ladder is off (0 minutes), are left alone.
    Effects: one transaction per conversation; one that fails stops no other.
    """
    hops = 0
    companies = work.settings_where(scope, Q(ladder_minutes__gt=0))
    calendars = company_calendars([one.company_id for one in companies], now=now)
    for settings in companies:
        calendar = calendars[settings.company_id]
        if not calendar.company.is_open(now):
            continue
        until = now - timedelta(minutes=settings.ladder_minutes)
        silent = work.held_in_silence(settings.company_id, until=until)
        queued = work.queued_after_silence(settings.company_id, until=until)
        for atendimento_id in [*silent, *queued]:
            try:
                hops += climb(atendimento_id, settings=settings, calendars=calendar, now=now)
            except Exception:
                log.exception("atendimento %s: not passed on now; the next round tries again", atendimento_id)
    return hops


@transaction.atomic
def climb(atendimento_id: uuid.UUID, *, settings: HelpdeskSettings, calendars: CompanyCalendars, now: datetime) -> bool:
    """Whether this call took the conversation one rung up."""
    assignment_lock(settings.company_id)
    atendimento = locked_atendimento(atendimento_id, scope=[settings.company_id])
    since = _silent_since(atendimento)
    limit = timedelta(minutes=settings.ladder_minutes)
    if since is None or calendars.company.worked(since, now) < limit:
        return False
    taken = _hops(atendimento)
    if R.NO_ANSWER_SUPERVISOR in taken:
        return False
    if R.NO_ANSWER_QUEUE in taken:
        return _to_supervisor(atendimento, now=now, calendars=calendars)
    if R.NO_ANSWER_NEXT not in taken and _to_next(atendimento, now=now, calendars=calendars):
        return True
    team_id = queue_team_id(atendimento)
    team = Team.objects.filter(pk=team_id).first() if team_id else None
    return forwarding.hand_over(atendimento, now=now, reason=R.NO_ANSWER_QUEUE, team=team).has_changed


def _silent_since(atendimento: Atendimento) -> datetime | None:
    """Since when nobody has done anything for the requester who waits; None when that is not so."""
    if not atendimento.is_open or atendimento.waiting_since is None:
        return None
    if atendimento.state in HELD:
        return max(atendimento.waiting_since, atendimento.given_at or atendimento.waiting_since)
    if atendimento.state != S.QUEUED:
        return None
    put_back = _in_this_wait(atendimento).filter(reason=R.NO_ANSWER_QUEUE).order_by("-at").first()
    return put_back.at if put_back else None


def _hops(atendimento: Atendimento) -> set[str]:
    return set(_in_this_wait(atendimento).filter(reason__in=HOPS).values_list("reason", flat=True))


def _in_this_wait(atendimento: Atendimento) -> QuerySet[Transfer]:
    return Transfer.objects.filter(atendimento=atendimento, at__gte=atendimento.waiting_since)


def _to_next(atendimento: Atendimento, *, now: datetime, calendars: CompanyCalendars) -> bool:
    """Whether somebody else of the team was there to get it."""
    without = silent_people(atendimento) | ({atendimento.attendant_id} if atendimento.attendant_id else set())
    there = people_there(atendimento.company_id, now=now, calendars=calendars)
    next_one = in_turn(there, queue_team_id(atendimento), without=without)
    return next_one is not None and _give(atendimento, next_one.attendant, reason=R.NO_ANSWER_NEXT, now=now)


def _to_supervisor(atendimento: Atendimento, *, now: datetime, calendars: CompanyCalendars) -> bool:
    """Whether a supervisor got it: the least loaded who is there, whatever their limit, else one who is not there.

    Somebody who is away sees it on their return; without one it would be nobody's for good.
    """
    ids = supervisors(atendimento.company_id, queue_team_id(atendimento))
    there = people_there(atendimento.company_id, now=now, calendars=calendars)
    present = [one.attendant for one in there if one.attendant.pk in ids]
    chosen = present[0] if present else Attendant.objects.filter(pk__in=ids).order_by("name", "hash").first()
    return chosen is not None and _give(atendimento, chosen, reason=R.NO_ANSWER_SUPERVISOR, now=now)


def _give(atendimento: Atendimento, to: Attendant, *, reason: TransferReason, now: datetime) -> bool:
    return forwarding.forward(atendimento.pk, to, scope=[atendimento.company_id], now=now, reason=reason).has_changed
