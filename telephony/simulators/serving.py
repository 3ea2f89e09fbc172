"""The HTTP floor under both programs: read a request, hand it to the program, send its reply, stop cleanly."""

import argparse
import json
import select
import signal
import socket
import socketserver
import struct
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta, timezone
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Literal, Protocol
from urllib.parse import parse_qsl, urlsplit

# Brazil has kept no summer time since 2019; a fixed offset spares the programs a time zone database.
SAO_PAULO = timezone(timedelta(hours=-3), "America/Sao_Paulo")
MAX_BODY_BYTES = 1_048_576


@dataclass(frozen=True)
class Request:
    """One HTTP request, its body read whole."""

    method: str
    path: str
    query: str
    headers: Message
    body: bytes

    @property
    def parameters(self) -> dict[str, str]:
        """The query's fields and, over them, those of a form body."""
        fields = dict(parse_qsl(self.query, keep_blank_values=True))
        if self.content_type == "application/x-www-form-urlencoded":
            fields |= parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)
        return fields

    @property
    def content_type(self) -> str:
        """The media type alone, in lower case; empty when the header is missing."""
        return (self.headers.get("Content-Type") or "").partition(";")[0].strip().lower()


@dataclass(frozen=True)
class Reply:
    """What to send, how to end, and what to do once it is out (done even when the caller is gone by then).

    *Shape* - with ``stream`` the answer has no length: it is called with the open connection, sends what it likes, and
    the connection ends when it returns.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    ending: Literal["answer", "silence", "reset"] = "answer"
    afterwards: Callable[[], None] | None = None
    stream: Callable[["Wire"], None] | None = None


class Wire:
    """The open connection of an answer without an end."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.is_to_be_reset = False

    def send(self, data: bytes) -> None:
        """Send these bytes now; raises OSError when the peer is gone."""
        self._connection.sendall(data)

    def peer_is_gone(self) -> bool:
        """Whether the peer has closed its side."""
        readable, _, _ = select.select([self._connection], [], [], 0)
        try:
            return bool(readable) and self._connection.recv(1, socket.MSG_PEEK) == b""
        except OSError:
            return True

    def reset_at_the_end(self) -> None:
        """Let the connection end with RST."""
        self.is_to_be_reset = True


def json_reply(value: Any, *, status: int = 200, afterwards: Callable[[], None] | None = None) -> Reply:
    """A reply with a JSON body."""
    body = json.dumps(value, ensure_ascii=False).encode()
    return Reply(status=status, body=body, afterwards=afterwards)


class Program(Protocol):
    """What a simulator offers to the server."""

    def answer(self, request: Request) -> Reply:
        """The reply to one request; called from many threads at once."""

    def close(self) -> None:
        """Wake whatever sleeps, because the process ends."""


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "simulator"
    timeout = 75
    disable_nagle_algorithm = True
    server: "ProgramServer"

    def do_GET(self) -> None:
        """Answer any method; the program says which are allowed."""
        body = self._read_body()
        if body is None:
            return
        parts = urlsplit(self.path)
        request = Request(self.command, parts.path, parts.query, self.headers, body)
        reply = self.server.program.answer(request)
        try:
            self._send(reply)
        finally:
            if reply.afterwards is not None:
                reply.afterwards()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def _read_body(self) -> bytes | None:
        length = self.headers.get("Content-Length") or ("0" if self.command == "GET" else "")
        if not length.isascii() or not length.isdigit():
            self.send_error(411, "Content-Length is missing or not a number")
        elif int(length) > MAX_BODY_BYTES:
            self._discard(min(int(length), 64 * MAX_BODY_BYTES))
            self.send_error(413, "the body is too large")
        else:
            return self.rfile.read(int(length))
        return None

    def _discard(self, length: int) -> None:
        # Closing on unread bytes would send RST, and the caller might never see the answer.
        while length > 0 and (chunk := self.rfile.read(min(length, 65_536))):
            length -= len(chunk)

    def _send(self, reply: Reply) -> None:
        if reply.ending != "answer":
            self.close_connection = True
            if reply.ending == "reset":
                self._reset()
            return
        if reply.stream is not None:
            self._stream(reply, reply.stream)
            return
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(reply.body)

    def _stream(self, reply: Reply, stream: Callable[[Wire], None]) -> None:
        self.close_connection = True
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.flush()
        wire = Wire(self.connection)
        stream(wire)
        if wire.is_to_be_reset:
            self._reset()

    def _reset(self) -> None:
        # Lingering for zero seconds makes close() send RST instead of FIN; rfile holds the socket open until closed.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.rfile.close()
        self.connection.close()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer in JSON, never the standard library's HTML page, and close."""
        self.close_connection = True
        self._send(json_reply({"erro": message or explain or "pedido inválido"}, status=code))

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: access lines would carry tokens and numbers."""


class ProgramServer(socketserver.ThreadingMixIn, HTTPServer):
    """A listening socket with a thread for each connection."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self, address: tuple[str, int], program: Program) -> None:
        self.program = program
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without HTTPServer's look-up of the host's full name, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that went away is nothing to report; anything else is printed."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


def run_until_signalled(program: Program, *, host: str, port: int) -> int:
    """Serve until SIGTERM or SIGINT; the process's exit code: 0, or 2 when the address can't be had.

    *Effects* - prints ``listening on http://HOST:PORT`` as the first line once connections are accepted.
    """
    try:
        server = ProgramServer((host, port), program)
    except OSError as error:
        print(f"cannot listen on {host}:{port}: {error.strerror or error}; choose another --port", file=sys.stderr)
        return 2
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    serving.start()
    print(f"listening on http://{host}:{server.server_port}", flush=True)
    stopping.wait()
    program.close()
    server.shutdown()
    server.server_close()
    return 0


def http_url(text: str) -> str:
    """An http(s) address from the command line."""
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address:
        raise argparse.ArgumentTypeError(f"{text!r} is not an http:// address")
    return text


def at_least_zero(text: str) -> float:
    """A number of milliseconds or seconds from the command line."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of zero or more")
    return number
