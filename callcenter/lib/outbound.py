"""One POST to an address that a stranger typed: nothing inside the network can be reached by it.

The host is resolved once, every address is checked, and the connection goes to a checked one, so that a name that
answers differently the second time gains nothing. No redirect is followed, no proxy is used, certificates are
verified, and the whole exchange ends by one deadline. Only the status is looked at.
"""

from __future__ import annotations

import functools
import http.client
import io
import ipaddress
import socket
import ssl
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import certifi

from callcenter.lib.addresses import is_in, is_public, networks_of
from callcenter.lib.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence

    from callcenter.lib.addresses import Network

_PORTS: Final = {"http": 80, "https": 443}
# A host with more addresses than this is as unreachable as it will ever be.
MOST_ADDRESSES: Final = 4
# So much of an answer's body is taken from the wire, for so long, lest the peer's write fail; it is thrown away.
DRAINED_BYTES: Final = 64 * 1024
DRAIN_SECONDS: Final = 0.5
MOST_RETRY_AFTER_SECONDS: Final = 24 * 3600
_EVERYWHERE: Final = networks_of(["0.0.0.0/0", "::/0"])


class Failure(StrEnum):
    """Why there was no answer."""

    BAD_URL = "bad_url"
    NO_ADDRESS = "no_address"
    BLOCKED = "blocked"
    INSECURE = "insecure"
    NO_CONNECTION = "no_connection"
    TLS = "tls"
    TIMEOUT = "timeout"
    BAD_ANSWER = "bad_answer"


class OutboundError(DomainError):
    """There was no answer; `failure` says why. The message holds neither the URL nor an address."""

    code = "outbound_error"

    def __init__(self, failure: Failure) -> None:
        super().__init__(f"The POST had no answer ({failure}).", failure=failure)
        self.failure = failure


@dataclass(frozen=True)
class Timeouts:
    """In seconds: for the TCP connection to each address and then for TLS; and for everything, to the answer's head."""

    connect_seconds: float
    total_seconds: float


@dataclass(frozen=True)
class Answer:
    """What the peer said; `retry_after_seconds` is 0 to a day, None when it did not say or wrote nonsense."""

    status_code: int
    retry_after_seconds: int | None = None


@dataclass(frozen=True)
class Target:
    """A URL taken apart: `host` in ASCII, `path` with its query."""

    is_https: bool
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        """The value of `Host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS["https" if self.is_https else "http"] else f"{host}:{self.port}"


def target_of(url: str) -> Target:
    """The parts of a URL that can be posted to; nothing is resolved.

    Errors: `OutboundError` (`BAD_URL`) unless it is http(s) with a host, and without user, fragment, blanks or
    backslashes, which programs read in different ways.
    """
    try:
        parts = urlsplit(url)
        host, port = _ascii_host(parts.hostname or ""), parts.port
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        path.encode("ascii")
    except ValueError as error:
        raise OutboundError(Failure.BAD_URL) from error
    strange = any(character in "\\#" or character.isspace() or not character.isprintable() for character in url)
    if strange or parts.scheme not in _PORTS or not host or "%" in host or "@" in parts.netloc or port == 0:
        raise OutboundError(Failure.BAD_URL)
    return Target(parts.scheme == "https", host, port or _PORTS[parts.scheme], path)


def post(
    url: str,
    *,
    content: bytes,
    headers: Mapping[str, str],
    timeouts: Timeouts,
    allowed_networks: Sequence[Network] = (),
    before_send: Callable[[], None] | None = None,
) -> Answer:
    """The answer, whatever its status. Exactly one POST leaves, or none.

    `allowed_networks` may be reached although they are not public; only there may the address be plain http.
    `before_send` is called on the open connection, right before the first byte leaves; what it raises passes through
    and nothing is sent.

    Errors: `OutboundError`.
    *Safe to repeat?* Only if the receiver knows a repetition when it sees one.
    """
    expires_at = time.monotonic() + timeouts.total_seconds
    target = target_of(url)
    places = _checked_places(target, allowed_networks)
    sock = _connected(places, timeouts.connect_seconds, expires_at)
    try:
        if target.is_https:
            sock = _secured(sock, target.host, timeouts.connect_seconds, expires_at)
        if before_send is not None:
            before_send()
        return _exchange(_DeadlineSocket(sock, expires_at), target, content, headers)
    finally:
        sock.close()


def fetch(
    url: str, *, timeouts: Timeouts, may_be_inside: bool = False
) -> tuple[int, str, Generator[bytes, None, None]]:
    """Status, media type and, as they come, the bytes of what one GET of a sound or a file gets; plain http may be.

    The caller closes the generator if it does not read it to its end. `may_be_inside` only for an address that an
    operator has named. No redirect is followed.

    Errors: `OutboundError`; from the generator, too, when the peer stops in the middle.
    """
    expires_at = time.monotonic() + timeouts.total_seconds
    target = target_of(url)
    places = _checked_places(target, _EVERYWHERE if may_be_inside else (), may_be_plain=True)
    sock = _connected(places, timeouts.connect_seconds, expires_at)
    try:
        if target.is_https:
            sock = _secured(sock, target.host, timeouts.connect_seconds, expires_at)
        connection = http.client.HTTPConnection("unused.invalid")
        connection.sock = _DeadlineSocket(sock, expires_at)
        connection.request("GET", target.path, headers=_our_headers(target))
        response = connection.getresponse()
    except (OSError, ValueError, http.client.HTTPException) as error:
        sock.close()
        raise OutboundError(Failure.TIMEOUT if isinstance(error, TimeoutError) else Failure.BAD_ANSWER) from error
    return response.status, response.getheader("Content-Type") or "", _chunks(response, sock)


def connected_to(
    host: str, port: int, *, connect_seconds: float, allowed_networks: Sequence[Network] = ()
) -> socket.socket:
    """A socket to a checked address of that host, for a protocol that is not HTTP. The caller closes it.

    Errors: `OutboundError`.
    """
    places = _checked_places(Target(False, _ascii_host(host), port, "/"), allowed_networks, may_be_plain=True)
    return _connected(places, connect_seconds, time.monotonic() + connect_seconds * len(places))


def _chunks(response: http.client.HTTPResponse, sock: socket.socket) -> Generator[bytes, None, None]:
    try:
        while chunk := response.read(DRAINED_BYTES):
            yield chunk
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise OutboundError(Failure.BAD_ANSWER) from error
    finally:
        response.close()
        sock.close()


def _ascii_host(host: str) -> str:
    """The name as it is looked up; an IPv6 address stays as it is."""
    return host if ":" in host else host.encode("idna").decode("ascii")


def _checked_places(target: Target, allowed: Sequence[Network], *, may_be_plain: bool = False) -> list[tuple[Any, ...]]:
    """Where to connect, as `getaddrinfo` says it; one address that is not allowed refuses the whole host."""
    try:
        places = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(place[4][0]) for place in places]
    except (OSError, ValueError) as error:
        raise OutboundError(Failure.NO_ADDRESS) from error
    if not all(is_public(address) or is_in(address, allowed) for address in addresses):
        raise OutboundError(Failure.BLOCKED)
    if not target.is_https and not may_be_plain and not all(is_in(address, allowed) for address in addresses):
        raise OutboundError(Failure.INSECURE)
    return list(places[:MOST_ADDRESSES])


def _connected(places: Sequence[tuple[Any, ...]], connect_seconds: float, expires_at: float) -> socket.socket:
    """A socket that is connected to the first of the places that takes it."""
    failure = Failure.NO_CONNECTION
    for family, kind, protocol, _name, where in places:
        left = expires_at - time.monotonic()
        if left <= 0:
            raise OutboundError(Failure.TIMEOUT)
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(min(connect_seconds, left))
            sock.connect(where)
        except OSError as error:
            sock.close()
            failure = Failure.TIMEOUT if isinstance(error, TimeoutError) else Failure.NO_CONNECTION
            continue
        return sock
    raise OutboundError(failure)


def _secured(sock: socket.socket, host: str, connect_seconds: float, expires_at: float) -> socket.socket:
    """The socket inside TLS, the peer's certificate verified for the host."""
    try:
        sock.settimeout(max(0.001, min(connect_seconds, expires_at - time.monotonic())))
        return _tls_context().wrap_socket(sock, server_hostname=host)
    except TimeoutError as error:
        raise OutboundError(Failure.TIMEOUT) from error
    except (OSError, ValueError) as error:
        raise OutboundError(Failure.TLS) from error


