"""Deliveries that go out to real receivers: signed, once, and again only when it must be."""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.utils import timezone

from callcenter.lib import outbound
from callcenter.lib.standard_webhooks import signature
from callcenter.tests.factories import make_call_request, make_company, make_webhook_endpoint
from callcenter.tests.programs import poll
from requests_app import tasks
from requests_app.models import WebhookDelivery, WebhookEndpoint
from requests_app.services import sending
from requests_app.services.outgoing import resend_delivery, rotate_secret
from requests_app.services.sending import attempt_delivery, deliver_due_webhooks
from requests_app.tests.outgoing.receivers import Message, RawReceiver, Receiver, closed_port
from requests_app.tests.outgoing.scenes import SECRET, claim, endpoint_at, fresh, waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("loopback")]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that takes everything."""
    with Receiver() as running:
        yield running


def run_batch() -> None:
    """What the task does, in a thread of its own."""
    try:
        deliver_due_webhooks()
    finally:
        connection.close()


def in_threads(count: int, work: Callable[[], object]) -> None:
    """Run the work so often at once, and wait."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


def make_due(delivery: WebhookDelivery) -> None:
    """Have the next try come now."""
    WebhookDelivery.objects.filter(pk=delivery.pk).update(next_try_at=timezone.now())


def verify(message: Message, *secrets: str) -> None:
    """The message is signed with each of these secrets, and with no other."""
    timestamp = int(message.headers["webhook-timestamp"])
    assert abs(timestamp - time.time()) < 60
    expected = [signature(key, message_id=message.id, timestamp=timestamp, content=message.body) for key in secrets]
    assert message.headers["webhook-signature"].split(" ") == expected


def test_a_request_that_comes_in_is_told_by_the_task_with_a_signature_that_verifies(receiver: Receiver) -> None:
    company = make_company()
    endpoint = make_webhook_endpoint(company, url=receiver.url)
    request = make_call_request(company)
    tasks.deliver_webhooks()
    (message,) = receiver.messages
    delivery = WebhookDelivery.objects.get()
    assert message.body.decode() == delivery.payload
    assert f'"request_id":{request.pk},' in delivery.payload
    assert (message.id, message.headers["content-type"]) == (delivery.message_id, "application/json")
    verify(message, WebhookEndpoint.objects.get(pk=endpoint.pk).secret)
    assert (delivery.state, delivery.tries, delivery.last_status) == ("delivered", 1, 200)
    tasks.deliver_webhooks()
    assert len(receiver.messages) == 1


def test_during_a_rotation_both_secrets_sign_and_after_a_day_only_the_new_one(receiver: Receiver) -> None:
    endpoint = endpoint_at(receiver.url)
    new = rotate_secret(endpoint.pk, now=timezone.now())
    waiting(endpoint)
    deliver_due_webhooks()
    verify(receiver.messages[0], new, SECRET)
    newest = rotate_secret(endpoint.pk, now=timezone.now() - timedelta(hours=24, seconds=1))
    waiting(endpoint)
    deliver_due_webhooks()
    verify(receiver.messages[1], newest)


def test_after_a_500_the_same_message_comes_again_under_its_id_with_a_new_timestamp() -> None:
    with Receiver(500, 200) as receiver:
        (delivery,) = waiting(endpoint_at(receiver.url))
        deliver_due_webhooks()
        delivery = fresh(delivery)
        assert (delivery.state, delivery.last_status, delivery.last_error) == ("pending", 500, "status")
        assert delivery.endpoint.failing_since is not None
        assert deliver_due_webhooks() == 0
        make_due(delivery)
        poll(lambda: time.time() >= int(receiver.messages[0].headers["webhook-timestamp"]) + 1, seconds=2)
        deliver_due_webhooks()
        first, second = receiver.messages
    assert (first.id, first.body) == (second.id, second.body)
    assert int(first.headers["webhook-timestamp"]) < int(second.headers["webhook-timestamp"])
    verify(second, SECRET)
    delivery = fresh(delivery)
    assert (delivery.state, delivery.tries, delivery.endpoint.failing_since) == ("delivered", 2, None)


@pytest.mark.parametrize(("status", "error"), [(302, "redirect"), (404, "status"), (503, "status")])
def test_whatever_is_not_2xx_is_a_failure_that_is_tried_again(status: int, error: str) -> None:
    with Receiver() as elsewhere, Receiver(status, headers={"Location": elsewhere.url}) as receiver:
        (delivery,) = waiting(endpoint_at(receiver.url))
        deliver_due_webhooks()
        delivery = fresh(delivery)
        assert (delivery.state, delivery.last_status, delivery.last_error) == ("pending", status, error)
        assert elsewhere.messages == []


