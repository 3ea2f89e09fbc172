"""Opening an atendimento for a contact, sending a message, and planning one for later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from callcenter.lib.errors import InvalidInput, NotFound
from helpdesk.models import Atendimento
from helpdesk.selectors.bots import step_known_as
from helpdesk.selectors.canned import filled_in
from helpdesk.selectors.codes import Kind
from helpdesk.selectors.conversations import conversation
from helpdesk.services.booking import schedule_message
from helpdesk.services.contacts import address_on, contact_at, contact_known_as
from helpdesk.services.opening import channel_for, open_atendimento, open_on_channel
from helpdesk.services.taking import take
from helpdesk.services.writing import receive_message, receive_message_in, write_reply
from helpdesk.states import TransferReason
from helpdesk.tempbox import wire
from helpdesk.tempbox.registry import method

if TYPE_CHECKING:
    import uuid

    from helpdesk.models import Attendant, Channel, Contact, ContactAddress, FlowStep
    from helpdesk.tempbox.calls import Call


@method(
    "CriarPorContato",
    takes="Atendente varchar, Atendimento varchar, CodigoReferenciaCanal varchar, Contato! varchar, Empresa varchar,"
    " Plataforma int",
    writes=True,
)
def open_for_contact(call: Call) -> None:
    """Nothing; the contact has an open atendimento on the channel, held by `Atendente` if it was given.

    `Atendimento`: an unused GUID becomes the new one's Hash; an open one of the contact makes this a no-op; a closed
    one is what the new one continues.
    """
    origin, chosen_hash = _named(call)
    if origin is not None and origin.is_open:
        _own_contact(call, origin)
        return
    channel = _channel(call)
    contact, address = _contact(call, channel)
    if origin is not None and origin.contact_id != contact.pk:
        raise InvalidInput("Atendimento", _("O atendimento é de outro contato."))
    attendant = call.attendant()
    fields: dict[str, Any] = {} if chosen_hash is None else {"hash": chosen_hash}
    atendimento, is_new = open_atendimento(
        contact,
        channel,
        now=call.now,
        address=address,
        attendant=attendant,
        created_by=call.user,
        origin=origin,
        **fields,
    )
    if not is_new and attendant is not None and attendant.is_human:
        reason = TransferReason.ASSIGNED
        take(atendimento.pk, attendant, scope=[call.company.id], now=call.now, reason=reason, by=call.user)


@method(
    "EnviarMensagem",
    takes="Atendente varchar, Atendimento varchar, AtendimentoFluxoMensagem varchar, CodigoReferenciaCanal varchar,"
    " Contato varchar, Empresa varchar, Mensagem nvarchar, Plataforma int",
    writes=True,
)
def send_message(call: Call) -> None:
    """Nothing; one message is stored: of `Atendente`, or without one of the requester.

    200 means accepted: the way out to the medium is another matter.
    """
    attendant, step = call.attendant(), _step(call)
    if call.get("Atendimento") is not None:
        key = call.key("Atendimento")
        if attendant is None:
            done = receive_message_in(key, scope=[call.company.id], text=_text(call, step), now=call.now)
            call.bells |= done.bells
        else:
            _reply(call, key, attendant, step)
        return
    if call.get("Contato") is None:
        raise InvalidInput("Contato", _("Informe o atendimento ou o contato."))
    channel = _channel(call)
    contact, address = _contact(call, channel)
    if attendant is None:
        done = receive_message(contact, channel, text=_text(call, step), now=call.now, address=address)
        call.bells |= done.bells
        return
    atendimento = open_on_channel(contact, channel) or _opened(call, contact, channel, address, attendant)
    _reply(call, atendimento.pk, attendant, step)


@method(
    "AgendarMensagem",
    takes="Atendente! varchar, Atendimento! varchar, DataAgendamento! smalldatetime, Empresa varchar,"
    " Mensagem! nvarchar",
    writes=True,
)
def plan_message(call: Call) -> None:
    """Nothing; the message waits for its minute."""
    due_at = call.instant("DataAgendamento")
    if due_at is None:
        raise InvalidInput("DataAgendamento", _("Falta “%(name)s”.") % {"name": "DataAgendamento"})
    schedule_message(
        call.key("Atendimento"),
        call.required_attendant(),
        scope=[call.company.id],
        text=call.get("Mensagem"),
        due_at=due_at,
        now=call.now,
    )


def _named(call: Call) -> tuple[Atendimento | None, uuid.UUID | None]:
    """The atendimento that the call names, or the unused GUID that a new one gets as its hash."""
    if call.get("Atendimento") is None:
        return None, None
    key = call.key("Atendimento")
    found = Atendimento.objects.known_as(key).first()
    if found is None:
        return None, key
    if found.company_id != call.company.id or found.deleted_at is not None:
        raise NotFound(_("Não existe este atendimento."))
    return found, None


def _own_contact(call: Call, atendimento: Atendimento) -> None:
    """Refuse an open atendimento that is another contact's."""
    key = call.key_or_none("Contato")
    if key is not None and contact_known_as(key, company_id=call.company.id).pk != atendimento.contact_id:
        raise InvalidInput("Atendimento", _("O atendimento é de outro contato."))


def _channel(call: Call) -> Channel:
    code, platform = call.get("Plataforma"), None
    if code is not None:
        platform = call.codes.into(Kind.PLATFORM, code)
        if platform is None:
            raise InvalidInput("Plataforma", _("Não existe esta plataforma."))
    reference_code = call.get("CodigoReferenciaCanal") or ""
    return channel_for(call.company.id, platform=platform, reference_code=reference_code)


def _contact(call: Call, channel: Channel) -> tuple[Contact, ContactAddress | None]:
    """The contact by id, hash or address; an unknown address makes one."""
    text = call.get("Contato")
    try:
        key = wire.guid_in(text, "Contato")
    except InvalidInput:
        address = contact_at(call.company.id, platform=channel.platform, address=text, now=call.now)
        return address.contact, address
    contact = contact_known_as(key, company_id=call.company.id)
    return contact, address_on(contact, platform=channel.platform, now=call.now)


def _opened(
    call: Call, contact: Contact, channel: Channel, address: ContactAddress | None, attendant: Attendant
) -> Atendimento:
    atendimento, _is_new = open_atendimento(
        contact, channel, now=call.now, address=address, attendant=attendant, created_by=call.user
    )
    return atendimento


def _text(call: Call, step: FlowStep | None) -> str:
    return call.get("Mensagem") or (step.text if step is not None else "")


def _reply(call: Call, key: uuid.UUID, attendant: Attendant, step: FlowStep | None) -> None:
    """Our side's message: Mensagem, else the step's text with its variables filled in, as the bot says it."""
    text, scope = call.get("Mensagem") or "", [call.company.id]
    if not text and step is not None and (atendimento := conversation(key, scope=scope)) is not None:
        text = filled_in(step.text, atendimento, now=call.now, attendant=attendant)
    call.bells |= write_reply(key, attendant, scope=scope, text=text, now=call.now, flow_step=step).bells


def _step(call: Call) -> FlowStep | None:
    if call.get("AtendimentoFluxoMensagem") is None:
        return None
    return step_known_as(call.key("AtendimentoFluxoMensagem"), company_id=call.company.id)
