"""Writing into a conversation: what the requester says, what our side answers, notes, and automatic replies."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from callcenter.lib.errors import InvalidInput
from helpdesk.data import Bell, Done
from helpdesk.models import Attachment, HelpdeskSettings, Message
from helpdesk.selectors.canned import filled_in
from helpdesk.services.numbering import next_message_number
from helpdesk.services.occurrences import ask_for_work, log_occurrence, settle_work
from helpdesk.services.opening import channel_for, note_received, open_atendimento
from helpdesk.services.rows import change, locked_atendimento, locked_with_contact, move, record_transfer, refuse_closed
from helpdesk.states import HELD, Adapter, Delivery, OccurrenceCategory, OccurrenceStatus, Platform, S, TransferReason

if TYPE_CHECKING:
    import uuid
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from helpdesk.data import NewFile
    from helpdesk.models import Atendimento, Attendant, Channel, Contact, ContactAddress, FlowStep

MAX_TEXT: Final = 65_536
# Channels whose messages are taken out of the tables by whoever reads them.
_STAYS_HERE: Final = (Adapter.NONE, Adapter.SITE_CHAT)


def receive_message(
    contact: Contact,
    channel: Channel,
    *,
    text: str,
    now: datetime,
    address: ContactAddress | None = None,
    external_id: str = "",
    files: Sequence[NewFile] = (),
    **fields: Any,
) -> Done:
    """The requester's message in the contact's open atendimento on the channel, or in a new one.

    Shape: `fields` = further columns of a new atendimento. `external_id` = the medium's id of the message.
    Errors: `InvalidInput`.
    Safe to repeat with an `external_id`: the second call changes nothing.
    """
    checked = checked_text(text, may_be_empty=bool(files))
    if external_id and (known := _heard_before(channel.company_id, external_id)):
        return Done(known.atendimento, has_changed=False, message=known)
    try:
        with transaction.atomic():
            atendimento, is_new = open_atendimento(
                contact, channel, now=now, address=address, is_inbound=True, **fields
            )
            done = _take_in(atendimento, text=checked, now=now, external_id=external_id, files=files)
            return _with_protocol(done, now=now) if is_new else done
    except IntegrityError:
        # The medium sent it twice at once.
        if external_id and (known := _heard_before(channel.company_id, external_id)):
            return Done(known.atendimento, has_changed=False, message=known)
        raise


def receive_message_in(
    key: uuid.UUID,
    *,
    scope: Iterable[int] | None,
    text: str,
    now: datetime,
    external_id: str = "",
    files: Sequence[NewFile] = (),
) -> Done:
    """The requester's message in that atendimento; after its end, in the contact's open one or a new one.

    Errors: `NotFound`, `InvalidInput`.
    Safe to repeat with an `external_id`, the medium's id of the message: the second call changes nothing.
    """
    checked = checked_text(text, may_be_empty=bool(files))
    with transaction.atomic():
        atendimento = locked_atendimento(key, scope=scope)
        if done := _taken_in(atendimento, text=checked, now=now, external_id=external_id, files=files):
            return done
        # Given back: who opens the next one locks the contact first.
        transaction.set_rollback(True)
    with transaction.atomic():
        atendimento = locked_with_contact(key, scope=scope)
        if done := _taken_in(atendimento, text=checked, now=now, external_id=external_id, files=files):
            return done
        if atendimento.contact is None:
            raise InvalidInput("Atendimento", _("O atendimento concluído não tem solicitante nem canal."))
        channel = atendimento.channel or channel_for(
            atendimento.company_id, platform=atendimento.platform, reference_code=""
        )
        following, is_new = open_atendimento(
            atendimento.contact,
            channel,
            now=now,
            address=atendimento.address,
            is_inbound=True,
            origin=atendimento,
        )
        done = _take_in(following, text=checked, now=now, external_id=external_id, files=files)
        return _with_protocol(done, now=now) if is_new else done


def _taken_in(
    atendimento: Atendimento, *, text: str, now: datetime, external_id: str, files: Sequence[NewFile]
) -> Done | None:
    """The requester's message in a locked atendimento, new or heard before; None when it is closed."""
    # Asked with the atendimento locked, as a repetition that comes at once would have to wait here.
    if external_id and (known := _heard_before(atendimento.company_id, external_id)):
        return Done(known.atendimento, has_changed=False, message=known)
    if not atendimento.is_open:
        return None
    return _take_in(atendimento, text=text, now=now, external_id=external_id, files=files)