@functools.cache
def _tls_context() -> ssl.SSLContext:
    """TLS that verifies the peer by the system's authorities and Mozilla's."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _exchange(sock: _DeadlineSocket, target: Target, content: bytes, headers: Mapping[str, str]) -> Answer:
    connection = http.client.HTTPConnection("unused.invalid")
    connection.sock = sock
    try:
        connection.request("POST", target.path, body=content, headers={**_our_headers(target), **headers})
        response = connection.getresponse()
    except TimeoutError as error:
        raise OutboundError(Failure.TIMEOUT) from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise OutboundError(Failure.BAD_ANSWER) from error
    sock.end_within(DRAIN_SECONDS)
    try:
        response.read(DRAINED_BYTES)
    except (OSError, ValueError, http.client.HTTPException):
        # The status is all that counts, and it has come.
        pass
    finally:
        response.close()
    return Answer(response.status, _retry_after(response.getheader("Retry-After")))


def _our_headers(target: Target) -> dict[str, str]:
    return {
        "Host": target.host_header,
        "User-Agent": "callcenter-webhooks/1",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }


def _retry_after(text: str | None) -> int | None:
    """The seconds that the peer asks for, as a number or as a date."""
    if not text:
        return None
    try:
        if text.strip().isdecimal():
            seconds = int(text.strip()[:9])
        else:
            seconds = int(parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0), MOST_RETRY_AFTER_SECONDS)


class _DeadlineSocket:
    """A socket whose sending and reading all end by one instant.

    A socket's own time-out starts anew with every read: a peer that drips one byte a second would never meet it.
    """

    def __init__(self, sock: socket.socket, expires_at: float) -> None:
        self._sock = sock
        self._expires_at = expires_at

    def end_within(self, seconds: float) -> None:
        """Bring the deadline forward."""
        self._expires_at = min(self._expires_at, time.monotonic() + seconds)

    def sendall(self, data: bytes) -> None:
        self.limit()
        self._sock.sendall(data)

    def makefile(self, _mode: str = "rb", *_args: Any, **_kwargs: Any) -> io.BufferedReader:
        return io.BufferedReader(_DeadlineReader(self, self._sock.makefile("rb", buffering=0)))

    def close(self) -> None:
        self._sock.close()

    def limit(self) -> None:
        """Leave the next operation what is left of the time."""
        left = self._expires_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("deadline")
        self._sock.settimeout(left)


class _DeadlineReader(io.RawIOBase):
    def __init__(self, sock: _DeadlineSocket, raw: Any) -> None:
        self._sock = sock
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.limit()
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()
