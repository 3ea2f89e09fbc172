"""The end of a conversation: closing it, opening it again, and deleting it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from callcenter.lib.errors import Conflict
from helpdesk.data import Done
from helpdesk.models import Atendimento, Contact, HelpdeskSettings, ScheduledMessage
from helpdesk.services.occurrences import ALL_WORK, log_occurrence, settle_work
from helpdesk.services.rows import change, locked_atendimento, locked_with_contact, move
from helpdesk.states import REOPENINGS, ClosedWith, OccurrenceCategory, OccurrenceStatus, S, ScheduledState

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable
    from datetime import datetime

    from helpdesk.models import Attendant


def close(
    key: uuid.UUID,
    *,
    scope: Iterable[int] | None,
    now: datetime,
    with_: ClosedWith = ClosedWith.PERSON,
    by: Attendant | None = None,
    closed_at: datetime | None = None,
) -> Done:
    """The closed atendimento; `closed_at` = when, if not now.

    Errors: `NotFound`.
    Safe to repeat: the first end is kept.
    Effects: the wait ends, pending work is skipped, and scheduled messages are cancelled, where the company wants it.
    """
    with transaction.atomic():
        atendimento = locked_atendimento(key, scope=scope)
        if not atendimento.is_open:
            return Done(atendimento, has_changed=False)
        return close_locked(atendimento, now=now, with_=with_, by=by, closed_at=closed_at)


def close_locked(
    atendimento: Atendimento,
    *,
    now: datetime,
    with_: ClosedWith,
    by: Attendant | None = None,
    closed_at: datetime | None = None,
) -> Done:
    """The same for an open atendimento that the caller has locked in its transaction."""

    def record(_source: str, _to: str) -> None:
        log_occurrence(
            atendimento, OccurrenceCategory.CLOSED, now=now, actor=by, message=str(with_.label), closed_with=with_.value
        )

    move(
        atendimento,
        S.CLOSED,
        now=now,
        record=record,
        closed_at=closed_at or atendimento.closed_at or now,
        closed_with=with_,
        is_waiting=False,
        waiting_since=None,
        auto_replied_at=None,
        flow_step=None,
    )
    settle_work(atendimento, ALL_WORK, status=OccurrenceStatus.SKIPPED, now=now)
    keeps = HelpdeskSettings.objects.filter(
        company_id=atendimento.company_id, scheduled_when_closed=HelpdeskSettings.WhenClosed.REOPEN
    ).exists()
    if not keeps:
        cancel_scheduled(atendimento, reason=ScheduledMessage.Reason.CLOSED, now=now)
    return Done(atendimento)


def reopen(atendimento: Atendimento, *, now: datetime, is_started: bool, by: Attendant | None = None) -> Done:
    """The atendimento open again, in the state that its holder and `is_started` mean.

    `atendimento` must be locked by the caller, its contact before it.
    Errors: `Conflict` when the contact has another open one on the channel, or when this one is open or deleted.
    """
    with transaction.atomic():
        if atendimento.state != S.CLOSED or atendimento.deleted_at is not None:
            raise Conflict(_("O atendimento não está concluído."))
        if atendimento.contact_id is not None:
            others = Atendimento.objects.open().filter(
                contact_id=atendimento.contact_id, channel_id=atendimento.channel_id
            )
            if atendimento.channel_id is not None and others.exists():
                raise Conflict(_("O solicitante tem outro atendimento aberto neste canal."))
        to = state_for(atendimento.attendant, is_started=is_started)

        def record(_source: str, _to: str) -> None:
            log_occurrence(atendimento, OccurrenceCategory.NEW, now=now, actor=by, reopened=True)

        move(
            atendimento,
            to,
            now=now,
            record=record,
            moves=REOPENINGS,
            closed_at=None,
            closed_with="",
            **({"is_started": True} if to == S.IN_SERVICE else {}),
        )
    return Done(atendimento)


def delete(key: uuid.UUID, *, scope: Iterable[int] | None, now: datetime, by: Attendant | None = None) -> Done:
    """The atendimento, gone from every list with its messages and scheduled messages; the log keeps its entry.

    Errors: `NotFound`.
    """
    with transaction.atomic():
        atendimento = locked_with_contact(key, scope=scope)
        if atendimento.contact_id is not None:
            Contact.objects.filter(pk=atendimento.contact_id, atendimento_count__gt=0).update(
                atendimento_count=F("atendimento_count") - 1
            )
        change(atendimento, now=now, deleted_at=now)
        settle_work(atendimento, ALL_WORK, status=OccurrenceStatus.SKIPPED, now=now)
        cancel_scheduled(atendimento, reason=ScheduledMessage.Reason.DELETED, now=now)
        log_occurrence(atendimento, OccurrenceCategory.DELETED, now=now, actor=by)
    return Done(atendimento)


def cancel_scheduled(atendimento: Atendimento, *, reason: ScheduledMessage.Reason, now: datetime) -> int:
    """How many pending messages of the atendimento this call cancelled; each that was is in the log."""
    count = ScheduledMessage.objects.filter(atendimento=atendimento, state=ScheduledState.PENDING).update(
        state=ScheduledState.CANCELLED, reason=reason, settled_at=now, updated_at=now
    )
    if count:
        log_occurrence(
            atendimento,
            OccurrenceCategory.SCHEDULED,
            now=now,
            status=OccurrenceStatus.SKIPPED,
            message=str(reason.label),
            cancelled=count,
        )
    return count


def state_for(attendant: Attendant | None, *, is_started: bool) -> S:
    """The open state of an atendimento with that holder."""
    if attendant is None:
        return S.QUEUED
    if not attendant.is_human:
        return S.AUTOMATIC
    return S.IN_SERVICE if is_started else S.ASSIGNED
