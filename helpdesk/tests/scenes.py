"""Situations that several tests of the helpdesk start from."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from helpdesk.models import Atendimento, Contact
from helpdesk.services.opening import open_atendimento
from helpdesk.services.writing import receive_message
from helpdesk.tests.factories import make_channel, make_contact

if TYPE_CHECKING:
    from callcenter.accounts.models import Company
    from helpdesk.models import Attendant, Channel


def asked(
    company: Company,
    text: str = "Olá, preciso de ajuda",
    *,
    contact: Contact | None = None,
    channel: Channel | None = None,
    now: datetime | None = None,
    **fields: Any,
) -> Atendimento:
    """An atendimento that a contact opened by writing."""
    done = receive_message(
        contact or make_contact(company),
        channel or make_channel(company),
        text=text,
        now=now or timezone.now(),
        **fields,
    )
    return done.atendimento


def opened(
    company: Company, *, attendant: Attendant | None = None, now: datetime | None = None, **fields: Any
) -> Atendimento:
    """An atendimento that our side opened, without a message."""
    contact = fields.pop("contact", None) or make_contact(company)
    channel = fields.pop("channel", None) or make_channel(company)
    atendimento, _is_new = open_atendimento(contact, channel, now=now or timezone.now(), attendant=attendant, **fields)
    return atendimento


def reread(atendimento: Atendimento) -> Atendimento:
    """The row as it is in the database now."""
    stored: Atendimento = Atendimento.objects.select_related("attendant", "channel").get(pk=atendimento.pk)
    return stored
