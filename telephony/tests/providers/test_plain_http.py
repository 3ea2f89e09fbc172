"""The hot path's reading of HTTP: the usual answers, the odd ones, and which connections may be used again."""

from __future__ import annotations

import socket
import time
from urllib.parse import urlsplit

import pytest

from telephony.providers import plain_http
from telephony.providers.base import Ambiguous
from telephony.providers.http import MAX_ANSWER_BYTES, Answer, DeadlineSocket


def read(sent: bytes, *, seconds: float = 5.0) -> tuple[Answer, bool]:
    """What is made of these bytes, after which the peer closes."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(sent)
        theirs.close()
        return plain_http.answer_from(DeadlineSocket(ours, expires_at=time.monotonic() + seconds))


@pytest.mark.parametrize(
    ("sent", "status_code", "content", "is_kept"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, b"hi", True),
        (b"HTTP/1.1 503\r\ncontent-length:0\r\n\r\n", 503, b"", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi", 200, b"hi", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: Keep-Alive\r\n\r\nhi", 200, b"hi", True),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, b"hi", False),
        (b"HTTP/1.1 200 OK\r\n\r\nto the end", 200, b"to the end", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 200, b"hi", False),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, b"hi", False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", False),
    ],
)
def test_an_answer_is_read_whole_and_its_connection_kept_only_when_that_is_sure(
    sent: bytes, status_code: int, content: bytes, is_kept: bool
) -> None:
    assert read(sent) == (Answer(status_code, content), is_kept)


def test_what_follows_an_answer_is_not_part_of_it_and_ends_the_connection() -> None:
    first = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
    assert read(first + b"HTTP/1.1 200 OK\r\n") == (Answer(200, b"hi"), False)


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhi",
    ],
)
def test_an_answer_that_is_cut_is_a_failure_of_the_connection(sent: bytes) -> None:
    with pytest.raises(OSError, match="cut"):
        read(sent)


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (MAX_ANSWER_BYTES + 1),
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20\r\nhi",
        b"HTTP/1.0 200 OK\r\nContent-Length: 20\r\n\r\nhi",
    ],
    ids=["too long", "not HTTP", "cut chunk", "cut, old HTTP"],
)
def test_an_answer_that_cannot_be_read_leaves_a_doubt(sent: bytes) -> None:
    with pytest.raises(Ambiguous):
        read(sent)


def test_an_answer_that_drips_ends_at_the_deadline() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"HTTP/1.1 200 OK\r\n")
        with pytest.raises(TimeoutError):
            plain_http.answer_from(DeadlineSocket(ours, expires_at=time.monotonic() + 0.05))


def test_a_request_is_one_piece_with_its_host_and_length() -> None:
    begun = plain_http.head(urlsplit("http://pabx.example:8080/requests/1/x?a=b"), {"x-api-key": "k"})
    assert plain_http.request(begun, b"{}") == (
        b"POST /requests/1/x?a=b HTTP/1.1\r\nHost: pabx.example:8080\r\nx-api-key: k\r\nContent-Length: 2\r\n\r\n{}"
    )
    assert b"\r\nHost: pabx.example\r\n" in plain_http.head(urlsplit("https://pabx.example:443/"), {})
    assert b"\r\nHost: [::1]:81\r\n" in plain_http.head(urlsplit("http://[::1]:81"), {})


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("http://pabx/a b", {}),
        ("http://pabx/a\u00e7", {}),
        ("http://pabx/", {"x": "a\r\nb: c"}),
        ("http://pabx/", {"x:": "a"}),
    ],
)
def test_what_would_break_the_request_is_refused(url: str, headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="characters"):
        plain_http.head(urlsplit(url), headers)
