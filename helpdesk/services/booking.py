"""Messages for later: put down, changed and cancelled here; `scheduled` sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from callcenter.lib.errors import Conflict, InvalidInput
from helpdesk.models import ScheduledMessage
from helpdesk.services.rows import locked_atendimento, refuse_closed
from helpdesk.services.writing import checked_text
from helpdesk.states import ScheduledState

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable
    from datetime import datetime

    from helpdesk.models import Attendant


def schedule_message(
    key: uuid.UUID, attendant: Attendant, *, scope: Iterable[int] | None, text: str, due_at: datetime, now: datetime
) -> ScheduledMessage:
    """The pending message, due at the full minute in which `due_at` lies.

    Errors: `NotFound`; `InvalidInput` for an instant before the current minute; `Conflict` when it is closed.
    """
    checked = checked_text(text)
    minute = _future_minute(due_at, now=now)
    with transaction.atomic():
        atendimento = locked_atendimento(key, scope=scope)
        refuse_closed(atendimento)
        if attendant.company_id != atendimento.company_id or not attendant.is_active:
            raise InvalidInput("Atendente", _("O atendente não é desta empresa ou não está ativo."))
        return ScheduledMessage.objects.create(
            company_id=atendimento.company_id,
            atendimento=atendimento,
            attendant=attendant,
            text=checked,
            due_at=minute,
            created_at=now,
            updated_at=now,
        )


def change_scheduled(scheduled: ScheduledMessage, *, text: str, due_at: datetime, now: datetime) -> None:
    """Give a pending message another text or time.

    Errors: `InvalidInput`; `Conflict` when it was sent or cancelled meanwhile.
    """
    changes = {"text": checked_text(text), "due_at": _future_minute(due_at, now=now), "updated_at": now}
    pending = ScheduledMessage.objects.filter(pk=scheduled.pk, state=ScheduledState.PENDING)
    if not pending.update(**changes):
        raise Conflict(_("A mensagem já foi enviada ou cancelada."))


def cancel_one(scheduled: ScheduledMessage, *, now: datetime) -> bool:
    """Whether this call cancelled the pending message."""
    return bool(
        ScheduledMessage.objects.filter(pk=scheduled.pk, state=ScheduledState.PENDING).update(
            state=ScheduledState.CANCELLED, reason=ScheduledMessage.Reason.PERSON, settled_at=now, updated_at=now
        )
    )


def _future_minute(due_at: datetime, *, now: datetime) -> datetime:
    minute = due_at.replace(second=0, microsecond=0)
    if minute < now.replace(second=0, microsecond=0):
        raise InvalidInput("DataAgendamento", _("A data do agendamento já passou."))
    return minute
