"""The methods that a scheduler or a trigger calls; what they do in detail is shown with their services."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from callcenter.tests.factories import make_company
from helpdesk.models import Message
from helpdesk.services import taking, writing
from helpdesk.states import S
from helpdesk.tests.factories import (
    make_attendant,
    make_bot,
    make_canned,
    make_channel,
    make_contact,
    make_flow,
    make_ia,
    make_settings,
)
from helpdesk.tests.scenes import asked, reread
from helpdesk.tests.tempbox.api import Program

pytestmark = pytest.mark.django_db

NOBODY = "00000000-0000-0000-0000-000000000000"
JOBS = (
    "ProcessarOcorrenciaSemAtendente",
    "ProcessarOcorrenciaRespostaInicialBotIa",
    "RespostaAutomaticaPronta",
    "ColetarDadosIa",
)


def ours(atendimento: Any) -> list[str]:
    """What our side wrote in it."""
    return list(
        Message.objects.filter(atendimento=atendimento, is_inbound=False, is_internal=False).values_list(
            "text", flat=True
        )
    )


@pytest.mark.conforms("TB-sem-atendente")
def test_what_waits_in_the_queue_gets_somebody_in_the_tokens_companies_only(program: Program) -> None:
    ana, foreign_company = make_attendant(program.company), make_company()
    make_attendant(foreign_company)
    mine, foreign = asked(program.company), asked(foreign_company)
    for _ in range(2):
        program.call("ProcessarOcorrenciaSemAtendente")
    assert (reread(mine).attendant, reread(mine).state, reread(mine).is_waiting) == (ana, S.ASSIGNED, True)
    assert reread(foreign).state == S.QUEUED


@pytest.mark.conforms("TB-resposta-inicial")
def test_a_bot_greets_once(program: Program) -> None:
    bot = make_bot(program.company, make_flow(program.company, "Olá! 1 Vendas", "Certo"))
    atendimento = asked(program.company, channel=make_channel(program.company, automation=bot))
    for _ in range(2):
        program.call("ProcessarOcorrenciaRespostaInicialBotIa")
    assert len(ours(atendimento)) == 1
    assert ours(atendimento)[0].startswith("Olá! 1 Vendas")


@pytest.mark.conforms("TB-resposta-pronta")
def test_whoever_waits_is_told_once_and_still_waits(program: Program) -> None:
    make_settings(
        program.company, waiting_minutes=10, waiting_message=make_canned(program.company, "Já vamos atender.")
    )
    atendimento = asked(program.company, now=timezone.now() - timedelta(minutes=30))
    for _ in range(2):
        program.call("RespostaAutomaticaPronta")
    assert ours(atendimento) == ["Já vamos atender."]
    stored = reread(atendimento)
    assert (stored.is_waiting, stored.attendant_at) == (True, None)


@pytest.mark.conforms("TB-coletar")
def test_details_fill_what_is_empty(program: Program) -> None:
    contact = make_contact(program.company, "", email="")
    asked(program.company, "Meu e-mail é maria@example.com", contact=contact)
    program.call("ColetarDadosIa")
    contact.refresh_from_db()
    assert contact.email == "maria@example.com"


@pytest.mark.conforms("TB-bot")
def test_the_bot_answers_one_message_once(program: Program) -> None:
    bot = make_bot(program.company, make_flow(program.company, "Olá!", "Segundo passo"))
    atendimento = asked(program.company, channel=make_channel(program.company, automation=bot))
    message = atendimento.last_message
    assert message is not None
    for name in (message.pk, message.hash):
        program.call("ResponderMensagemBot", {"AtendimentoMensagem": str(name)})
    assert len(ours(atendimento)) == 1
    answer = Message.objects.get(is_inbound=False)
    assert program.refused("ResponderMensagemBot", {"AtendimentoMensagem": str(answer.pk)})
    assert program.refused("ResponderMensagemBot", {"AtendimentoMensagem": NOBODY})
    assert "AtendimentoMensagem" in program.refused("ResponderMensagemBot")


@pytest.mark.conforms("TB-bot", "TB-ia")
def test_where_a_person_leads_neither_answers(program: Program) -> None:
    ana, bot = make_attendant(program.company), make_bot(program.company, make_flow(program.company))
    atendimento = asked(program.company, channel=make_channel(program.company, automation=bot))
    taking.take(atendimento.pk, ana, scope=None, now=timezone.now())
    assert atendimento.last_message is not None
    program.call("ResponderMensagemBot", {"AtendimentoMensagem": str(atendimento.last_message.pk)})
    program.call("ResponderMensagemIa", {"Atendimento": str(atendimento.pk)})
    assert ours(atendimento) == []


@pytest.mark.conforms("TB-ia")
def test_the_ia_answers_what_it_knows_and_hands_over_what_it_does_not(program: Program) -> None:
    company = program.company
    make_canned(company, "Abrimos às nove horas.", title="Horário de abertura da loja")
    channel = make_channel(company, automation=make_ia(company), ia_replies=True)
    known = asked(company, "Qual o horário de abertura da loja?", channel=channel)
    unknown = asked(company, "Xyzzy plugh", channel=channel)
    for atendimento in (known, unknown):
        program.call("ResponderMensagemIa", {"Atendimento": str(atendimento.hash)})
    assert ours(known) == ["Abrimos às nove horas."]
    assert (reread(unknown).state, reread(unknown).needs_human) == (S.QUEUED, True)
    assert program.refused("ResponderMensagemIa", {"Atendimento": NOBODY})


@pytest.mark.conforms("TB-jobs")
@pytest.mark.parametrize("job", JOBS)
def test_a_job_is_null_with_work_and_without(program: Program, job: str) -> None:
    assert program.call(job) is None
    asked(program.company)
    assert program.call(job) is None
    writing.receive_message(make_contact(program.company), make_channel(program.company), text="Oi", now=timezone.now())
    assert program.call(job) is None
