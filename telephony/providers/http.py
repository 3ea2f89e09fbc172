"""The one place that touches the wire: one request, on one new connection, with one answer, by one deadline.

What decides between "surely not sent" and "may have happened" is not the kind of error but its moment: until the
connection is open (address, TCP, TLS) nothing was sent; after that, everything is in doubt.

This is built on requests' adapter and not on its `Session`, which would follow the environment (proxies, .netrc),
keep cookies from one call to the next, and read a redirect's body to its end even when told not to follow it.
The functions share no state but the TLS settings: any number of threads may use them at once.
"""

from __future__ import annotations

import functools
import io
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import certifi
import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from telephony.providers.base import Ambiguous, Misconfigured, NotSent, ProviderError, Refused, Unauthorized

if TYPE_CHECKING:
    import socket

# Either provider's answer is under a kilobyte; what is longer is not theirs.
MAX_ANSWER_BYTES: Final = 64 * 1024

# What requests and urllib3 let through: their own errors, the socket's, and ValueError for names that can't be encoded.
_WIRE_ERRORS: Final = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError)

# Refused by the meaning of HTTP; of these only 400, 401 and 403 are on the PABX's page.
# Source: https://docs-pabx.digitro.com/api-10271002
_REFUSED: Final = frozenset({400, 404, 405, 413, 415, 422})
_UNAUTHORIZED: Final = frozenset({401, 403})


@dataclass(frozen=True)
class Timeouts:
    """How long one POST may take, in seconds.

    `connect_seconds` bounds the TCP connection (for each address of the host), and then the TLS handshake.
    `answer_seconds` bounds everything from the open connection to the answer's last byte. Looking up the host's
    address has the resolver's own limit.
    """

    connect_seconds: float
    answer_seconds: float


@dataclass(frozen=True)
class Answer:
    """What came back; `content` is at most the caller's limit, as sent (never decompressed)."""

    status_code: int
    content: bytes


def post(
    url: str,
    *,
    content: bytes,
    headers: Mapping[str, str],
    timeouts: Timeouts,
    before_send: Callable[[], None] | None = None,
    max_bytes: int = MAX_ANSWER_BYTES,
) -> Answer:
    """The answer, whatever its status. Exactly one POST leaves, or none.

    `before_send` is called on the open connection, right before the first byte leaves; what it raises passes through
    and nothing is sent.

    Errors: `Misconfigured` (the URL or a header can't be used), `NotSent`, `Ambiguous`.
    *Safe to repeat?* After `NotSent`.
    """
    return _sent("POST", url, content, headers, _Exchange(timeouts, before_send, max_bytes))


def get(url: str, *, headers: Mapping[str, str], timeouts: Timeouts, max_bytes: int = MAX_ANSWER_BYTES) -> Answer:
    """The answer to one GET, whatever its status.

    Errors: as `post`; the message never quotes the URL, whose query may hold a token.
    *Safe to repeat?* As the method behind the address is.
    """
    return _sent("GET", url, None, headers, _Exchange(timeouts, None, max_bytes))


def _sent(method: str, url: str, content: bytes | None, headers: Mapping[str, str], exchange: _Exchange) -> Answer:
    try:
        request = _prepared(method, url, content=content, headers=headers)
    except _WIRE_ERRORS as error:
        problem: ProviderError = Misconfigured(f"The address or a header can't be used ({type(error).__name__}).")
    else:
        try:
            return exchange.run(request)
        except _WIRE_ERRORS as error:
            problem = exchange.problem(error)
    # Raised outside the handlers: the library's error, which may quote the URL, a header or the body, is not chained.
    raise exchange.abort or problem


def error_for_status(status_code: int) -> ProviderError | None:
    """What a status other than 200 means for the caller; None for 200.

    A redirect is never followed: it means that the address is wrong. A 5xx says nothing about what was done.
    """
    if status_code == 200:
        return None
    kind: type[ProviderError] = Ambiguous
    if status_code in _UNAUTHORIZED:
        kind = Unauthorized
    elif status_code in _REFUSED:
        kind = Refused
    elif 300 <= status_code < 400:
        kind = Misconfigured
    return kind(f"The provider answered HTTP {status_code}.", status_code=status_code)


def checked_base_url(base_url: str) -> str:
    """The base URL without a slash at its end.

    Errors: `Misconfigured` unless it is http(s) with a host, and without user, query or fragment.
    """
    try:
        parts = urlsplit(base_url)
        usable = bool(parts.scheme in ("http", "https") and parts.hostname and parts.port != 0)
    except ValueError:
        usable = False
    if not usable or "@" in parts.netloc or "?" in base_url or "#" in base_url or not base_url.isprintable():
        raise Misconfigured("The base URL must be http(s)://host[:port][/path], without user, query or fragment.")
    return base_url.rstrip("/")


def _prepared(method: str, url: str, *, content: bytes | None, headers: Mapping[str, str]) -> requests.PreparedRequest:
    # Connection: close, because a kept connection that the peer closes just then leaves the POST in doubt.
    # Accept-Encoding: identity, so that no answer can grow while it is read.
    ours = {"User-Agent": "callcenter", "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close"}
    return requests.Request(method, url, data=content, headers={**ours, **headers}).prepare()


