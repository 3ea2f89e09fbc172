"""The client of Directcall's API: every method that we use, each one HTTP exchange with a fresh enough token.

Sources: see `wire.py`, where the paths are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final, Protocol, TypeVar
from urllib.parse import urlencode

from telephony.providers.base import Ambiguous, NotSent, ProviderError, Unauthorized, Unavailable
from telephony.providers.directcall import wire
from telephony.providers.directcall.records import (
    CallRecord,
    StatementPage,
    Vocabulary,
    read_page,
    read_records,
)
from telephony.providers.http import MAX_ANSWER_BYTES, Answer, Timeouts, checked_base_url, error_for_status, get, post

T = TypeVar("T")

# The vendor only says that tokens have "uma validade limitada"; others count on 3,600 s.
TOKEN_LIFETIME: Final = timedelta(seconds=3000)
# A page of a statement is longer than any other answer.
MAX_STATEMENT_BYTES: Final = 8 * 1024 * 1024
# A read that failed for a passing reason is tried once more, at once; longer waits are the caller's.
READ_TRIES: Final = 2


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


@dataclass(frozen=True)
class Balance:
    """What is left on the account; `amount` None = it was not a number."""

    currency: str
    amount: Decimal | None


class TokenStore(Protocol):
    """Keeps the account's token for all threads and processes, and lets one of them renew it at a time."""

    def get(self, *, refused: Token | None, ask: Callable[[], Token]) -> Token:
        """A token that is neither over nor `refused`; `ask` is called, by one caller at a time, for a new one."""


