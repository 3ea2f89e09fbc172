"""Our account at the carrier, against the carrier's simulator: a token kept, a webhook registered, listed, removed."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests
from django.utils import timezone

from callcenter.lib.secrets import digest
from telephony.models import DirectcallAccount
from telephony.providers.base import ProviderError
from telephony.services import carrier
from telephony.tests.simulators.running import SimulatorProcess

if TYPE_CHECKING:
    pass

pytestmark = pytest.mark.django_db


def registered(account: DirectcallAccount) -> list[str]:
    """The codes that the carrier has registered, in its order."""
    return [callback.code for callback in carrier.list_callbacks(account)]


def tokens_given(directcall: SimulatorProcess) -> int:
    """How many tokens the simulator has handed out."""
    stats: dict[str, int] = requests.get(f"{directcall.url}/_simulator/stats", timeout=5).json()
    return stats.get("tokens given", 0)


def test_an_account_gets_one_secret_path_and_keeps_it(account: DirectcallAccount) -> None:
    secret = account.webhook_secret
    assert re.fullmatch(r"[A-Za-z0-9]{40}", secret)
    assert account.webhook_digest == digest(secret)
    carrier.prepare_account(account)
    assert account.webhook_secret == secret


def test_the_webhooks_address_holds_credentials_only_when_asked_for(account: DirectcallAccount, settings: Any) -> None:
    settings.PUBLIC_URL = "https://cc.example.com/base"
    path = f"cc.example.com/base/webhooks/directcall/{account.webhook_secret}"
    assert carrier.webhook_url(account) == f"https://{path}"
    assert carrier.webhook_url(account, with_credentials=True) == f"https://{path}"
    account.webhook_username, account.webhook_password = "direct call", "se@nha:/ç"
    assert carrier.webhook_url(account) == f"https://{path}"
    assert carrier.webhook_url(account, with_credentials=True) == f"https://direct%20call:se%40nha%3A%2F%C3%A7@{path}"


def test_a_registration_is_remembered_and_listed(account: DirectcallAccount) -> None:
    now = timezone.now()
    code = carrier.register_callback(account, now=now)
    account.refresh_from_db()
    assert (account.callback_code, account.callback_registered_at) == (code, now)
    assert registered(account) == [code]


def test_registering_again_leaves_one_registration(account: DirectcallAccount) -> None:
    first = carrier.register_callback(account)
    second = carrier.register_callback(account)
    assert first != second
    assert registered(account) == [second]


def test_removing_can_be_repeated_and_leaves_other_registrations(account: DirectcallAccount) -> None:
    twin = DirectcallAccount.objects.create(
        company=account.company, name="Outra", base_url=account.base_url, client_id=account.client_id,
        client_secret=account.client_secret, webhook_secret="x", webhook_digest=digest("x"),
    )  # fmt: skip
    other = carrier.register_callback(twin)
    carrier.register_callback(account)
    carrier.remove_callback(account)
    carrier.remove_callback(account)
    account.refresh_from_db()
    assert (account.callback_code, account.callback_registered_at) == ("", None)
    assert registered(account) == [other]


def test_one_token_serves_many_calls_and_is_kept_encrypted(
    account: DirectcallAccount, directcall: SimulatorProcess
) -> None:
    carrier.register_callback(account)
    again = DirectcallAccount.objects.get(pk=account.pk)
    carrier.list_callbacks(again)
    assert tokens_given(directcall) == 1
    stored = DirectcallAccount.objects.filter(access_token__contains=account.access_token)
    assert account.access_token
    assert not stored.exists()


def test_a_token_that_ran_out_or_is_refused_is_renewed_once(
    account: DirectcallAccount, directcall: SimulatorProcess
) -> None:
    carrier.list_callbacks(account)
    account.access_token_expires_at = timezone.now() - timedelta(seconds=1)
    carrier.list_callbacks(account)
    assert tokens_given(directcall) == 2
    account.access_token = "forgotten by the carrier"
    account.access_token_expires_at = timezone.now() + timedelta(hours=1)
    carrier.list_callbacks(account)
    assert tokens_given(directcall) == 3
    account.refresh_from_db()
    assert account.access_token != "forgotten by the carrier"


def test_a_failure_keeps_the_former_registration(account: DirectcallAccount) -> None:
    code = carrier.register_callback(account)
    account.client_secret, account.access_token = "wrong", ""
    with pytest.raises(ProviderError) as caught:
        carrier.register_callback(account)
    assert "wrong" not in str(caught.value)
    account.refresh_from_db()
    assert account.callback_code == code