def test_410_ends_it_for_the_endpoint() -> None:
    with Receiver(410) as receiver:
        endpoint = endpoint_at(receiver.url)
        (delivery,) = waiting(endpoint)
        deliver_due_webhooks()
        delivery = fresh(delivery)
        assert (delivery.state, delivery.last_error) == ("failed", "gone")
        assert (delivery.endpoint.is_enabled, delivery.endpoint.disabled_reason) == (False, "gone")
        make_call_request(endpoint.company)
        assert (deliver_due_webhooks(), WebhookDelivery.objects.count()) == (0, 1)


@pytest.mark.parametrize(
    ("pieces", "error"),
    [
        pytest.param([], "timeout", id="hangs"),
        pytest.param([b"H"] * 50, "timeout", id="drips"),
        pytest.param([b"220 ESMTP\r\n"], "bad_answer", id="is no web server"),
    ],
)
def test_a_receiver_that_is_none_is_a_failure(pieces: list[bytes], error: str, loopback: Any) -> None:
    loopback.WEBHOOK_TIMEOUT_SECONDS = 0.5
    with RawReceiver(pieces) as receiver:
        (delivery,) = waiting(endpoint_at(receiver.url))
        deliver_due_webhooks()
        delivery = fresh(delivery)
        assert (delivery.state, delivery.last_error, delivery.last_status) == ("pending", error, None)
        assert (delivery.last_duration_ms or 0) < 4000


def test_a_huge_answer_is_a_success_by_its_status() -> None:
    with Receiver(body=b"x" * 5_000_000) as receiver:
        (delivery,) = waiting(endpoint_at(receiver.url))
        deliver_due_webhooks()
        assert fresh(delivery).state == "delivered"


def test_an_inner_address_is_refused_and_says_so(receiver: Receiver, loopback: Any) -> None:
    loopback.WEBHOOK_ALLOWED_NETWORKS = []
    (delivery,) = waiting(endpoint_at(receiver.url))
    deliver_due_webhooks()
    assert fresh(delivery).last_error == "blocked"
    assert receiver.messages == []


def test_send_again_goes_out_under_the_same_id(receiver: Receiver) -> None:
    (delivery,) = waiting(endpoint_at(receiver.url))
    deliver_due_webhooks()
    resend_delivery(delivery.pk, now=timezone.now())
    deliver_due_webhooks()
    assert receiver.ids() == {delivery.message_id: 2}


# --- A slow receiver slows nobody --------------------------------------------------------------------------------


def test_200_messages_to_a_receiver_that_hangs_do_not_delay_anothers(receiver: Receiver, loopback: Any) -> None:
    # Whoever waits for one that hangs is later than the limits below.
    loopback.WEBHOOK_TIMEOUT_SECONDS = 25.0
    with RawReceiver() as hanging:
        bad, good = endpoint_at(hanging.url), endpoint_at(receiver.url)
        waiting(bad, 200)
        waiting(good, 20)
        batch = threading.Thread(target=run_batch)
        began = time.monotonic()
        batch.start()
        assert poll(lambda: len(receiver.messages) == 20, seconds=10)
        # A latecomer, while all that may hang already does.
        waiting(good)
        assert poll(lambda: len(receiver.messages) == 21, seconds=10)
        assert time.monotonic() - began < 20
        assert hanging.connections <= 4
        WebhookEndpoint.objects.filter(pk=bad.pk).update(is_enabled=False)
    batch.join(20)
    assert not batch.is_alive()
    assert set(receiver.ids().values()) == {1}


def test_a_second_bell_in_the_same_process_ends_at_once_while_the_first_works(
    receiver: Receiver, loopback: Any
) -> None:
    loopback.WEBHOOK_TIMEOUT_SECONDS = 25.0
    with RawReceiver() as hanging:
        waiting(endpoint_at(hanging.url), 10)
        batch = threading.Thread(target=run_batch)
        batch.start()
        assert poll(lambda: hanging.connections == 4, seconds=10)
        began = time.monotonic()
        assert deliver_due_webhooks() == 0
        assert time.monotonic() - began < 10
        WebhookEndpoint.objects.update(is_enabled=False)
    batch.join(20)
    assert not batch.is_alive()


# --- Once, as far as it can be ------------------------------------------------------------------------------------


def test_workers_at_the_same_time_send_each_message_once(receiver: Receiver) -> None:
    endpoints = [endpoint_at(receiver.url) for _ in range(5)]
    deliveries = [delivery for endpoint in endpoints for delivery in waiting(endpoint, 8)]

    def work() -> None:
        while claims := claim(limit=3):
            for each in claims:
                attempt_delivery(each)

    in_threads(4, work)
    # A worker finds nothing while the others hold all places, so what is left takes another round.
    work()
    assert receiver.ids() == {delivery.message_id: 1 for delivery in deliveries}
    assert set(WebhookDelivery.objects.values_list("state", "tries")) == {("delivered", 1)}


