"""CriarPorContato, EnviarMensagem, AgendarMensagem."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from callcenter.tests.factories import make_company
from helpdesk.models import Atendimento, Contact, Message, Occurrence, ScheduledMessage
from helpdesk.services import closing, taking
from helpdesk.states import OccurrenceCategory, OccurrenceStatus, Platform, S
from helpdesk.tests.factories import make_attendant, make_bot, make_channel, make_contact, make_flow, make_ia
from helpdesk.tests.scenes import asked, opened, reread
from helpdesk.tests.tempbox.api import Program

pytestmark = pytest.mark.django_db

WHATSAPP = Platform.WHATSAPP.value


@pytest.mark.conforms("TB-criar")
def test_a_contact_is_named_by_id_hash_or_address(program: Program) -> None:
    make_channel(program.company, Platform.WHATSAPP)
    contact = make_contact(program.company, address=(Platform.WHATSAPP, "+5511987654321"))
    for name in (str(contact.pk), str(contact.hash), "(11) 98765-4321"):
        program.call("CriarPorContato", {"Contato": name, "Plataforma": WHATSAPP})
    atendimento = Atendimento.objects.get()
    assert (atendimento.contact, atendimento.state, atendimento.is_waiting) == (contact, S.QUEUED, False)
    assert atendimento.created_by is not None
    assert atendimento.created_by.user == program.user


@pytest.mark.conforms("TB-criar")
def test_an_unknown_address_makes_the_contact(program: Program) -> None:
    make_channel(program.company, Platform.EMAIL)
    program.call("CriarPorContato", {"Contato": "Nova@Example.com", "Plataforma": 3})
    assert Contact.objects.get().email == "nova@example.com"


@pytest.mark.conforms("TB-criar")
def test_the_attendant_gets_it_also_when_it_was_open_and_nobodys(program: Program) -> None:
    ana, rui, channel = make_attendant(program.company), make_attendant(program.company), make_channel(program.company)
    values = {"Contato": "visitante-7", "CodigoReferenciaCanal": channel.reference_code}
    program.call("CriarPorContato", values)
    program.call("CriarPorContato", {**values, "Atendente": str(ana.pk)})
    program.call("CriarPorContato", {**values, "Atendente": str(rui.pk)})
    atendimento = Atendimento.objects.get()
    assert (atendimento.attendant, atendimento.state) == (ana, S.ASSIGNED)


@pytest.mark.conforms("TB-criar")
def test_an_unused_guid_becomes_the_new_ones_hash_and_makes_the_call_repeatable(program: Program) -> None:
    make_channel(program.company)
    chosen = uuid.uuid4()
    values = {"Contato": "visitante-7", "Plataforma": 1, "Atendimento": f"{{{str(chosen).upper()}}}"}
    program.call("CriarPorContato", values)
    program.call("CriarPorContato", values)
    assert Atendimento.objects.get().hash == chosen


@pytest.mark.conforms("TB-criar")
def test_a_closed_one_is_continued(program: Program) -> None:
    first = asked(program.company)
    closing.close(first.pk, scope=None, now=timezone.now())
    assert first.contact is not None
    program.call("CriarPorContato", {"Contato": str(first.contact.pk), "Plataforma": 1, "Atendimento": str(first.pk)})
    assert Atendimento.objects.open().get().origin == first


@pytest.mark.conforms("TB-criar", "TB-refusals")
@pytest.mark.parametrize(
    "values",
    [
        {"Contato": "visitante"},
        {"Contato": "visitante", "Plataforma": 77},
        {"Contato": "visitante", "Plataforma": 7},
        {"Contato": "visitante", "CodigoReferenciaCanal": "nenhum"},
        {"Contato": "não é número", "Plataforma": WHATSAPP},
        {"Contato": "00000000-0000-0000-0000-000000000000", "Plataforma": 1},
        {"Contato": "visitante", "Plataforma": 1, "Atendente": "00000000-0000-0000-0000-000000000000"},
        {"Contato": "visitante", "Plataforma": 3},
        {"Plataforma": 1},
    ],
)
def test_what_can_not_be_opened_leaves_nothing(program: Program, values: dict[str, Any]) -> None:
    for platform in (Platform.SITE_CHAT, Platform.WHATSAPP, Platform.EMAIL, Platform.EMAIL):
        make_channel(program.company, platform)
    assert program.refused("CriarPorContato", values)
    assert not Atendimento.objects.exists()
    assert not Contact.objects.exists()


@pytest.mark.conforms("TB-criar", "TB-refusals")
def test_a_contact_without_an_address_there_and_another_contacts_atendimento_are_refused(program: Program) -> None:
    make_channel(program.company, Platform.TELEGRAM)
    other = asked(program.company)
    nobody = str(make_contact(program.company).pk)
    assert program.refused("CriarPorContato", {"Contato": nobody, "Plataforma": 8})
    assert program.refused("CriarPorContato", {"Contato": nobody, "Plataforma": 1, "Atendimento": str(other.pk)})
    foreign = asked(make_company())
    make_channel(program.company)
    assert program.refused("CriarPorContato", {"Contato": nobody, "Plataforma": 1, "Atendimento": str(foreign.pk)})


@pytest.mark.conforms("TB-enviar")
def test_a_message_without_an_attendant_is_the_requesters_and_opens_one(program: Program) -> None:
    make_channel(program.company)
    for text in ("Olá", "Tem alguém aí?"):
        program.call("EnviarMensagem", {"Contato": "visitante-1", "Plataforma": 1, "Mensagem": text})
    atendimento = Atendimento.objects.get()
    assert (atendimento.state, atendimento.unread, atendimento.is_waiting) == (S.QUEUED, 2, True)
    assert list(Message.objects.values_list("text", "is_inbound")) == [("Olá", True), ("Tem alguém aí?", True)]


@pytest.mark.conforms("TB-enviar")
def test_a_persons_message_to_a_contact_opens_starts_and_claims(program: Program) -> None:
    channel, ana = make_channel(program.company), make_attendant(program.company)
    values = {"Contato": "visitante-1", "CodigoReferenciaCanal": channel.reference_code, "Atendente": str(ana.hash)}
    program.call("EnviarMensagem", {**values, "Mensagem": "Bom dia!"})
    atendimento = Atendimento.objects.get()
    assert (atendimento.state, atendimento.attendant, atendimento.is_waiting) == (S.IN_SERVICE, ana, False)


@pytest.mark.conforms("TB-enviar")
def test_an_answer_in_a_conversation_ends_the_wait(program: Program) -> None:
    ana, atendimento = make_attendant(program.company), asked(program.company)
    program.call(
        "EnviarMensagem",
        {"Atendente": str(ana.pk), "Atendimento": str(atendimento.pk), "Mensagem": "Pois não", "Plataforma": 2},
    )
    stored = reread(atendimento)
    assert (stored.state, stored.attendant, stored.is_waiting) == (S.IN_SERVICE, ana, False)


@pytest.mark.conforms("TB-enviar")
def test_a_step_of_the_bot_is_the_text_or_is_recorded_beside_it(program: Program) -> None:
    flow = make_flow(program.company, "Olá! Em que posso ajudar?")
    bot, step = make_bot(program.company, flow), flow.first_step
    assert step is not None
    atendimento = asked(program.company, channel=make_channel(program.company, automation=bot))
    values = {"Atendente": str(bot.pk), "Atendimento": str(atendimento.pk), "AtendimentoFluxoMensagem": str(step.hash)}
    program.call("EnviarMensagem", values)
    program.call("EnviarMensagem", {**values, "Mensagem": "Outro texto"})
    sent = Message.objects.filter(attendant=bot).order_by("number")
    assert list(sent.values_list("text", "flow_step")) == [
        ("Olá! Em que posso ajudar?", step.pk),
        ("Outro texto", step.pk),
    ]
    assert reread(atendimento).state == S.AUTOMATIC


@pytest.mark.conforms("TB-enviar")
def test_after_the_end_a_requester_opens_another_and_an_attendant_is_refused(program: Program) -> None:
    ana, first = make_attendant(program.company), asked(program.company)
    closing.close(first.pk, scope=None, now=timezone.now())
    values = {"Atendimento": str(first.pk), "Mensagem": "Ainda está aí?"}
    assert program.refused("EnviarMensagem", {**values, "Atendente": str(ana.pk)})
    program.call("EnviarMensagem", values)
    following = Atendimento.objects.open().get()
    assert (following.origin, following.contact) == (first, first.contact)
    assert reread(first).state == S.CLOSED


@pytest.mark.conforms("TB-enviar", "TB-refusals")
@pytest.mark.parametrize(
    "values",
    [
        {"Mensagem": "Olá"},
        {"Contato": "v", "Plataforma": 1},
        {"Contato": "v", "Plataforma": 1, "Mensagem": "   "},
        {"Contato": "v", "Plataforma": 1, "Mensagem": "a\0b"},
        {"Contato": "v", "Plataforma": 1, "Mensagem": "x" * 70_000},
        {"Contato": "v", "Plataforma": 1, "Mensagem": ["x"]},
        {"Contato": "v", "Plataforma": 1, "AtendimentoFluxoMensagem": "00000000-0000-0000-0000-000000000000"},
        {"Atendimento": "00000000-0000-0000-0000-000000000000", "Mensagem": "Olá"},
        {"Contato": "v", "Plataforma": 1, "Mensagem": "Olá", "Atendente": "00000000-0000-0000-0000-000000000000"},
    ],
)
def test_what_can_not_be_sent_leaves_nothing(program: Program, values: dict[str, Any]) -> None:
    make_channel(program.company)
    assert program.refused("EnviarMensagem", values)
    assert not Atendimento.objects.exists()
    assert not Message.objects.exists()
    assert not Contact.objects.exists()


@pytest.mark.conforms("TB-enviar", "TB-colleague")
def test_a_colleague_may_write_and_the_holder_stays(program: Program) -> None:
    ana, rui, atendimento = make_attendant(program.company), make_attendant(program.company), asked(program.company)
    taking.start(atendimento.pk, ana, scope=None, now=timezone.now())
    program.call(
        "EnviarMensagem", {"Atendente": str(rui.pk), "Atendimento": str(atendimento.pk), "Mensagem": "Posso ajudar?"}
    )
    assert reread(atendimento).attendant == ana


@pytest.mark.conforms("TB-agendar")
@pytest.mark.parametrize("make", [make_attendant, make_ia])
def test_a_planned_message_waits_for_its_minute_by_the_companys_clock(program: Program, make: Any) -> None:
    atendimento, writer = opened(program.company), make(program.company)
    tomorrow = timezone.now().astimezone(program.company.zone) + timedelta(days=1)
    program.call(
        "AgendarMensagem",
        {
            "Atendente": str(writer.pk),
            "Atendimento": str(atendimento.pk),
            "DataAgendamento": f"{tomorrow:%d/%m/%Y %H:%M}:45",
            "Mensagem": "Tudo certo?",
        },
    )
    planned = ScheduledMessage.objects.get()
    assert planned.due_at == tomorrow.replace(second=0, microsecond=0) + timedelta(minutes=1)
    assert (planned.text, planned.attendant, planned.state) == ("Tudo certo?", writer, "pending")
    program.call("EncerrarAtendimento", {"Atendimento": str(atendimento.pk)})
    planned.refresh_from_db()
    assert (planned.state, planned.reason) == ("cancelled", "closed")
    logged = Occurrence.objects.get(category=OccurrenceCategory.SCHEDULED)
    assert logged.status == OccurrenceStatus.SKIPPED


@pytest.mark.conforms("TB-agendar", "TB-refusals")
@pytest.mark.parametrize(
    "change",
    [
        {"DataAgendamento": "2020-01-01T10:00:00"},
        {"DataAgendamento": "logo"},
        {"DataAgendamento": "2079-06-08T00:00:00"},
        {"DataAgendamento": None},
        {"Mensagem": ""},
        {"Atendente": None},
        {"Atendimento": None},
    ],
    ids=str,
)
def test_what_can_not_be_planned_is_refused(program: Program, change: dict[str, Any]) -> None:
    values = {
        "Atendente": str(make_attendant(program.company).pk),
        "Atendimento": str(opened(program.company).pk),
        "DataAgendamento": f"{timezone.now() + timedelta(days=2):%Y-%m-%dT%H:%M:%S}",
        "Mensagem": "Tudo certo?",
    }
    assert program.refused("AgendarMensagem", {**values, **change})
    assert not ScheduledMessage.objects.exists()
    closing.close(uuid.UUID(values["Atendimento"]), scope=None, now=timezone.now())
    assert program.refused("AgendarMensagem", values)


@pytest.mark.conforms("TB-enviar")
def test_a_step_is_said_with_its_variables_and_what_comes_next_answers_it(program: Program) -> None:
    flow = make_flow(program.company, "Olá, {primeiro_nome}!", "Protocolo {protocolo}: 1 Falar com uma pessoa")
    bot = make_bot(program.company, flow)
    menu = flow.steps.get(position=1)
    atendimento = asked(program.company, channel=make_channel(program.company, automation=bot))
    values = {"Atendente": str(bot.pk), "Atendimento": str(atendimento.pk), "AtendimentoFluxoMensagem": str(menu.pk)}
    program.call("EnviarMensagem", values)
    assert Message.objects.get(attendant=bot).text == "Protocolo 00000001: 1 Falar com uma pessoa"
    program.call("EnviarMensagem", {"Atendimento": str(atendimento.pk), "Mensagem": "1"})
    program.call("ProcessarOcorrenciaRespostaInicialBotIa")
    assert reread(atendimento).state == S.QUEUED
    ana = make_attendant(program.company)
    program.call("EnviarMensagem", {**values, "Atendente": str(ana.pk)})
    assert Message.objects.get(attendant=ana).text == "Protocolo 00000001: 1 Falar com uma pessoa"
