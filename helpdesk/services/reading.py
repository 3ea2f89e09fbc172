"""That our side has read what the requester wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from callcenter.lib.database import for_update
from helpdesk.models import Atendimento, Message

if TYPE_CHECKING:
    from datetime import datetime


def mark_read(atendimento: Atendimento, *, now: datetime) -> int:
    """How many of the requester's messages this call marked as read; whether the requester waits stays as it is.

    Effects: none when nothing is unread.
    """
    if not atendimento.unread:
        return 0
    with transaction.atomic():
        # Locked, so that a message which comes at this moment is counted either before or after.
        for_update(Atendimento.objects.filter(pk=atendimento.pk)).first()
        marked = Message.objects.filter(atendimento=atendimento, is_inbound=True, read_at=None).update(read_at=now)
        Atendimento.objects.filter(pk=atendimento.pk).update(unread=0)
    atendimento.unread = 0
    return marked
