"""Saying one of the company's ready texts in a conversation, as a rule does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helpdesk.selectors.canned import filled_in
from helpdesk.services.writing import write_automatic

if TYPE_CHECKING:
    from datetime import datetime

    from helpdesk.data import Done
    from helpdesk.models import Atendimento, CannedMessage


def say_canned(atendimento: Atendimento, canned: CannedMessage | None, *, now: datetime) -> Done | None:
    """The message that was written; None when the company has no such text, it is switched off, or of another medium.

    Nothing is said to a customer that the company did not write itself. `atendimento` must be locked by the caller.
    """
    if canned is None or not canned.is_active or canned.platform not in {None, atendimento.platform}:
        return None
    return say(atendimento, canned.text, now=now)


def say(atendimento: Atendimento, text: str, *, now: datetime) -> Done | None:
    """The message that was written; None for a text that is empty once its variables are filled in."""
    filled = filled_in(text, atendimento, now=now)
    return write_automatic(atendimento, text=filled, now=now) if filled.strip() else None
