"""Sem atendente: giving what waits in a queue to the least loaded of the people who are there.

One company is shared out by one transaction at a time, so that two workers see each other's gifts and nobody gets more
than their limit.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils.translation import gettext as _

from callcenter.lib.database import serialize
from callcenter.lib.errors import NotFound
from helpdesk.models import HelpdeskSettings, Occurrence, Transfer
from helpdesk.selectors import work
from helpdesk.selectors.calendars import company_calendars
from helpdesk.selectors.people import in_turn, people_there, queue_team_id
from helpdesk.services import taking
from helpdesk.services.canned_replies import say_canned
from helpdesk.services.rows import locked_atendimento
from helpdesk.services.writing import write_system_note
from helpdesk.states import OccurrenceCategory, OccurrenceStatus, S, TransferReason

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable
    from datetime import datetime

    from helpdesk.models import Atendimento
    from helpdesk.selectors.calendars import CompanyCalendars

log = logging.getLogger(__name__)

# Who was silent in this wait is not given the same conversation again by a rule.
SILENCES: Final = (TransferReason.NO_ANSWER_NEXT, TransferReason.NO_ANSWER_QUEUE)


def assign_waiting(scope: Iterable[int] | None, *, now: datetime) -> int:
    """How many conversations were given to somebody. Safe to repeat, and for several to run at once.

    What nobody can take stays pending; that is said once to the team, as a note, and once to the requester, by the
    company's own message.
    Effects: one transaction per conversation; one that fails stops no other.
    """
    given = 0
    company_ids = work.companies_with_work(OccurrenceCategory.NO_ATTENDANT, scope)
    calendars = company_calendars(company_ids, now=now)
    for company_id in company_ids:
        there = people_there(company_id, now=now, calendars=calendars[company_id])
        for pending in work.pending_work(OccurrenceCategory.NO_ATTENDANT, company_id, now=now):
            # Told already, and nobody is there: nothing to do, and no transaction for it.
            if pending.detail.get("is_told") and not any(one.has_room for one in there):
                continue
            try:
                given += assign_one(pending, now=now, calendars=calendars[company_id])
            except Exception:
                log.exception("atendimento %s: not assigned now; the next round tries again", pending.atendimento_id)
    return given


@transaction.atomic
def assign_one(pending: Occurrence, *, now: datetime, calendars: CompanyCalendars) -> bool:
    """Whether this call gave the conversation of that occurrence to somebody."""
    assignment_lock(pending.company_id)
    try:
        atendimento = locked_atendimento(pending.target_id, scope=[pending.company_id])
    except NotFound:
        _skip(pending, now=now)
        return False
    pending.refresh_from_db()
    if pending.status != OccurrenceStatus.PENDING:
        return False
    if atendimento.state != S.QUEUED:
        _skip(pending, now=now)
        return False
    team_id = queue_team_id(atendimento)
    there = people_there(pending.company_id, now=now, calendars=calendars)
    next_one = in_turn(there, team_id, without=silent_people(atendimento))
    if next_one is None:
        _tell_once(pending, atendimento, now=now, calendars=calendars)
        return False
    done = taking.take(
        atendimento.pk,
        next_one.attendant,
        scope=[pending.company_id],
        now=now,
        reason=TransferReason.ASSIGNED,
    )
    return done.has_changed


def assignment_lock(company_id: int) -> None:
    """Wait until nobody else gives the company's conversations to people; held to the transaction's end.

    Taken before any row is locked.
    """
    serialize(f"helpdesk-assign-{company_id}")


def silent_people(atendimento: Atendimento) -> set[uuid.UUID]:
    """The ids of those who held it in this wait and did not answer."""
    transfers = Transfer.objects.filter(atendimento=atendimento, reason__in=SILENCES, from_attendant__isnull=False)
    if atendimento.waiting_since is not None:
        transfers = transfers.filter(at__gte=atendimento.waiting_since)
    return {pk for pk in transfers.values_list("from_attendant_id", flat=True) if pk is not None}


def _tell_once(pending: Occurrence, atendimento: Atendimento, *, now: datetime, calendars: CompanyCalendars) -> None:
    """Say that nobody is there: to the team and, in working hours, to the requester who waits.

    Outside the hours the requester is told so by the automatic reply, which has the better words for it.
    """
    if pending.detail.get("is_told"):
        return
    note = _("Ninguém está disponível; o atendimento segue na fila.")
    if (team := atendimento.responsible_team) is not None:
        note = _("Ninguém da equipe %(team)s está disponível; o atendimento segue na fila.") % {"team": team.name}
    write_system_note(atendimento, text=note, now=now)
    if atendimento.is_waiting and not _was_told(atendimento) and calendars.company.is_open(now):
        settings = HelpdeskSettings.objects.filter(company_id=atendimento.company_id).first()
        say_canned(atendimento, settings.no_attendant_message if settings else None, now=now)
    pending.detail = {**pending.detail, "is_told": True}
    pending.message = note
    pending.updated_at = now
    pending.save(update_fields=["detail", "message", "updated_at"])


def _was_told(atendimento: Atendimento) -> bool:
    """Whether the requester was told in this wait, for an earlier occurrence of the same kind."""
    told = Occurrence.objects.filter(
        atendimento=atendimento,
        category=OccurrenceCategory.NO_ATTENDANT,
        detail__is_told=True,
        updated_at__gte=atendimento.waiting_since,
    )
    return told.exists()


def _skip(pending: Occurrence, *, now: datetime) -> None:
    Occurrence.objects.filter(pk=pending.pk, status=OccurrenceStatus.PENDING).update(
        status=OccurrenceStatus.SKIPPED, updated_at=now
    )
