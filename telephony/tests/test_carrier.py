"""The account's access token: kept in its row, asked for once by all threads and processes, never in the clear."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import requests
from django.utils import timezone

from telephony.models import DirectcallAccount
from telephony.providers.base import ProviderError, Unavailable
from telephony.providers.directcall.client import Token
from telephony.services import carrier
from telephony.services.carrier import AccountTokens, client_of
from telephony.tests.scenes import in_threads
from telephony.tests.simulators.running import SimulatorProcess


def tokens_given(directcall: SimulatorProcess) -> int:
    """How many tokens the simulator has handed out."""
    stats: dict[str, int] = requests.get(f"{directcall.url}/_simulator/stats", timeout=5).json()
    return stats.get("tokens given", 0)


def ask(account: DirectcallAccount) -> None:
    client_of(DirectcallAccount.objects.get(pk=account.pk)).list_callbacks()


def test_one_token_serves_many_calls_and_is_kept_encrypted(
    account: DirectcallAccount, directcall: SimulatorProcess
) -> None:
    ask(account)
    ask(account)
    assert tokens_given(directcall) == 1
    account.refresh_from_db()
    assert account.access_token
    assert not DirectcallAccount.objects.filter(access_token__contains=account.access_token).exists()
    carrier.forget_token(account)
    ask(account)
    assert tokens_given(directcall) == 2


def test_a_token_that_ran_out_or_is_refused_is_renewed_once(
    account: DirectcallAccount, directcall: SimulatorProcess
) -> None:
    ask(account)
    DirectcallAccount.objects.update(access_token_expires_at=timezone.now() - timedelta(seconds=1))
    ask(account)
    assert tokens_given(directcall) == 2
    later = timezone.now() + timedelta(hours=1)
    DirectcallAccount.objects.update(access_token="forgotten by the carrier", access_token_expires_at=later)
    ask(account)
    assert tokens_given(directcall) == 3
    account.refresh_from_db()
    assert account.access_token != "forgotten by the carrier"
    assert account.token_lease_until is None


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_ask_for_one_token(account: DirectcallAccount, directcall: SimulatorProcess) -> None:
    in_threads(8, lambda _place: ask(account))
    assert tokens_given(directcall) == 1


def test_a_process_that_died_while_asking_is_not_waited_for_longer_than_its_lease(account: DirectcallAccount) -> None:
    DirectcallAccount.objects.update(token_lease_until=timezone.now() - timedelta(seconds=1))
    token = Token("t", expires_at=timezone.now() + timedelta(hours=1))
    assert AccountTokens(account.pk).get(refused=None, ask=lambda: token) == token


def test_who_waits_in_vain_for_another_processs_token_gives_up(
    account: DirectcallAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    DirectcallAccount.objects.update(token_lease_until=timezone.now() + timedelta(hours=1))
    monkeypatch.setattr(carrier, "_lease_seconds", lambda: 0.05)
    with pytest.raises(Unavailable):
        AccountTokens(account.pk).get(refused=None, ask=lambda: pytest.fail("asked"))


@pytest.mark.django_db(transaction=True)
def test_who_waited_takes_the_token_that_came(account: DirectcallAccount) -> None:
    DirectcallAccount.objects.update(token_lease_until=timezone.now() + timedelta(hours=1))
    expires_at = timezone.now() + timedelta(hours=1)
    came = threading.Timer(
        0.1,
        lambda: in_threads(
            1, lambda _place: DirectcallAccount.objects.update(access_token="new", access_token_expires_at=expires_at)
        ),
    )
    came.start()
    assert AccountTokens(account.pk).get(refused=None, ask=lambda: pytest.fail("asked")).value == "new"
    came.join()


def test_wrong_credentials_leave_no_token_and_no_lease(account: DirectcallAccount) -> None:
    DirectcallAccount.objects.update(client_secret="wrong-secret")
    with pytest.raises(ProviderError) as caught:
        ask(account)
    assert "wrong-secret" not in str(caught.value)
    account.refresh_from_db()
    assert (account.access_token, account.token_lease_until) == ("", None)
