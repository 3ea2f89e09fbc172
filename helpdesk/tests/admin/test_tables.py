"""The tables around the conversations: secrets that only go in, tokens shown once, flows that are tried out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse
from django.utils import timezone

from callcenter.tests.factories import make_company, make_supervisor, make_user
from helpdesk.models import ApiToken, Appointment, Attendant, Channel, Contact, ContactAddress, FlowStep, Message
from helpdesk.selectors.tokens import token_rights
from helpdesk.services.companies import helpdesk_of
from helpdesk.services.occurrences import log_occurrence
from helpdesk.states import OccurrenceCategory, Platform
from helpdesk.tests.factories import make_attendant, make_channel, make_flow, make_settings
from helpdesk.tests.scenes import asked

if TYPE_CHECKING:
    from django.test import Client

    from callcenter.accounts.models import Company, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def company() -> Company:
    return make_company("Loja Aurora")


@pytest.fixture
def admin_user(company: Company, client: Client) -> User:
    user = make_user(company)
    client.force_login(user)
    return user


def change(name: str, pk: Any) -> str:
    return reverse(f"admin:helpdesk_{name}_change", args=[pk])


@pytest.mark.usefixtures("admin_user")
def test_a_channels_secret_goes_in_and_never_comes_out(client: Client, company: Company) -> None:
    channel = make_channel(company, Platform.WHATSAPP)
    fields = {
        "title": channel.title, "reference_code": channel.reference_code, "is_active": "on", "adapter": "webhook",
        "secret": "whsec_do-not-show",
    }  # fmt: skip
    assert client.post(change("channel", channel.pk), fields).status_code == 302
    assert Channel.objects.get(pk=channel.pk).secret == "whsec_do-not-show"
    assert "do-not-show" not in client.get(change("channel", channel.pk)).content.decode()
    client.post(change("channel", channel.pk), {**fields, "secret": "", "title": "Outro"})
    assert Channel.objects.get(pk=channel.pk).secret == "whsec_do-not-show"


@pytest.mark.usefixtures("admin_user")
def test_a_channels_settings_are_fields_and_keep_what_no_field_is_for(client: Client, company: Company) -> None:
    channel = make_channel(company, adapter="site_chat", settings={"demo": True, "origins": ["https://a.example"]})
    fields = {"title": "Site", "reference_code": "site", "is_active": "on", "adapter": "site_chat"}
    assert "https://a.example</textarea>" in client.get(change("channel", channel.pk)).content.decode()
    refused = client.post(change("channel", channel.pk), {**fields, "origins": "https://a.example\nloja"})
    assert "“loja” não é o endereço de um site" in refused.content.decode()
    client.post(change("channel", channel.pk), {**fields, "origins": "https://a.example/\n\nhttps://b.example:8443"})
    assert Channel.objects.get(pk=channel.pk).settings == {
        "demo": True, "origins": ["https://a.example", "https://b.example:8443"],
    }  # fmt: skip
    added = client.post(
        reverse("admin:helpdesk_channel_add"),
        {**fields, "company": company.pk, "platform": "2", "reference_code": "w", "adapter": "webhook",
         "url": "https://gateway.example/enviar", "smtp_security": "starttls", "imap_security": "ssl"},
    )  # fmt: skip
    assert added.status_code == 302
    assert Channel.objects.get(reference_code="w").settings == {"url": "https://gateway.example/enviar"}


@pytest.mark.usefixtures("admin_user")
def test_a_stored_password_goes_to_no_other_mail_server(client: Client, company: Company) -> None:
    there = {"smtp_host": "smtp.loja.example", "imap_host": "imap.loja.example"}
    channel = make_channel(company, Platform.EMAIL, adapter="email", settings=there, secret="s3nha")
    fields = {
        "title": "E-mail", "reference_code": "ajuda@loja.example", "is_active": "on", "adapter": "email",
        "smtp_host": "smtp.loja.example", "smtp_security": "starttls", "imap_host": "imap.loja.example",
        "imap_security": "ssl", "secret": "",
    }  # fmt: skip
    assert client.post(change("channel", channel.pk), {**fields, "title": "Correio"}).status_code == 302
    for name, value in (("smtp_host", "mal.example"), ("imap_host", "mal.example"), ("imap_security", "")):
        refused = client.post(change("channel", channel.pk), {**fields, name: value})
        assert "digite a senha de novo" in refused.content.decode()
    assert client.post(change("channel", channel.pk), {**fields, "smtp_host": "novo.example", "secret": "outra"})
    stored = Channel.objects.get(pk=channel.pk)
    assert (stored.title, stored.settings["smtp_host"], stored.secret) == ("E-mail", "novo.example", "outra")
    # Nor does a webhook's secret become a password.
    signed = make_channel(company, Platform.OTHER, adapter="webhook", settings=there, secret="whsec_x")
    moved = client.post(change("channel", signed.pk), {**fields, "reference_code": "x"})
    assert "digite a senha de novo" in moved.content.decode()


def test_a_token_is_shown_once_and_can_be_revoked(client: Client, company: Company, admin_user: User) -> None:
    helpdesk_of(company)
    fields = {"user": admin_user.pk, "name": "ERP", "companies": [company.pk], "expires_at_0": "", "expires_at_1": ""}
    shown = client.post(reverse("admin:helpdesk_apitoken_add"), fields)
    token = ApiToken.objects.get()
    secret = shown.context["secret"]
    assert "no-store" in shown.headers["Cache-Control"]
    assert secret in shown.content.decode()
    assert secret not in client.get(change("apitoken", token.pk)).content.decode()
    assert token_rights(secret, now=timezone.now()) is not None
    address = reverse("admin:helpdesk_apitoken_changelist")
    client.post(address, {"action": "revoke_selected", "_selected_action": [token.pk]})
    assert token_rights(secret, now=timezone.now()) is None


@pytest.mark.usefixtures("admin_user")
def test_a_pause_needs_a_reason_and_is_kept(client: Client, company: Company) -> None:
    person = make_attendant(company, "Bia")
    fields = {
        "name": "Bia", "email": "", "user": "", "flow": "", "image_url": "", "presence": "paused", "capacity": "5",
        "is_active": "on", "working_hours-TOTAL_FORMS": "0", "working_hours-INITIAL_FORMS": "0",
        "pauses-TOTAL_FORMS": "0", "pauses-INITIAL_FORMS": "0",
    }  # fmt: skip
    refused = client.post(change("attendant", person.pk), fields)
    assert "Diga o motivo da pausa" in refused.content.decode()
    assert client.post(change("attendant", person.pk), {**fields, "pause_reason": "almoço"}).status_code == 302
    assert Attendant.objects.get(pk=person.pk).presence == "paused"
    assert person.pauses.get(ended_at=None).reason == "almoço"


@pytest.mark.usefixtures("admin_user")
def test_a_flow_is_tried_out_and_its_faults_are_named(client: Client, company: Company) -> None:
    flow = make_flow(company, "Bem-vindo!", "Qual o pedido?")
    FlowStep.objects.create(flow=flow, company=company, position=9, title="Perdido", text="Ninguém chega aqui")
    page = client.get(change("botflow", flow.pk), {"respostas": "1\nfalar com uma pessoa"}).content.decode()
    assert page.count("message--theirs") == 2
    assert "O bot passa a uma pessoa." in page
    assert "Perdido: não é alcançado" in page


@pytest.mark.usefixtures("admin_user")
def test_addresses_are_kept_as_they_are_compared_and_belong_to_one_contact(client: Client, company: Company) -> None:
    ana = Contact.objects.create(company=company, name="Ana")
    rui = Contact.objects.create(company=company, name="Rui")

    def save(contact: Contact, number: str) -> Any:
        return client.post(
            change("contact", contact.pk),
            {
                "name": contact.name, "addresses-TOTAL_FORMS": "1", "addresses-INITIAL_FORMS": "0",
                "addresses-0-platform": "2", "addresses-0-address": number,
            },
        )  # fmt: skip

    assert save(ana, "(11) 98765-4321").status_code == 302
    assert ContactAddress.objects.get().address == "+5511987654321"
    assert "já é de outro contato" in save(rui, "11987654321").content.decode()


def test_a_row_of_another_company_is_refused_also_where_both_are_seen(client: Client, company: Company) -> None:
    client.force_login(make_user())
    channel, stranger = make_channel(company), make_attendant(make_company(), "Estranho", kind=2)
    refused = client.post(
        change("channel", channel.pk),
        {
            "title": "x", "reference_code": "x", "is_active": "on", "adapter": "none",
            "automation": str(stranger.pk),
        },
    )  # fmt: skip
    assert "É de outra empresa" in refused.content.decode()


def test_a_new_conversation_is_told_its_protocol_at_once(company: Company) -> None:
    make_settings(company, protocol_text="Seu protocolo é {protocolo}.")
    atendimento = asked(company, "Oi")
    told = Message.objects.get(is_automatic=True)
    assert told.text == f"Seu protocolo é {atendimento.protocol}."
    assert atendimento.is_waiting
    asked(company, "Oi de novo", contact=atendimento.contact, channel=atendimento.channel)
    assert Message.objects.filter(is_automatic=True).count() == 1


def test_staff_begin_a_conversation_with_a_contact(client: Client, company: Company) -> None:
    client.force_login(make_supervisor(company, first_name="Marta"))
    contact, channel = Contact.objects.create(company=company, name="Ana"), make_channel(company)
    address = reverse("admin:helpdesk_atendimento_add")
    assert client.get(address, {"contact": str(contact.pk)}).status_code == 200
    made = client.post(address, {"contact": str(contact.pk), "channel": str(channel.pk), "title": "Retorno"})
    assert made.status_code == 302
    row = contact.atendimentos.get()
    assert made.headers["Location"] == change("atendimento", row.pk)
    assert (row.title, row.attendant and row.attendant.name, row.company_number) == ("Retorno", "Marta", 1)


@pytest.mark.usefixtures("admin_user")
def test_a_day_has_both_times_or_none_and_an_appointment_its_time_alone(client: Client, company: Company) -> None:
    day = {"company": company.pk, "on": "24/12/2026", "name": "Véspera", "opens_at": "08:00", "closes_at": ""}
    refused = client.post(reverse("admin:helpdesk_specialday_add"), day).content.decode()
    assert "Preencha os dois horários" in refused
    assert "special_day_both" not in refused
    person, add = make_attendant(company, "Bia"), reverse("admin:helpdesk_appointment_add")
    fields = {
        "company": company.pk, "attendant": person.pk, "contact": "", "title": "Retorno", "starts_at_0": "10/03/2027",
        "starts_at_1": "10:00", "ends_at_0": "10/03/2027", "ends_at_1": "10:30",
    }  # fmt: skip
    assert "O término vem depois" in client.post(add, {**fields, "ends_at_1": "09:00"}).content.decode()
    assert client.post(add, fields).status_code == 302
    overlapping = client.post(add, {**fields, "starts_at_1": "10:15", "ends_at_1": "10:45"}).content.decode()
    assert "Bia já tem um compromisso de 10/03/2027 10:00" in overlapping
    row = Appointment.objects.get()
    address = reverse("admin:helpdesk_appointment_changelist")
    client.post(address, {"action": "cancel_selected", "_selected_action": [str(row.pk)]})
    row.refresh_from_db()
    assert row.cancelled_at is not None
    assert client.post(add, fields).status_code == 302


@pytest.mark.usefixtures("admin_user")
def test_the_log_says_what_a_person_can_use_and_shows_no_codes(client: Client, company: Company) -> None:
    atendimento = asked(company)
    entry = log_occurrence(
        atendimento, OccurrenceCategory.DELIVERY_FAILED, now=timezone.now(), message_hash="4f1d-secret-code",
        error="blocked", tries=7, reason="no_answer_next",
    )  # fmt: skip
    page = client.get(change("occurrence", entry.pk)).content.decode()
    for words in ("Erro: o endereço leva para dentro", "Tentativas: 7", "Sem resposta: passou ao próximo disponível"):
        assert words in page
    assert "4f1d-secret-code" not in page
    assert reverse("admin:helpdesk_atendimento_change", args=[atendimento.pk]) in page
