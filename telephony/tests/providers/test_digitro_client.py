"""Every way in which a POST to the PABX can end, and that exactly one POST leaves."""

from __future__ import annotations

import contextlib
import gzip
import json
import logging
import os
import socket
import time
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from callcenter.lib.errors import DomainError
from telephony.providers.base import Ambiguous, Misconfigured, ProviderError, Refused, Unauthorized
from telephony.tests.providers.lines import (
    API_KEY,
    EXAMPLE_ANSWER,
    EXAMPLE_BODY,
    EXAMPLE_CALL_ID,
    EXAMPLE_DATA,
    EXAMPLE_PHONE,
    SECRETS,
    client_for,
    failure,
    place,
)
from telephony.tests.providers.wire_server import (
    Behaviour,
    WireServer,
    answering,
    dripping,
    http_bytes,
    resetting,
    silent,
)


@pytest.fixture(autouse=True)
def _logs_hold_no_secret(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG)
    yield
    assert not [secret for secret in SECRETS if secret in caplog.text]


def test_an_accepted_call_gives_its_id_and_sends_the_vendors_example_once() -> None:
    with WireServer(answering(http_bytes(200, EXAMPLE_ANSWER, "Content-Type: application/json"))) as server:
        assert place(client_for(server.url)) == EXAMPLE_CALL_ID
    assert server.connections == 1
    (request,) = server.requests
    assert request.request_line == "POST /requests/7/chamada-preditiva HTTP/1.1"
    assert request.headers["x-api-key"] == API_KEY
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["Connection"] == "close"
    assert not {"Authorization", "Cookie"} & request.headers.keys()
    assert json.loads(request.body) == json.loads(EXAMPLE_BODY)
    assert list(json.loads(request.body)) == list(json.loads(EXAMPLE_BODY))


def test_a_call_by_route_goes_to_the_operation_that_the_setting_names() -> None:
    with WireServer(answering(http_bytes(200, EXAMPLE_ANSWER))) as server:
        client = client_for(server.url + "/pabx/")
        found = client.place_call_by_route(phone_e164=EXAMPLE_PHONE, data=EXAMPLE_DATA, slug="chamada-rota")
    assert found == EXAMPLE_CALL_ID
    assert server.requests[0].request_line == "POST /pabx/requests/7/chamada-rota HTTP/1.1"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((status, Refused) for status in (400, 404, 405, 413, 415, 422)),
        *((status, Unauthorized) for status in (401, 403)),
        *((status, Misconfigured) for status in (300, 301, 302, 303, 304, 307, 308)),
        *((status, Ambiguous) for status in (201, 202, 204, 206, 402, 406, 408, 409, 410, 418, 425, 429, 451)),
        *((status, Ambiguous) for status in (500, 501, 502, 503, 504, 511, 599)),
    ],
)
def test_each_status_means_what_the_table_says_and_one_post_leaves(status: int, kind: type[ProviderError]) -> None:
    # With an id in the body, which must not turn a refusal into a call.
    body = b"" if status in (204, 304) else EXAMPLE_ANSWER
    with WireServer(answering(http_bytes(status, body, "Retry-After: 0"))) as server:
        error = failure(client_for(server.url))
    assert type(error) is kind
    assert error.status_code == status
    assert len(server.requests) == server.connections == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with WireServer(answering(http_bytes(200, EXAMPLE_ANSWER))) as other:
        moved = http_bytes(status, b"moved", f"Location: {other.url}/requests/7/chamada-preditiva")
        with WireServer(answering(moved)) as server:
            assert type(failure(client_for(server.url))) is Misconfigured
    assert (server.connections, other.connections) == (1, 0)


@pytest.mark.parametrize("location", ["http://[::1", "\x00", "http://a b/", "//", "https://u:p@/"])
def test_a_redirect_to_nowhere_is_a_wrong_address_too(location: str) -> None:
    with WireServer(answering(http_bytes(302, b"", f"Location: {location}"))) as server:
        assert type(failure(client_for(server.url))) is Misconfigured


