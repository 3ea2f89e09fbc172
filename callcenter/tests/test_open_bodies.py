"""Bodies that come without a length are read as what they are."""

from __future__ import annotations

import base64
import http.client
import io
from typing import TYPE_CHECKING, Any

import pytest

from callcenter.lib.open_bodies import MeasuredBodies
from callcenter.tests.factories import make_api_key, make_company, make_user
from callcenter.tests.stack import Stack
from requests_app.models import CallRequest

if TYPE_CHECKING:
    from collections.abc import Callable


class Dripping(io.RawIOBase):
    """A body that comes three bytes at a time."""

    def __init__(self, body: bytes) -> None:
        self._rest = body
        self.most_asked = 0

    def read(self, size: int = -1) -> bytes:
        assert size > 0, "everything at once"
        self.most_asked = max(self.most_asked, size)
        part, self._rest = self._rest[: min(size, 3)], self._rest[min(size, 3) :]
        return part


def seen(environ: dict[str, Any], *, most_bytes: int = 20) -> tuple[str | None, bytes]:
    """The length and the body that the application sees."""
    found: list[tuple[str | None, bytes]] = []

    def application(environ: dict[str, Any], _start: Callable[..., Any]) -> list[bytes]:
        length = environ.get("CONTENT_LENGTH")
        found.append((length, environ["wsgi.input"].read(int(length or 0)) if length else b""))
        return []

    MeasuredBodies(application, most_bytes=most_bytes)(environ, lambda *_args: None)
    return found[0]


def test_a_body_without_a_length_gets_its_own() -> None:
    environ = {"REQUEST_METHOD": "POST", "wsgi.input": Dripping(b"phone=1&name=Ana"), "wsgi.input_terminated": True}

    assert seen(environ) == ("16", b"phone=1&name=Ana")


def test_no_more_is_read_than_shows_that_it_is_too_much() -> None:
    stream = Dripping(b"x" * 1000)

    length, _body = seen({"REQUEST_METHOD": "PUT", "wsgi.input": stream, "wsgi.input_terminated": True})

    assert length == "21"
    assert len(stream._rest) == 1000 - 21


@pytest.mark.parametrize(
    "environ",
    [
        {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "3", "wsgi.input_terminated": True},
        {"REQUEST_METHOD": "GET", "wsgi.input_terminated": True},
        # Such a server would wait for bytes that never come.
        {"REQUEST_METHOD": "POST"},
    ],
)
def test_everything_else_is_left_alone(environ: dict[str, Any]) -> None:
    stream = Dripping(b"abc")

    length, _body = seen({**environ, "wsgi.input": io.BytesIO(b"abc") if "CONTENT_LENGTH" in environ else stream})

    assert length == environ.get("CONTENT_LENGTH")
    assert stream.most_asked == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.conforms("CS-body-chunked", "VD-body-chunked")
def test_a_chunked_request_is_stored_in_both_dialects() -> None:
    user = make_user(make_company())
    credentials = base64.b64encode(f"{user.email}:{make_api_key(user)}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}

    with Stack() as stack:
        for path, phone in [("/api/2.0/call_requests", "1"), ("/venddor/api/2.0/call_requests", "2")]:
            connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=10)
            parts = iter([b'{"phone"', b': "', phone.encode(), b'"}'])
            connection.request("POST", path, parts, headers, encode_chunked=True)
            assert connection.getresponse().status == 201
            connection.close()
        connection = http.client.HTTPConnection("127.0.0.1", stack.port, timeout=10)
        connection.request("POST", path, iter([b"x" * 1_000_000] * 3), headers, encode_chunked=True)
        assert connection.getresponse().status == 413
        connection.close()
    assert set(CallRequest.objects.values_list("phone", flat=True)) == {"1", "2"}
