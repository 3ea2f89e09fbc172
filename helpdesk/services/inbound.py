"""Mail in: each mail of a channel's mailbox becomes one message, however often it is read."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils.translation import gettext as _

from callcenter.lib.errors import DomainError, InvalidInput
from callcenter.lib.secrets import SecretUnreadable
from helpdesk.channels.mail_parsing import Mail, parsed
from helpdesk.channels.mailbox import Mailbox, MailboxClosed
from helpdesk.data import Bell
from helpdesk.models import Atendimento, Channel, Contact
from helpdesk.services.attachments import discard_files, store_file
from helpdesk.services.contacts import contact_at
from helpdesk.services.rows import locked_atendimento
from helpdesk.services.writing import MAX_TEXT, receive_message, receive_message_in, write_system_note
from helpdesk.states import Adapter, Platform

if TYPE_CHECKING:
    from datetime import datetime

    from helpdesk.data import Done, NewFile

log = logging.getLogger(__name__)

_CUT: Final = "…"


def fetch_mail(*, now: datetime) -> tuple[Counter[str], frozenset[Bell]]:
    """How many mails were stored, known before, or left out, and what the caller may ring for. Safe to repeat.

    A mailbox that can't be read stops no other; a mail that can't be stored is marked as seen and logged, so that it
    does not stop those behind it.
    """
    counts, bells = Counter[str](), frozenset[Bell]()
    channels = Channel.objects.select_related("automation").filter(adapter=Adapter.EMAIL, is_active=True)
    for channel in channels.filter(company__is_active=True, settings__has_key="imap_host"):
        try:
            with Mailbox(channel) as mailbox:
                for uid, raw in mailbox.unseen():
                    fate, rung = _taken(channel, raw, now=now)
                    counts[fate] += 1
                    bells |= rung
                    mailbox.mark_seen(uid)
        except (MailboxClosed, SecretUnreadable) as error:
            log.warning("channel %s: its mailbox can't be read now (%s)", channel.hash, error.message)
            counts["closed"] += 1
    return counts, bells


def store_mail(channel: Channel, mail: Mail, *, now: datetime) -> Done:
    """The message that the mail became: in the conversation whose address it was sent to, if the sender is that
    conversation's requester, else in the sender's own.

    Errors: `InvalidInput` for a mail without a sender or anything in it.
    Safe to repeat: its Message-ID is known.
    """
    files, refused = _stored_files(mail, now=now)
    text = _text(mail, refused)
    try:
        done = _received(channel, mail, text, files, now=now)
    except BaseException:
        discard_files(*files)
        raise
    if not done.has_changed:
        discard_files(*files)
    return done


def _received(channel: Channel, mail: Mail, text: str, files: list[NewFile], *, now: datetime) -> Done:
    named = None
    if mail.conversation is not None:
        living = Atendimento.objects.living().select_related("contact", "address")
        named = living.filter(hash=mail.conversation, channel=channel).first()
    if named is not None and _is_of(named, mail.sender):
        return receive_message_in(
            named.pk, scope=[channel.company_id], text=text, now=now, external_id=mail.external_id, files=files
        )
    address = contact_at(
        channel.company_id, platform=Platform.EMAIL, address=mail.sender, now=now, name=mail.sender_name
    )
    if mail.sender_name:
        Contact.objects.filter(pk=address.contact_id, name="").update(name=mail.sender_name)
    with transaction.atomic():
        done = receive_message(
            address.contact,
            channel,
            text=text,
            now=now,
            address=address,
            external_id=mail.external_id,
            files=files,
            title=mail.subject,
        )
        if named is not None and done.has_changed:
            _tell_of_address(done.atendimento, named, mail.sender, now=now)
    return done


def _is_of(atendimento: Atendimento, sender: str) -> bool:
    """Whether that sender is the conversation's requester, by any of the addresses that we know of them.

    Who was copied in, or got the mail passed on, knows the address too, and must not speak in the requester's name.
    """
    contact = atendimento.contact
    if contact is None or not sender:
        return False
    if sender in {contact.email.lower(), atendimento.address.address.lower() if atendimento.address else ""}:
        return True
    return contact.addresses.filter(platform=Platform.EMAIL, address=sender).exists()


def _tell_of_address(atendimento: Atendimento, named: Atendimento, sender: str, *, now: datetime) -> None:
    """Note for people that the mail was sent to the address of somebody else's conversation."""
    text = _(
        "E-mail de %(sender)s enviado ao endereço do atendimento %(protocol)s, que é de outro solicitante. "
        "Se for a mesma pessoa, acrescente o endereço ao contato dela."
    ) % {"sender": sender, "protocol": named.protocol}
    write_system_note(locked_atendimento(atendimento.pk, scope=None), text=text, now=now)


def _taken(channel: Channel, raw: bytes, *, now: datetime) -> tuple[str, frozenset[Bell]]:
    """What became of one mail."""
    if not raw:
        log.warning("channel %s: a mail was too large to be read", channel.hash)
        return "refused", frozenset()
    try:
        mail = parsed(raw)
        if mail.is_automatic:
            return "automatic", frozenset()
        done = store_mail(channel, mail, now=now)
    except DomainError as error:
        log.warning("channel %s: a mail was refused (%s)", channel.hash, error.code)
        return "refused", frozenset()
    return ("stored" if done.has_changed else "known"), done.bells


def _stored_files(mail: Mail, *, now: datetime) -> tuple[list[NewFile], list[str]]:
    """The mail's files that may be kept, and the names of those that may not."""
    files: list[NewFile] = []
    refused: list[str] = []
    for file in mail.files:
        try:
            files.append(store_file(file.name, file.content, now=now))
        except InvalidInput:
            refused.append(file.name[:80])
    return files, refused


def _text(mail: Mail, refused: list[str]) -> str:
    text = mail.text if len(mail.text) < MAX_TEXT - 2000 else mail.text[: MAX_TEXT - 2000] + _CUT
    if refused:
        names = ", ".join(refused)
        text = "\n\n".join(
            part for part in (text, _("Anexos que não são aceitos: %(names)s") % {"names": names}) if part
        )
    return text or mail.subject