GARBAGE: dict[str, Behaviour] = {
    "200 without an id": answering(http_bytes(200, b"{}")),
    "200 without a body": answering(http_bytes(200)),
    "200 with a page": answering(http_bytes(200, b"<html>Login</html>", "Content-Type: text/html")),
    "200 in no UTF-8": answering(http_bytes(200, b'{"ID_CHAMADA": "\xff"}')),
    "200 compressed": answering(http_bytes(200, gzip.compress(EXAMPLE_ANSWER), "Content-Encoding: gzip")),
    "200 cut short": answering(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"),
    "200 reset in its body": resetting(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"),
    "a broken chunk": answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n"),
    "an unfinished chunk": answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}"),
    "lengths that differ": answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
    "a length that is none": answering(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}"),
    "no HTTP": answering(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "binary": answering(bytes(range(256)) * 4),
    "a status that is none": answering(b"HTTP/1.1 abc OK\r\n\r\n"),
    "a version that is none": answering(b"HTTP/9.9 200 OK\r\n\r\n"),
    "an endless status line": answering(b"HTTP/1.1 200 " + b"x" * 70_000 + b"\r\n\r\n"),
    "too many headers": answering(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n"),
    "a header that is too long": answering(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n"),
    "headers that are none": answering(b"HTTP/1.1 200 OK\r\n\x00\xff\r\nSet-Cookie: \xff=\r\n: :\r\n\r\n{}"),
    "closed without a word": answering(b""),
    "reset without a word": resetting(),
    "cut in its headers": answering(b"HTTP/1.1 200 OK\r\nContent-"),
    "reset in its headers": resetting(b"HTTP/1.1 200 OK\r\nContent-"),
    "too long": answering(http_bytes(200, b" " * 65_537)),
}


@pytest.mark.parametrize("behaviour", GARBAGE.values(), ids=GARBAGE.keys())
def test_whatever_follows_the_post_and_is_no_answer_is_ambiguous(behaviour: Behaviour) -> None:
    with WireServer(behaviour) as server:
        assert type(failure(client_for(server.url))) is Ambiguous
    assert len(server.requests) == server.connections == 1


def test_an_id_that_arrived_whole_counts_though_the_answer_announced_more() -> None:
    with WireServer(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + EXAMPLE_ANSWER)) as server:
        assert place(client_for(server.url)) == EXAMPLE_CALL_ID


def test_the_longest_answer_that_is_read_still_gives_the_id() -> None:
    with WireServer(answering(http_bytes(200, EXAMPLE_ANSWER.rjust(65_536)))) as server:
        assert place(client_for(server.url)) == EXAMPLE_CALL_ID


def test_an_answer_may_come_in_chunks_after_a_100() -> None:
    chunks = b"".join(b"%x\r\n%s\r\n" % (1, bytes([byte])) for byte in EXAMPLE_ANSWER) + b"0\r\n\r\n"
    content = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
    with WireServer(answering(content)) as server:
        assert place(client_for(server.url)) == EXAMPLE_CALL_ID


@pytest.mark.parametrize(
    "behaviour",
    [
        silent,
        dripping(b"", drop=b"H"),
        dripping(b"HTTP/1.1 200 OK\r\n", drop=b"X: y\r\n"),
        dripping(b"HTTP/1.1 200 OK\r\nX-Long: ", drop=b"y"),
        dripping(b"", drop=b"HTTP/1.1 100 Continue\r\n\r\n"),
        dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", drop=b"x"),
        dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", drop=b"1\r\nx\r\n"),
        dripping(b"HTTP/1.1 302 Found\r\nLocation: http://x/\r\nContent-Length: 9999\r\n\r\n", drop=b"x"),
    ],
    ids=["silence", "status line", "headers", "one header", "100s", "body", "chunks", "redirect"],
)
def test_a_slow_answer_ends_at_the_deadline_however_it_drips(behaviour: Behaviour) -> None:
    with WireServer(behaviour) as server:
        began = time.monotonic()
        error = failure(client_for(server.url, read=1.0))
        took = time.monotonic() - began
    assert type(error) is Ambiguous
    # Dripping, it would never end; the rest is what a busy machine takes.
    assert 0.9 <= took <= 5
    assert len(server.requests) == 1


def test_fifty_megabytes_are_not_read() -> None:
    def pour(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 52428800\r\n\r\n")
        block = b" " * 65_536
        for _ in range(800):
            connection.sendall(block)

    with WireServer(pour) as server:
        tracemalloc.start()
        try:
            error = failure(client_for(server.url))
            _now, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert type(error) is Ambiguous
    assert peak < 4_000_000


def test_a_bomb_is_not_inflated() -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    with WireServer(answering(http_bytes(200, bomb, "Content-Encoding: gzip"))) as server:
        tracemalloc.start()
        try:
            error = failure(client_for(server.url))
            _now, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert type(error) is Ambiguous
    assert peak < 4_000_000


@pytest.mark.parametrize(
    "base_url",
    [
        "", "pabx", "//pabx", "ftp://pabx", "http://", "http://:80", "http://u:p@127.0.0.1", "http://127.0.0.1/?a=1",
        "http://127.0.0.1#x", "http://127.0.0.1:0", "http://127.0.0.1:99999", "http://[::1",
        "http://127.0.0.1/\r\nX: y",
    ],
)  # fmt: skip
def test_a_base_url_that_is_none_is_misconfigured(base_url: str) -> None:
    assert type(failure(client_for(base_url))) is Misconfigured


def test_a_line_without_channel_or_slug_sends_nothing() -> None:
    with WireServer(answering(http_bytes(200, EXAMPLE_ANSWER))) as server:
        assert type(failure(client_for(server.url, channel_id=None))) is Misconfigured
        assert type(failure(client_for(server.url, api_key="a\nb"))) is Misconfigured
        with pytest.raises(Misconfigured):
            client_for(server.url).place_call_by_route(phone_e164=EXAMPLE_PHONE, data="", slug="")
        with pytest.raises(Refused):
            client_for(server.url).place_predictive_call(phone_e164="+79991112233", data="")
    assert server.connections == 0


def test_the_environments_proxy_and_netrc_are_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    with WireServer(answering(http_bytes(200, EXAMPLE_ANSWER))) as server:
        assert place(client_for(server.url)) == EXAMPLE_CALL_ID
    assert "Authorization" not in server.requests[0].headers


class TooLate(DomainError):
    code = "too_late"


@pytest.mark.parametrize("error", [TooLate("late"), OSError("late"), TimeoutError("late"), ValueError("late")])
def test_what_the_guard_raises_passes_through_and_nothing_is_sent(error: Exception) -> None:
    def guard() -> None:
        raise error

    with WireServer(answering(http_bytes(200, EXAMPLE_ANSWER))) as server, pytest.raises(type(error)) as raised:
        client_for(server.url).place_predictive_call(phone_e164=EXAMPLE_PHONE, data="", before_send=guard)
    assert raised.value is error
    assert server.requests == []


def test_the_guard_is_asked_once_on_the_open_connection() -> None:
    asked: list[int] = []
    with WireServer(answering(http_bytes(200, EXAMPLE_ANSWER))) as server:

        def guard() -> None:
            deadline = time.monotonic() + 5
            while not server.connections and time.monotonic() < deadline:
                time.sleep(0.01)
            asked.append(len(server.requests))

        client_for(server.url).place_predictive_call(phone_e164=EXAMPLE_PHONE, data="", before_send=guard)
    assert asked == [0]
    assert len(server.requests) == server.connections == 1


def test_a_peer_that_keeps_its_connection_open_gets_a_new_one_each_time_and_no_cookie_back() -> None:
    def keep(connection: socket.socket) -> None:
        connection.sendall(http_bytes(200, EXAMPLE_ANSWER, "Connection: keep-alive", "Set-Cookie: a=b"))
        # The client closes: no second request may come.
        assert connection.recv(1) == b""

    with WireServer(keep) as server:
        client = client_for(server.url)
        for _ in range(3):
            assert place(client) == EXAMPLE_CALL_ID
    assert len(server.requests) == server.connections == 3
    assert not any("Cookie" in request.headers for request in server.requests)


def test_five_hundred_resets_are_five_hundred_posts() -> None:
    with WireServer(resetting()) as server:
        client = client_for(server.url)
        for _ in range(500):
            with pytest.raises(Ambiguous):
                place(client)
    assert len(server.requests) == server.connections == 500


def test_fifty_threads_share_one_client() -> None:
    with WireServer(answering(http_bytes(200, EXAMPLE_ANSWER))) as server:
        client = client_for(server.url, connect=10, read=10)
        with ThreadPoolExecutor(50) as pool:
            found = list(pool.map(lambda _n: place(client), range(200)))
    assert found == [EXAMPLE_CALL_ID] * 200
    assert len(server.requests) == 200


def test_no_connection_is_left_open() -> None:
    before = len(os.listdir("/proc/self/fd"))
    for behaviour in (answering(http_bytes(200, EXAMPLE_ANSWER)), resetting(), answering(http_bytes(302, b"x" * 99))):
        with WireServer(behaviour) as server:
            for _ in range(20):
                with contextlib.suppress(ProviderError):
                    place(client_for(server.url))
    assert len(os.listdir("/proc/self/fd")) <= before + 2
