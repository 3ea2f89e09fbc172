"""An answered call has its atendimento, an atendimento asks for a call, and both tell one story."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from django.utils import timezone

from callcenter.tests.factories import make_call_request, make_company, make_line, make_supervisor
from helpdesk import timeline as contact_timeline
from helpdesk.models import Atendimento, Message
from helpdesk.services.closing import close
from helpdesk.states import Platform, S
from helpdesk.tests.factories import make_channel, make_contact
from helpdesk.tests.scenes import asked, reread
from requests_app import timeline
from requests_app.models import CallRequest, LedgerEntry
from requests_app.states import Outcome, Source
from telephony.models import CallAttempt
from telephony.services import moves
from telephony.services.answered import tie_calls
from telephony.states import AttemptState

if TYPE_CHECKING:
    from django.test import Client

    from callcenter.accounts.models import Company

pytestmark = pytest.mark.django_db

PHONE = "+5511987654321"


def answered(company: Company, *, number: int = 1) -> CallAttempt:
    """An attempt of which the news of its end, after a talk, has just come."""
    now = timezone.now()
    request = CallRequest.objects.filter(company=company).first()
    request = request or make_call_request(company, phone="(11) 98765-4321", name="Ana", notes="Quer parcelar")
    attempt = CallAttempt.objects.create(
        call_request=request, company=company, line=make_line(company), number=number, phone_e164=PHONE,
        claimed_at=now, send_at=now, state=AttemptState.PLACED,
    )  # fmt: skip
    moves.end(attempt, Outcome.ANSWERED, expected=[AttemptState.PLACED], reason="answered", now=now)
    tie_calls(now=now)
    return attempt


def test_an_answered_call_opens_one_conversation_with_its_history() -> None:
    company = make_company()
    make_channel(company, Platform.PHONE)
    attempt = answered(company)
    row = Atendimento.objects.get()
    assert (row.platform, row.call_request_id, row.phone_e164) == (Platform.PHONE, attempt.call_request_id, PHONE)
    assert row.contact is not None
    assert row.contact.name == "Ana"
    note = Message.objects.get()
    assert note.is_internal
    assert "Quer parcelar" in note.text


def test_a_second_call_joins_the_open_conversation_of_whoever_has_the_number() -> None:
    company = make_company()
    contact = make_contact(company, "Ana", whatsapp_e164=PHONE)
    make_channel(company, Platform.PHONE)
    answered(company)
    first = Atendimento.objects.get()
    assert first.contact == contact
    answered(company, number=2)
    assert Atendimento.objects.count() == 1
    close(first.pk, scope=None, now=timezone.now())
    assert reread(first).state == S.CLOSED


def test_a_company_without_a_telephone_channel_gets_no_conversation() -> None:
    answered(make_company())
    assert not Atendimento.objects.exists()


def test_a_conversation_asks_for_a_call_which_says_where_it_comes_from(client: Client) -> None:
    company = make_company()
    client.force_login(make_supervisor(company))
    atendimento = asked(company, contact=make_contact(company, "Ana", phone_e164=PHONE))
    address = reverse("admin:helpdesk_atendimento_do", args=[atendimento.pk])
    page = client.post(address, {"do": "callback", "call_at": ""}, follow=True).content.decode()
    made = CallRequest.objects.get()
    assert f"Ligação pedida: #{made.pk}." in page
    assert (made.phone_e164, made.source) == (PHONE, Source.HELPDESK)
    assert LedgerEntry.objects.get(call_request=made).actor is not None
    assert reread(atendimento).call_request_id == made.pk
    # The one story of both, on both pages.
    assert any(entry.kind == "conversation" for entry in timeline.entries(made))
    assert atendimento.contact is not None
    assert {entry.kind for entry in contact_timeline.entries(atendimento.contact)} == {"conversation", "request"}


def test_who_has_no_number_can_not_be_called(client: Client) -> None:
    company = make_company()
    client.force_login(make_supervisor(company))
    address = reverse("admin:helpdesk_atendimento_do", args=[asked(company).pk])
    page = client.post(address, {"do": "callback"}, follow=True).content.decode()
    assert "não tem número de telefone" in page
    assert not CallRequest.objects.exists()
