"""Our account at the carrier: its client, its webhook address, and the callback registered there."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from callcenter.lib.secrets import digest, random_token
from telephony.models import DirectcallAccount
from telephony.providers.directcall.client import AccountAccess, DirectcallClient, Token
from telephony.providers.http import Timeouts

if TYPE_CHECKING:
    from datetime import datetime

    from telephony.providers.directcall.wire import RegisteredCallback


def prepare_account(account: DirectcallAccount) -> None:
    """Give an account without a webhook address a secret one; call before it is saved. Safe to repeat."""
    if not account.webhook_secret:
        account.webhook_secret = random_token(40)
        account.webhook_digest = digest(account.webhook_secret)


def webhook_url(account: DirectcallAccount, *, with_credentials: bool = False) -> str:
    """The address that the carrier posts to; with the Basic credentials inside when asked for and set.

    The carrier knows no other way to authenticate, and its page tells to put them there.
    """
    url = f"{settings.PUBLIC_URL}{reverse('directcall-callback', args=[account.webhook_secret])}"
    if not (with_credentials and account.webhook_username):
        return url
    parts = urlsplit(url)
    user = f"{quote(account.webhook_username, safe='')}:{quote(account.webhook_password, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{user}@{parts.netloc}"))


def register_callback(account: DirectcallAccount, *, now: datetime | None = None) -> str:
    """The carrier's code of our webhook address, registered and remembered; a former registration is removed after.

    Errors: `ProviderError`; the former registration stays then.
    """
    former = account.callback_code
    client = _client(account)
    code = client.register_callback(webhook_url(account, with_credentials=True), pin=account.pin)
    _remember(account, callback_code=code, callback_registered_at=now or timezone.now())
    if former and former != code:
        client.remove_callback(former)
    return code


def remove_callback(account: DirectcallAccount) -> None:
    """Nothing; the carrier forgets the address that we registered. Safe to repeat.

    Errors: `ProviderError`.
    """
    if account.callback_code:
        _client(account).remove_callback(account.callback_code)
        _remember(account, callback_code="", callback_registered_at=None)


def list_callbacks(account: DirectcallAccount) -> list[RegisteredCallback]:
    """Every address that the carrier has registered for this account, ours and others.

    Errors: `ProviderError`.
    """
    return _client(account).list_callbacks()


def forget_token(account: DirectcallAccount) -> None:
    """Nothing; the next call logs in anew. For an account whose address or login was changed."""
    _remember(account, access_token="", access_token_expires_at=None)


def _client(account: DirectcallAccount) -> DirectcallClient:
    token = None
    if account.access_token and account.access_token_expires_at is not None:
        token = Token(value=account.access_token, expires_at=account.access_token_expires_at)
    return DirectcallClient(
        AccountAccess(base_url=account.base_url, client_id=account.client_id, client_secret=account.client_secret),
        token=token,
        on_new_token=lambda new: _remember(account, access_token=new.value, access_token_expires_at=new.expires_at),
        list_path=settings.DIRECTCALL_LIST_CALLBACK_PATH,
        remove_path=settings.DIRECTCALL_REMOVE_CALLBACK_PATH,
        timeouts=Timeouts(
            connect_seconds=settings.DIRECTCALL_CONNECT_TIMEOUT_SECONDS,
            answer_seconds=settings.DIRECTCALL_READ_TIMEOUT_SECONDS,
        ),
    )


def _remember(account: DirectcallAccount, **columns: object) -> None:
    for name, value in columns.items():
        setattr(account, name, value)
    account.save(update_fields=[*columns])