def write_reply(
    key: uuid.UUID,
    attendant: Attendant,
    *,
    scope: Iterable[int] | None,
    text: str,
    now: datetime,
    flow_step: FlowStep | None = None,
    files: Sequence[NewFile] = (),
    **fields: Any,
) -> Done:
    """The message of our side. A person claims what no person holds, and starts it; an automation does neither.

    Shape: `fields` = further columns of the message (`confidence`, `sources`).
    Errors: `NotFound`, `InvalidInput`; `Conflict` when the atendimento is closed.
    Effects: the wait ends; the message is to be delivered where the channel has a way out.
    """
    checked = checked_text(text, may_be_empty=bool(files))
    with transaction.atomic():
        atendimento = locked_atendimento(key, scope=scope)
        refuse_closed(atendimento)
        if attendant.company_id != atendimento.company_id or not attendant.is_active:
            raise InvalidInput("Atendente", _("O atendente não é desta empresa ou não está ativo."))
        if attendant.is_human:
            _serve(atendimento, attendant, now=now)
        message = _stored(
            atendimento, text=checked, now=now, attendant=attendant, flow_step=flow_step, files=files, **fields
        )
        change(
            atendimento,
            now=now,
            is_waiting=False,
            waiting_since=None,
            auto_replied_at=None,
            attendant_at=now,
            reminders=0,
            reminded_at=None,
            last_message=message,
            last_message_number=message.number,
            **_position(atendimento, attendant, flow_step),
            **(_talk(atendimento, now=now) if attendant.is_human and atendimento.requester_at else {}),
        )
    return Done(atendimento, message=message, bells=_bells_of(message))


def _position(atendimento: Atendimento, attendant: Attendant, step: FlowStep | None) -> dict[str, Any]:
    """Where a bot is that has said a step of its flow: what the requester answers is an answer to that."""
    leads = atendimento.state == S.AUTOMATIC and atendimento.attendant_id == attendant.pk
    if step is None or not leads or step.flow_id != attendant.flow_id:
        return {}
    return {"flow_step": step, "flow_misses": 0}


def write_note(
    key: uuid.UUID,
    attendant: Attendant,
    *,
    scope: Iterable[int] | None,
    text: str,
    now: datetime,
    files: Sequence[NewFile] = (),
) -> Done:
    """An internal note, which no requester sees; it may be added after the end.

    Errors: `NotFound`, `InvalidInput`.
    """
    checked = checked_text(text, may_be_empty=bool(files))
    with transaction.atomic():
        atendimento = locked_atendimento(key, scope=scope)
        if attendant.company_id != atendimento.company_id:
            raise InvalidInput("Atendente", _("O atendente não é desta empresa ou não está ativo."))
        message = _stored(atendimento, text=checked, now=now, attendant=attendant, is_internal=True, files=files)
        change(atendimento, now=now)
    return Done(atendimento, message=message)


def write_system_note(atendimento: Atendimento, *, text: str, now: datetime) -> Message:
    """A note that nobody wrote: what a rule tells the people. `atendimento` must be locked by the caller."""
    with transaction.atomic():
        return _stored(atendimento, text=checked_text(text), now=now, is_internal=True)


def write_automatic(atendimento: Atendimento, *, text: str, now: datetime, attendant: Attendant | None = None) -> Done:
    """A message that a rule sends: no answer, so it neither ends the wait nor counts as an interaction.

    `atendimento` must be locked by the caller, who knows why it is sent.
    Errors: `Conflict` when it is closed; `InvalidInput`.
    """
    with transaction.atomic():
        refuse_closed(atendimento)
        message = _stored(atendimento, text=checked_text(text), now=now, attendant=attendant, is_automatic=True)
        change(atendimento, now=now, last_message=message, last_message_number=message.number)
    return Done(atendimento, message=message, bells=_bells_of(message))


def checked_text(text: str, *, may_be_empty: bool = False) -> str:
    """The text of a message.

    Errors: `InvalidInput` when it is empty, too long, or holds what no database keeps.
    """
    if len(text) > MAX_TEXT:
        raise InvalidInput("Mensagem", _("A mensagem passa de %(most)s caracteres.") % {"most": MAX_TEXT})
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise InvalidInput("Mensagem", _("A mensagem tem um caractere que não pode ser guardado."))
    if not may_be_empty and not text.strip():
        raise InvalidInput("Mensagem", _("A mensagem está vazia."))
    return text


def _take_in(
    atendimento: Atendimento,
    *,
    text: str,
    now: datetime,
    external_id: str = "",
    files: Sequence[NewFile] = (),
) -> Done:
    """The requester's message in a locked, open atendimento."""
    message = _stored(atendimento, text=text, now=now, is_inbound=True, external_id=external_id, files=files)
    waits: dict[str, Any] = {}
    if not atendimento.is_waiting:
        waits = {"is_waiting": True, "waiting_since": now, "auto_replied_at": None}
    change(
        atendimento,
        now=now,
        unread=atendimento.unread + 1,
        requester_at=now,
        reminders=0,
        reminded_at=None,
        last_message=message,
        last_message_number=message.number,
        **waits,
        **(_talk(atendimento, now=now) if atendimento.state in HELD and atendimento.attendant_at else {}),
    )
    return Done(atendimento, message=message, bells=_work_for(atendimento, now=now))


