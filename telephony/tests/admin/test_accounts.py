"""Accounts at the carrier in the admin, against the carrier's simulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from django.utils import timezone

from callcenter.tests.factories import make_account, make_company, make_supervisor, make_user
from telephony.models import DirectcallAccount
from telephony.services.callbacks import callback_url

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db

LIST = reverse("admin:telephony_directcallaccount_changelist")
REGISTRATIONS = reverse("admin:telephony_callbackregistration_changelist")
# What the page sends for the addresses that it only shows.
NO_ROWS = {"registrations-TOTAL_FORMS": "0", "registrations-INITIAL_FORMS": "0"}
ADD = reverse("admin:telephony_directcallaccount_add")


def page_of(account: DirectcallAccount) -> str:
    return reverse("admin:telephony_directcallaccount_change", args=[account.pk])


def act(client: Client, action: str, account: DirectcallAccount) -> str:
    response = client.post(LIST, {"action": action, "_selected_action": account.pk}, follow=True)
    account.refresh_from_db()
    return response.content.decode()


def test_a_new_account_gets_a_webhook_address_that_administrators_read(client: Client) -> None:
    company = make_company()
    client.force_login(make_user(company))
    data = {
        "company": company.pk, "name": "Directcall", "is_enabled": "on", "base_url": "https://api.example.com",
        "client_secret": "segredo-do-cliente", "uses_basic": "on",
    }  # fmt: skip
    assert client.post(ADD, data).status_code == 302
    account = DirectcallAccount.objects.get()
    registration = account.registrations.get()
    page = client.get(page_of(account)).content.decode()
    assert callback_url(registration) in page
    assert "segredo-do-cliente" not in page
    assert registration.password
    assert registration.password not in page
    secrets = (registration.secret, "segredo-do-cliente", registration.password)
    for url in (LIST, REGISTRATIONS, reverse("admin:telephony_callbackregistration_change", args=[registration.pk])):
        shown = client.get(url).content.decode()
        assert not any(secret in shown for secret in secrets)
    assert not any(secret in str(entry.__dict__) for entry in LogEntry.objects.all() for secret in secrets)


def test_saving_an_account_keeps_its_address_and_its_secrets(client: Client) -> None:
    account = make_account(make_company(), client_secret="segredo")
    client.force_login(make_user())
    data = {"name": "Outro nome", "is_enabled": "on", "base_url": account.base_url, **NO_ROWS}
    assert client.post(page_of(account), data).status_code == 302
    again = DirectcallAccount.objects.get()
    assert (again.name, again.client_secret) == ("Outro nome", "segredo")
    assert again.registrations.get() == account.registrations.get()


def test_another_address_asks_for_the_secret_again_and_another_login_for_a_new_token(client: Client) -> None:
    account = make_account(
        make_company(), client_secret="segredo", access_token="tok", access_token_expires_at=timezone.now()
    )
    client.force_login(make_user())
    data = {"name": "Directcall", "is_enabled": "on", "base_url": account.base_url, "client_id": "loja", **NO_ROWS}
    assert client.post(page_of(account), {**data, "base_url": "https://elsewhere.example.com"}).status_code == 200
    assert DirectcallAccount.objects.get().access_token == "tok"
    assert client.post(page_of(account), data).status_code == 302
    again = DirectcallAccount.objects.get()
    assert (again.client_id, again.client_secret, again.access_token) == ("loja", "segredo", "")
    assert again.access_token_expires_at is None


def test_a_supervisor_sees_no_account(client: Client) -> None:
    client.force_login(make_supervisor())
    assert client.get(LIST).status_code == 403


def test_the_accounts_page_offers_what_can_be_done_at_the_carrier(client: Client, account: DirectcallAccount) -> None:
    client.force_login(make_user())
    page = client.get(page_of(account)).content.decode()
    assert f'<input type="hidden" name="_selected_action" value="{account.pk}">' in page
    assert '<button class="button" name="action" value="rotate_selected">' in page
    assert 'value="delete_selected"' not in page


def test_the_callback_is_registered_checked_and_removed(client: Client, account: DirectcallAccount) -> None:
    client.force_login(make_user())
    assert "não há callback registrado" in act(client, "remove_selected", account)
    assert "o nosso: não." in act(client, "check_selected", account)
    assert "Feito para 1 linha." in act(client, "register_selected", account)
    registration = account.registrations.get(state="verified")
    checked = act(client, "check_selected", account)
    assert "1 registrado(s) na operadora; o nosso: sim." in checked
    assert registration.secret not in checked
    assert "Feito para 1 linha." in act(client, "rotate_selected", account)
    assert account.registrations.get(state="verified") != registration
    assert "saldo R$ 1234.56." in act(client, "show_balance", account)
    assert "Feito para 1 linha." in act(client, "remove_selected", account)
    assert not account.registrations.exclude(state="removed").exists()


def test_a_refusal_of_the_carrier_is_told_in_portuguese(client: Client, account: DirectcallAccount) -> None:
    client.force_login(make_user())
    DirectcallAccount.objects.filter(pk=account.pk).update(base_url="http://127.0.0.1:9")
    assert "sem conexão com a operadora" in act(client, "register_selected", account)
    page = client.get(page_of(account)).content.decode()
    assert "sem conexão com a operadora" in page
    assert account.registrations.get().state == "prepared"
