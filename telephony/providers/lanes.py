"""Kept connections to a PABX: what a new one for each call costs is saved, and no doubt is bought with it.

A call is sent over a kept connection only while it is provably open: it was used within the last second, and the peer
has neither closed it nor said anything since; that is looked at when it is taken, and again after `before_send`, right
before the first byte. One that is found closed then has carried nothing of this call, so it counts as `NotSent`. What
is left is the peer closing at the very instant of sending; that is in doubt like every other cut, and never repeated.
"""

from __future__ import annotations

import select
import time
from collections import deque
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from telephony.providers import plain_http
from telephony.providers.base import Ambiguous, Misconfigured, NotSent
from telephony.providers.http import Answer, DeadlineSocket, Timeouts, kind_of, tls_context

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from urllib.parse import SplitResult

# Far below what any server waits before it closes an idle connection.
KEEP_SECONDS: Final = 1.0
_ERRORS: Final = (urllib3.exceptions.HTTPError, OSError, ValueError)
# No decompression: no answer can grow while it is read.
_OURS: Final = {"User-Agent": "callcenter", "Accept": "*/*", "Accept-Encoding": "identity"}


class _Kept(NamedTuple):
    connection: HTTPConnection
    place: tuple[str, str | None, int | None]
    used_at: float


class Lanes:
    """The connections that some threads share, each used by one at a time; use it in a `with`."""

    def __init__(self) -> None:
        # The freshest is taken first; appending and popping are safe between threads.
        self._free: deque[_Kept] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._free:
            self._free.pop().connection.close()

    def post(
        self,
        url: str,
        *,
        content: bytes,
        headers: Mapping[str, str],
        timeouts: Timeouts,
        before_send: Callable[[], None] | None = None,
    ) -> Answer:
        """The answer, whatever its status. Exactly one POST leaves, or none; as `telephony.providers.http.post`.

        Errors: `Misconfigured` (the URL can't be used), `NotSent`, `Ambiguous`; what `before_send` raises.
        *Safe to repeat?* After `NotSent`.
        """
        parts, head = _prepared(url, tuple(headers.items()))
        place = (parts.scheme, parts.hostname, parts.port)
        kept = self._free_one(place)
        connection = kept or _opened(parts, timeouts)
        is_whole = False
        try:
            if before_send is not None:
                before_send()
            # A new TLS connection may have been sent its session's tickets; from one in use nothing is expected.
            if not _is_open(connection, and_silent=kept is not None):
                raise NotSent("The connection was closed before anything was sent.")
            answer, is_whole = _exchanged(connection, plain_http.request(head, content), timeouts=timeouts)
        finally:
            if is_whole:
                self._free.append(_Kept(connection, place, time.monotonic()))
            else:
                connection.close()
        return answer

    def _free_one(self, place: tuple[str, str | None, int | None]) -> HTTPConnection | None:
        while self._free:
            try:
                kept = self._free.pop()
            except IndexError:
                # Another thread was quicker.
                return None
            is_fresh = time.monotonic() - kept.used_at < KEEP_SECONDS
            if is_fresh and kept.place == place and _is_open(kept.connection, and_silent=True):
                return kept.connection
            kept.connection.close()
        return None


@lru_cache(maxsize=64)
def _prepared(url: str, headers: tuple[tuple[str, str], ...]) -> tuple[SplitResult, bytes]:
    """The address taken apart, and the request's head; made once for all calls of a line.

    Errors: `Misconfigured`.
    """
    try:
        parts = urlsplit(url)
        return parts, plain_http.head(parts, {**_OURS, **dict(headers)})
    except _ERRORS as error:
        raise Misconfigured(f"The address or a header can't be used ({kind_of(error)}).") from None


def _opened(parts: SplitResult, timeouts: Timeouts) -> HTTPConnection:
    """A new open connection.

    Errors: `Misconfigured`, `NotSent`.
    """
    options: dict[str, Any] = {"host": parts.hostname or "", "port": parts.port, "timeout": timeouts.connect_seconds}
    try:
        if parts.scheme == "https":
            connection: HTTPConnection = HTTPSConnection(
                **options, cert_reqs="CERT_REQUIRED", ssl_context=tls_context()
            )
        else:
            connection = HTTPConnection(**options)
    except _ERRORS as error:
        raise Misconfigured(f"The address can't be used ({kind_of(error)}).") from None
    try:
        connection.connect()
    except _ERRORS as error:
        connection.close()
        # Not chained: the library's text may quote the address.
        raise NotSent(f"No connection ({kind_of(error)}).") from None
    connection.sock = DeadlineSocket(connection.sock)
    return connection


def _is_open(connection: HTTPConnection, *, and_silent: bool) -> bool:
    """Whether the peer has not closed the connection, nor, when asked for, sent anything."""
    if connection.sock is None:
        return False
    signs = select.poll()
    signs.register(connection.sock.fileno(), select.POLLRDHUP | (select.POLLIN if and_silent else 0))
    return not signs.poll(0)


def _exchanged(connection: HTTPConnection, request: bytes, *, timeouts: Timeouts) -> tuple[Answer, bool]:
    """The answer, and whether the connection can be used again."""
    sock: Any = connection.sock
    sock.expire_at(time.monotonic() + timeouts.answer_seconds)
    try:
        sock.sendall(request)
        return plain_http.answer_from(sock)
    except _ERRORS as error:
        raise Ambiguous(f"The connection failed after it was open ({kind_of(error)}).") from None
