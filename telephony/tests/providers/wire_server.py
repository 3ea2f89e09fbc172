"""A server that speaks raw bytes, for answers that no HTTP library would give."""

from __future__ import annotations

import contextlib
import random
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

GIVE_UP_SECONDS = 10.0

Behaviour = Callable[[socket.socket], None]


def free_listener() -> socket.socket:
    """A listening socket on a free port of loopback, below the range from which the system takes its own."""
    while True:
        listener = socket.socket()
        try:
            listener.bind(("127.0.0.1", random.randint(20000, 32000)))
        except OSError:
            listener.close()
        else:
            listener.listen(128)
            return listener


@dataclass
class Received:
    """One request as it came in; complete when the whole announced body arrived."""

    head: bytes = b""
    body: bytes = b""

    @property
    def request_line(self) -> str:
        return self.head.split(b"\r\n", 1)[0].decode()

    @property
    def headers(self) -> dict[str, str]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return dict(line.split(": ", 1) for line in lines if line)


@dataclass
class WireServer:
    """Takes each connection in a thread, reads one request, and lets `behaviour` do the rest."""

    behaviour: Behaviour
    tls: ssl.SSLContext | None = None
    requests: list[Received] = field(default_factory=list)
    connections: int = 0

    def __enter__(self) -> Self:
        self._listener = free_listener()
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept)
        self._acceptor.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join(GIVE_UP_SECONDS)
        for thread in self._threads:
            thread.join(GIVE_UP_SECONDS)

    def respond(self, connection: socket.socket, _received: Received) -> None:
        """Answer one request, in its connection's own thread."""
        self.behaviour(connection)

    def _accept(self) -> None:
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(GIVE_UP_SECONDS)
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            received = _read_request(connection)
            if received is not None:
                self.requests.append(received)
                self.respond(connection, received)
        except OSError:
            pass
        finally:
            connection.close()


def _read_request(connection: socket.socket) -> Received | None:
    content = b""
    while b"\r\n\r\n" not in content:
        chunk = connection.recv(65536)
        if not chunk:
            return None
        content += chunk
    head, _, body = content.partition(b"\r\n\r\n")
    received = Received(head=head, body=body)
    length = int(received.headers.get("Content-Length", "0"))
    while len(received.body) < length:
        chunk = connection.recv(65536)
        if not chunk:
            return None
        received.body += chunk
    return received


def http_bytes(status: int, body: bytes = b"", *headers: str) -> bytes:
    """A complete HTTP/1.1 answer."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def answering(content: bytes) -> Behaviour:
    """Sends these bytes and closes."""
    return lambda connection: connection.sendall(content)


def resetting(content: bytes = b"") -> Behaviour:
    """Sends these bytes and resets the connection."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(content)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return behave


def silent(connection: socket.socket) -> None:
    """Says nothing until the client goes."""
    connection.recv(1)


def dripping(start: bytes, *, drop: bytes = b"x", every_seconds: float = 0.1) -> Behaviour:
    """Sends the start, then one drop after the other until the client goes."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(start)
        gone = threading.Event()
        while not gone.wait(every_seconds):
            connection.sendall(drop)

    return behave
