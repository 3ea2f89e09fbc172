"""Sending the messages for later, each exactly once: the message and the mark that it was sent are one transaction."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.db import transaction

from callcenter.lib.database import for_update
from callcenter.lib.errors import DomainError
from callcenter.lib.states import transition
from helpdesk.data import Bell
from helpdesk.models import Atendimento, Contact, HelpdeskSettings, ScheduledMessage
from helpdesk.selectors import work
from helpdesk.services.occurrences import log_occurrence
from helpdesk.services.opening import open_atendimento
from helpdesk.services.writing import write_reply
from helpdesk.states import SCHEDULED_MOVES, OccurrenceCategory, OccurrenceStatus, ScheduledState

if TYPE_CHECKING:
    import uuid
    from datetime import datetime

    from helpdesk.data import Done

log = logging.getLogger(__name__)

Reason = ScheduledMessage.Reason


def send_due_messages(*, now: datetime) -> tuple[int, frozenset[Bell]]:
    """How many messages left, and what the caller may ring for. Safe to repeat, and for several to run at once.

    A worker that is killed leaves either nothing or a message that is marked as sent. What is late is sent late.
    Effects: one transaction per message; one that fails for a reason of ours stops no other and is tried again.
    """
    sent, bells = 0, frozenset[Bell]()
    for scheduled_id in work.due_message_ids(now=now):
        try:
            done = send_one(scheduled_id, now=now)
        except DomainError as error:
            log.warning("scheduled message %s: refused (%s)", scheduled_id, error.code)
            _settle_refused(scheduled_id, now=now)
        except Exception:
            log.exception("scheduled message %s: not sent now; the next round tries again", scheduled_id)
        else:
            if done is not None:
                sent, bells = sent + 1, bells | done.bells
    return sent, bells


@transaction.atomic
def send_one(scheduled_id: uuid.UUID, *, now: datetime) -> Done | None:
    """What sending that message did; None when it is not pending any more or had to be cancelled.

    Errors: the `DomainError` for which it can never be sent.
    """
    scheduled = ScheduledMessage.objects.select_related("attendant").get(pk=scheduled_id)
    # The conversation first, as everybody locks it.
    atendimento = _locked(scheduled.atendimento_id)
    scheduled.refresh_from_db(fields=["state", "text", "due_at", "updated_at"])
    if scheduled.state != ScheduledState.PENDING or scheduled.due_at > now:
        return None
    if atendimento.deleted_at is not None:
        _settle(scheduled, atendimento, ScheduledState.CANCELLED, reason=Reason.DELETED, now=now)
        return None
    target = atendimento if atendimento.is_open else _following(atendimento, now=now)
    if target is None:
        _settle(scheduled, atendimento, ScheduledState.CANCELLED, reason=Reason.CLOSED, now=now)
        return None
    # Marked before it is written: whoever cancels or changes it at this moment either comes first or waits.
    if not _settle(scheduled, target, ScheduledState.SENT, now=now):
        return None
    done = write_reply(target.pk, scheduled.attendant, scope=[target.company_id], text=scheduled.text, now=now)
    ScheduledMessage.objects.filter(pk=scheduled.pk).update(message=done.message)
    return done


def _locked(atendimento_id: uuid.UUID) -> Atendimento:
    """The atendimento, a deleted one too, locked to the end of the transaction."""
    rows = Atendimento.objects.select_related("attendant", "channel").filter(pk=atendimento_id)
    # Its contact before it, as whoever opens a conversation does: after the end this may open the next one.
    for_update(Contact.objects.filter(atendimentos=atendimento_id)).first()
    found: Atendimento = for_update(rows).get()
    return found


def _following(atendimento: Atendimento, *, now: datetime) -> Atendimento | None:
    """The contact's open atendimento, or a new one, where the company wants it so; else None."""
    wants = HelpdeskSettings.objects.filter(
        company_id=atendimento.company_id, scheduled_when_closed=HelpdeskSettings.WhenClosed.REOPEN
    )
    if atendimento.contact is None or atendimento.channel is None or not wants.exists():
        return None
    following, _is_new = open_atendimento(
        atendimento.contact, atendimento.channel, now=now, address=atendimento.address, origin=atendimento
    )
    return following


def _settle(
    scheduled: ScheduledMessage, atendimento: Atendimento, to: ScheduledState, *, now: datetime, reason: str = ""
) -> bool:
    """Whether this call gave the pending message, as it was read, that state."""
    statuses = {ScheduledState.SENT: OccurrenceStatus.DONE, ScheduledState.CANCELLED: OccurrenceStatus.SKIPPED}

    def record(_source: str, _to: str) -> None:
        log_occurrence(
            atendimento,
            OccurrenceCategory.SCHEDULED,
            now=now,
            status=statuses.get(to, OccurrenceStatus.ERROR),
            message=str(Reason(reason).label if reason else to.label),
            actor=scheduled.attendant,
        )

    return transition(
        scheduled,
        to,
        moves=SCHEDULED_MOVES,
        expected=[ScheduledState.PENDING],
        record=record,
        guard={"updated_at": scheduled.updated_at},
        reason=reason,
        settled_at=now,
        updated_at=now,
    )


@transaction.atomic
def _settle_refused(scheduled_id: uuid.UUID, *, now: datetime) -> None:
    scheduled = ScheduledMessage.objects.select_related("attendant").get(pk=scheduled_id)
    atendimento = _locked(scheduled.atendimento_id)
    _settle(scheduled, atendimento, ScheduledState.FAILED, reason=Reason.REFUSED, now=now)
