"""One POST and its answer over an open socket, for the hot path: nothing is built anew that all calls of a line share.

The usual answer (HTTP/1.1 with its length) is read here. Any other (chunked, no length, HTTP/1.0, 1xx) is read by the
standard library, from the first byte. Source: RFC 9112.
"""

from __future__ import annotations

import io
import re
from http.client import HTTPException, HTTPResponse
from typing import TYPE_CHECKING, Any, Final

from telephony.providers.base import Ambiguous
from telephony.providers.http import MAX_ANSWER_BYTES, Answer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from urllib.parse import SplitResult

    from telephony.providers.http import DeadlineSocket

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_MAX_HEAD_BYTES: Final = 64 * 1024
_CHUNK: Final = 16 * 1024
_TARGET: Final = re.compile(r"[!-~]+")
_NAME: Final = re.compile(r"[A-Za-z0-9-]+")
_VALUE: Final = re.compile(r"[ -~]*")
_STATUS: Final = re.compile(rb"HTTP/1\.1 ([2-5][0-9][0-9])(?: [^\r\n]*)?")
_FIELD: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*?)[ \t]*")
_LENGTH: Final = re.compile(rb"[0-9]{1,9}")
_WITHOUT_BODY: Final = frozenset({b"204", b"304"})


def head(parts: SplitResult, headers: Mapping[str, str]) -> bytes:
    """Everything of a POST before its body's length.

    Errors: `ValueError` when the address or a header has characters that don't belong there.
    """
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not _TARGET.fullmatch(target):
        raise ValueError("the address has characters that must be escaped")
    if not all(_NAME.fullmatch(name) and _VALUE.fullmatch(value) for name, value in headers.items()):
        raise ValueError("a header has characters that it can't hold")
    fields = [
        f"POST {target} HTTP/1.1",
        f"Host: {_host(parts)}",
        *(f"{name}: {text}" for name, text in headers.items()),
    ]
    return "\r\n".join([*fields, "Content-Length: "]).encode("ascii")


def request(begun: bytes, content: bytes) -> bytes:
    """The whole request, to be sent at once."""
    return b"%b%d\r\n\r\n%b" % (begun, len(content), content)


def answer_from(sock: DeadlineSocket) -> tuple[Answer, bool]:
    """The answer, and whether the connection may be used again.

    Errors: `Ambiguous` when it is too long or breaks HTTP; `OSError` when the connection fails or ends before it.
    """
    received = b""
    while (end := received.find(b"\r\n\r\n")) < 0:
        if len(received) > _MAX_HEAD_BYTES:
            raise Ambiguous("The answer is too long.")
        received += _more(sock)
    if (usual := _usual(received[:end])) is None:
        return _unusual(sock, received)
    status_code, length, is_kept = usual
    if length > MAX_ANSWER_BYTES:
        raise Ambiguous("The answer is too long.", status_code=status_code)
    content = received[end + 4 :]
    while len(content) < length:
        content += _more(sock)
    # What comes after the answer belongs to nothing that we asked for.
    return Answer(status_code, content[:length]), is_kept and len(content) == length


def _host(parts: SplitResult) -> str:
    name = (parts.hostname or "").encode("idna").decode("ascii")
    shown = f"[{name}]" if ":" in name else name
    return shown if parts.port in {None, _DEFAULT_PORTS.get(parts.scheme)} else f"{shown}:{parts.port}"


def _more(sock: DeadlineSocket) -> bytes:
    sock.limit()
    chunk: bytes = sock.recv(_CHUNK)
    if not chunk:
        raise ConnectionResetError("the answer is cut")
    return chunk


def _usual(lines: bytes) -> tuple[int, int, bool] | None:
    """Status, length and whether the connection stays open; None for an answer that is not of the usual kind."""
    first, *fields = lines.split(b"\r\n")
    status = _STATUS.fullmatch(first)
    if status is None or status[1] in _WITHOUT_BODY:
        return None
    length, is_kept = None, True
    for line in fields:
        if (field := _FIELD.fullmatch(line)) is None:
            return None
        match field[1].lower():
            case b"content-length":
                if length is not None or not _LENGTH.fullmatch(field[2]):
                    return None
                length = int(field[2])
            case b"transfer-encoding":
                return None
            case b"connection":
                is_kept = is_kept and field[2].lower() == b"keep-alive"
    return None if length is None else (int(status[1]), length, is_kept)


def _unusual(sock: DeadlineSocket, received: bytes) -> tuple[Answer, bool]:
    """As `answer_from`, by the standard library; its connection is not used again."""
    begun: Any = _Begun(sock, received)
    response = HTTPResponse(begun, method="POST")
    try:
        response.begin()
        content = response.read(MAX_ANSWER_BYTES + 1)
    except HTTPException as error:
        raise Ambiguous(f"The answer is not HTTP ({type(error).__name__}).") from None
    finally:
        response.close()
    if len(content) > MAX_ANSWER_BYTES:
        raise Ambiguous("The answer is too long.", status_code=response.status)
    if response.length:
        raise Ambiguous("The answer is cut.", status_code=response.status)
    return Answer(response.status, content), False


class _Begun(io.RawIOBase):
    """A socket of which some bytes have been read already, from its first byte."""

    def __init__(self, sock: DeadlineSocket, received: bytes) -> None:
        self._sock = sock
        self._received = received

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._received:
            self._sock.limit()
            self._received = self._sock.recv(len(buffer))
        taken, self._received = self._received[: len(buffer)], self._received[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)
