"""Opening an atendimento: on which channel, for whom, and who has the first word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from callcenter.lib.database import for_update
from callcenter.lib.errors import InvalidInput
from helpdesk.models import Atendimento, Channel, Contact
from helpdesk.services.numbering import next_atendimento_numbers
from helpdesk.services.occurrences import log_occurrence
from helpdesk.states import AUTOMATIONS, OccurrenceCategory, S

if TYPE_CHECKING:
    from datetime import datetime

    from helpdesk.models import Attendant, ContactAddress


def channel_for(company_id: int, *, platform: int | None, reference_code: str) -> Channel:
    """The company's active channel with that code, or the only one of that medium.

    Errors: `InvalidInput` when there is none, or more than one to choose from.
    """
    channels = Channel.objects.select_related("automation").filter(company_id=company_id, is_active=True)
    if reference_code:
        channels = channels.filter(reference_code=reference_code)
    if platform is not None:
        channels = channels.filter(platform=platform)
    elif not reference_code:
        raise InvalidInput("Plataforma", _("Informe a plataforma ou o código de referência do canal."))
    found: list[Channel] = list(channels[:2])
    if len(found) != 1:
        raise InvalidInput("CodigoReferenciaCanal", _("Não há um único canal ativo que corresponda."))
    return found[0]


def open_on_channel(contact: Contact, channel: Channel) -> Atendimento | None:
    """The contact's open atendimento on that channel, locked; None when there is none."""
    rows = Atendimento.objects.open().filter(contact=contact, channel=channel)
    found: Atendimento | None = for_update(rows.select_related("attendant", "channel")).first()
    return found


def open_atendimento(
    contact: Contact,
    channel: Channel,
    *,
    now: datetime,
    address: ContactAddress | None = None,
    attendant: Attendant | None = None,
    is_inbound: bool = False,
    created_by: Attendant | None = None,
    **fields: Any,
) -> tuple[Atendimento, bool]:
    """The contact's open atendimento on the channel, locked, and whether this call opened it.

    Shape: `attendant` = who gets a new one (a person: assigned; an automation: automatic). Without one an inbound one
    goes to the channel's automation, if it has any, else to the queue of the channel's team. `fields` = more columns.
    Effects: one atendimento with its numbers and the occurrence "Novo atendimento"; none when one was open.
    The contact is locked first, so that two messages at once open one; the lock lasts as the caller's transaction.
    """
    with transaction.atomic():
        return _open(
            contact,
            channel,
            now=now,
            address=address,
            attendant=attendant,
            is_inbound=is_inbound,
            created_by=created_by,
            **fields,
        )


def _open(
    contact: Contact,
    channel: Channel,
    *,
    now: datetime,
    address: ContactAddress | None,
    attendant: Attendant | None,
    is_inbound: bool,
    created_by: Attendant | None,
    **fields: Any,
) -> tuple[Atendimento, bool]:
    for_update(Contact.objects.filter(pk=contact.pk)).first()
    if found := open_on_channel(contact, channel):
        return found, False
    holder = attendant or (_automation(channel) if is_inbound else None)
    person = holder if holder is not None and holder.is_human else None
    # Before the numbers: whoever holds those waits for no row.
    if person is not None:
        note_received(person, now=now)
    number, company_number = next_atendimento_numbers(channel.company_id)
    atendimento = Atendimento(
        company_id=channel.company_id,
        number=number,
        company_number=company_number,
        title=fields.pop("title", "") or contact.title[:200],
        platform=channel.platform,
        channel=channel,
        contact=contact,
        address=address,
        state=_first_state(holder),
        attendant=holder,
        responsible_attendant=person,
        responsible_team_id=None if person else channel.team_id,
        given_at=now if person else None,
        created_by=created_by,
        updated_by=created_by,
        created_at=now,
        updated_at=now,
        **fields,
    )
    atendimento.save(force_insert=True)
    Contact.objects.filter(pk=contact.pk).update(atendimento_count=F("atendimento_count") + 1)
    log_occurrence(atendimento, OccurrenceCategory.NEW, now=now, actor=created_by)
    return atendimento, True


def note_received(attendant: Attendant, *, now: datetime) -> None:
    """Remember that the person was given a conversation: who waited longest for one is next."""
    type(attendant).objects.filter(pk=attendant.pk).update(last_received_at=now)


def _automation(channel: Channel) -> Attendant | None:
    automation = channel.automation
    is_usable = automation is not None and automation.is_active and automation.kind in AUTOMATIONS
    return automation if is_usable else None


def _first_state(holder: Attendant | None) -> S:
    if holder is None:
        return S.QUEUED
    return S.ASSIGNED if holder.is_human else S.AUTOMATIC
