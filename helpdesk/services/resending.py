"""Sending again what did not reach the requester: a message goes back to the queue of what is to be delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from callcenter.lib.errors import Conflict
from helpdesk.models import Message
from helpdesk.states import Delivery

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable
    from datetime import datetime


def resend(message_id: uuid.UUID, *, scope: Iterable[int] | None, now: datetime) -> None:
    """Nothing; the message that was given up is due for delivery at once, with all its attempts ahead.

    Errors: `Conflict` when it is not, or no longer, a failed one of these companies. Of two callers one sends.
    """
    failed = Message.objects.visible_to(scope).filter(pk=message_id, delivery=Delivery.FAILED)
    if not failed.update(delivery=Delivery.PENDING, attempts=0, next_attempt_at=now, delivery_error="", updated_at=now):
        raise Conflict(_("A mensagem não está entre as que falharam."))