class _Exchange:
    """One request on its way: whether its connection was open, and when it must be over."""

    def __init__(self, timeouts: Timeouts, before_send: Callable[[], None] | None, max_bytes: int) -> None:
        self.abort: BaseException | None = None
        self._timeouts = timeouts
        self._before_send = before_send
        self._max_bytes = max_bytes
        self._is_open = False

    def run(self, request: requests.PreparedRequest) -> Answer:
        adapter = _OneConnectionAdapter(self)
        try:
            timeout = (self._timeouts.connect_seconds, self._timeouts.answer_seconds)
            response = adapter.send(request, stream=True, timeout=timeout)
            try:
                content = response.raw.read(self._max_bytes + 1, decode_content=False)
            finally:
                response.raw.close()
        finally:
            adapter.close()
        if len(content) > self._max_bytes:
            raise Ambiguous("The answer is too long.", status_code=response.status_code)
        return Answer(response.status_code, content)

    def opened(self, sock: socket.socket) -> DeadlineSocket:
        """The open connection's socket, from now on bound to the deadline."""
        if self._before_send is not None:
            try:
                self._before_send()
            except BaseException as error:
                # Kept, because the libraries in between would wrap some kinds (an OSError, say) into their own.
                self.abort = error
                raise
        self._is_open = True
        return DeadlineSocket(sock, expires_at=time.monotonic() + self._timeouts.answer_seconds)

    def problem(self, error: Exception) -> ProviderError:
        """The failure in our words, with nothing of the library's text in it."""
        if self._is_open:
            return Ambiguous(f"The connection failed after it was open ({kind_of(error)}).")
        return NotSent(f"No connection ({kind_of(error)}).")


def kind_of(error: Exception) -> str:
    """The name of the innermost failure: requests and urllib3 wrap what happened two or three times."""
    inner: BaseException = error
    while True:
        candidates = (getattr(inner, "reason", None), *inner.args[:1], inner.__cause__)
        wrapped = next((each for each in candidates if isinstance(each, BaseException)), None)
        if wrapped is None:
            return type(inner).__name__
        inner = wrapped


class _OneConnectionAdapter(HTTPAdapter):
    """requests' adapter with a pool of one connection that reports to its exchange; used once, then closed."""

    def __init__(self, exchange: _Exchange) -> None:
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)
        self._exchange = exchange

    def get_connection_with_tls_context(
        self, request: requests.PreparedRequest, *_args: Any, **_kwargs: Any
    ) -> urllib3.HTTPConnectionPool:
        """The pool for this request's host; called by requests."""
        parts = urlsplit(str(request.url))
        host = parts.hostname or ""
        pool: urllib3.HTTPConnectionPool
        if parts.scheme == "https":
            pool = urllib3.HTTPSConnectionPool(
                host, parts.port, maxsize=1, cert_reqs="CERT_REQUIRED", ssl_context=tls_context()
            )
            pool.ConnectionCls = functools.partial(_TLSConnection, self._exchange)  # type: ignore[assignment]
        else:
            pool = urllib3.HTTPConnectionPool(host, parts.port, maxsize=1)
            pool.ConnectionCls = functools.partial(_Connection, self._exchange)  # type: ignore[assignment]
        return pool

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Nothing: `tls_context` verifies, and requests would load its authorities anew for every connection."""


@functools.cache
def tls_context() -> ssl.SSLContext:
    """TLS that verifies the peer by the system's authorities (a PABX's own is installed there) and Mozilla's."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


class _Connection(HTTPConnection):
    def __init__(self, exchange: _Exchange, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._exchange = exchange

    def connect(self) -> None:
        super().connect()
        self.sock = self._exchange.opened(self.sock)


class _TLSConnection(HTTPSConnection):
    def __init__(self, exchange: _Exchange, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._exchange = exchange

    def connect(self) -> None:
        super().connect()
        self.sock = self._exchange.opened(self.sock)


class DeadlineSocket:
    """A socket whose sending and reading all end by one instant.

    A socket's own time-out starts anew with every read: a peer that drips one byte a second would never meet it.
    """

    def __init__(self, sock: socket.socket, *, expires_at: float = 0.0) -> None:
        self._sock = sock
        self._expires_at = expires_at

    def expire_at(self, instant: float) -> None:
        """Let everything end by this instant of the monotonic clock from now on."""
        self._expires_at = instant

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def sendall(self, data: bytes) -> None:
        """As the socket's, within what is left of the time."""
        self.limit()
        self._sock.sendall(data)

    def makefile(self, _mode: str = "rb", *_args: Any, **_kwargs: Any) -> io.BufferedReader:
        """As the socket's, each read within what is left of the time."""
        return io.BufferedReader(_DeadlineReader(self, self._sock.makefile("rb", buffering=0)))

    def limit(self) -> None:
        """Leave the next operation what is left of the time."""
        left = self._expires_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("deadline")
        self._sock.settimeout(left)


class _DeadlineReader(io.RawIOBase):
    def __init__(self, sock: DeadlineSocket, raw: io.RawIOBase | socket.SocketIO) -> None:
        self._sock = sock
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.limit()
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
