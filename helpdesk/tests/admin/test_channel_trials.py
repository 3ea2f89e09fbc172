"""A channel is tried out by who may change it, over the guarded connections, and the result is said in words."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
from django.core import mail
from django.urls import reverse

from callcenter.lib.addresses import networks_of
from callcenter.lib.standard_webhooks import new_secret
from callcenter.tests.factories import make_attendant, make_company, make_user
from helpdesk.services import channel_trials
from helpdesk.simulators.mail import MailServer
from helpdesk.states import Adapter, Platform
from helpdesk.tests.factories import make_channel
from helpdesk.tests.test_delivery import Gateway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.test import Client

    from callcenter.accounts.models import Company
    from helpdesk.models import Channel

pytestmark = pytest.mark.django_db


@pytest.fixture
def gateway(settings: Any) -> Iterator[Gateway]:
    settings.WEBHOOK_ALLOWED_NETWORKS = networks_of(["127.0.0.0/8"])
    with Gateway() as running:
        yield running


@pytest.fixture
def company(client: Client, monkeypatch: pytest.MonkeyPatch) -> Company:
    # The counters outlive a test.
    monkeypatch.setattr(channel_trials, "MOST_PER_MINUTE", 0)
    made = make_company("Loja Aurora")
    client.force_login(make_user(made, email="marta@example.com"))
    return made


def whatsapp(company: Company, gateway: Gateway) -> Channel:
    there = {"url": gateway.url}
    return make_channel(company, Platform.WHATSAPP, adapter=Adapter.WEBHOOK, settings=there, secret=new_secret())


def trial(channel: Channel) -> str:
    return reverse("admin:helpdesk_channel_trial", args=[channel.pk])


def test_a_gateway_gets_a_signed_test_and_its_answer_is_said(
    client: Client, company: Company, gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    channel = whatsapp(company, gateway)
    assert "Enviar o teste" in client.get(trial(channel)).content.decode()
    assert gateway.taken == []
    gateway.script = [200, 401, 302, 500]
    said = ["Aceita: HTTP 200 OK", "o mesmo segredo", "Redirecionamentos não são seguidos", "precisa responder 2xx"]
    with caplog.at_level(logging.DEBUG):
        for words in said:
            page = client.post(trial(channel)).content.decode()
            assert words in page
            assert channel.secret not in page
    assert channel.secret not in caplog.text
    headers, body = gateway.taken[0]
    assert headers["webhook-signature"].startswith("v1,")
    assert json.loads(body)["type"] == "canal.teste"


def test_our_own_network_is_out_of_a_tests_reach(
    client: Client, company: Company, gateway: Gateway, settings: Any
) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    page = client.post(trial(whatsapp(company, gateway))).content.decode()
    assert "leva para dentro de uma rede privada" in page
    assert gateway.taken == []


def test_a_test_mail_goes_to_who_asked_and_the_mailbox_is_opened(
    client: Client, company: Company, settings: Any
) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = networks_of(["127.0.0.0/8"])
    with MailServer() as server:
        there = {"imap_host": "127.0.0.1", "imap_port": server.imap_port, "imap_security": "", "imap_user": "ajuda"}
        channel = make_channel(
            company, Platform.EMAIL, adapter=Adapter.EMAIL, reference_code="ajuda@loja.example", settings=there,
            secret="certo",
        )  # fmt: skip
        page = client.post(trial(channel)).content.decode()
        assert "A caixa abre" in page
        assert [one.to for one in mail.outbox] == [["marta@example.com"]]
        channel.secret = "wrong"
        channel.save(update_fields=["secret"])
        assert "não aceitou o usuário, a senha" in client.post(trial(channel)).content.decode()
    assert "não aceita conexões" in client.post(trial(channel)).content.decode()


def test_a_site_chat_shows_its_line_and_a_preview(client: Client, company: Company) -> None:
    channel = make_channel(company, adapter=Adapter.SITE_CHAT)
    page = client.get(trial(channel)).content.decode()
    assert f"data-canal=&quot;{channel.hash}&quot;" in page
    assert "Nenhum site pode usar o chat ainda" in page
    preview = reverse("admin:helpdesk_channel_preview", args=[channel.pk])
    assert f'data-canal="{channel.hash}"' in client.get(preview).content.decode()
    other = make_channel(company, Platform.WHATSAPP)
    assert client.get(reverse("admin:helpdesk_channel_preview", args=[other.pk])).status_code == 404
    assert "Não há o que testar" in client.get(trial(other)).content.decode()


def test_only_who_may_change_the_channel_tests_it_and_not_without_end(
    client: Client, company: Company, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_trials, "MOST_PER_MINUTE", 1)
    channel = whatsapp(company, gateway)
    # Around a full minute two may pass.
    assert [client.post(trial(channel)).status_code for _turn in range(3)][-1] == 429
    assert len(gateway.taken) <= 2
    client.force_login(make_user(make_company(), email="fora@example.com"))
    assert client.post(trial(channel)).status_code == 404
    client.force_login(make_attendant(company, email="bia@example.com"))
    assert client.post(trial(channel)).status_code in {403, 404}
