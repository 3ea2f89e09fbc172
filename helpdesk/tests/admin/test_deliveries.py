"""The list of what did not leave: why, in words, for who may see it; and sending it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from django.urls import reverse
from django.utils import timezone

from callcenter.tests.factories import make_attendant as make_user_attendant
from callcenter.tests.factories import make_company, make_supervisor
from helpdesk.models import Atendimento, Message
from helpdesk.services.writing import write_reply
from helpdesk.states import Delivery, Platform
from helpdesk.tests.factories import make_attendant, make_channel
from helpdesk.tests.scenes import asked

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from callcenter.accounts.models import Company

pytestmark = pytest.mark.django_db

LIST: Final = "/admin/helpdesk/message/"
QUERIES: Final = 8


@pytest.fixture
def company() -> Company:
    return make_company("Loja Aurora")


def failed(company: Company, text: str, reason: str = "HTTP 503") -> Message:
    """A message that was given up."""
    channel = make_channel(company, Platform.WHATSAPP, adapter="webhook")
    atendimento = asked(company, channel=channel)
    done = write_reply(atendimento.pk, make_attendant(company), scope=None, text=text, now=timezone.now())
    assert done.message is not None
    Message.objects.filter(pk=done.message.pk).update(
        delivery=Delivery.FAILED, next_attempt_at=None, delivery_error=reason, attempts=7
    )
    return done.message


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("HTTP 503", "o destino respondeu HTTP 503 Service Unavailable"),
        ("HTTP 599", "o destino respondeu HTTP 599"),
        ("blocked", "o endereço leva para dentro de uma rede privada"),
        ("SMTP 535", "não aceitou o usuário ou a senha (SMTP 535)"),
        ("SMTP 451", "o servidor de e-mail recusou (SMTP 451)"),
        ("sem endereço de e-mail", "sem endereço de e-mail"),
    ],
)
def test_the_reason_is_said_in_words(client: Client, company: Company, reason: str, words: str) -> None:
    client.force_login(make_supervisor(company))
    message = failed(company, "Segue o boleto", reason)
    page = client.get(LIST).content.decode()
    assert words in page
    place = f"{reverse('admin:helpdesk_atendimento_change', args=[message.atendimento_id])}?m={message.number}"
    assert place in page
    opened = client.get(reverse("admin:helpdesk_message_change", args=[message.pk]))
    assert opened.headers["Location"].startswith(place)


def test_what_failed_is_sent_again_by_who_may_and_what_is_private_stays_hidden(
    client: Client, company: Company
) -> None:
    message = failed(company, "Segue o boleto")
    client.force_login(make_user_attendant(company))
    resend = {"action": "resend_selected", "_selected_action": [str(message.pk)]}
    assert "Segue o boleto" in client.get(LIST).content.decode()
    client.post(LIST, resend)
    message.refresh_from_db()
    assert message.delivery == Delivery.FAILED
    Atendimento.objects.filter(pk=message.atendimento_id).update(is_private=True)
    assert "Segue o boleto" not in client.get(LIST).content.decode()

    client.force_login(make_supervisor(company))
    client.post(LIST, resend)
    message.refresh_from_db()
    assert (message.delivery, message.attempts) == (Delivery.PENDING, 0)
    assert "Segue o boleto" not in client.get(LIST).content.decode()
    assert "Segue o boleto" in client.get(LIST, {"envio": "pending"}).content.decode()


def test_the_list_costs_the_same_for_one_row_and_for_many(
    client: Client, company: Company, django_assert_num_queries: Callable[..., Any]
) -> None:
    client.force_login(make_supervisor(company))
    failed(company, "um")
    client.get(LIST)
    with django_assert_num_queries(QUERIES):
        client.get(LIST)
    for at in range(4):
        failed(company, f"mais {at}")
    with django_assert_num_queries(QUERIES):
        client.get(LIST)
