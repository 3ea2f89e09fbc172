"""Mail out: one thread per conversation, whose answers find their way back by the address they are sent to."""

from __future__ import annotations

import smtplib
import uuid
from email.utils import formataddr
from typing import TYPE_CHECKING, Final

from django.core.mail import BadHeaderError, EmailMessage
from django.utils.translation import gettext as _

from callcenter.lib.outbound import OutboundError
from helpdesk.channels.base import NotDelivered
from helpdesk.channels.mail_servers import outgoing_server
from helpdesk.models import Message

if TYPE_CHECKING:
    from helpdesk.channels.base import Outgoing
    from helpdesk.models import Attachment, Channel

# In front of a Message-ID where it is the external id of a message.
EXTERNAL: Final = "mail:"
# So many of a thread's ids are named; more says nothing new to a mail program.
MOST_REFERENCES: Final = 10
# What may be attached in all; the rest goes as links.
MOST_ATTACHED_BYTES: Final = 15 * 1024 * 1024


def send(outgoing: Outgoing) -> None:
    """Nothing; the mail server has taken the message.

    Errors: `NotDelivered`. Safe to repeat: the Message-ID stays the message's.
    """
    if not outgoing.address:
        raise NotDelivered(_("sem endereço de e-mail"), permanent=True)
    mail = composed(outgoing)
    outgoing.renew()
    _hand_over(mail, outgoing.channel)


def send_test(channel: Channel, to: str) -> None:
    """Nothing; the mail server has taken a mail that says that it is a test.

    Errors: `NotDelivered`.
    """
    mailbox = mailbox_of(channel)
    title = _one_line(channel.title)
    mail = EmailMessage(
        subject=_("Teste do canal %(channel)s") % {"channel": title},
        body=_("Este é um teste do canal “%(channel)s”. Se você o recebeu, as mensagens dele saem.")
        % {"channel": title},
        from_email=formataddr((title, mailbox)),
        to=[to],
        headers={"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
    )
    _hand_over(mail, channel)


def _hand_over(mail: EmailMessage, channel: Channel) -> None:
    try:
        mail.connection = outgoing_server(channel)
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _text in error.recipients.values()]
        raise NotDelivered(_("destinatário recusado"), permanent=all(code >= 500 for code in codes)) from error
    except smtplib.SMTPResponseException as error:
        # 535 and its like are about us, and mended by people; the message can wait.
        is_final = 550 <= error.smtp_code <= 559
        raise NotDelivered(f"SMTP {error.smtp_code}", permanent=is_final) from error
    except BadHeaderError as error:
        raise NotDelivered(_("cabeçalho inválido"), permanent=True) from error
    except OutboundError as error:
        raise NotDelivered(str(error.failure)) from error
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise NotDelivered(_("servidor de e-mail sem resposta")) from error


def composed(outgoing: Outgoing) -> EmailMessage:
    """The mail: answers go to the mailbox with the conversation's hash in it; the thread's ids are named."""
    message, atendimento, channel = outgoing.message, outgoing.atendimento, outgoing.channel
    mailbox = mailbox_of(channel)
    references = _references(outgoing)
    headers = {
        "Message-ID": message_id(message.hash, mailbox),
        "Reply-To": reply_address(mailbox, atendimento.hash),
        # Programs that answer by themselves should not answer a program.
        **({"Auto-Submitted": "auto-replied", "X-Auto-Response-Suppress": "All"} if message.is_automatic else {}),
    }
    if references:
        headers |= {"In-Reply-To": references[-1], "References": " ".join(references)}
    title = _one_line(atendimento.title) or _("Atendimento")
    prefix = "Re: " if references and not title.lower().startswith("re:") else ""
    mail = EmailMessage(
        subject=f"{prefix}{title} [{atendimento.protocol}]",
        body=_body(outgoing),
        from_email=formataddr((_one_line(channel.title), mailbox)),
        to=[outgoing.address],
        headers=headers,
    )
    for file in attached(outgoing):
        with file.file.open("rb") as opened:
            mail.attach(file.name, opened.read(), file.content_type or "application/octet-stream")
    return mail


def mailbox_of(channel: Channel) -> str:
    """The channel's own address: what its settings say, else its reference code.

    Errors: `NotDelivered` when that is none.
    """
    mailbox = str(channel.settings.get("from") or channel.reference_code).strip()
    if "@" not in mailbox or any(letter.isspace() for letter in mailbox):
        raise NotDelivered(_("o canal não tem endereço de e-mail"), permanent=True)
    return mailbox


def reply_address(mailbox: str, key: uuid.UUID) -> str:
    """The mailbox's address for answers to that conversation (RFC 5233)."""
    name, _at, domain = mailbox.rpartition("@")
    return f"{name}+{key.hex}@{domain}"


def conversation_in(address: str) -> uuid.UUID | None:
    """The hash that an address of ours carries."""
    detail = address.rpartition("@")[0].rpartition("+")[2]
    try:
        return uuid.UUID(detail) if len(detail) == 32 else None
    except ValueError:
        return None


def message_id(key: uuid.UUID, mailbox: str) -> str:
    """The Message-ID of a message of ours, the same at each try."""
    return f"<{key.hex}@{mailbox.rpartition('@')[2]}>"


def attached(outgoing: Outgoing) -> list[Attachment]:
    """The stored files that fit into the mail."""
    room = MOST_ATTACHED_BYTES
    found: list[Attachment] = []
    for file in outgoing.attachments:
        if file.file and file.size <= room:
            room -= file.size
            found.append(file)
    return found


def _body(outgoing: Outgoing) -> str:
    text = outgoing.message.text
    inside = {file.pk for file in attached(outgoing)}
    links = [
        f"{file.name}: {link}"
        for file, link in zip(outgoing.attachments, outgoing.links, strict=True)
        if file.pk not in inside
    ]
    return "\n\n".join(part for part in (text, "\n".join(links)) if part)


def _references(outgoing: Outgoing) -> list[str]:
    """The Message-IDs of what was said before, oldest first."""
    mailbox = mailbox_of(outgoing.channel)
    earlier = Message.objects.filter(
        atendimento=outgoing.atendimento, is_internal=False, number__lt=outgoing.message.number
    )
    newest = earlier.order_by("-number").values_list("is_inbound", "external_id", "hash")[:MOST_REFERENCES]
    ids = [
        external_id.removeprefix(EXTERNAL) if is_inbound else message_id(key, mailbox)
        for is_inbound, external_id, key in newest
        if not is_inbound or external_id.startswith(f"{EXTERNAL}<")
    ]
    return [_one_line(one) for one in reversed(ids)]


def _one_line(text: str) -> str:
    return " ".join(text.split())
