"""Whoever writes rings for what follows, through every door; and a broker that takes no message is no obstacle."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse
from django.utils import timezone
from kombu.exceptions import OperationalError

from callcenter.tests.factories import make_company, make_supervisor
from helpdesk import tasks
from helpdesk.data import Bell
from helpdesk.models import Message
from helpdesk.services import booking
from helpdesk.states import Adapter, Delivery
from helpdesk.tests.factories import make_attendant, make_bot, make_channel, make_flow, make_team
from helpdesk.tests.scenes import asked
from helpdesk.tests.tempbox.api import Program

if TYPE_CHECKING:
    from django.test import Client

    from callcenter.accounts.models import Company
    from helpdesk.models import Atendimento

pytestmark = pytest.mark.django_db


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[Bell]:
    """The bells that are rung; the broker is left in peace."""
    heard: list[Bell] = []
    monkeypatch.setattr(tasks, "_left_alone_until", 0.0)
    for bell, task in tasks._TASKS.items():
        monkeypatch.setattr(task, "delay", lambda bell=bell: heard.append(bell))
    return heard


def on_webhook(company: Company, **fields: Any) -> Atendimento:
    """A conversation on a channel whose answers leave the house."""
    return asked(company, channel=make_channel(company, adapter=Adapter.WEBHOOK, **fields))


def test_a_message_through_the_api_rings_for_what_it_asks_for(rung: list[Bell]) -> None:
    company = make_company()
    program, person = Program(company), make_attendant(company)
    chat = on_webhook(company, automation=make_bot(company, make_flow(company, "Olá!")))
    program.call("EnviarMensagem", {"Atendimento": chat.pk, "Mensagem": "alguém aí?"})
    assert rung == [Bell.ANSWER]
    program.call("EnviarMensagem", {"Atendimento": chat.pk, "Atendente": person.pk, "Mensagem": "Oi"})
    assert rung == [Bell.ANSWER, Bell.DELIVER]
    program.call("EncaminharAtendimento", {"Atendimento": chat.pk, "Atendente": make_team(company).pk})
    assert rung[2:] == [Bell.ASSIGN]
    program.refused("EnviarMensagem", {"Atendimento": chat.pk})
    assert len(rung) == 3


def test_a_job_through_the_api_rings_only_when_it_did_something(rung: list[Bell]) -> None:
    company = make_company()
    program = Program(company)
    program.call("ProcessarOcorrenciaRespostaInicialBotIa")
    assert rung == []
    on_webhook(company, automation=make_bot(company, make_flow(company, "Olá!")))
    program.call("ProcessarOcorrenciaRespostaInicialBotIa")
    assert set(rung) == {Bell.DELIVER, Bell.ASSIGN}


def test_an_answer_in_the_admin_leaves_at_once(client: Client, rung: list[Bell]) -> None:
    company = make_company()
    chat = on_webhook(company)
    client.force_login(make_supervisor(company))
    address = reverse("admin:helpdesk_atendimento_do", args=[chat.pk])
    client.post(address, {"do": "reply", "text": "Olá", "seen": "999999999", "holder": ""})
    assert rung == [Bell.DELIVER]
    Message.objects.filter(is_inbound=False).update(delivery=Delivery.FAILED, next_attempt_at=None)
    client.post(address, {"do": "resend", "message": Message.objects.get(is_inbound=False).pk})
    assert rung == [Bell.DELIVER] * 2


def test_a_message_for_later_leaves_at_its_minute(rung: list[Bell]) -> None:
    company = make_company()
    chat, earlier = on_webhook(company), timezone.now() - timedelta(minutes=2)
    booking.schedule_message(chat.pk, make_attendant(company), scope=None, text="Oi", due_at=earlier, now=earlier)
    tasks.send_scheduled_messages()
    assert rung == [Bell.DELIVER]


def test_a_broker_that_takes_no_message_is_left_alone_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[float] = []

    def refuse() -> None:
        tried.append(time.monotonic())
        raise OperationalError

    monkeypatch.setattr(tasks, "_left_alone_until", 0.0)
    monkeypatch.setattr(tasks.assign_waiting, "delay", refuse)
    for _ in range(3):
        tasks.ring({Bell.ASSIGN})
    assert len(tried) == 1
    monkeypatch.setattr(tasks, "_left_alone_until", time.monotonic() - 1)
    tasks.ring({Bell.ASSIGN})
    assert len(tried) == 2
