"""Whoever was talked to in a conversation is not called about the same wish, as the company wants it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from callcenter.tests.factories import make_call_request, make_company, make_user
from helpdesk.models import Atendimento, Message
from helpdesk.services.writing import receive_message_in, write_reply
from helpdesk.states import Adapter, Delivery, Platform
from helpdesk.tests.factories import make_attendant, make_bot, make_channel, make_contact
from helpdesk.tests.scenes import asked, opened
from helpdesk.tests.tempbox.api import Program
from requests_app.data import Origin
from requests_app.models import CallbackPolicy, CallRequest, LedgerEntry
from requests_app.services.intake import create_call_request
from requests_app.states import Hold, ReachAction, Source
from telephony.services.conversations import tell_reached

if TYPE_CHECKING:
    from callcenter.accounts.models import Company
    from helpdesk.models import Attendant

pytestmark = pytest.mark.django_db

PHONE = "+5511987654321"


@pytest.fixture
def company() -> Company:
    company = make_company()
    CallbackPolicy.objects.create(company=company, reached_action=ReachAction.CLOSE)
    return company


@pytest.fixture
def person(company: Company) -> Attendant:
    return make_attendant(company, user=make_user(company))


def wish(company: Company, **fields: Any) -> CallRequest:
    """A request of the customer's number, made an hour ago."""
    return make_call_request(
        company, phone="(11) 98765-4321", requested_at=timezone.now() - timedelta(hours=1), **fields
    )


def chat(company: Company, **channel: Any) -> Atendimento:
    """The customer writes, on another way than the telephone."""
    contact = make_contact(company, "Ana", phone_e164=PHONE)
    return asked(company, contact=contact, channel=make_channel(company, **channel))


def reply(atendimento: Atendimento, attendant: Attendant) -> None:
    write_reply(atendimento.pk, attendant, scope=None, text="Olá", now=timezone.now())


def told(request: CallRequest) -> str:
    """What the round made of the request."""
    tell_reached(now=timezone.now())
    request.refresh_from_db()
    return request.status


def test_a_customer_who_wrote_and_was_answered_is_not_called(company: Company, person: Attendant) -> None:
    request, atendimento = wish(company), chat(company)
    assert told(request) == "new"
    reply(atendimento, person)
    assert told(request) == "completed"
    entry = LedgerEntry.objects.filter(call_request=request).latest("id")
    assert (entry.reason, entry.source, entry.actor) == ("reached_helpdesk", Source.HELPDESK, person.user)
    note = Message.objects.get(is_internal=True)
    assert f"#{request.pk}" in note.text
    assert told(request) == "completed"
    assert Message.objects.filter(is_internal=True).count() == 1


def test_an_answer_to_whoever_was_written_to_first_counts_too(company: Company, person: Attendant) -> None:
    request = wish(company)
    contact = make_contact(company, "Ana", whatsapp_e164=PHONE)
    atendimento = opened(company, contact=contact, channel=make_channel(company, Platform.WHATSAPP), attendant=person)
    reply(atendimento, person)
    assert told(request) == "new"
    receive_message_in(atendimento.pk, scope=None, text="Pode ser por aqui", now=timezone.now())
    assert told(request) == "completed"


def test_the_same_through_the_api(company: Company, person: Attendant) -> None:
    request, program = wish(company), Program(company)
    channel = make_channel(company, Platform.WHATSAPP)
    values = {"Contato": PHONE, "Plataforma": 2, "CodigoReferenciaCanal": channel.reference_code}
    program.call("EnviarMensagem", {**values, "Mensagem": "Oi"})
    assert told(request) == "new"
    program.call("EnviarMensagem", {**values, "Atendente": person.pk, "Mensagem": "Olá"})
    assert told(request) == "completed"


def test_what_no_person_said_reaches_nobody(company: Company, person: Attendant) -> None:
    request, atendimento = wish(company), chat(company)
    write_reply(atendimento.pk, make_bot(company), scope=None, text="Sou o robô", now=timezone.now())
    assert told(request) == "new"
    by_phone = asked(company, contact=atendimento.contact, channel=make_channel(company, Platform.PHONE))
    reply(by_phone, person)
    assert told(request) == "new"
    assert not Atendimento.objects.exclude(reached_at=None).exists()


def test_an_answer_counts_when_it_has_arrived_and_not_when_it_failed(company: Company, person: Attendant) -> None:
    request, atendimento = wish(company), chat(company, adapter=Adapter.WEBHOOK)
    reply(atendimento, person)
    assert told(request) == "new"
    sent = Message.objects.filter(is_inbound=False)
    sent.update(delivery=Delivery.SENT, next_attempt_at=None, delivered_at=timezone.now())
    assert told(request) == "completed"
    another, atendimento = wish(company), chat(company, adapter=Adapter.WEBHOOK)
    reply(atendimento, person)
    Message.objects.filter(atendimento=atendimento, is_inbound=False).update(
        delivery=Delivery.FAILED, next_attempt_at=None
    )
    assert told(another) == "new"
    assert not Atendimento.objects.exclude(reached_at=None).exists()


def test_a_wish_of_the_talk_itself_or_of_after_it_stands(company: Company, person: Attendant) -> None:
    atendimento = chat(company)
    reply(atendimento, person)
    later = make_call_request(company, phone="(11) 98765-4321", requested_at=timezone.now() + timedelta(seconds=1))
    fields = {"phone": PHONE, "requested_at": timezone.now() - timedelta(hours=1)}
    talked = create_call_request(company.pk, origin=Origin(source=Source.HELPDESK), now=timezone.now(), fields=fields)
    assert told(later) == "new"
    assert told(talked) == "new"


def test_the_company_says_what_becomes_of_it(company: Company, person: Attendant) -> None:
    CallbackPolicy.objects.update(reached_action=ReachAction.POSTPONE, reached_postpone_minutes=60)
    request = wish(company)
    reply(chat(company), person)
    assert told(request) == "new"
    assert request.hold_reason == Hold.POSTPONED
    due_at = request.due_at
    assert told(request) == "new"
    assert request.due_at == due_at


def test_where_nobody_minds_nothing_is_kept() -> None:
    company = make_company()
    request = wish(company)
    reply(chat(company), make_attendant(company))
    assert Atendimento.objects.exclude(reached_at=None).count() == 1
    assert told(request) == "new"
    assert not Atendimento.objects.exclude(reached_at=None).exists()
