"""What happened with one contact, merged from every app that knows something; the others register themselves here.

This app knows no calls, so telephony hands in its readers, and what asks for a callback, when it starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext as _

from helpdesk.data import ContactEntry
from helpdesk.models import Atendimento

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from callcenter.accounts.models import User
    from helpdesk.data import Callback
    from helpdesk.models import Contact

    Source = Callable[[Contact], Iterable[ContactEntry]]
    CallbackMaker = Callable[[Atendimento, User, datetime, datetime | None], Callback]
    DropReporter = Callable[[Atendimento, User, datetime], str]

# So many of each kind: a page shows the recent past.
LIMIT = 50

_sources: list[Source] = []
_callback_makers: list[CallbackMaker] = []
_drop_reporters: list[DropReporter] = []


def add_source(reader: Source) -> None:
    """Let `reader` contribute to every contact's timeline. Safe to repeat."""
    if reader not in _sources:
        _sources.append(reader)


def offer_callback(maker: CallbackMaker) -> None:
    """Let `maker` ask for a call to the requester of a conversation. Safe to repeat; the first one is used.

    Shape: it takes the atendimento, who asks, the time now, and the wanted time (None = as soon as possible).
    """
    if maker not in _callback_makers:
        _callback_makers.append(maker)


def callback_maker() -> CallbackMaker | None:
    """What asks for a callback; None where no app makes calls."""
    return _callback_makers[0] if _callback_makers else None


def take_drops(reporter: DropReporter) -> None:
    """Let `reporter` act on a person's word that a conversation's call dropped. Safe to repeat; the first one is used.

    Shape: it takes the atendimento, who says it, and the time now, and returns what was done, for people.
    """
    if reporter not in _drop_reporters:
        _drop_reporters.append(reporter)


def drop_reporter() -> DropReporter | None:
    """What acts on a dropped call; None where no app makes calls."""
    return _drop_reporters[0] if _drop_reporters else None


def entries(contact: Contact) -> list[ContactEntry]:
    """The conversations, requests and calls of a contact, newest first; a constant number of queries per source."""
    found = [*_conversations(contact), *(entry for reader in _sources for entry in reader(contact))]
    return sorted(found, key=lambda entry: entry.at, reverse=True)


def _conversations(contact: Contact) -> list[ContactEntry]:
    rows = Atendimento.objects.living().filter(contact=contact).select_related("channel", "attendant")
    return [
        ContactEntry(
            at=row.created_at,
            kind="conversation",
            title=_("Atendimento %(protocol)s") % {"protocol": row.protocol},
            details=(
                (_("situação"), str(row.get_state_display())),
                (_("canal"), str(row.channel or row.get_platform_display())),
                (_("atendente"), str(row.attendant or "")),
            ),
            url=reverse("admin:helpdesk_atendimento_change", args=[row.pk]),
            is_private=row.is_private,
        )
        for row in rows.order_by("-number")[:LIMIT]
    ]
