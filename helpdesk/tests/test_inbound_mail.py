"""Mail in and out over a real server program: threads close, nothing is taken twice, bad mail stops nobody."""

from __future__ import annotations

from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from callcenter.lib.addresses import networks_of
from callcenter.tests.factories import make_company
from helpdesk.channels.mail_parsing import parsed, without_quotes
from helpdesk.models import ContactAddress, Message
from helpdesk.services.delivery import attempt_delivery, claim_due_messages
from helpdesk.services.inbound import fetch_mail
from helpdesk.services.writing import write_reply
from helpdesk.simulators.mail import MailServer, Stored
from helpdesk.states import Adapter, Delivery, Platform
from helpdesk.tests.factories import make_attendant, make_channel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from helpdesk.models import Channel

pytestmark = pytest.mark.django_db

MAILBOX = "ajuda@loja.example"
MARIA = "Maria Silva <maria@exemplo.example>"


@pytest.fixture
def server(settings: Any, tmp_path: Path) -> Iterator[MailServer]:
    settings.WEBHOOK_ALLOWED_NETWORKS = networks_of(["127.0.0.0/8"])
    settings.MEDIA_ROOT = tmp_path / "media"
    with MailServer() as running:
        yield running


@pytest.fixture
def channel(server: MailServer) -> Channel:
    there = {"smtp_host": "127.0.0.1", "smtp_port": server.smtp_port, "smtp_security": ""}
    there |= {"imap_host": "127.0.0.1", "imap_port": server.imap_port, "imap_security": "", "imap_user": "ajuda"}
    return make_channel(
        make_company(), Platform.EMAIL, adapter=Adapter.EMAIL, reference_code=MAILBOX, settings=there, secret="s3cret"
    )


def letter(
    text: str, *, to: str = MAILBOX, sender: str = "Maria Silva <maria@exemplo.example>", **headers: str
) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, "Pedido atrasado"
    mail["Message-ID"] = headers.pop("message_id", "<1@exemplo.example>")
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail.as_bytes()


def fetch() -> dict[str, int]:
    return dict(fetch_mail(now=timezone.now())[0])


def test_a_conversation_by_mail_from_the_first_letter_to_the_answer_of_an_answer(
    server: MailServer, channel: Channel
) -> None:
    server.mails.append(Stored(letter("Cadê o meu pedido?")))
    assert fetch() == {"stored": 1}
    question = Message.objects.get()
    assert (question.text, question.atendimento.title) == ("Cadê o meu pedido?", "Pedido atrasado")
    assert question.atendimento.contact is not None
    assert question.atendimento.contact.name == "Maria Silva"

    person = make_attendant(channel.company)
    done = write_reply(question.atendimento_id, person, scope=None, text="Chega amanhã.", now=timezone.now())
    for claim in claim_due_messages(now=timezone.now(), limit=5, held={}):
        attempt_delivery(claim)
    assert Message.objects.get(pk=done.message.pk).delivery == Delivery.SENT  # type: ignore[union-attr]
    sent = server.mails[-1]
    assert sent.recipients == ["maria@exemplo.example"]
    reply_to = parsed(sent.content).conversation, question.atendimento.hash
    assert reply_to[0] is None
    answer_to = sent.content.decode().partition("Reply-To: ")[2].splitlines()[0]
    sent.seen = True

    # From another address that the contact has: where it is sent to counts.
    ContactAddress.objects.create(
        company=channel.company, contact=question.atendimento.contact, platform=Platform.EMAIL,
        address="m@outra.example",
    )  # fmt: skip
    quoted = "Obrigada!\n\nEm seg., 9 de mar. de 2026, Loja <ajuda@loja.example> escreveu:\n> Chega amanhã."
    server.mails.append(Stored(letter(quoted, to=answer_to, sender="m@outra.example", message_id="<2@outra.example>")))
    assert fetch() == {"stored": 1}
    last = Message.objects.order_by("number").last()
    assert last is not None
    assert (last.text, last.atendimento_id) == ("Obrigada!", question.atendimento_id)


