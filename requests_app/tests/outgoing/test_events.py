"""Which happenings are told, to whom, in which words; and that the telling is part of the happening."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from callcenter.tests.factories import make_company, make_user, make_webhook_endpoint
from requests_app.data import Origin
from requests_app.models import CallRequest, LedgerEntry, WebhookDelivery
from requests_app.models.outgoing import WebhookEvent
from requests_app.services import calls
from requests_app.services.intake import change_call_request, create_call_request, delete_call_request, dial_now
from requests_app.states import Outcome, Source

if TYPE_CHECKING:
    from callcenter.accounts.models import Company
    from requests_app.models import WebhookEndpoint

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 23, 15, 30, 45, 123456, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
SHOP = Origin(source=Source.CSCART)
CREATED, DIALED, ANSWERED = WebhookEvent.CREATED, WebhookEvent.DIALED, WebhookEvent.ANSWERED
COMPLETED, NO_ANSWER = WebhookEvent.COMPLETED, WebhookEvent.NO_ANSWER


@pytest.fixture
def company() -> Company:
    """A company whose program wants to know everything."""
    company = make_company("Loja Aurora")
    make_webhook_endpoint(company)
    return company


def create(company: Company, **fields: Any) -> CallRequest:
    values = {"name": "Maria", "phone": "(11) 98765-4321", "email": "maria@example.com", **fields}
    return create_call_request(company.pk, origin=SHOP, now=NOW, fields=values)


def dialed(company: Company) -> CallRequest:
    """A request whose first call was just placed."""
    request = create(company)
    dial(request)
    return request


def dial(request: CallRequest) -> None:
    calls.claim_requests([request.pk], now=NOW)
    calls.note_try(request.pk, now=NOW)


def settle(request: CallRequest, outcome: Outcome, retry_at: datetime | None = None) -> None:
    calls.settle_request(request.pk, outcome=outcome, retry_at=retry_at, now=LATER)


def told(company: Company | None = None) -> list[str]:
    """The events in the outbox, in order."""
    rows = WebhookDelivery.objects.order_by("pk")
    if company is not None:
        rows = rows.filter(endpoint__company=company)
    return list(rows.values_list("event", flat=True))


def last_payload() -> Any:
    return json.loads(WebhookDelivery.objects.latest("pk").payload)


# --- Which -------------------------------------------------------------------------------------------------------


def test_an_answered_call_tells_its_whole_story_once(company: Company) -> None:
    request = dialed(company)
    calls.note_answered(request.pk, now=LATER)
    settle(request, Outcome.ANSWERED)
    assert told() == [CREATED, DIALED, ANSWERED, COMPLETED]


def test_an_answer_that_is_only_heard_of_at_the_end_is_told_too(company: Company) -> None:
    settle(dialed(company), Outcome.ANSWERED)
    assert told() == [CREATED, DIALED, ANSWERED, COMPLETED]


def test_out_of_tries_is_told_as_no_answer_and_the_tries_before_are_not_told(company: Company) -> None:
    request = dialed(company)
    settle(request, Outcome.BUSY, retry_at=NOW)
    dial(request)
    settle(request, Outcome.NO_ANSWER)
    assert told() == [CREATED, DIALED, NO_ANSWER]


def test_each_call_that_is_answered_is_told(company: Company) -> None:
    request = dialed(company)
    settle(request, Outcome.ANSWERED)
    dial_now(request.pk, scope=None, origin=SHOP, now=LATER)
    calls.claim_requests([request.pk], now=LATER)
    calls.note_try(request.pk, now=LATER)
    settle(request, Outcome.ANSWERED)
    assert told() == [CREATED, DIALED, ANSWERED, COMPLETED, ANSWERED, COMPLETED]


def test_late_news_that_a_call_was_answered_after_all_is_told(company: Company) -> None:
    request = dialed(company)
    settle(request, Outcome.NO_ANSWER)
    calls.correct_outcome(request.pk, was=Outcome.NO_ANSWER, outcome=Outcome.ANSWERED, retry_at=None, now=LATER)
    assert told() == [CREATED, DIALED, NO_ANSWER, ANSWERED, COMPLETED]


@pytest.mark.parametrize(("status", "events"), [("completed", [COMPLETED]), ("no_answer", [NO_ANSWER]), ("new", [])])
def test_a_status_that_the_shop_or_a_person_sets_is_told(company: Company, status: str, events: list[str]) -> None:
    request = create(company)
    for _ in range(2):
        change_call_request(request.pk, scope=None, origin=SHOP, now=LATER, fields={"status": status})
    assert told() == [CREATED, *events]


def test_edits_assignments_and_deletions_are_not_told(company: Company) -> None:
    request, person = create(company), make_user(company)
    for fields in ({"name": "Ana"}, {"responsible_id": person.pk}, {"status": "in_progress"}):
        change_call_request(request.pk, scope=None, origin=SHOP, now=LATER, fields=fields)
    delete_call_request(request.pk, scope=None, origin=SHOP, now=LATER)
    assert told() == [CREATED]


# --- Whom --------------------------------------------------------------------------------------------------------


def test_only_the_requests_own_company_is_told(company: Company) -> None:
    other = make_company()
    make_webhook_endpoint(other)
    create(company)
    assert (told(company), told(other)) == ([CREATED], [])


def test_each_endpoint_is_told_what_it_asked_for(company: Company) -> None:
    make_webhook_endpoint(company, name="só o fim", events=[COMPLETED.value, NO_ANSWER.value])
    make_webhook_endpoint(company, name="desligado", is_enabled=False)
    settle(dialed(company), Outcome.ANSWERED)
    of_end = WebhookDelivery.objects.filter(endpoint__name="só o fim").values_list("event", flat=True)
    assert list(of_end) == [COMPLETED]
    assert len(told()) == 5
    assert len(set(WebhookDelivery.objects.values_list("message_id", flat=True))) == 5


def test_an_entry_of_the_ledger_is_told_once_by_the_databases_own_rule(company: Company) -> None:
    create(company)
    delivery = WebhookDelivery.objects.get()
    delivery.pk, delivery.message_id = None, "msg_other"
    with pytest.raises(Exception, match="(?i)unique"), transaction.atomic():
        delivery.save(force_insert=True)


def test_what_is_rolled_back_is_not_told(company: Company) -> None:
    with transaction.atomic():
        create(company)
        assert told() == [CREATED]
        transaction.set_rollback(True)
    assert (LedgerEntry.objects.count(), told()) == (0, [])


def test_an_event_costs_nobody_a_query_who_is_told_of_nothing(company: Company) -> None:
    costs = []
    for shop in (make_company(), company):
        with CaptureQueriesContext(connection) as captured:
            create(shop)
        costs.append(sum("webhook" in query["sql"] for query in captured.captured_queries))
    # Whether anybody is told comes with the company; then who it is, and the outbox.
    assert costs == [1, 3]


def test_claiming_asks_nothing_about_webhooks(company: Company, django_assert_num_queries: Any) -> None:
    request = create(company)
    with transaction.atomic(), django_assert_num_queries(2):
        calls.claim_requests([request.pk], now=NOW)


# --- In which words ----------------------------------------------------------------------------------------------


def test_the_payload_says_what_and_when_and_nothing_about_the_person(company: Company) -> None:
    request = create(company, order_number=17, product_number=0, notes="liga cedo", requested_at=NOW)
    assert WebhookDelivery.objects.get().payload == (
        '{"type":"call_request.created","timestamp":"2026-11-23T15:30:45.123Z","data":{'
        f'"request_id":{request.pk},"company_id":{company.pk},"status":"new","last_outcome":null,"attempts":0,'
        '"source":"cscart","order_id":17,"product_id":null,"requested_at":"2026-11-23T15:30:45.123Z",'
        '"completed_at":null}}'
    )


def test_contact_data_travels_only_to_an_endpoint_that_asks_for_it(company: Company) -> None:
    make_webhook_endpoint(company, name="CRM", include_contact=True)
    create(company, name="Mária “M” \u2028")
    with_contact = WebhookDelivery.objects.get(endpoint__name="CRM")
    without = WebhookDelivery.objects.exclude(endpoint__name="CRM").get()
    assert json.loads(with_contact.payload)["data"]["contact"] == {
        "name": "Mária “M” \u2028",
        "phone": "(11) 98765-4321",
        "phone_e164": "+5511987654321",
        "email": "maria@example.com",
    }
    for secret in ("Mária", "98765", "maria@"):
        assert secret not in without.payload


def test_each_event_carries_the_state_that_it_brought(company: Company) -> None:
    request = dialed(company)
    data = last_payload()["data"]
    assert (data["status"], data["attempts"], data["last_outcome"]) == ("in_progress", 1, None)
    settle(request, Outcome.ANSWERED)
    answered, completed = [json.loads(one.payload) for one in WebhookDelivery.objects.order_by("pk")][-2:]
    assert (answered["data"]["status"], answered["data"]["last_outcome"]) == ("in_progress", "answered")
    assert (completed["data"]["status"], completed["data"]["last_outcome"]) == ("completed", "answered")
    assert (answered["data"]["completed_at"], completed["data"]["completed_at"]) == (None, "2026-11-23T15:31:45.123Z")


def test_the_largest_payload_stays_below_20_kilobytes(company: Company) -> None:
    make_webhook_endpoint(company, name="CRM", include_contact=True)
    create(company, name="\U0001f600" * 250, phone='"' * 128, notes="x" * 100_000, cart_products={"1": "x" * 50_000})
    sizes = [len(one.payload.encode()) for one in WebhookDelivery.objects.all()]
    assert max(sizes) < 3_000


def test_a_request_that_was_deleted_meanwhile_is_still_told(company: Company) -> None:
    request = create(company)
    delete_call_request(request.pk, scope=None, origin=SHOP, now=LATER)
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, json.loads(delivery.payload)["data"]["request_id"]) == ("pending", request.pk)


def test_a_deleted_endpoint_takes_its_log_along_and_leaves_the_ledger(company: Company) -> None:
    create(company)
    endpoint: WebhookEndpoint = company.webhook_endpoints.get()
    endpoint.delete()
    assert (WebhookDelivery.objects.count(), LedgerEntry.objects.count()) == (0, 1)
