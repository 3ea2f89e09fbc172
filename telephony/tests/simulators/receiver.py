"""A callback URL that keeps what it is sent, byte for byte."""

import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Received:
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes
    at_monotonic: float


class Receiver:
    """An HTTP server on a free port; ``status`` is what it answers, ``location`` where it redirects to."""

    def __init__(self, *, status: int = 200, location: str = "") -> None:
        self.received: list[Received] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append(Received(self.path, dict(self.headers), body, time.monotonic()))
                self.send_response(status)
                if location:
                    self.send_header("Location", location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 256

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/events"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def bodies(self) -> list[bytes]:
        """The bodies in the order of arrival."""
        return [each.body for each in self.received]

    def wait_for(self, count: int, *, timeout_seconds: float = 10) -> list[Received]:
        """The requests, once at least ``count`` are in."""
        ends = time.monotonic() + timeout_seconds
        while len(self.received) < count:
            if time.monotonic() > ends:
                raise TimeoutError(f"{len(self.received)} of {count} requests after {timeout_seconds} s")
            time.sleep(0.01)
        return list(self.received)