def test_a_stranger_who_knows_a_conversations_address_does_not_speak_in_it(
    server: MailServer, channel: Channel
) -> None:
    server.mails.append(Stored(letter("Cadê o meu pedido?")))
    fetch()
    theirs = Message.objects.get().atendimento
    forwarded = letter(
        "Cancele o pedido",
        to=f"ajuda+{theirs.hash.hex}@loja.example",
        sender="Eva <eva@mal.example>",
        message_id="<6@x>",
    )
    server.mails += [Stored(forwarded), Stored(forwarded.replace(b"eva@mal.example", b"", 1))]
    assert fetch() == {"stored": 1, "refused": 1}
    assert list(theirs.messages.values_list("text", flat=True)) == ["Cadê o meu pedido?"]
    said, note = Message.objects.exclude(atendimento=theirs).order_by("number")
    assert (said.text, said.contact and said.contact.email) == ("Cancele o pedido", "eva@mal.example")
    assert (note.is_internal, theirs.protocol in note.text, "eva@mal.example" in note.text) == (True, True, True)
    # Seen again, nothing is said twice.
    server.mails[1].seen = False
    assert fetch() == {"known": 1}
    assert Message.objects.count() == 3


def test_a_mail_that_is_seen_again_is_stored_once(server: MailServer, channel: Channel) -> None:
    server.mails += [Stored(letter("Oi")), Stored(letter("Oi"))]
    assert fetch() == {"stored": 1, "known": 1}
    server.mails[0].seen = False
    assert fetch() == {"known": 1}
    assert Message.objects.count() == 1


def test_files_come_along_and_those_that_may_not_are_named(server: MailServer, channel: Channel) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Message-ID"] = "maria@exemplo.example", MAILBOX, "<3@exemplo.example>"
    mail.set_content("Segue")
    mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="nota fiscal.pdf")
    mail.add_attachment(b"MZ", maintype="application", subtype="octet-stream", filename="virus.exe")
    server.mails.append(Stored(mail.as_bytes()))
    fetch()
    message = Message.objects.get()
    assert [(file.name, file.size) for file in message.attachments.all()] == [("nota fiscal.pdf", 4)]
    assert "virus.exe" in message.text


def test_programs_get_no_answer_and_bad_mail_stops_nobody(server: MailServer, channel: Channel) -> None:
    server.mails += [
        Stored(letter("Estou de férias", message_id="<4@x>", Auto_Submitted="auto-replied")),
        Stored(b"From: \r\nSubject: nada\r\n\r\noi"),
        Stored(b"\xff\xfe garbage without an end"),
        Stored(letter("Eu sou gente", message_id="<5@exemplo.example>")),
    ]
    assert fetch() == {"automatic": 1, "refused": 2, "stored": 1}
    assert Message.objects.get().text == "Eu sou gente"
    assert all(mail.seen for mail in server.mails)


def test_a_mailbox_that_is_shut_is_counted_and_tried_again(server: MailServer, channel: Channel) -> None:
    server.mails.append(Stored(letter("Oi")))
    channel.secret = "wrong"
    channel.save(update_fields=["secret"])
    assert fetch() == {"closed": 1}
    channel.secret = "right"
    channel.save(update_fields=["secret"])
    assert fetch() == {"stored": 1}


def test_a_mail_server_inside_our_network_is_out_of_reach(server: MailServer, channel: Channel, settings: Any) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    server.mails.append(Stored(letter("Oi")))
    assert fetch() == {"closed": 1}
    assert not server.mails[0].seen


@pytest.mark.parametrize(
    "text",
    [
        "Sim.\n\nOn Mon, 9 Mar 2026 at 12:00, Loja\n<ajuda@loja.example> wrote:\n> Certo?",
        "Sim.\n\n-----Mensagem original-----\nDe: Loja",
        "Sim.\n\nDe: Loja\nEnviada em: segunda-feira\nPara: Maria",
        "Sim.\n-- \nMaria Silva\nDiretora",
        "Sim.\n> Certo?\n> Ou não?",
    ],
)
def test_what_is_answered_is_left_out(text: str) -> None:
    assert without_quotes(text) == "Sim."


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (
            b"From: a@b.example\nContent-Type: text/html\n\n<style>x{}</style><p>Oi&amp;tchau</p><script>1</script>",
            "Oi&tchau",
        ),
        (b"From: a@b.example\nContent-Type: text/plain; charset=nonsense\n\nOl\xc3\xa1", "Olá"),
        (b"From: a@b.example\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\nsem fim", "sem fim"),
        (b"From: a@b.example\nContent-Transfer-Encoding: base64\n\n!!!nope", None),
        (b"", None),
    ],
)
def test_broken_mime_is_read_as_far_as_it_goes(raw: bytes, text: str | None) -> None:
    found = parsed(raw)
    assert text is None or found.text == text
