"""Programs that receive webhooks, well or badly: each is scripted, listens on loopback and keeps what it was sent."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections import Counter
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence
    from types import TracebackType


@dataclass(frozen=True)
class Message:
    """One POST as it came in; header names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes
    at_monotonic: float

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


class Receiver:
    """An HTTP server that answers with the statuses in turn, the last one for ever.

    `headers` go with every answer. `body` is the answer's. `delay_seconds` passes before each answer.
    """

    def __init__(
        self,
        *statuses: int,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        delay_seconds: float = 0,
        host: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
        on_message: Callable[[Message], None] | None = None,
    ) -> None:
        self.messages: list[Message] = []
        self._script = list(statuses or (200,))
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                named = {name.lower(): value for name, value in self.headers.items()}
                message = Message(self.path, named, self.rfile.read(length), time.monotonic())
                receiver.messages.append(message)
                if on_message is not None:
                    on_message(message)
                receiver.closing.wait(delay_seconds)
                self.send_response(receiver._next_status())
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.closing = threading.Event()
        self._server = _Server((host, 0), Handler)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        scheme = "http" if tls is None else "https"
        self.url = f"{scheme}://{host}:{self.port}/hooks"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    def ids(self) -> Counter[str]:
        """How often each message came."""
        return Counter(message.id for message in self.messages)

    def _next_status(self) -> int:
        return self._script.pop(0) if len(self._script) > 1 else self._script[0]


class _Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a peer that hangs up is what the tests are about."""


class RawReceiver:
    """A server that takes the request's first bytes and then writes these pieces, one every `every_seconds`.

    It holds the connection open until it is closed itself. No pieces = it hangs.
    """

    def __init__(self, pieces: Sequence[bytes] = (), *, every_seconds: float = 0.1) -> None:
        self.connections = 0
        receiver = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                receiver.connections += 1
                self.request.recv(65536)
                try:
                    for piece in pieces:
                        self.request.sendall(piece)
                        if receiver.closing.wait(every_seconds):
                            return
                except OSError:
                    return
                receiver.closing.wait(30)

        class Server(socketserver.ThreadingTCPServer):
            request_queue_size = 256
            daemon_threads = True
            allow_reuse_address = True

        self.closing = threading.Event()
        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hooks"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()


class Trap:
    """A listening socket of both families on one port that nobody may connect to."""

    def __enter__(self) -> Self:
        self._sockets = [socket.create_server(("127.0.0.1", 0))]
        self.port = self._sockets[0].getsockname()[1]
        if socket.has_ipv6:
            self._sockets.append(socket.create_server(("::1", self.port), family=socket.AF_INET6))
        for sock in self._sockets:
            sock.settimeout(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for sock in self._sockets:
            sock.close()

    def was_sprung(self) -> bool:
        """Whether anybody connected."""
        for sock in self._sockets:
            try:
                sock.accept()[0].close()
            except TimeoutError:
                continue
            return True
        return False


def closed_port() -> int:
    """A port of loopback on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
    return port
