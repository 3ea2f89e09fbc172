"""Tickets by which a page of the admin may open the stream of its conversation: the stream process knows no sessions.

A ticket names the conversation and its reader, is signed, and ends with the session at the latest. All that it opens is
being told that something changed; what changed the page asks for under its own session.
"""

from __future__ import annotations

import uuid
from typing import Final
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing

from callcenter.accounts.models import User

STAFF_PATH: Final = "/chat/painel/eventos"
_SALT: Final = "helpdesk.chat.tickets"


def stream_url(atendimento_id: uuid.UUID, *, user_id: int) -> str:
    """Where the page of that conversation hears of its changes; without a host where a proxy leads to the streams."""
    ticket = signing.dumps([atendimento_id.hex, user_id], salt=_SALT)
    return f"{settings.CHAT_STREAM_URL}{STAFF_PATH}?{urlencode({'ficha': ticket})}"


def reader_of(ticket: str) -> uuid.UUID | None:
    """The id of the ticket's conversation; None for one that is not ours, is over, or whose user may not log in."""
    try:
        key, user_id = signing.loads(ticket, salt=_SALT, max_age=settings.SESSION_COOKIE_AGE)
    except signing.BadSignature:
        return None
    may_log_in = User.objects.filter(pk=user_id, is_active=True, is_staff=True).exists()
    return uuid.UUID(key) if may_log_in else None
