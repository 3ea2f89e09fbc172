"""Requesters who wait for nobody: work that was not asked for (a mended database, an import, a change by hand), and
conversations of people who are gone."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.db import transaction

from callcenter.lib.errors import NotFound
from helpdesk.models import Team
from helpdesk.selectors import work
from helpdesk.selectors.people import queue_team_id
from helpdesk.services import forwarding
from helpdesk.services.occurrences import ask_for_work
from helpdesk.services.rows import locked_atendimento
from helpdesk.states import HELD, OccurrenceCategory, S, TransferReason

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable
    from datetime import datetime

log = logging.getLogger(__name__)

_STATE_OF = {OccurrenceCategory.NO_ATTENDANT: S.QUEUED, OccurrenceCategory.FIRST_REPLY: S.AUTOMATIC}


def ask_for_forgotten_work(scope: Iterable[int] | None, *, now: datetime) -> int:
    """For how many conversations work was asked for that was missing. Safe to repeat."""
    asked = 0
    for atendimento_id, category in work.forgotten_ids(scope):
        with transaction.atomic():
            try:
                atendimento = locked_atendimento(atendimento_id, scope=None)
            except NotFound:
                # Deleted meanwhile.
                continue
            if atendimento.is_waiting and atendimento.state == _STATE_OF[category]:
                ask_for_work(atendimento, category, now=now)
                asked += 1
    if asked:
        log.warning("%s conversations waited without any work being asked for", asked)
    return asked


def give_back_what_the_gone_hold(scope: Iterable[int] | None, *, now: datetime) -> int:
    """How many conversations went back to their queue because whoever held them does not work here any more.

    Of a requester who waits; the ladder, where a company has one, is for people who are silent. Safe to repeat.
    Effects: one transaction per conversation; one that fails stops no other.
    """
    given = 0
    for atendimento_id in work.held_by_the_gone(scope):
        try:
            given += _give_back(atendimento_id, now=now)
        except Exception:
            log.exception("atendimento %s: not given back now; the next round tries again", atendimento_id)
    return given


@transaction.atomic
def _give_back(atendimento_id: uuid.UUID, *, now: datetime) -> bool:
    atendimento = locked_atendimento(atendimento_id, scope=None)
    holder = atendimento.attendant
    if holder is None or not atendimento.is_waiting or atendimento.state not in HELD:
        return False
    if holder.is_active and (holder.user is None or holder.user.is_active):
        return False
    team_id = queue_team_id(atendimento)
    team = Team.objects.filter(pk=team_id).first() if team_id else None
    reason = TransferReason.NO_ANSWER_QUEUE
    return forwarding.hand_over(atendimento, now=now, reason=reason, team=team).has_changed