def test_a_worker_that_dies_after_sending_leaves_a_message_that_comes_again_under_its_id(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    (delivery,) = waiting(endpoint_at(receiver.url))

    class Killed(BaseException):
        """A SIGKILL, as far as the code can tell."""

    def die(*_given: Any, **_named: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(sending, "store_result", die)
        with pytest.raises(Killed):
            attempt_delivery(claim()[0])
    assert deliver_due_webhooks() == 0
    WebhookDelivery.objects.update(leased_until=timezone.now())
    deliver_due_webhooks()
    assert receiver.ids() == {delivery.message_id: 2}
    assert (fresh(delivery).state, fresh(delivery).tries) == ("delivered", 1)


def test_a_sender_that_was_overtaken_while_it_connected_does_not_send(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lease ended while a name was looked up, and somebody else has sent the message since."""
    (delivery,) = waiting(endpoint_at(receiver.url))
    (slow,) = claim()
    connect = outbound._connected
    overtaken: list[bool] = []

    def connect_late(*given: Any) -> Any:
        sock = connect(*given)
        if not overtaken:
            overtaken.append(True)
            (other,) = claim(now=timezone.now() + timedelta(seconds=5))
            attempt_delivery(other)
        return sock

    monkeypatch.setattr(outbound, "_connected", connect_late)
    attempt_delivery(slow)
    assert receiver.ids() == {delivery.message_id: 1}
    assert (fresh(delivery).state, fresh(delivery).tries) == ("delivered", 1)


def test_an_endpoint_switched_off_while_it_was_connected_to_is_not_sent_anything(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    (delivery,) = waiting(endpoint_at(receiver.url))
    connect = outbound._connected

    def connect_late(*given: Any) -> Any:
        WebhookEndpoint.objects.update(is_enabled=False)
        return connect(*given)

    monkeypatch.setattr(outbound, "_connected", connect_late)
    deliver_due_webhooks()
    assert receiver.messages == []
    assert (fresh(delivery).state, fresh(delivery).tries) == ("pending", 0)


def test_a_secret_that_can_not_be_decrypted_is_our_failure_and_tried_again(receiver: Receiver, loopback: Any) -> None:
    (delivery,) = waiting(endpoint_at(receiver.url))
    loopback.FIELD_ENCRYPTION_KEYS = ["BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA="]
    deliver_due_webhooks()
    loopback.FIELD_ENCRYPTION_KEYS = ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]
    delivery = fresh(delivery)
    assert (delivery.state, delivery.last_error, delivery.endpoint.failing_since) == ("pending", "secret", None)
    assert receiver.messages == []


def test_an_error_of_ours_is_counted_and_stops_nobody_else(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    poisonous, healthy = waiting(endpoint_at(receiver.url), 2)
    sent = sending._sent

    def fail(delivery: WebhookDelivery, *given: Any) -> Any:
        if delivery.pk == poisonous.pk:
            raise RuntimeError("of ours")
        return sent(delivery, *given)

    monkeypatch.setattr(sending, "_sent", fail)
    deliver_due_webhooks()
    assert (fresh(poisonous).state, fresh(poisonous).last_error) == ("pending", "internal")
    assert fresh(healthy).state == "delivered"


def test_the_logs_hold_no_address_no_secret_and_nothing_about_the_person(
    receiver: Receiver, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    company = make_company()
    for url in (receiver.url, f"http://127.0.0.1:{closed_port()}", "http://10.0.0.1"):
        make_webhook_endpoint(company, url=f"{url}/s3cr3t-path?token=t0ken", include_contact=True)
    secrets = [secret for one in WebhookEndpoint.objects.all() for secret in (one.secret, one.secret[6:])]
    make_call_request(company, name="Maria Canário", phone="(11) 98765-4321", email="maria@example.com")
    with Receiver(410) as gone:
        make_webhook_endpoint(company, url=f"{gone.url}/s3cr3t-path")
        make_call_request(company, name="Maria Canário", phone="(11) 98765-4321", email="maria@example.com")
        deliver_due_webhooks()
        with monkeypatch.context() as patched:
            patched.setattr(sending, "headers", None)
            WebhookDelivery.objects.filter(state="pending").update(next_try_at=timezone.now())
            deliver_due_webhooks()
    assert "switched off (gone)" in caplog.text
    assert "the try failed" in caplog.text
    ids = list(WebhookDelivery.objects.values_list("message_id", flat=True))
    for secret in (*secrets, *ids, "s3cr3t-path", "t0ken", "10.0.0.1", "Canário", "98765", "maria@", "v1,"):
        assert secret not in caplog.text