class DirectcallClient:
    """Speaks for one account. Threads may share it; the token store sees to it that a token is renewed once.

    A token that the API refuses is renewed once; then the method gives up.

    *Errors* of its methods: `Unauthorized`; `Misconfigured` (address, billing, balance); `Refused`; `Unavailable` and
    `NotSent` (later it may work); of those that change something, `Ambiguous` (it may have been done).

    *Safe to repeat?* What only reads, ending and removing: always. Registering twice makes two registrations: list
    them first. Calling twice makes two calls: never.
    """

    def __init__(
        self,
        account: AccountAccess,
        *,
        tokens: TokenStore,
        timeouts: Timeouts,
        list_path: str = wire.LIST_CALLBACKS_PATH,
        remove_path: str = wire.REMOVE_CALLBACK_PATH,
        vocabulary: Vocabulary | None = None,
        answer_format: str = "json",
    ) -> None:
        self._account = account
        self._tokens = tokens
        self._timeouts = timeouts
        self._list_path = list_path
        self._remove_path = remove_path
        self._vocabulary = vocabulary or Vocabulary()
        self._format = answer_format

    def register_callback(self, url: str, *, pin: str = "") -> str:
        """The code of the registration; `url` may hold user and password, which Directcall then sends as HTTP Basic."""
        form = {"url": url, "format": self._format}
        if pin:
            form["pin"] = pin
        envelope = self._write(wire.ADD_CALLBACK_PATH, form)
        if not envelope.is_success:
            raise envelope.error()
        code = envelope.text("code")
        if not code:
            raise Ambiguous("Directcall registered the callback, but its answer has no code.")
        return code

    def list_callbacks(self) -> list[wire.RegisteredCallback]:
        """Every URL that is registered."""
        # The page of this method names no other parameter than the token.
        return self._read("POST", self._list_path, {}, wire.read_callbacks)

    def remove_callback(self, code: str) -> bool:
        """Whether this call removed the registration; False when it was gone already."""
        envelope = self._write(self._remove_path, {"code": code, "format": self._format})
        if envelope.codigo == wire.ALREADY_GONE:
            return False
        if not envelope.is_success:
            raise envelope.error()
        return True

    def call(
        self, *, origin: str, destination: str, records: bool | None = None, custom: Mapping[str, str] | None = None
    ) -> str:
        """The callerid of a new call between two phones, in the carrier's digits; `records` None = as the account does.

        *Errors*: `Ambiguous` whenever it can't be said for certain that nothing was dialed.
        """
        form = {"origem": origin, "destino": destination, "format": self._format}
        if records is not None:
            form["gravar"] = "s" if records else "n"
        form |= {f"campos[{name}]": text for name, text in (custom or {}).items()}
        envelope = self._write(wire.CALL_PATH, form)
        call_id = envelope.text("callerid")
        if envelope.is_success and call_id:
            return call_id
        if envelope.is_success or not envelope.is_known:
            raise Ambiguous("Directcall's answer does not say which call was made, if any.")
        raise envelope.error()

    def call_status(self, *, origin: str, destination: str) -> list[CallRecord]:
        """The legs of the call that is on between the two numbers; none when there is no such call.

        Two calls at once between the same numbers can't be told apart.
        """
        query = {"origem": origin, "destino": destination, "format": self._format}
        return self._read("GET", wire.STATUS_PATH, query, self._records, gone=list)

    def end_call(self, *, origin: str, destination: str) -> bool:
        """Whether a call between the two numbers was ended; False when there was none."""
        query = {"origem": origin, "destino": destination, "format": self._format}
        envelope = self._ask(wire.END_PATH, query, method="GET")
        if envelope.codigo == wire.NOT_ACTIVE:
            return False
        if not envelope.is_success:
            raise envelope.error()
        return True

    def statement(
        self,
        *,
        since: datetime,
        until: datetime,
        page: int = 1,
        call_id: str = "",
        destination: str = "",
        with_recordings_only: bool = False,
    ) -> StatementPage:
        """One page of the calls made between the two instants; by callerid or number called when given.

        The carrier keeps them for 90 days.
        """
        # This family spells the switch `formato`.
        form = {
            "dataInicial": wire.filter_instant(since),
            "dataFinal": wire.filter_instant(until),
            "pagina": str(page),
            "formato": self._format,
        }
        form |= {"callerid": call_id} if call_id else {}
        form |= {"numeroDestino": destination} if destination else {}
        path = wire.RECORDINGS_PATH if with_recordings_only else wire.STATEMENT_PATH
        return self._read(
            "POST", path, form, self._page, gone=lambda: StatementPage([], 1), max_bytes=MAX_STATEMENT_BYTES
        )

    def balance(self) -> Balance:
        """What is left on the account."""
        return self._read("POST", wire.BALANCE_PATH, {"formato": self._format}, _balance)

    def _records(self, envelope: wire.Envelope) -> list[CallRecord]:
        return read_records(envelope, self._vocabulary)

    def _page(self, envelope: wire.Envelope) -> StatementPage:
        return read_page(envelope, self._vocabulary)

    def _write(self, path: str, form: Mapping[str, str]) -> wire.Envelope:
        envelope = self._ask(path, form)
        if not envelope.is_envelope:
            raise Ambiguous("Directcall's answer does not say how it ended.")
        return envelope

    def _read(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, str],
        take: Callable[[wire.Envelope], T],
        *,
        gone: Callable[[], T] | None = None,
        max_bytes: int = MAX_ANSWER_BYTES,
    ) -> T:
        """What `take` makes of the answer to a method that changes nothing, so nothing is ever in doubt."""
        for left in reversed(range(READ_TRIES)):
            try:
                return self._read_once(self._ask(path, parameters, method=method, max_bytes=max_bytes), take, gone)
            except (Ambiguous, NotSent, Unavailable) as error:
                if left:
                    continue
                if isinstance(error, Ambiguous):
                    raise Unavailable(error.message, status_code=error.status_code) from error
                raise
        raise AssertionError("unreachable")

    @staticmethod
    def _read_once(envelope: wire.Envelope, take: Callable[[wire.Envelope], T], gone: Callable[[], T] | None) -> T:
        if gone is not None and wire.CODES.get(envelope.codigo) is wire.CodeClass.GONE:
            return gone()
        if not envelope.is_envelope:
            raise Unavailable("Directcall's answer does not say how it ended.")
        if not envelope.is_success:
            raise envelope.error()
        try:
            return take(envelope)
        except wire.UnreadableAnswer as error:
            raise Unavailable(error.message) from error

    def _ask(
        self,
        path: str,
        parameters: Mapping[str, str],
        *,
        method: str = "POST",
        max_bytes: int = MAX_ANSWER_BYTES,
    ) -> wire.Envelope:
        token = self._tokens.get(refused=None, ask=self._new_token)
        try:
            return self._exchange(path, {"access_token": token.value, **parameters}, method, max_bytes)
        except Unauthorized:
            # Refused for its token, so nothing was done: the one case in which the same is sent again.
            token = self._tokens.get(refused=token, ask=self._new_token)
        return self._exchange(path, {"access_token": token.value, **parameters}, method, max_bytes)

    def _new_token(self) -> Token:
        asked_at = datetime.now(UTC)
        form = {
            "client_id": self._account.client_id,
            "client_secret": self._account.client_secret,
            "format": self._format,
        }
        try:
            envelope = self._exchange(wire.TOKEN_PATH, form, "POST", MAX_ANSWER_BYTES)
        except Ambiguous as error:
            # Whatever became of the token, the call it was for was not made.
            raise Unavailable("Directcall gave no token.", status_code=error.status_code) from error
        value = envelope.text("access_token")
        if value:
            return Token(value, expires_at=asked_at + TOKEN_LIFETIME)
        if envelope.codigo:
            raise envelope.error()
        raise Unauthorized("Directcall gave no token.")

    def _exchange(self, path: str, parameters: Mapping[str, str], method: str, max_bytes: int) -> wire.Envelope:
        """The envelope of an answer with HTTP 200. `Unauthorized` when the token is refused, however it is said."""
        answer = self._answer(path, urlencode(parameters), method, max_bytes)
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

    def _answer(self, path: str, parameters: str, method: str, max_bytes: int) -> Answer:
        url = checked_base_url(self._account.base_url) + path
        if method == "GET":
            # The page asks for the token in the query; no log of ours prints a URL with its query.
            return get(f"{url}?{parameters}", headers={}, timeouts=self._timeouts, max_bytes=max_bytes)
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        content = parameters.encode("ascii")
        return post(url, content=content, headers=headers, timeouts=self._timeouts, max_bytes=max_bytes)


def _balance(envelope: wire.Envelope) -> Balance:
    """`moeda` and `saldo`, beside the envelope's fields or inside `msg`; `1.234,56` as Brazilians write it, too.

    Source: public code (a Delphi unit ApiDirectcall); the page is not public.
    """
    inner = envelope.fields.get("msg")
    fields = {**envelope.fields, **(inner if isinstance(inner, dict) else {})}
    text = str(fields.get("saldo", "")).strip()
    if "," in text:
        text = text.replace(".", "").replace(",", ".")
    try:
        amount: Decimal | None = Decimal(text)
    except InvalidOperation:
        amount = None
    return Balance(currency=str(fields.get("moeda", "")).strip()[:8], amount=amount)
