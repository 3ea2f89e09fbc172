"""Conversations of telephone calls: an answered call opens or joins one, and a callback is noted in its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Q

from helpdesk.data import DropRules
from helpdesk.models import Atendimento, Attendant, Channel, Contact, ContactAddress, HelpdeskSettings
from helpdesk.services.contacts import contact_at
from helpdesk.services.opening import open_atendimento
from helpdesk.services.rows import change, locked_atendimento
from helpdesk.services.writing import write_system_note
from helpdesk.states import PHONE_PLATFORMS, Platform

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable
    from datetime import datetime


def companies_with_telephone(company_ids: Iterable[int]) -> set[int]:
    """Which of these companies lead conversations on the telephone. One query."""
    channels = Channel.objects.filter(company_id__in=set(company_ids), platform=Platform.PHONE, is_active=True)
    return set(channels.order_by().values_list("company_id", flat=True))


def drop_rules(company_id: int) -> DropRules:
    """What the company wants of calls that drop; the defaults where it has said nothing."""
    settings = HelpdeskSettings.objects.filter(company_id=company_id).first() or HelpdeskSettings()
    return DropRules(callbacks=settings.dropped_callbacks, seconds=settings.dropped_seconds)


def open_for_call(
    company_id: int,
    *,
    phone_e164: str,
    name: str,
    call_request_id: int,
    since: datetime,
    note: str,
    now: datetime,
    user_id: int | None = None,
) -> Atendimento | None:
    """The conversation of an answered call, with a note of what led to it; None where the company has no phone channel.

    `since` = when the call began: what was opened for its request after that is its conversation already.
    `user_id` = whose request it is; they hold a new conversation if they are an attendant there.
    Errors: `InvalidInput` for a number that is none.
    Effects: a contact and an atendimento unless they are there, and one note. Safe to repeat.
    """
    channel = Channel.objects.filter(company_id=company_id, platform=Platform.PHONE, is_active=True).first()
    if channel is None:
        return None
    with transaction.atomic():
        tied = Atendimento.objects.living().filter(call_request_id=call_request_id, updated_at__gte=since)
        known: Atendimento | None = tied.first()
        if known is not None:
            return known
        address = _address_of(company_id, phone_e164, name=name, now=now)
        holder = None
        if user_id is not None:
            people = Attendant.objects.filter(company_id=company_id, user_id=user_id, is_active=True)
            holder = people.first()
        # A callback goes on with what its request came from, even where that was closed meanwhile.
        origin = Atendimento.objects.living().filter(call_request_id=call_request_id, contact=address.contact).first()
        atendimento, _is_new = open_atendimento(
            address.contact, channel, now=now, address=address, attendant=holder, phone_e164=phone_e164, origin=origin
        )
        change(atendimento, now=now, call_request_id=call_request_id, phone_e164=phone_e164)
        write_system_note(atendimento, text=note, now=now)
    return atendimento


def tie_to_request(key: uuid.UUID, *, call_request_id: int, now: datetime) -> None:
    """Nothing; the conversation names the request that was made from it."""
    with transaction.atomic():
        change(locked_atendimento(key, scope=None), now=now, call_request_id=call_request_id)


def note_call(key: uuid.UUID, *, text: str, now: datetime, call_request_id: int | None = None) -> None:
    """Nothing; the conversation has a note about its call, and names the request that goes on with it, if one does.

    Errors: `NotFound` for one that was deleted.
    """
    with transaction.atomic():
        atendimento = locked_atendimento(key, scope=None)
        write_system_note(atendimento, text=text, now=now)
        change(atendimento, now=now, **({} if call_request_id is None else {"call_request_id": call_request_id}))


def conversation_of_call(key: uuid.UUID) -> Atendimento | None:
    """The conversation, as it is now; None when it was deleted."""
    found: Atendimento | None = Atendimento.objects.living().filter(pk=key).first()
    return found


def number_of(atendimento: Atendimento) -> str:
    """The number under which the requester is called; empty for none."""
    if atendimento.address is not None and atendimento.address.platform in PHONE_PLATFORMS:
        return atendimento.address.address
    contact = atendimento.contact
    return "" if contact is None else contact.phone_e164 or contact.whatsapp_e164


def numbers_of(contact: Contact) -> set[str]:
    """Every number under which the contact is known. One query."""
    rows = ContactAddress.objects.filter(contact=contact, platform__in=PHONE_PLATFORMS)
    found = {contact.phone_e164, contact.whatsapp_e164, *rows.values_list("address", flat=True)}
    return {number for number in found if number}


def _address_of(company_id: int, phone_e164: str, *, name: str, now: datetime) -> ContactAddress:
    """The telephone of whoever is known by the number anywhere; an unknown number makes the contact."""
    known = ContactAddress.objects.select_related("contact").filter(company_id=company_id, address=phone_e164)
    found: ContactAddress | None = known.filter(platform=Platform.PHONE).first()
    if found is not None:
        return found
    other = known.filter(platform__in=PHONE_PLATFORMS).order_by("created_at").first()
    contact = other.contact if other is not None else None
    if contact is None:
        by_number = Q(phone_e164=phone_e164) | Q(whatsapp_e164=phone_e164)
        contact = Contact.objects.filter(by_number, company_id=company_id).order_by("created_at").first()
    if contact is None:
        return contact_at(company_id, platform=Platform.PHONE, address=phone_e164, now=now, name=name)
    address, _made = ContactAddress.objects.get_or_create(
        company_id=company_id,
        platform=Platform.PHONE,
        address=phone_e164,
        defaults={"contact": contact, "created_at": now},
    )
    return address
