"""What staff do with outgoing webhooks in the admin: the secret is seen once, the log is read, messages go again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from callcenter.tests.factories import (
    make_attendant,
    make_call_request,
    make_company,
    make_supervisor,
    make_user,
    make_webhook_endpoint,
)
from requests_app.models import WebhookDelivery, WebhookEndpoint
from requests_app.models.outgoing import all_events
from requests_app.services.deliveries import Result, store_result
from requests_app.tests.outgoing.scenes import claim

if TYPE_CHECKING:
    from django.test import Client

    from callcenter.accounts.models import Company

pytestmark = pytest.mark.django_db

ENDPOINTS = reverse("admin:requests_app_webhookendpoint_changelist")
ADD = reverse("admin:requests_app_webhookendpoint_add")
DELIVERIES = reverse("admin:requests_app_webhookdelivery_changelist")
SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]+")


@pytest.fixture
def company() -> Company:
    return make_company("Loja Aurora")


@pytest.fixture
def administrator(client: Client, company: Company) -> Client:
    client.force_login(make_user(company))
    return client


def page_of(endpoint: WebhookEndpoint, page: str = "change") -> str:
    return reverse(f"admin:requests_app_webhookendpoint_{page}", args=[endpoint.pk])


def text(response: Any) -> str:
    content: bytes = response.content
    return content.decode()


def form(company: Company, **fields: Any) -> dict[str, Any]:
    values = {"name": "ERP", "url": "https://shop.example.com/hooks", "events": all_events(), "company": company.pk}
    return {**values, **fields}


def act(client: Client, address: str, action: str, *rows: Any) -> Any:
    posted = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(address, posted, follow=True)


def test_the_secret_of_a_new_endpoint_is_shown_once(administrator: Client, company: Company) -> None:
    response = administrator.post(ADD, form(company, include_contact="on"))
    endpoint = WebhookEndpoint.objects.get()
    assert SECRET.findall(text(response)) == [endpoint.secret]
    assert "no-store" in response["Cache-Control"]
    assert (endpoint.company, endpoint.events, endpoint.include_contact) == (company, all_events(), True)
    assert endpoint.is_enabled
    for address in (ENDPOINTS, page_of(endpoint), page_of(endpoint, "history")):
        assert "whsec_" not in text(administrator.get(address))


def test_a_change_keeps_secret_and_health(administrator: Client, company: Company) -> None:
    endpoint = make_webhook_endpoint(company)
    WebhookEndpoint.objects.update(failing_since=timezone.now())
    posted = form(company, name="CRM", events=["call_request.completed"], is_enabled="on")
    assert administrator.post(page_of(endpoint), posted).status_code == 302
    changed = WebhookEndpoint.objects.get()
    assert (changed.name, changed.events) == ("CRM", ["call_request.completed"])
    assert changed.secret == endpoint.secret
    assert changed.failing_since is not None


def test_one_that_the_system_switched_off_says_why_and_can_be_switched_on(
    administrator: Client, company: Company
) -> None:
    endpoint = make_webhook_endpoint(company)
    WebhookEndpoint.objects.update(is_enabled=False, disabled_reason="failing", disabled_at=timezone.now())
    assert "Nenhuma entrega deu certo em cinco dias" in text(administrator.get(ENDPOINTS))
    assert "desligado pelo sistema" in text(administrator.get(page_of(endpoint)))
    administrator.post(page_of(endpoint), form(company, is_enabled="on"))
    changed = WebhookEndpoint.objects.get()
    assert (changed.is_enabled, changed.disabled_reason, changed.disabled_at) == (True, "", None)


def test_rotating_shows_the_new_secret_once_and_keeps_the_old_one_for_a_day(
    administrator: Client, company: Company
) -> None:
    endpoint = make_webhook_endpoint(company)
    assert administrator.get(page_of(endpoint, "rotate")).status_code == 405
    response = administrator.post(page_of(endpoint, "rotate"))
    changed = WebhookEndpoint.objects.get()
    assert SECRET.findall(text(response)) == [changed.secret]
    assert "no-store" in response["Cache-Control"]
    assert changed.secret != endpoint.secret == changed.previous_secret
    assert "o anterior também assina até" in text(administrator.get(page_of(endpoint)))
    assert "Segredo trocado." in LogEntry.objects.latest("pk").change_message


@pytest.mark.parametrize(
    "url",
    ["https://user:pw@shop.example.com/", "https://shop.example.com/#x", "ftp://shop.example.com/", "not a url",
     "https://shop.example.com\\@evil.example.com/", "https://shop.example.com/é"],
)  # fmt: skip
def test_an_address_that_can_not_be_used_is_refused_with_a_sentence(
    administrator: Client, company: Company, url: str
) -> None:
    response = administrator.post(ADD, form(company, url=url))
    assert response.status_code == 200
    assert 'class="errorlist"' in text(response)
    assert not WebhookEndpoint.objects.exists()


def test_an_unknown_event_and_none_at_all_are_refused(administrator: Client, company: Company) -> None:
    for events in (["webhook.test"], ["call_request.deleted"], []):
        assert administrator.post(ADD, form(company, events=events)).status_code == 200
    assert not WebhookEndpoint.objects.exists()


def test_a_test_can_be_sent_and_its_page_is_shown(administrator: Client, company: Company) -> None:
    endpoint = make_webhook_endpoint(company)
    response = act(administrator, ENDPOINTS, "test_selected", endpoint)
    delivery = WebhookDelivery.objects.get()
    assert (delivery.event, delivery.state) == ("webhook.test", "pending")
    assert delivery.message_id in text(response)
    WebhookEndpoint.objects.update(is_enabled=False)
    assert "O destino está desligado." in text(act(administrator, ENDPOINTS, "test_selected", endpoint))
    assert WebhookDelivery.objects.count() == 1


def test_the_log_shows_what_became_of_a_message_and_sends_it_again(administrator: Client, company: Company) -> None:
    make_webhook_endpoint(company)
    request = make_call_request(company)
    (claimed,) = claim()
    store_result(claimed, Result("gone", 410), duration_ms=120, now=timezone.now())
    WebhookEndpoint.objects.update(is_enabled=True)
    delivery = WebhookDelivery.objects.get()
    for address in (f"{DELIVERIES}?q={request.pk}", f"{DELIVERIES}?q={delivery.message_id}"):
        page = text(administrator.get(address))
        assert "HTTP 410 · O destino não quer mais receber (410)" in page
        assert "Não entregue" in page
    page = text(administrator.get(reverse("admin:requests_app_webhookdelivery_change", args=[delivery.pk])))
    assert f"&quot;request_id&quot;: {request.pk}" in page
    assert "Feito para 1 linha." in text(act(administrator, DELIVERIES, "resend_selected", delivery))
    assert WebhookDelivery.objects.get().state == "pending"


def test_what_waits_for_an_endpoint_that_is_off_says_so(administrator: Client, company: Company) -> None:
    make_webhook_endpoint(company)
    make_call_request(company)
    WebhookEndpoint.objects.update(is_enabled=False)
    assert "Parada: destino desligado" in text(administrator.get(DELIVERIES))


def test_deleting_an_endpoint_says_how_much_of_the_log_goes_with_it(administrator: Client, company: Company) -> None:
    endpoint = make_webhook_endpoint(company)
    make_call_request(company)
    assert "entregas de webhook: 1" in text(administrator.get(page_of(endpoint, "delete"))).lower()
    administrator.post(page_of(endpoint, "delete"), {"post": "yes"})
    assert (WebhookEndpoint.objects.count(), WebhookDelivery.objects.count()) == (0, 0)


def test_a_supervisor_reads_and_an_attendant_sees_nothing(client: Client, company: Company) -> None:
    endpoint = make_webhook_endpoint(company)
    make_call_request(company)
    delivery = WebhookDelivery.objects.get()
    client.force_login(make_supervisor(company))
    assert (client.get(ENDPOINTS).status_code, client.get(DELIVERIES).status_code) == (200, 200)
    assert "Trocar o segredo" not in text(client.get(page_of(endpoint)))
    assert (client.get(ADD).status_code, client.post(page_of(endpoint, "rotate")).status_code) == (403, 403)
    act(client, ENDPOINTS, "test_selected", endpoint)
    act(client, DELIVERIES, "resend_selected", delivery)
    assert list(WebhookDelivery.objects.values_list("event", flat=True)) == ["call_request.created"]
    client.force_login(make_attendant(company))
    assert (client.get(ENDPOINTS).status_code, client.get(DELIVERIES).status_code) == (403, 403)


def test_a_bound_administrator_can_not_make_an_endpoint_for_another_company(administrator: Client) -> None:
    other = make_company("Loja Boreal")
    assert administrator.post(ADD, form(other)).status_code == 200
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.parametrize("address", [ENDPOINTS, DELIVERIES])
def test_a_list_costs_the_same_for_one_row_and_for_many(
    administrator: Client, company: Company, address: str, django_assert_max_num_queries: Any
) -> None:
    make_webhook_endpoint(company)
    make_call_request(company)
    with django_assert_max_num_queries(15) as one:
        administrator.get(address)
    for _ in range(5):
        make_webhook_endpoint(company)
        make_call_request(company)
    with django_assert_max_num_queries(len(one)):
        administrator.get(address)
