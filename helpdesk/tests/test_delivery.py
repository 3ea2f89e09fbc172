"""Messages leave once each, in order, by a signed webhook or by mail; what does not leave is seen and sent again."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

import pytest
from django.core import mail
from django.utils import timezone

from callcenter.lib.addresses import networks_of
from callcenter.lib.errors import Conflict
from callcenter.lib.standard_webhooks import new_secret
from callcenter.tests.factories import make_company
from helpdesk.channels.email import conversation_in
from helpdesk.models import Message, Occurrence
from helpdesk.services import delivery
from helpdesk.services.delivery import MOST_TRIES, attempt_delivery, claim_due_messages, send_again
from helpdesk.services.writing import receive_message, write_note, write_reply
from helpdesk.states import Adapter, Delivery, OccurrenceCategory, Platform
from helpdesk.tests.factories import make_attendant, make_channel, make_contact
from helpdesk.tests.scenes import asked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from callcenter.accounts.models import Company
    from helpdesk.models import Atendimento

pytestmark = pytest.mark.django_db


class Gateway:
    """A WhatsApp gateway that answers with the codes of `script` in turn, and then with 200."""

    def __init__(self) -> None:
        self.script: list[int] = []
        self.taken: list[tuple[dict[str, str], bytes]] = []
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                gateway.taken.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(gateway.script.pop(0) if gateway.script else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/enviar"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_args: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def gateway(settings: Any) -> Iterator[Gateway]:
    settings.WEBHOOK_ALLOWED_NETWORKS = networks_of(["127.0.0.0/8"])
    with Gateway() as running:
        yield running


@pytest.fixture
def company() -> Company:
    return make_company()


def whatsapp(company: Company, gateway: Gateway) -> Atendimento:
    channel = make_channel(
        company, Platform.WHATSAPP, adapter=Adapter.WEBHOOK, settings={"url": gateway.url}, secret=new_secret()
    )
    contact = make_contact(company, address=(Platform.WHATSAPP, "+5511999990001"))
    return asked(company, contact=contact, channel=channel, address=contact.addresses.get())


def reply(atendimento: Atendimento, text: str) -> Message:
    person = make_attendant(atendimento.company)
    done = write_reply(atendimento.pk, person, scope=None, text=text, now=timezone.now())
    assert done.message is not None
    return done.message


def deliver(*, later: timedelta = timedelta()) -> int:
    """What one worker does with what is due then."""
    claims = claim_due_messages(now=timezone.now() + later, limit=20, held={})
    for claim in claims:
        attempt_delivery(claim)
    return len(claims)


def test_a_message_leaves_once_signed_and_with_all_that_a_gateway_needs(company: Company, gateway: Gateway) -> None:
    atendimento = whatsapp(company, gateway)
    message = reply(atendimento, "Olá, Maria! ☕")
    write_note(atendimento.pk, make_attendant(company), scope=None, text="segredo", now=timezone.now())
    assert [deliver(), deliver()] == [1, 0]
    ((headers, body),) = gateway.taken
    key = base64.b64decode(atendimento.channel.secret.removeprefix("whsec_"))  # type: ignore[union-attr]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    data = json.loads(body)["data"]
    assert (data["texto"], data["contato"]["endereco"]) == ("Olá, Maria! ☕", "+5511999990001")
    assert (data["mensagem"], data["atendimento"]["hash"]) == (str(message.hash), str(atendimento.hash))
    message.refresh_from_db()
    assert (message.delivery, message.attempts, message.delivered_at is not None) == (Delivery.SENT, 1, True)


def test_two_workers_never_have_the_same_message(company: Company, gateway: Gateway) -> None:
    reply(whatsapp(company, gateway), "Olá")
    now = timezone.now()
    assert [len(claim_due_messages(now=now, limit=5, held={})) for _ in range(2)] == [1, 0]
    # The first one died: its lease ends, and only its late result counts for nothing.
    (claim,) = claim_due_messages(now=now + delivery.LEASE, limit=5, held={})
    attempt_delivery(delivery.Claim(claim.message_id, claim.channel_id, now + delivery.LEASE))
    assert gateway.taken == []
    attempt_delivery(claim)
    assert len(gateway.taken) == 1


def test_messages_of_a_conversation_leave_in_their_order(company: Company, gateway: Gateway) -> None:
    atendimento = whatsapp(company, gateway)
    for text in ("um", "dois"):
        reply(atendimento, text)
    gateway.script = [503]
    assert deliver() == 1
    # The first one waits for its next try, so the second one waits too.
    assert deliver() == 0
    assert [deliver(later=timedelta(minutes=1)) for _ in range(3)] == [1, 1, 0]
    assert [json.loads(body)["data"]["texto"] for _headers, body in gateway.taken] == ["um", "um", "dois"]
    assert len({headers["webhook-id"] for headers, _body in gateway.taken}) == 2


def test_what_was_given_up_is_seen_and_can_be_sent_again(company: Company, gateway: Gateway) -> None:
    message = reply(whatsapp(company, gateway), "Olá")
    gateway.script = [500] * MOST_TRIES
    assert sum(deliver(later=timedelta(hours=3 * turn)) for turn in range(20)) == MOST_TRIES
    message.refresh_from_db()
    assert (message.delivery, message.delivery_error) == (Delivery.FAILED, "HTTP 500")
    assert Occurrence.objects.filter(category=OccurrenceCategory.DELIVERY_FAILED).count() == 1
    send_again(message.hash, scope=[company.pk], now=timezone.now())
    assert deliver() == 1
    message.refresh_from_db()
    assert message.delivery == Delivery.SENT
    with pytest.raises(Conflict):
        send_again(message.hash, scope=[company.pk], now=timezone.now())


def test_a_final_refusal_is_not_tried_again(company: Company, gateway: Gateway) -> None:
    message = reply(whatsapp(company, gateway), "Olá")
    gateway.script = [422]
    deliver()
    message.refresh_from_db()
    assert (message.delivery, message.attempts) == (Delivery.FAILED, 1)


def test_our_own_network_is_out_of_a_channels_reach(company: Company, gateway: Gateway, settings: Any) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    message = reply(whatsapp(company, gateway), "Olá")
    deliver()
    message.refresh_from_db()
    assert (message.delivery_error, gateway.taken) == ("blocked", [])


def test_a_mail_names_its_thread_and_where_answers_go(company: Company) -> None:
    channel = make_channel(
        company, Platform.EMAIL, adapter=Adapter.EMAIL, reference_code="ajuda@loja.example", title="Loja"
    )
    contact = make_contact(company, address=(Platform.EMAIL, "maria@exemplo.example"))
    done = receive_message(
        contact, channel, text="Oi", now=timezone.now(), address=contact.addresses.get(),
        external_id="mail:<primeira@exemplo.example>",
    )  # fmt: skip
    first, second = reply(done.atendimento, "Olá!"), reply(done.atendimento, "Mais uma coisa.")
    assert [deliver(), deliver(), deliver()] == [1, 1, 0]
    one, two = mail.outbox
    assert (one.to, one.from_email) == (["maria@exemplo.example"], "Loja <ajuda@loja.example>")
    assert one.extra_headers["In-Reply-To"] == "<primeira@exemplo.example>"
    assert two.extra_headers["References"].split() == [
        "<primeira@exemplo.example>", f"<{first.hash.hex}@loja.example>",
    ]  # fmt: skip
    assert two.extra_headers["Message-ID"] == f"<{second.hash.hex}@loja.example>"
    assert conversation_in(two.extra_headers["Reply-To"]) == done.atendimento.hash


def test_mail_without_a_server_is_not_called_sent(company: Company, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    channel = make_channel(company, Platform.EMAIL, adapter=Adapter.EMAIL, reference_code="ajuda@loja.example")
    contact = make_contact(company, address=(Platform.EMAIL, "maria@exemplo.example"))
    message = reply(asked(company, contact=contact, channel=channel, address=contact.addresses.get()), "Olá")
    deliver()
    message.refresh_from_db()
    assert message.delivery == Delivery.FAILED
