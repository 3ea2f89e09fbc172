"""The client of Directcall's API: the access token, and registering, listing and removing callback URLs.

Source: https://docs.api.directcall.com.br/wiki/spaces/cloudapi/pages/950367
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from telephony.providers.base import Ambiguous, ProviderError, Unauthorized, Unavailable
from telephony.providers.directcall import wire
from telephony.providers.http import Timeouts, checked_base_url, error_for_status, post

# The vendor only says that tokens have "uma validade limitada"; others count on 3,600 s.
TOKEN_LIFETIME: Final = timedelta(seconds=3000)


@dataclass(frozen=True)
class AccountAccess:
    """One account's address and credentials; its repr shows none of them."""

    base_url: str = field(repr=False)
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)


@dataclass(frozen=True)
class Token:
    """An access token and the instant from which a new one is asked for."""

    value: str = field(repr=False)
    expires_at: datetime


class DirectcallClient:
    """Speaks for one account. Threads may share it: a new token is asked for once, by one of them.

    `token` is the one kept from earlier, or None; `on_new_token` is told each new one, to keep it. A token that the
    API refuses is renewed once; then the method gives up.

    *Errors* of its methods: `Unauthorized`; `Misconfigured` (address, billing, balance); `Refused`; `Unavailable` and
    `NotSent` (later it may work); `Ambiguous` (it may have been done).

    *Safe to repeat?* Listing and removing, always. Registering twice makes two registrations: list them first.
    """

    def __init__(
        self,
        account: AccountAccess,
        *,
        token: Token | None,
        on_new_token: Callable[[Token], None],
        timeouts: Timeouts,
        list_path: str = wire.LIST_CALLBACKS_PATH,
        remove_path: str = wire.REMOVE_CALLBACK_PATH,
    ) -> None:
        self._account = account
        self._token = token
        self._on_new_token = on_new_token
        self._timeouts = timeouts
        self._list_path = list_path
        self._remove_path = remove_path
        self._token_lock = threading.Lock()

    def register_callback(self, url: str, *, pin: str = "") -> str:
        """The code of the registration; `url` may hold user and password, which Directcall then sends as HTTP Basic."""
        form = {"url": url, "format": "json"}
        if pin:
            form["pin"] = pin
        envelope = self._call(wire.ADD_CALLBACK_PATH, form)
        if not envelope.is_success:
            raise envelope.error()
        code = envelope.text("code")
        if not code:
            raise Ambiguous("Directcall registered the callback, but its answer has no code.")
        return code

    def list_callbacks(self) -> list[wire.RegisteredCallback]:
        """Every URL that is registered."""
        envelope = self._call(self._list_path, {})
        if not envelope.is_success:
            raise envelope.error()
        try:
            return wire.read_callbacks(envelope)
        except wire.UnreadableAnswer as error:
            raise Ambiguous(error.message) from error

    def remove_callback(self, code: str) -> bool:
        """Whether this call removed the registration; False when it was gone already."""
        envelope = self._call(self._remove_path, {"code": code, "format": "json"})
        if envelope.codigo == wire.ALREADY_GONE:
            return False
        if not envelope.is_success:
            raise envelope.error()
        return True

    def _call(self, path: str, form: Mapping[str, str]) -> wire.Envelope:
        token = self._current_token(refused=None)
        try:
            return self._post(path, {"access_token": token.value, **form})
        except Unauthorized:
            # Refused for its token, so nothing was done: the one case in which the same is sent again.
            token = self._current_token(refused=token)
        return self._post(path, {"access_token": token.value, **form})

    def _current_token(self, *, refused: Token | None) -> Token:
        with self._token_lock:
            token = self._token
            # Another thread may have renewed it while this one waited.
            if token is None or token == refused or token.expires_at <= datetime.now(UTC):
                token = self._token = self._new_token()
                self._on_new_token(token)
            return token

    def _new_token(self) -> Token:
        asked_at = datetime.now(UTC)
        form = {"client_id": self._account.client_id, "client_secret": self._account.client_secret, "format": "json"}
        try:
            envelope = self._post(wire.TOKEN_PATH, form)
        except Ambiguous as error:
            # Whatever became of the token, the call it was for was not made.
            raise Unavailable("Directcall gave no token.", status_code=error.status_code) from error
        value = envelope.text("access_token")
        if value:
            return Token(value, expires_at=asked_at + TOKEN_LIFETIME)
        if envelope.codigo:
            raise envelope.error()
        raise Unauthorized("Directcall gave no token.")

    def _post(self, path: str, form: Mapping[str, str]) -> wire.Envelope:
        """The envelope of an answer with HTTP 200. `Unauthorized` when the token is refused, however it is said."""
        answer = post(
            checked_base_url(self._account.base_url) + path,
            content=urlencode(form).encode("ascii"),
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            timeouts=self._timeouts,
        )
        error: ProviderError | None = error_for_status(answer.status_code)
        try:
            envelope = wire.read_envelope(answer.content)
        except wire.UnreadableAnswer as unreadable:
            raise error or Ambiguous(unreadable.message, status_code=answer.status_code) from unreadable
        if envelope.needs_new_token and (error is None or error.permanent):
            raise envelope.error()
        if error is not None:
            raise error
        return envelope
