"""The event channel on the wire: one long HTTP GET that brings Server-Sent Events.

How the channel is opened is not public; that it is this, the vendor's siblings say. Whoever needs another transport
(a WebSocket, long polling) writes another `EventStream`; its reader does not change.

Sources: https://digitro.com/?p=20929 (W3C Server-Sent Events); https://docs-cti.digitro.com/doc-646020
"""

from __future__ import annotations

import contextlib
import http.client
import socket
from collections.abc import Iterator, Mapping
from typing import Final, Protocol
from urllib.parse import quote, urlsplit

from telephony.providers.base import Misconfigured, NotSent, ProviderError, Unavailable
from telephony.providers.digitro.sse import Packet, PacketParser
from telephony.providers.digitro.wire import LineAccess, request_headers
from telephony.providers.http import Timeouts, checked_base_url, error_for_status, tls_context

_CHUNK_BYTES: Final = 16 * 1024
_WIRE_ERRORS: Final = (OSError, http.client.HTTPException, ValueError)


class ChannelLost(Exception):
    """The channel can't be read any more; `reason`: silent (no sign of life in time) or cut."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class EventStream(Protocol):
    """An open event channel. Read by one thread; may be closed by any."""

    def packets(self) -> Iterator[Packet]:
        """Everything that comes, heartbeats included, as it comes; what was cut off last of all.

        Errors: `ChannelLost` when it ends, however that happens.
        """

    def wait_at_most(self, seconds: float) -> None:
        """From the next read on, so long a silence means that the channel is lost."""

    def close(self) -> None:
        """End it, and the reading of it. Safe to repeat."""


class StreamOpener(Protocol):
    """Opens a line's channel."""

    def __call__(
        self, line: LineAccess, *, path: str, last_event_id: str, timeouts: Timeouts, silence_seconds: float
    ) -> EventStream:
        """The open channel, of which nothing is read yet.

        Shape: `last_event_id` empty = from now on, else what came after it if the PABX still has it.
        Errors: `ProviderError`; nothing is open then.
        """


def open_sse(
    line: LineAccess, *, path: str, last_event_id: str, timeouts: Timeouts, silence_seconds: float
) -> EventStream:
    """The open channel, read as Server-Sent Events; see `StreamOpener`.

    Shape: `path` follows the line's address; `{device}` in it is replaced by the line's device.
    """
    url = checked_base_url(line.base_url) + path.replace("{device}", quote(line.device, safe=""))
    headers = {
        "x-api-key": request_headers(line.api_key)["x-api-key"],
        "Accept": "text/event-stream",
        "Accept-Encoding": "identity",
        "Cache-Control": "no-store",
        "User-Agent": "callcenter",
    }
    if last_event_id:
        headers["Last-Event-ID"] = last_event_id
    connection = _connected(url, timeouts)
    # http.client lets go of the socket once the answer has begun.
    sock = connection.sock
    try:
        response = _answer(connection, url, headers, timeouts)
        _check(response)
    except BaseException:
        connection.close()
        sock.close()
        raise
    return SseStream(sock, response, silence_seconds=silence_seconds)


class SseStream:
    """An `EventStream` over one HTTP response."""

    def __init__(self, sock: socket.socket, response: http.client.HTTPResponse, *, silence_seconds: float) -> None:
        self._socket = sock
        self._response = response
        self._silence_seconds = silence_seconds

    def packets(self) -> Iterator[Packet]:
        """See `EventStream`."""
        parser = PacketParser()
        try:
            while True:
                try:
                    self._socket.settimeout(self._silence_seconds)
                    chunk = self._response.read1(_CHUNK_BYTES)
                except TimeoutError:
                    reason = "silent"
                    break
                except _WIRE_ERRORS:
                    chunk = b""
                if not chunk:
                    reason = "cut"
                    break
                yield from parser.feed(chunk)
            if left := parser.close():
                yield left
            raise ChannelLost(reason)
        finally:
            self._response.close()
            self._socket.close()

    def wait_at_most(self, seconds: float) -> None:
        """See `EventStream`."""
        self._silence_seconds = seconds

    def close(self) -> None:
        """See `EventStream`."""
        # Closing would not wake a thread that waits in recv(); the reader closes what is shut down.
        with contextlib.suppress(*_WIRE_ERRORS):
            self._socket.shutdown(socket.SHUT_RDWR)


def _connected(url: str, timeouts: Timeouts) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    host, seconds = parts.hostname or "", timeouts.connect_seconds
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(host, parts.port, timeout=seconds, context=tls_context())
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=seconds)
    try:
        connection.connect()
    except _WIRE_ERRORS as error:
        problem = NotSent(f"No connection ({type(error).__name__}).")
    else:
        # Against a peer that vanished without a word, where even heartbeats are rare.
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return connection
    raise problem


def _answer(
    connection: http.client.HTTPConnection, url: str, headers: Mapping[str, str], timeouts: Timeouts
) -> http.client.HTTPResponse:
    parts = urlsplit(url)
    problem: ProviderError
    try:
        connection.sock.settimeout(timeouts.answer_seconds)
        connection.request("GET", parts._replace(scheme="", netloc="").geturl() or "/", headers=dict(headers))
        return connection.getresponse()
    except (http.client.InvalidURL, UnicodeError) as error:
        problem = Misconfigured(f"The address of the event channel can't be used ({type(error).__name__}).")
    except _WIRE_ERRORS as error:
        # Opening a channel does nothing that could happen twice.
        problem = Unavailable(f"The connection failed after it was open ({type(error).__name__}).")
    # Raised outside the handlers: the library's error may quote the key.
    raise problem


def _check(response: http.client.HTTPResponse) -> None:
    if response.status >= 500:
        raise Unavailable(f"The provider answered HTTP {response.status}.", status_code=response.status)
    if error := error_for_status(response.status):
        raise error
    kind = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()
    if kind != "text/event-stream":
        raise Misconfigured("The answer is no event stream.", status_code=response.status)
