"""Files that staff send: from the composer to the visitor, by mail and to gateways; those of notes stay inside."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.core import mail
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from callcenter.tests.factories import make_attendant, make_company
from helpdesk.channels.webhook import payload
from helpdesk.models import Attachment, Message
from helpdesk.services import delivery
from helpdesk.services.attachments import MOST_FILES, signed_links
from helpdesk.services.delivery import attempt_delivery, claim_due_messages
from helpdesk.states import Adapter, Platform
from helpdesk.tests.admin.test_conversation_page import page_of, press
from helpdesk.tests.factories import make_channel, make_contact
from helpdesk.tests.scenes import asked

if TYPE_CHECKING:
    from pathlib import Path

    from callcenter.accounts.models import Company
    from helpdesk.channels.base import Outgoing

pytestmark = pytest.mark.django_db


@pytest.fixture
def company(client: Client, settings: Any, tmp_path: Path) -> Company:
    """A company, one of whose attendants is logged in."""
    settings.MEDIA_ROOT = tmp_path
    made = make_company("Loja Aurora")
    client.force_login(make_attendant(made, email="bia@example.com", first_name="Bia"))
    return made


def upload(name: str = "nota.pdf", content: bytes = b"%PDF-1.7 nota") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def stored() -> list[str]:
    """Every file below the storage's folder."""
    folders, names = [""], []
    while folders:
        folder = folders.pop()
        inner, files = default_storage.listdir(folder) if default_storage.exists(folder or ".") else ([], [])
        folders += [f"{folder}/{one}".strip("/") for one in inner]
        names += files
    return names


def test_several_files_of_a_reply_reach_the_visitor_and_those_of_a_note_do_not(
    client: Client, company: Company
) -> None:
    chat = make_channel(company, Platform.SITE_CHAT, adapter=Adapter.SITE_CHAT)
    atendimento = asked(company, channel=chat)
    press(client, atendimento, "reply", text="Segue", files=[upload(), upload("../../foto.JPG", b"\xff\xd8")])
    press(client, atendimento, "note", text="", files=[upload("margem.xlsx", b"PK")])
    reply, note = Message.objects.filter(is_inbound=False).order_by("number")
    assert [file.name for file in reply.attachments.all()] == ["nota.pdf", "foto.JPG"]
    page = client.get(page_of(atendimento)).content.decode()
    assert all(name in page for name in ("nota.pdf", "foto.JPG", "margem.xlsx"))
    visitor = Client()
    shown = visitor.get(f"/chat/{atendimento.hash}/mensagens").json()["mensagens"]
    assert [[file["nome"] for file in one["anexos"]] for one in shown] == [[], ["nota.pdf", "foto.JPG"]]
    sent, kept = reply.attachments.first(), note.attachments.get()
    assert sent is not None
    got = visitor.get(f"/chat/{atendimento.hash}/arquivos/{sent.hash}")
    assert b"".join(got) == b"%PDF-1.7 nota"
    assert visitor.get(f"/chat/{atendimento.hash}/arquivos/{kept.hash}").status_code == 404
    # Not even by a link that is signed for it; staff get it on the page.
    assert visitor.get(signed_links([kept])[0]).status_code == 404
    assert visitor.get(reverse("admin:helpdesk_attachment", args=[kept.hash])).status_code == 302
    inside = client.get(reverse("admin:helpdesk_attachment", args=[kept.hash]))
    assert (b"".join(inside), inside.headers["X-Content-Type-Options"]) == (b"PK", "nosniff")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([upload(), upload("virus.exe", b"MZ")], "“virus.exe”: Este tipo de arquivo não é aceito."),
        ([upload("vazio.pdf", b"")], "“vazio.pdf”: O arquivo está vazio."),
        ([upload("grande.pdf", b"x" * 2049)], "“grande.pdf”: O arquivo passa de"),
        ([upload(f"{at}.pdf") for at in range(MOST_FILES + 1)], "São no máximo 10 arquivos por mensagem."),
    ],
)
def test_what_may_not_be_sent_is_said_and_nothing_is_kept(
    client: Client, company: Company, settings: Any, files: list[SimpleUploadedFile], said: str
) -> None:
    settings.ATTACHMENT_MAX_BYTES = 2048
    atendimento = asked(company)
    for file in files:
        file.seek(0)
    refused = press(client, atendimento, "reply", text="Segue o contrato", files=files)
    page = refused.content.decode()
    assert refused.status_code == 400
    assert said in page
    assert "escolha os arquivos de novo" in page
    assert "Segue o contrato</textarea>" in page
    assert (Message.objects.filter(is_inbound=False).count(), Attachment.objects.count(), stored()) == (0, 0, [])


def test_files_of_a_refused_reply_are_not_kept_and_a_message_for_later_takes_none(
    client: Client, company: Company
) -> None:
    atendimento = asked(company)
    press(client, atendimento, "close")
    assert press(client, atendimento, "reply", text="Oi", files=[upload()]).status_code == 409
    refused = press(client, atendimento, "schedule", text="Oi", due_at="2999-01-01T10:00", files=[upload()])
    assert "não leva arquivos" in refused.content.decode()
    assert stored() == []


def test_a_file_goes_along_by_mail(client: Client, company: Company) -> None:
    channel = make_channel(company, Platform.EMAIL, adapter=Adapter.EMAIL, reference_code="ajuda@loja.example")
    contact = make_contact(company, address=(Platform.EMAIL, "maria@exemplo.example"))
    atendimento = asked(company, contact=contact, channel=channel, address=contact.addresses.get())
    press(client, atendimento, "reply", text="Segue", files=[upload()])
    for claim in claim_due_messages(now=Message.objects.latest("number").created_at, limit=5, held={}):
        attempt_delivery(claim)
    (sent,) = mail.outbox
    assert sent.attachments == [("nota.pdf", b"%PDF-1.7 nota", "application/pdf")]


def test_a_gateway_gets_a_link_that_opens_for_a_week(
    client: Client, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = make_channel(company, Platform.WHATSAPP, adapter=Adapter.WEBHOOK)
    contact = make_contact(company, address=(Platform.WHATSAPP, "+5511999990001"))
    atendimento = asked(company, contact=contact, channel=channel, address=contact.addresses.get())
    press(client, atendimento, "reply", text="", files=[upload()])
    bodies: list[dict[str, Any]] = []

    def send(outgoing: Outgoing) -> None:
        bodies.append(json.loads(json.dumps(payload(outgoing))))

    monkeypatch.setitem(delivery._SENDERS, Adapter.WEBHOOK, send)
    for claim in claim_due_messages(now=Message.objects.latest("number").created_at, limit=5, held={}):
        attempt_delivery(claim)
    (file,) = bodies[0]["data"]["anexos"]
    assert (file["nome"], file["tipo"], file["tamanho"]) == ("nota.pdf", "application/pdf", 13)
    assert b"".join(Client().get(file["url"])) == b"%PDF-1.7 nota"