def _with_protocol(done: Done, *, now: datetime) -> Done:
    """The same; the requester of a new atendimento was told its protocol, where the company has a text for it.

    Source: Decreto 11.034/2022, art. 12: the protocol number at the beginning of the contact.
    """
    settings = HelpdeskSettings.objects.filter(company_id=done.atendimento.company_id).exclude(protocol_text="")
    text = settings.values_list("protocol_text", flat=True).first()
    if not text:
        return done
    told = write_automatic(done.atendimento, text=filled_in(text, done.atendimento, now=now), now=now)
    return replace(done, bells=done.bells | told.bells)


def _talk(atendimento: Atendimento, *, now: datetime) -> dict[str, Any]:
    """That requester and person have talked, for whoever wants to reach the requester otherwise.

    A telephone conversation is the call itself, and tells nothing new.
    """
    is_elsewhere = atendimento.platform != Platform.PHONE and not atendimento.is_internal_chat
    return {"reached_at": now} if is_elsewhere else {}


def _work_for(atendimento: Atendimento, *, now: datetime) -> frozenset[Bell]:
    """What has to be done about a requester who just wrote, asked for in the log."""
    if atendimento.state == S.AUTOMATIC and not atendimento.needs_human:
        ask_for_work(atendimento, OccurrenceCategory.FIRST_REPLY, now=now)
        return frozenset({Bell.ANSWER})
    if atendimento.state == S.QUEUED:
        ask_for_work(atendimento, OccurrenceCategory.NO_ATTENDANT, now=now)
        return frozenset({Bell.ASSIGN})
    return frozenset()


def _serve(atendimento: Atendimento, attendant: Attendant, *, now: datetime) -> None:
    """A person answers: whoever holds it serves now; if no person did, the one who writes does."""
    if atendimento.state == S.IN_SERVICE:
        return
    before = (atendimento.attendant, atendimento.responsible_team_id)
    is_held = atendimento.state in HELD
    claims: dict[str, Any] = {}
    if not is_held:
        claims = {
            "attendant": attendant,
            "responsible_attendant": attendant,
            "responsible_team": None,
            "needs_human": atendimento.needs_human or atendimento.state == S.AUTOMATIC,
            "given_at": now,
        }

    def record(_source: str, _to: str) -> None:
        log_occurrence(atendimento, OccurrenceCategory.STARTED, now=now, actor=attendant)

    move(
        atendimento,
        S.IN_SERVICE,
        now=now,
        record=record,
        is_started=True,
        started_at=atendimento.started_at or now,
        flow_step=None,
        **claims,
    )
    if not is_held:
        record_transfer(atendimento, reason=TransferReason.TAKEN, now=now, before=before, by=attendant)
        note_received(attendant, now=now)
    settle_work(atendimento, [OccurrenceCategory.NO_ATTENDANT], status=OccurrenceStatus.DONE, now=now)
    settle_work(atendimento, [OccurrenceCategory.FIRST_REPLY], status=OccurrenceStatus.SKIPPED, now=now)


def _stored(
    atendimento: Atendimento, *, text: str, now: datetime, files: Sequence[NewFile] = (), **fields: Any
) -> Message:
    is_to_leave = not fields.get("is_inbound") and not fields.get("is_internal") and _has_way_out(atendimento)
    message = Message(
        atendimento=atendimento,
        company_id=atendimento.company_id,
        contact_id=atendimento.contact_id,
        platform=atendimento.platform,
        text=text,
        created_at=now,
        updated_at=now,
        delivery=Delivery.PENDING if is_to_leave else Delivery.NONE,
        next_attempt_at=now if is_to_leave else None,
        **fields,
    )
    message.number = next_message_number()
    message.save(force_insert=True)
    if files:
        Attachment.objects.bulk_create(
            Attachment(
                company_id=atendimento.company_id,
                message=message,
                name=file.name[:200],
                extension=file.name.rpartition(".")[2][:16].lower() if "." in file.name else "",
                content_type=file.content_type[:100],
                size=file.size,
                url=file.url,
                file=file.stored_name,
                # Lists are sorted by it, and keep the order in which the files were chosen.
                created_at=now + timedelta(microseconds=place),
            )
            for place, file in enumerate(files)
        )
    return message


def _has_way_out(atendimento: Atendimento) -> bool:
    return atendimento.channel is not None and atendimento.channel.adapter not in _STAYS_HERE


def _bells_of(message: Message) -> frozenset[Bell]:
    return frozenset({Bell.DELIVER}) if message.delivery == Delivery.PENDING else frozenset()


def _heard_before(company_id: int, external_id: str) -> Message | None:
    return Message.objects.select_related("atendimento").filter(company_id=company_id, external_id=external_id).first()
