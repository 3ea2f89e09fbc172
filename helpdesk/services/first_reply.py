"""Resposta inicial bot/IA: the first word of an automation, and its answers to what came since."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db.models import F, Q

from helpdesk.models import Atendimento, Occurrence
from helpdesk.selectors import work
from helpdesk.services import bot, ia
from helpdesk.states import AttendantKind, OccurrenceCategory, OccurrenceStatus, S

if TYPE_CHECKING:
    from collections.abc import Iterable

log = logging.getLogger(__name__)

# A slow assistant holds no more threads of the workers than this, and none of them for longer than a round.
MOST_ASKED_AT_ONCE: Final = 4
ROUND_SECONDS: Final = 20.0
SLACK: Final = timedelta(seconds=30)


def send_automatic_replies(scope: Iterable[int] | None, *, now: datetime) -> int:
    """In how many conversations a bot or an IA did something. Safe to repeat, and for several to run at once.

    One that a person took over meanwhile, that needs a person or is closed is skipped.
    Effects: one transaction per conversation (two around an IA's answer); one that fails stops no other.
    """
    done = 0
    over_at = time.monotonic() + ROUND_SECONDS
    for company_id in work.companies_with_work(OccurrenceCategory.FIRST_REPLY, scope):
        for pending in work.pending_work(OccurrenceCategory.FIRST_REPLY, company_id, now=now):
            if time.monotonic() > over_at:
                return done
            try:
                done += reply_for(pending, now=now)
            except Exception:
                log.exception("atendimento %s: no automatic reply now; the next round tries again", pending.target_id)
    return done


def reply_for(pending: Occurrence, *, now: datetime) -> bool:
    """Whether the automation that leads the conversation of that occurrence did something."""
    scope = [pending.company_id]
    rows = Atendimento.objects.living().select_related("attendant").filter(pk=pending.target_id)
    atendimento = rows.filter(state=S.AUTOMATIC, needs_human=False).first()
    if atendimento is None or atendimento.attendant is None:
        _skip(pending, now=now)
        return False
    if atendimento.attendant.kind == AttendantKind.IA:
        return _ask_ia(pending, scope, now=now)
    return bot.answer_all_by_bot(atendimento.pk, scope=scope, now=now).has_changed


def _ask_ia(pending: Occurrence, scope: list[int], *, now: datetime) -> bool:
    """Whether the IA did something; while it is asked nobody else asks it for the same conversation.

    A worker that dies meanwhile leaves a time at which another one asks again.
    """
    if work.being_asked(now=now) >= MOST_ASKED_AT_ONCE:
        return False
    mine = Occurrence.objects.filter(
        Q(due_at=None) | Q(due_at__lte=now), pk=pending.pk, status=OccurrenceStatus.PENDING
    )
    until = now + timedelta(seconds=settings.ASSISTANT_TIMEOUT_SECONDS) + SLACK
    if not mine.update(due_at=until, attempts=F("attempts") + 1):
        return False
    has_changed = ia.answer_by_ia(pending.target_id, scope=scope, now=now).has_changed
    # Still pending: the requester wrote on, and may be answered at once.
    Occurrence.objects.filter(pk=pending.pk, status=OccurrenceStatus.PENDING).update(due_at=None)
    return has_changed


def _skip(pending: Occurrence, *, now: datetime) -> None:
    """What a person took over, needs a person, or is over asks for no automation any more."""
    Occurrence.objects.filter(pk=pending.pk, status=OccurrenceStatus.PENDING).update(
        status=OccurrenceStatus.SKIPPED, updated_at=now
    )
