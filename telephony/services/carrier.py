"""Our account at the carrier: its client, and the access token that all processes share."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from telephony import selectors
from telephony.models import DirectcallAccount
from telephony.providers.base import Unavailable
from telephony.providers.directcall.client import AccountAccess, DirectcallClient, Token
from telephony.providers.directcall.records import Vocabulary
from telephony.providers.http import Timeouts

if TYPE_CHECKING:
    from collections.abc import Callable

# How often somebody who waits for another process's new token looks whether it has come.
LOOK_AGAIN_SECONDS: Final = 0.1


def client_of(account: DirectcallAccount) -> DirectcallClient:
    """The client that speaks for the account, with its token from the table.

    Errors: `SecretUnreadable`.
    """
    return DirectcallClient(
        AccountAccess(base_url=account.base_url, client_id=account.client_id, client_secret=account.client_secret),
        tokens=AccountTokens(account.pk),
        list_path=settings.DIRECTCALL_LIST_CALLBACK_PATH,
        remove_path=settings.DIRECTCALL_REMOVE_CALLBACK_PATH,
        timeouts=_timeouts(),
        vocabulary=Vocabulary(field_names=selectors.field_names(), status_words=selectors.status_words()),
        answer_format=settings.DIRECTCALL_ANSWER_FORMAT,
    )


def forget_token(account: DirectcallAccount) -> None:
    """Nothing; the next call logs in anew. For an account whose address or login was changed."""
    DirectcallAccount.objects.filter(pk=account.pk).update(access_token="", access_token_expires_at=None)


class AccountTokens:
    """The token of one account, in its row; one process at a time asks for a new one, the others wait for that.

    A lease instead of a lock, because no transaction may be open while the carrier is asked.
    """

    def __init__(self, account_id: int) -> None:
        self._row = DirectcallAccount.objects.filter(pk=account_id)

    def get(self, *, refused: Token | None, ask: Callable[[], Token]) -> Token:
        """A token that is neither over nor `refused`.

        Errors: what `ask` raises; `Unavailable` when another process asks for one and does not come to an end.
        """
        gives_up_at = time.monotonic() + 2 * _lease_seconds()
        while True:
            token = self._usable(refused)
            if token is not None:
                return token
            if self._take_lease():
                return self._renewed(refused, ask)
            if time.monotonic() > gives_up_at:
                raise Unavailable("Another process is asking for the token and does not end.")
            time.sleep(LOOK_AGAIN_SECONDS)

    def _usable(self, refused: Token | None) -> Token | None:
        stored = self._row.values_list("access_token", "access_token_expires_at").first()
        if stored is None or not stored[0] or stored[1] is None:
            return None
        token = Token(value=stored[0], expires_at=stored[1])
        is_refused = refused is not None and token.value == refused.value
        return None if is_refused or token.expires_at <= timezone.now() else token

    def _take_lease(self) -> bool:
        now = timezone.now()
        free = self._row.filter(Q(token_lease_until=None) | Q(token_lease_until__lt=now))
        return bool(free.update(token_lease_until=now + timedelta(seconds=_lease_seconds())))

    def _renewed(self, refused: Token | None, ask: Callable[[], Token]) -> Token:
        try:
            # Somebody may have renewed it between our look and our lease.
            token = self._usable(refused)
            if token is None:
                token = ask()
                self._row.update(access_token=token.value, access_token_expires_at=token.expires_at)
            return token
        finally:
            self._row.update(token_lease_until=None)


def _timeouts() -> Timeouts:
    return Timeouts(
        connect_seconds=settings.DIRECTCALL_CONNECT_TIMEOUT_SECONDS,
        answer_seconds=settings.DIRECTCALL_READ_TIMEOUT_SECONDS,
    )


def _lease_seconds() -> float:
    # Longer than asking can take: connecting, TLS, and the answer.
    timeouts = _timeouts()
    return 2 * timeouts.connect_seconds + timeouts.answer_seconds + 5
