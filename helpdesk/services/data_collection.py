"""Coletar dados: what requesters say of themselves goes into the empty fields of their contact, and nowhere else."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from helpdesk.models import Atendimento, Contact, ContactAddress, Customer, HelpdeskSettings
from helpdesk.providers.base import AssistantError, ContactDetails
from helpdesk.providers.choice import chosen_assistant
from helpdesk.selectors import work
from helpdesk.services.occurrences import log_occurrence
from helpdesk.services.rows import locked_atendimento
from helpdesk.states import OccurrenceCategory

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable
    from datetime import datetime

log = logging.getLogger(__name__)

# Our column for each detail.
COLUMNS: Final = {
    "name": "name",
    "email": "email",
    "phone_e164": "phone_e164",
    "company": "organisation",
    "city": "city",
}
MOST_MESSAGES: Final = 50
# A slow assistant holds a worker's thread no longer; the rest is a round later.
ROUND_SECONDS: Final = 30.0


def collect_contact_details(scope: Iterable[int] | None, *, now: datetime) -> int:
    """From how many conversations something was learnt. Safe to repeat, and for several to run at once.

    Each message is read once: a conversation remembers up to which number it was read. A field that holds anything is
    never overwritten. An assistant that fails leaves its conversation for the next round.
    Effects: a network call per conversation where an endpoint is set and the company lets texts leave, outside of any
    transaction; then one transaction.
    """
    learnt = 0
    over_at = time.monotonic() + ROUND_SECONDS
    for atendimento_id in work.unread_by_collection(scope, now=now):
        if time.monotonic() > over_at:
            break
        try:
            learnt += collect_from(atendimento_id, now=now)
        except AssistantError as error:
            log.warning("atendimento %s: no details were read (%s)", atendimento_id, error.code)
        except Exception:
            log.exception("atendimento %s: no details were read; the next round tries again", atendimento_id)
    return learnt


def collect_from(atendimento_id: uuid.UUID, *, now: datetime) -> bool:
    """Whether something was learnt from what is unread in the conversation.

    Errors: `AssistantError`.
    """
    atendimento = Atendimento.objects.get(pk=atendimento_id)
    unread = atendimento.messages.filter(is_inbound=True, number__gt=atendimento.collected_up_to).order_by("number")
    messages = list(unread[:MOST_MESSAGES])
    if not messages:
        return False
    settings = HelpdeskSettings.objects.filter(company_id=atendimento.company_id).first() or HelpdeskSettings()
    details = chosen_assistant(may_leave=settings.ia_may_leave).contact_details([one.text for one in messages])
    with transaction.atomic():
        atendimento = locked_atendimento(atendimento_id, scope=[atendimento.company_id])
        is_news = Atendimento.objects.filter(pk=atendimento.pk, collected_up_to__lt=messages[-1].number).update(
            collected_up_to=messages[-1].number
        )
        if not is_news or not details or atendimento.contact is None:
            return False
        return _learn(atendimento, atendimento.contact, details, now=now)


def _learn(atendimento: Atendimento, contact: Contact, details: ContactDetails, *, now: datetime) -> bool:
    """Whether any field was filled, or the contact tied to a customer."""
    filled = [
        column
        for name, column in COLUMNS.items()
        if getattr(details, name)
        # One UPDATE each, so that a person who fills the field at this moment is not overwritten.
        and Contact.objects.filter(pk=contact.pk, **{column: ""}).update(
            **{column: getattr(details, name), "updated_at": now}
        )
    ]
    is_tied = _tie(contact, details, now=now)
    if not filled and not is_tied:
        return False
    log_occurrence(
        atendimento,
        OccurrenceCategory.DATA_COLLECTION,
        now=now,
        message=_("Dados do contato completados") if filled else _("Contato reconhecido"),
        fields=filled,
        is_tied=is_tied,
    )
    return True


def _tie(contact: Contact, details: ContactDetails, *, now: datetime) -> bool:
    """Whether this call tied the contact to the customer to whom the e-mail address or the number belongs.

    The contacts stay two: whoever names somebody else's address must not come into their conversations.
    """
    known = _known_by(contact, details)
    customers = {one.customer_id for one in known if one.customer_id is not None}
    if not known or len(customers) > 1 or contact.customer_id is not None:
        return False
    if customers:
        customer_id = customers.pop()
    else:
        customer_id = Customer.objects.create(
            company_id=contact.company_id, name=known[0].title, created_at=now, updated_at=now
        ).pk
        Contact.objects.filter(pk__in=[one.pk for one in known], customer=None).update(
            customer_id=customer_id, updated_at=now
        )
    return bool(Contact.objects.filter(pk=contact.pk, customer=None).update(customer_id=customer_id, updated_at=now))


def _known_by(contact: Contact, details: ContactDetails) -> list[Contact]:
    """The company's other contacts with that e-mail address or number, the oldest first."""
    same = Q(pk__in=[])
    addresses = []
    if details.email:
        same |= Q(email=details.email)
        addresses.append(details.email)
    if details.phone_e164:
        same |= Q(phone_e164=details.phone_e164) | Q(whatsapp_e164=details.phone_e164)
        addresses.append(details.phone_e164)
    same |= Q(
        pk__in=ContactAddress.objects.filter(company_id=contact.company_id, address__in=addresses).values("contact")
    )
    others = Contact.objects.filter(same, company_id=contact.company_id).exclude(pk=contact.pk)
    return list(others.order_by("created_at", "pk")[:20])
